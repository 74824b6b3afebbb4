//! What takes minutes, hours or a day: only a virtual clock can wait for it.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::get;
use crate::support::world::{Upstreams, World, unavailable};
use firstsight::wire::Cause;
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The usual configuration with every span left to its default.
fn patient() -> Config {
    let config = usual().set("/limits", json!({})).set("/last_seen", json!({}));
    config.set("/provisioning/timeout", json!("2s"))
}

#[test]
fn a_refusal_is_remembered_for_less_than_a_minute() {
    let mut world = Here::usual(&patient());
    world.directory().answers(Behaviour::json(202, &json!({"status": "pending"})));
    world.visit("jane-4711").refused(403, "account-pending");
    world.directory().behaves();
    world.pass(20 * SECOND);
    world.visit("jane-4711").refused(403, "account-pending");
    assert_eq!(world.directory().arrivals().len(), 1);
    world.pass(MINUTE);
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_standing_is_asked_about_again_when_its_validity_has_passed() {
    let mut world = Here::usual(&patient());
    world.visit("jane-4711").forwarded();
    world.pass(50 * MINUTE);
    world.visit("jane-4711").forwarded();
    assert_eq!(world.directory().arrivals().len(), 1, "the directory said 3600 s");
    world.pass(20 * MINUTE);
    world.visit("jane-4711").forwarded();
    let causes: Vec<_> = world.directory().arrivals().iter().map(|arrival| arrival.cause).collect();
    assert_eq!(causes, [Cause::Arrival, Cause::Refresh]);

    world.directory().answers(Behaviour::json(200, &json!({"status": "departed"})));
    world.pass(2 * HOUR);
    world.visit("jane-4711").refused(403, "account-departed");
}

#[test]
fn without_a_word_of_the_directory_a_standing_holds_for_the_refresh() {
    let mut world = Here::usual(&patient());
    let active = json!({"status": "active", "account": {"id": "acct-1"}});
    world.directory().answers(Behaviour::json(200, &active));
    world.visit("jane-4711").forwarded();
    world.pass(11 * HOUR);
    world.visit("jane-4711").forwarded();
    assert_eq!(world.directory().arrivals().len(), 1);
    world.pass(2 * HOUR);
    world.visit("jane-4711").forwarded();
    assert_eq!(world.directory().arrivals().len(), 2);
}

#[test]
fn keys_are_fetched_every_ten_minutes_and_outlast_their_issuer_by_a_day() {
    let mut world = Here::usual(&patient());
    world.visit("jane-4711").forwarded();
    world.pass(HOUR);
    let fetches = world.issuer().fetches();
    assert!((6..=8).contains(&fetches), "{fetches} fetches in an hour");
    world.issuer().goes_down();
    let token = world.token_with("jane-4711", &json!({"exp": 4_000_000_000_u64}));
    world.pass(23 * HOUR);
    world.send(get("/orders").bearer(&token)).forwarded();
    world.pass(2 * HOUR);
    world.send(get("/orders").bearer(&token)).refused(503, "keys-unavailable");
    world.issuer().comes_back();
    world.pass(MINUTE);
    world.send(get("/orders").bearer(&token)).forwarded();
}

#[test]
fn an_issuer_that_is_down_is_tried_ever_less_often() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::text(500, ""));
    let mut world = Here::start(upstreams, &patient()).unwrap();
    world.pass(10 * MINUTE);
    let tries = world.issuer().discoveries();
    assert!((15..40).contains(&tries), "{tries} tries in ten minutes");
    let before = world.now();
    let answer = world.visit("jane-4711").refused(503, "keys-unavailable");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    let waited = world.now().since(before);
    assert!(waited <= 5 * SECOND && wait <= 30, "held for {waited:?}, told to wait {wait} s");
}

#[test]
fn sightings_outlast_a_directory_that_is_away_for_hours() {
    let mut world = Here::usual(&patient());
    world.visit("jane-4711").forwarded();
    world.directory().answers_sightings(unavailable());
    for _ in 0..36 {
        let token = world.token("jane-4711");
        world.send(get("/orders").bearer(&token));
        world.pass(5 * MINUTE);
    }
    assert_eq!(world.directory().seen("jane-4711"), 0);
    let served = world.counter("firstsight.requests.forwarded");
    world.directory().behaves();
    world.pass(10 * MINUTE);
    assert_eq!(world.directory().seen("jane-4711"), served);
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
}

#[test]
fn an_idle_gateway_is_quiet() {
    let mut world = Here::usual(&patient());
    world.visit("jane-4711").forwarded();
    world.pass(24 * HOUR);
    assert_eq!(world.directory().arrivals().len(), 1);
    assert_eq!(world.directory().batches().len(), 1);
    let log = world.log();
    assert!(log.lines().count() <= 24 * 6 + 10, "{} lines in a day", log.lines().count());
}
