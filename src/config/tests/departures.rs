//! What operators write about departures.

use super::*;
use crate::config::{DeparturesFeed, FeedProtocol, KeySource, ScimFeed, WhenStale};
use crate::domain::Issuer;
use crate::wire::scim::Whose;

fn feed(written: Value) -> DeparturesFeed {
    let policy = compiled(&with("/departures", written)).unwrap_or_else(|told| panic!("{told:?}"));
    policy.departures.unwrap_or_else(|| panic!("the feed is followed"))
}

#[test]
fn who_departed_is_heard_only_where_that_is_written() {
    let policy = compiled(&smallest()).ok().unwrap();
    assert_eq!((policy.departures, policy.limits.departures), (None, 100_000));
    let feed = feed(json!({}));
    assert_eq!((feed.at.cluster.as_str(), feed.at.path.as_str()), ("directory", "/v1/departures"));
    let seconds = [feed.at.timeout, feed.stale_for].map(|span| span.as_secs());
    assert_eq!((seconds, feed.when_stale), ([22, 300], WhenStale::Ask));
    assert_eq!(feed.protocol, FeedProtocol::Firstsight { wait: Duration::from_secs(20) });
}

#[test]
fn the_feed_is_asked_for_where_arrivals_go_and_nowhere_else_with_the_same_token() {
    let mut document = with("/provisioning/authorization", json!({"env": "DIRECTORY_TOKEN"}));
    document["departures"] = json!({});
    let at = |document: &Value| compiled(document).ok().unwrap().departures.unwrap().at;
    assert!(at(&document).authorization.is_some());
    document["departures"] = json!({"cluster": "another", "path": "/feed"});
    let another = at(&document);
    assert_eq!((another.authority.as_str(), another.path.as_str()), ("another", "/feed"));
    assert_eq!(another.authorization, None);
    document["departures"] = json!({"path": "feed", "authority": "a b", "when_stale": "sometimes"});
    let expected = ["departures.authority", "departures.path", "departures.when_stale"];
    assert_eq!(problems(&document), expected);
}

#[test]
fn the_times_of_a_feed_fit_each_other() {
    assert_eq!(feed(json!({"wait": "5s"})).at.timeout, Duration::from_secs(7));
    for (written, key) in
        [(json!({"wait": "20s", "timeout": "20s"}), "timeout"), (json!({"stale_for": "22s"}), "stale_for")]
    {
        assert_eq!(problems(&with("/departures", written)), [format!("departures.{key}")]);
    }
}

const OTHER: &str = "https://other.example.com";

/// A document with two issuers whose directory speaks SCIM, and told apart like this.
fn speaking(provisioning: Value, departures: Value) -> Value {
    let mut document = with("/provisioning", provisioning);
    let other = json!({"issuer": OTHER, "cluster": "idp", "audiences": ["orders-api"]});
    document["issuers"] = json!([document["issuers"][0], other]);
    document["departures"] = departures;
    document
}

fn scim(document: &Value) -> (DeparturesFeed, ScimFeed) {
    let feed = compiled(document).unwrap_or_else(|told| panic!("{told:?}")).departures.unwrap();
    let FeedProtocol::Scim(terms) = feed.protocol.clone() else { panic!("it is SCIM") };
    (feed, terms)
}

#[test]
fn users_are_read_where_accounts_are_made_and_told_by_the_same_external_id() {
    let provisioning =
        json!({"cluster": "directory", "protocol": "scim", "path": "/v2", "scim": {"external_id": "key"}});
    let document = speaking(provisioning, json!({"protocol": "scim"}));
    let (feed, terms) = scim(&document);
    assert_eq!((feed.at.cluster.as_str(), feed.at.path.as_str()), ("directory", "/v2"));
    assert_eq!(feed.at.timeout, Duration::from_secs(5));
    assert_eq!(terms, ScimFeed { whose: Whose::Key, every: Duration::from_secs(30) });
    let (feed, terms) =
        scim(&with("/departures", json!({"protocol": "scim", "cluster": "hr", "every": "5s"})));
    assert_eq!((feed.at.cluster.as_str(), feed.at.path.as_str()), ("hr", "/scim/v2"));
    let issuer = Issuer::parse("https://idp.example.com/realms/a").unwrap();
    assert_eq!(terms, ScimFeed { whose: Whose::Sub(issuer), every: Duration::from_secs(5) });
}

#[test]
fn where_there_are_several_issuers_a_sub_is_one_of_them_alone() {
    let with =
        |scim: Value| speaking(json!({"cluster": "directory"}), json!({"protocol": "scim", "scim": scim}));
    let whose = |written| scim(&with(written)).1.whose;
    let other = Issuer::parse(OTHER).unwrap();
    assert_eq!(whose(json!({"issuer": OTHER})), Whose::Sub(other.clone()));
    assert_eq!(whose(json!({"external_id": "sub", "issuer": OTHER})), Whose::Sub(other));
    assert_eq!(whose(json!({"external_id": "issuer_and_sub"})), Whose::IssuerAndSub);
    for odd in [json!({}), json!({"issuer": "https://third"}), json!({"external_id": "key", "issuer": OTHER})]
    {
        assert_eq!(problems(&with(odd.clone())), ["departures.scim.issuer"], "{odd}");
    }
    assert_eq!(
        problems(&with(json!({"external_id": "userName"}))),
        ["departures.scim.external_id", "departures.scim.issuer"]
    );
}

#[test]
fn what_belongs_to_another_protocol_is_told() {
    let scim = json!({"protocol": "scim", "wait": "1s", "path": "/v2?x=1"});
    assert_eq!(problems(&with("/departures", scim)), ["departures.path", "departures.wait"]);
    let ours = json!({"every": "1s", "scim": {"issuer": "https://idp.example.com/realms/a"}});
    assert_eq!(problems(&with("/departures", ours)), ["departures.every", "departures.scim"]);
    let stale = json!({"protocol": "scim", "every": "30s", "stale_for": "35s"});
    assert_eq!(problems(&with("/departures", stale)), ["departures.stale_for"]);
    assert_eq!(problems(&with("/departures", json!({"protocol": "ldap"}))), ["departures.protocol"]);
}

fn ssf(extra: Value) -> Value {
    let mut written = json!({
        "protocol": "ssf", "cluster": "signals", "path": "/streams/7/poll",
        "ssf": {"issuer": "https://signals.example.com/acme", "audiences": ["https://edge.example.com"]},
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        written[key] = value.clone();
    }
    with("/departures", written)
}

#[test]
fn a_transmitter_is_polled_where_that_is_written_and_its_keys_are_its_own() {
    let policy = compiled(&ssf(json!({}))).unwrap_or_else(|told| panic!("{told:?}"));
    let (feed, transmitter) = (policy.departures.unwrap(), policy.transmitter.unwrap());
    assert_eq!((feed.at.cluster.as_str(), feed.at.path.as_str()), ("signals", "/streams/7/poll"));
    let seconds = [feed.at.timeout, feed.stale_for].map(|span| span.as_secs());
    assert_eq!((feed.protocol, seconds), (FeedProtocol::Ssf { every: None }, [60, 300]));
    assert_eq!(transmitter.terms.issuer.as_str(), "https://signals.example.com/acme");
    let KeySource::Discovery { at, .. } = transmitter.keys else { panic!("discovery is the default") };
    assert_eq!((at.cluster.as_str(), at.authority.as_str()), ("signals", "signals.example.com"));
    assert_eq!(at.path, "/.well-known/ssf-configuration/acme");
    let polled = compiled(&ssf(json!({"every": "5s"}))).ok().unwrap().departures.unwrap();
    assert_eq!(polled.protocol, FeedProtocol::Ssf { every: Some(Duration::from_secs(5)) });
    assert_eq!(polled.at.timeout, Duration::from_secs(5));
}

#[test]
fn what_a_transmitter_lacks_is_told_at_once() {
    let bare = with("/departures", json!({"protocol": "ssf"}));
    let expected = ["cluster", "path", "ssf.audiences", "ssf.cluster", "ssf.issuer"];
    assert_eq!(problems(&bare), expected.map(|key| format!("departures.{key}")));
    let odd =
        json!({"issuer": "https://x?y", "audiences": [""], "algorithms": ["HS256"], "jwks_uri": "/jwks"});
    let expected = ["algorithms[0]", "audiences", "issuer", "jwks_uri"];
    assert_eq!(problems(&ssf(json!({"ssf": odd}))), expected.map(|key| format!("departures.ssf.{key}")));
    assert_eq!(problems(&ssf(json!({"wait": "5s", "scim": {}}))), ["departures.scim", "departures.wait"]);
    assert_eq!(problems(&ssf(json!({"stale_for": "60s"}))), ["departures.stale_for"]);
}
