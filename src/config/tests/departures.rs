//! What operators write about departures.

use super::*;
use crate::config::{DeparturesFeed, WhenStale};

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
    let seconds = [feed.wait, feed.at.timeout, feed.stale_for].map(|span| span.as_secs());
    assert_eq!((seconds, feed.when_stale), ([20, 22, 300], WhenStale::Ask));
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
