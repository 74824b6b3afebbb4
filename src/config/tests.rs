//! What operators write, and what they are told.

mod attributes;
mod credentials;
mod departures;
mod headers;
mod kinds;
mod provisioning;
mod routes;
mod scim;
mod terms;

use super::*;
use crate::token::{ALGORITHMS, Algorithm, Crypto, HostCheck, SignatureHost};
use serde_json::{Value, json};
use std::time::Duration;

fn env(name: &str) -> Option<String> {
    (name == "DIRECTORY_TOKEN").then(|| "s3cret\n".to_owned())
}

fn read(text: &str, env: &dyn Fn(&str) -> Option<String>, node: &str) -> Result<Policy, Vec<Problem>> {
    compile(text, &Surroundings { env, node, crypto: Crypto::pure() })
}

fn compiled(document: &Value) -> Result<Policy, Vec<String>> {
    let listed = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect();
    read(&document.to_string(), &env, "node~1").map_err(listed)
}

fn problems(document: &Value) -> Vec<String> {
    let paths = |text: String| text.split(": ").next().unwrap_or_default().to_owned();
    compiled(document).err().unwrap_or_default().into_iter().map(paths).collect()
}

fn smallest() -> Value {
    json!({
        "issuers": [{"issuer": "https://idp.example.com/realms/a", "cluster": "idp", "audiences": ["orders-api"]}],
        "provisioning": {"cluster": "directory"},
    })
}

/// The smallest configuration with `value` at a JSON Pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = smallest();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    parent[key] = value;
    document
}

#[test]
fn the_smallest_configuration_is_an_issuer_an_audience_and_a_directory() {
    let policy = compiled(&smallest()).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(policy.gateway, "node~1");
    let all_but_es512 = ALGORITHMS.iter().filter(|algorithm| **algorithm != Algorithm::ES512);
    assert!(policy.issuers[0].trust.algorithms.iter().eq(all_but_es512));
    assert_eq!(policy.issuers[0].trust.clock_skew, Duration::from_secs(30));
    assert_eq!(policy.provisioning.when_unavailable, Posture::Deny);
    let sightings = policy.last_seen.unwrap().at;
    assert_eq!((sightings.path.as_str(), sightings.cluster.as_str()), ("/v1/sightings", "directory"));
    assert_eq!(policy.limits.token_bytes, 16 * 1024);
}

#[test]
fn es512_is_for_proxies_that_verify_signatures_themselves() {
    struct Host;
    impl SignatureHost for Host {
        fn verifies(check: &HostCheck<'_>) -> bool {
            firstsight_testkit::verify_signature(check.hash, check.key, check.signature, check.message)
        }
    }
    let document = with("/issuers/0/algorithms", json!(["ES256", "ES512"]));
    assert_eq!(
        compiled(&document).err().unwrap(),
        ["issuers[0].algorithms[1]: this proxy cannot verify ES512 \
          (ES512 needs a proxy that verifies signatures itself: Envoy 1.30 or newer)"]
    );
    let compiled = |document: &Value| {
        let surroundings = Surroundings { env: &env, node: "", crypto: Crypto::by_host::<Host>() };
        compile(&document.to_string(), &surroundings).ok().unwrap().issuers.remove(0).trust.algorithms
    };
    assert_eq!(compiled(&document), [Algorithm::ES256, Algorithm::ES512]);
    assert_eq!(compiled(&smallest()), ALGORITHMS);
}

#[test]
fn discovery_is_asked_for_at_the_issuer_through_its_cluster() {
    let policy = compiled(&smallest()).ok().unwrap();
    let KeySource::Discovery { at, .. } = &policy.issuers[0].keys else { panic!("discovery is the default") };
    assert_eq!((at.cluster.as_str(), at.authority.as_str()), ("idp", "idp.example.com"));
    assert_eq!(at.path, "/realms/a/.well-known/openid-configuration");
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let document = json!({
        "isuers": [],
        "issuers": [
            {"issuer": "idp.example.com", "clutser": "idp", "algorithms": ["RS256", "HS256"], "clock_skew": "soon"},
            "https://idp.example.com",
        ],
        "headers": [{"header": "x y", "claim": "sub"}, {"header": "host", "claim": "sub"}, {"header": "x-a"}],
        "provisioning": {"cluster": 7, "authorization": {"env": "NOBODY_SET_THIS"}},
        "last_seen": {"batch": 0},
        "limits": {"waiting": 1.5},
    });
    let expected = [
        "headers[0].header",
        "headers[1].header",
        "headers[2]",
        "issuers[0].algorithms[1]",
        "issuers[0].audiences",
        "issuers[0].clock_skew",
        "issuers[0].cluster",
        "issuers[0].clutser",
        "issuers[0].issuer",
        "issuers[1]",
        "isuers",
        "last_seen.batch",
        "limits.waiting",
        "provisioning.authorization.env",
        "provisioning.cluster",
    ];
    assert_eq!(problems(&document), expected);
}

#[test]
fn a_problem_says_what_is_wrong_and_how_to_mend_it() {
    let text = compiled(&with("/issuers/0/algorithms", json!(["HS256"]))).err().unwrap().join("");
    assert!(
        text.contains("`HS256` is no algorithm that is accepted here") && text.contains("RS256, "),
        "{text}"
    );
}

#[test]
fn what_is_no_json_object_is_refused_as_a_whole() {
    for text in ["", "{", "[]", "null", "\"x\"", "{}"] {
        assert!(read(text, &env, "").is_err(), "{text}");
    }
}

#[test]
fn numbers_may_be_doubles_as_istio_renders_them() {
    let policy = compiled(&with("/limits", json!({"subjects": 200000.0, "waiting": 10}))).ok().unwrap();
    assert_eq!((policy.limits.subjects, policy.limits.waiting), (200_000, 10));
}

#[test]
fn an_audience_is_named_or_written_off() {
    assert_eq!(problems(&with("/issuers/0/audiences", json!([]))), ["issuers[0].audiences"]);
    assert_eq!(problems(&with("/issuers/0/any_audience", json!(true))), ["issuers[0].any_audience"]);
    let any = json!({"issuer": "https://idp.example.com", "cluster": "idp", "any_audience": true});
    let policy = compiled(&with("/issuers", json!([any]))).ok().unwrap();
    assert_eq!(policy.issuers[0].trust.audiences, None);
}

#[test]
fn one_issuer_has_one_entry() {
    let issuer = smallest()["issuers"][0].clone();
    assert_eq!(problems(&with("/issuers", json!([issuer, issuer]))), ["issuers[1].issuer"]);
}

#[test]
fn keys_come_from_one_place() {
    let empty = json!({"keys": []});
    assert_eq!(problems(&with("/issuers/0/jwks", empty)), ["issuers[0].jwks"]);
    assert_eq!(problems(&with("/issuers/0/jwks_uri", json!("/jwks"))), ["issuers[0].jwks_uri"]);
    let policy =
        compiled(&with("/issuers/0/jwks_uri", json!("https://keys.example.com/k?v=1"))).ok().unwrap();
    let KeySource::Address { at, .. } = &policy.issuers[0].keys else { panic!("an address was written") };
    assert_eq!((at.authority.as_str(), at.path.as_str()), ("keys.example.com", "/k?v=1"));
}

#[test]
fn the_directorys_token_is_read_from_the_environment_and_never_printed() {
    let document = with("/provisioning/authorization", json!({"env": "DIRECTORY_TOKEN"}));
    let policy = compiled(&document).ok().unwrap();
    let authorization = policy.provisioning.at.authorization.clone().unwrap();
    assert_eq!(authorization, "Bearer s3cret");
    assert_eq!(policy.last_seen.unwrap().at.authorization, Some(authorization));
    assert!(!format!("{:?}", policy.provisioning).contains("s3cret"));
}

#[test]
fn in_istio_an_upstream_is_asked_under_the_host_of_its_cluster() {
    let name = "outbound|8080||directory.identity.svc.cluster.local";
    let policy = compiled(&with("/provisioning/cluster", json!(name))).ok().unwrap();
    assert_eq!(policy.provisioning.at.authority, "directory.identity.svc.cluster.local");
}

#[test]
fn a_name_that_the_proxy_gave_itself_is_made_to_fit() {
    let policy = read(&smallest().to_string(), &env, "sidecar~10.0.0.1~a/b").ok().unwrap();
    assert_eq!(policy.gateway, "sidecar~10.0.0.1~a-b");
    assert_eq!(problems(&with("/gateway", json!("a b"))), ["gateway"]);
}

#[test]
fn a_span_of_time_is_within_what_a_proxy_can_keep() {
    for (place, span) in [
        ("/provisioning/timeout", "500us"),
        ("/provisioning/timeout", "30days"),
        ("/provisioning/refresh", "0s"),
        ("/issuers/0/clock_skew", "100years"),
        ("/issuers/0/keys_refresh", "soon"),
    ] {
        assert_eq!(problems(&with(place, json!(span))).len(), 1, "{place} {span}");
    }
}

#[test]
fn a_key_that_is_there_twice_is_a_mistake() {
    let text = r#"{"gateway": "a", "gateway": "b"}"#;
    let problems = read(text, &env, "").err().unwrap();
    assert!(problems.iter().any(|problem| problem.what.contains("twice")), "{problems:?}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_told() {
    for wrong in [json!("Bearer s3cret"), json!({"env": "s3cret-token+value"}), json!(["s3cret"])] {
        let told = compiled(&with("/provisioning/authorization", wrong)).err().unwrap().join("\n");
        assert!(!told.contains("s3cret"), "{told}");
    }
    assert!(compiled(&with("/issuers/0/issuer", json!("https://me:s3cret@idp.example.com"))).is_err());
}

#[test]
fn a_token_that_cannot_be_sent_is_told_before_it_is_missed() {
    let document = with("/provisioning/authorization", json!({"env": "TOKEN"}));
    for token in ["töken", "two words", " "] {
        assert!(read(&document.to_string(), &|_| Some(token.to_owned()), "").is_err(), "{token}");
    }
}

#[test]
fn sightings_go_where_arrivals_go_under_the_same_name_and_nowhere_else_with_the_same_token() {
    let mut document = with("/provisioning/authorization", json!({"env": "DIRECTORY_TOKEN"}));
    document["provisioning"]["authority"] = json!("directory.example.com");
    document["last_seen"] = json!({"cluster": "directory"});
    let same = compiled(&document).ok().unwrap().last_seen.unwrap().at;
    assert_eq!((same.authority.as_str(), same.authorization.is_some()), ("directory.example.com", true));
    document["last_seen"] = json!({"cluster": "another"});
    let another = compiled(&document).ok().unwrap().last_seen.unwrap().at;
    assert_eq!((another.authority.as_str(), another.authorization), ("another", None));
    for odd in ["a b", ":80", "me@directory"] {
        document["last_seen"] = json!({"authority": odd});
        assert_eq!(problems(&document), ["last_seen.authority"], "{odd}");
    }
    assert_eq!(problems(&with("/issuers/0/jwks_uri", json!("https://:443/jwks"))), ["issuers[0].jwks_uri"]);
}

#[test]
fn what_a_challenge_says_needs_no_escape() {
    let at = "https://api.example.com/.well-known/oauth-protected-resource/orders";
    let policy = compiled(&with("/resource_metadata", json!(at))).ok().unwrap();
    assert_eq!(policy.challenge.resource_metadata.as_deref(), Some(at));
    assert_eq!(policy.challenge.realm, "firstsight");
    assert_eq!(compiled(&with("/realm", json!("Orders, EU"))).ok().unwrap().challenge.realm, "Orders, EU");
    for realm in ["", "a\"b", "a\\b", "a\r\nb", "Köln"] {
        assert_eq!(problems(&with("/realm", json!(realm))), ["realm"], "{realm:?}");
    }
    for odd in [
        "",
        "/metadata",
        "api.example.com",
        "ftp://api/x",
        "https://me:pw@api/x",
        "https://api/a\"b",
        "https://api/#x",
        "https://api/a b",
    ] {
        assert_eq!(problems(&with("/resource_metadata", json!(odd))), ["resource_metadata"], "{odd:?}");
    }
}

#[test]
fn the_times_of_a_refresh_fit_each_other_unless_they_are_written_otherwise() {
    let refresh = |written: Value| {
        let policy =
            compiled(&with("/issuers/0/keys_refresh", written)).unwrap_or_else(|told| panic!("{told:?}"));
        let KeySource::Discovery { refresh, .. } = policy.issuers[0].keys else {
            panic!("discovery is the default")
        };
        [refresh.at_least, refresh.every, refresh.at_most, refresh.stale_for].map(|span| span.as_secs())
    };
    let (minute, hour) = (60, 60 * 60);
    assert_eq!(refresh(json!({})), [minute, 10 * minute, hour, 24 * hour]);
    assert_eq!(refresh(json!({"every": "2s"})), [2, 2, hour, 24 * hour]);
    assert_eq!(refresh(json!({"every": "2s", "stale_for": "9s"})), [2, 2, 9, 9]);
    assert_eq!(refresh(json!({"every": "3h"})), [minute, 3 * hour, 3 * hour, 24 * hour]);
    assert_eq!(refresh(json!({"at_least": "2h"})), [2 * hour, 2 * hour, 2 * hour, 24 * hour]);
    assert_eq!(refresh(json!({"at_most": "5s"})), [5, 5, 5, 24 * hour]);
}

#[test]
fn the_times_of_a_refresh_must_not_contradict_each_other() {
    for (written, key) in [
        (json!({"at_least": "2m", "at_most": "1m"}), "at_least"),
        (json!({"at_least": "2m", "every": "1m"}), "every"),
        (json!({"every": "2m", "at_most": "1m"}), "every"),
        (json!({"every": "2m", "stale_for": "1m"}), "stale_for"),
        (json!({"at_most": "2h", "stale_for": "1h"}), "stale_for"),
    ] {
        let told = problems(&with("/issuers/0/keys_refresh", written.clone()));
        assert_eq!(told, [format!("issuers[0].keys_refresh.{key}")], "{written}");
    }
}
