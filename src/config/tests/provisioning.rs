//! How the directory is asked, and what is taken over from its answer.

use super::*;
use crate::domain::AccountMember;
use crate::mapping::HeaderSourceRule;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn provisioning(key: &str, value: Value) -> Provisioning {
    let policy = compiled(&with(&format!("/provisioning/{key}"), value));
    policy.unwrap_or_else(|problems| panic!("{problems:?}")).provisioning
}

#[test]
fn without_a_word_requests_wait_are_tried_for_three_times_and_failures_spare_the_directory() {
    let policy = compiled(&smallest()).ok().unwrap();
    let usual = policy.provisioning;
    assert_eq!(usual.protocol, Protocol::Firstsight);
    assert_eq!(
        (usual.attempts, usual.backoff.shortest, usual.backoff.longest),
        (3, millis(100), millis(2000))
    );
    let pause = usual.breaker.pause;
    assert_eq!((usual.breaker.failures, pause.shortest, pause.longest), (5, millis(1000), millis(30_000)));
    assert_eq!(usual.drift_every, millis(60_000));
    assert_eq!(policy.paces, [Pace::Hold]);
    assert_eq!((policy.limits.calls, policy.limits.owed), (100, 10_000));
}

#[test]
fn each_word_about_provisioning_is_heeded() {
    let retry = provisioning("retry", json!({"attempts": 7.0, "backoff": "5ms..1s"}));
    assert_eq!((retry.attempts, retry.backoff.shortest, retry.backoff.longest), (7, millis(5), millis(1000)));
    let breaker = provisioning("breaker", json!({"failures": 2, "pause": "2s..2s"})).breaker;
    assert_eq!(
        (breaker.failures, breaker.pause.shortest, breaker.pause.longest),
        (2, millis(2000), millis(2000))
    );
    assert_eq!(provisioning("drift_every", json!("5m")).drift_every, millis(300_000));
    for (word, posture) in
        [("deny", Posture::Deny), ("allow", Posture::Allow), ("allow_known", Posture::AllowKnown)]
    {
        assert_eq!(provisioning("when_unavailable", json!(word)).when_unavailable, posture);
    }
}

#[test]
fn a_route_waits_as_it_says_or_as_provisioning_says() {
    let mut document = with("/provisioning/mode", json!("background"));
    document["routes"] = json!([
        {"path": {"prefix": "/a"}, "provisioning": "hold"},
        {"path": {"prefix": "/b"}, "provisioning": "background"},
        {"path": {"prefix": "/c"}},
    ]);
    let paces = compiled(&document).ok().unwrap().paces;
    assert_eq!(paces, [Pace::Hold, Pace::Background, Pace::Background, Pace::Background]);
}

#[test]
fn mistakes_about_provisioning_are_told_with_their_places() {
    let mut document = smallest();
    document["provisioning"] = json!({
        "cluster": "directory",
        "mode": "later",
        "retry": {"attempts": 0, "backoff": "2s..100ms"},
        "breaker": {"failures": 1.5, "pause": "2s"},
        "when_unavailable": "shrug",
        "drift_every": "1ms",
    });
    document["routes"] = json!([{"path": {"prefix": "/a"}, "provisioning": "never"}]);
    document["limits"] = json!({"calls": 0, "owed": -1});
    let expected = [
        "limits.calls",
        "limits.owed",
        "provisioning.breaker.failures",
        "provisioning.breaker.pause",
        "provisioning.drift_every",
        "provisioning.mode",
        "provisioning.retry.attempts",
        "provisioning.retry.backoff",
        "provisioning.when_unavailable",
        "routes[0].provisioning",
    ];
    assert_eq!(problems(&document), expected);
}

#[test]
fn headers_of_the_account_have_places_that_all_rules_agree_on() {
    let mut document = smallest();
    document["headers"] = json!([
        {"header": "x-account-id", "account": "id"},
        {"header": "x-plan", "account": "headers.plan"},
        {"header": "x-region", "account": "headers.region"},
    ]);
    document["filter_state"] = json!([{"key": "plan", "account": "headers.plan"}]);
    let policy = compiled(&document).ok().unwrap();
    assert_eq!(policy.account_headers, ["plan", "region"]);
    let sources: Vec<_> = policy.mapping.headers.iter().map(|rule| rule.source.clone()).collect();
    let account = |member| HeaderSourceRule::Account(member);
    let header = |place| account(AccountMember::Header(place));
    assert_eq!(sources, [account(AccountMember::Id), header(0), header(1)]);
    assert_eq!(policy.mapping.filter_state[0].source, header(0));
    for member in ["name", "headers", "headers."] {
        let document = with("/headers", json!([{"header": "x-a", "account": member}]));
        assert_eq!(problems(&document), ["headers[0].account"], "{member}");
    }
}
