//! When the directory is away: who waits is tried for again, the operator's posture decides, and nothing is lost.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::get;
use crate::support::world::{World, millis, unavailable};
use serde_json::json;
use std::collections::BTreeMap;

/// Short pauses, so that a clock on the wall does not take long.
fn hasty() -> Config {
    usual()
        .set("/provisioning/retry", json!({"attempts": 3, "backoff": "50ms..100ms"}))
        .set("/provisioning/breaker", json!({"failures": 4, "pause": "300ms..600ms"}))
}

fn allowing() -> Config {
    hasty().set("/provisioning/when_unavailable", json!("allow"))
}

#[test]
fn who_waits_is_tried_for_again_until_the_directory_answers() {
    let mut world = Here::usual(&hasty());
    world.directory().answers_first(&[Behaviour::text(503, ""), Behaviour::Resets]);
    assert_eq!(world.visit("jane-4711").forwarded().header("x-account-id").as_deref(), Some("acct-1"));
    let arrivals = world.directory().heard("/v1/arrivals");
    assert_eq!(arrivals.len(), 3);
    let first = &arrivals[0];
    for again in &arrivals {
        assert_eq!(again.header("idempotency-key"), first.header("idempotency-key"));
        assert_eq!(again.body, first.body, "the same errand in the same words");
    }
    assert_eq!(world.counter("firstsight.arrivals.retried"), 2);
}

#[test]
fn a_directory_is_not_tried_again_before_it_wants_to_be() {
    let mut world = Here::usual(&hasty());
    world.directory().answers_first(&[Behaviour::text(429, "").with_header("retry-after", b"1")]);
    let before = world.now();
    world.visit("jane-4711").forwarded();
    assert!(world.now().since(before) >= millis(1000));

    // A wait beyond the hold is the client's to wait.
    world.directory().answers(unavailable());
    let calls = world.directory().arrivals().len();
    let answer = world.visit("john-4712").refused(503, "directory-unavailable");
    assert_eq!(answer.header("retry-after").as_deref(), Some("7"));
    assert_eq!(world.directory().arrivals().len(), calls + 1);
}

#[test]
fn a_directory_that_keeps_failing_is_left_alone_by_the_whole_process_until_it_is_back() {
    let mut world = Here::usual(&hasty());
    world.visit("ready-0").forwarded();
    world.directory().answers(Behaviour::text(500, ""));
    world.visit("jane-0").refused(503, "directory-unavailable");
    world.visit("jane-1").refused(503, "directory-unavailable");
    let calls = world.directory().arrivals().len();
    assert!((4..=7).contains(&calls), "{calls} calls");
    for number in 2..20 {
        world.visit(&format!("jane-{number}")).refused(503, "directory-unavailable");
    }
    let more = world.directory().arrivals().len() - calls;
    assert!(more <= 3, "{more} calls to a directory that is left alone");
    world.directory().behaves();
    world.pass(millis(900));
    for number in 0..20 {
        world.visit(&format!("jane-{number}")).forwarded();
    }
}

#[test]
fn who_goes_on_unconfirmed_is_told_when_the_directory_is_back_seen_again_or_not() {
    let mut world = Here::usual(&allowing());
    world.visit("ready-0").forwarded();
    world.directory().goes_down();
    for number in 0..40 {
        let seen = world.visit(&format!("crowd-{number}")).forwarded();
        assert_eq!(seen.header("x-account-id"), None);
    }
    assert_eq!(world.counter("firstsight.arrivals.owed"), 40);
    world.directory().comes_back();
    world.until("everybody is told", |world| world.directory().accounts() == 41);
    let mut calls = BTreeMap::new();
    for arrival in world.directory().arrivals() {
        *calls.entry(arrival.subject.id).or_insert(0) += 1;
    }
    assert_eq!(calls.len(), 41);
    assert_eq!(world.counter("firstsight.arrivals.dropped"), 0);
    assert!(world.visit("crowd-7").forwarded().header("x-account-id").is_some());
}

#[test]
fn more_than_may_be_owed_are_counted_as_they_are_dropped() {
    let mut world = Here::usual(&allowing().set("/limits/owed", json!(3)));
    world.directory().goes_down();
    for number in 0..20 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    let (owed, dropped) =
        (world.counter("firstsight.arrivals.owed"), world.counter("firstsight.arrivals.dropped"));
    assert!((3..=3 * Here::WORKERS as u64).contains(&owed), "{owed}");
    assert_eq!(owed + dropped, 20);
    world.directory().comes_back();
    world.until("those that are owed are told", |world| world.directory().accounts() as u64 == owed);
}

#[test]
fn what_is_owed_is_told_before_the_plugin_is_removed() {
    let mut world = Here::usual(&allowing());
    world.directory().answers(Behaviour::text(503, ""));
    for number in 0..5 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    world.directory().behaves();
    world.pass(millis(700));
    world.remove_plugin();
    assert_eq!(world.directory().accounts(), 5);
}

#[test]
fn what_is_owed_to_a_directory_that_is_left_alone_does_not_keep_the_plugin() {
    let config = allowing().set("/provisioning/breaker/pause", json!("20s..20s"));
    let config = config.set("/limits/calls", json!(1));
    let mut world = Here::usual(&config);
    world.directory().goes_down();
    for number in 0..20 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    assert_eq!(world.counter("firstsight.arrivals.owed"), 20);
    world.update(&config.set("/gateway", json!("edge-2"))).unwrap();
    world.until("the loss is counted", |world| world.counter("firstsight.arrivals.dropped") == 20);
}

#[test]
fn with_the_posture_to_allow_the_known_a_new_subject_is_refused_and_a_known_one_is_served() {
    let config = hasty()
        .set("/provisioning/when_unavailable", json!("allow_known"))
        .set("/provisioning/refresh", json!("300ms"));
    let mut world = Here::usual(&config);
    world.directory().answers(Behaviour::json(200, &json!({"status": "active", "account": {"id": "a-1"}})));
    world.visit("jane-4711").forwarded();
    world.pass(millis(400));
    world.directory().goes_down();
    for _ in 0..6 {
        assert_eq!(world.visit("jane-4711").forwarded().header("x-account-id").as_deref(), Some("a-1"));
    }
    world.visit("john-4712").refused(503, "directory-unavailable");
    assert_eq!(world.counter("firstsight.arrivals.owed"), 0);
}

#[test]
fn whom_the_directory_turned_away_stays_away_while_it_is_gone() {
    let mut world = Here::usual(&allowing());
    world.directory().answers(Behaviour::json(410, &json!({})));
    world.visit("jane-4711").refused(403, "account-departed");
    world.directory().goes_down();
    for _ in 0..6 {
        world.visit("jane-4711").refused(403, "account-departed");
    }
}

#[test]
fn only_so_many_subjects_are_asked_about_at_a_time_and_all_are_served() {
    let config = usual().set("/limits/calls", json!(4)).set("/limits/waiting", json!(500));
    let mut world = Here::usual(&config);
    world.visit("ready-0").forwarded();
    world.directory().takes(millis(30));
    let before = world.now();
    let tokens: Vec<_> = (0..120).map(|number| world.token(&format!("crowd-{number}"))).collect();
    let answers = world.send_all(tokens.iter().map(|token| get("/orders").bearer(token)).collect());
    for answer in answers {
        answer.forwarded();
    }
    let waited = world.now().since(before);
    let rounds = 120 / 4 / Here::WORKERS as u32;
    assert!(waited >= millis(30) * rounds, "more were asked about at a time: it took {waited:?}");
    assert_eq!(world.directory().arrivals().len(), 121);
}
