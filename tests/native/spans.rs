//! What takes minutes, hours or a day: only a virtual clock can wait for it.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::get;
use crate::support::world::{Upstreams, World, unavailable};
use firstsight::wire::Cause;
use serde_json::{Value, json};
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
    // Up to a tenth of it is taken off, so that not all are asked about together.
    world.pass(10 * HOUR);
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
    assert!((7..=8).contains(&fetches), "{fetches} fetches in an hour");
    world.issuer().goes_down();
    let token = world.token_with("jane-4711", &json!({"exp": 4_000_000_000_u64}));
    world.pass(23 * HOUR);
    let age = world.counter("firstsight.keys.age_seconds");
    assert!((23 * 3600 - 10..23 * 3600 + 600).contains(&age), "{age}");
    world.send(get("/orders").bearer(&token)).forwarded();
    world.pass(2 * HOUR);
    world.send(get("/orders").bearer(&token)).refused(503, "keys-unavailable");
    world.issuer().comes_back();
    world.pass(MINUTE);
    world.send(get("/orders").bearer(&token)).forwarded();
}

/// How often keys are fetched in an hour of an issuer that says this about them.
fn fetches_in_an_hour(headers: &[(&str, &str)], refresh: &Value) -> usize {
    let upstreams = Upstreams::default();
    let answer = Behaviour::json(200, &upstreams.issuer.jwks());
    let say = |answer: Behaviour, (name, value): &(&str, &str)| answer.with_header(name, value.as_bytes());
    upstreams.issuer.answers_jwks(headers.iter().fold(answer, say));
    let mut world =
        Here::start(upstreams, &patient().set("/issuers/0/keys_refresh", refresh.clone())).unwrap();
    world.visit("jane-4711").forwarded();
    world.pass(HOUR);
    world.issuer().fetches() - 1
}

#[test]
fn keys_are_fetched_again_when_their_issuer_says_so_within_the_operators_bounds() {
    let bounds = json!({"at_least": "2m", "at_most": "30m"});
    let says = |line: &str| fetches_in_an_hour(&[("cache-control", line)], &bounds);
    let within = |fetches: usize, least: usize, what: &str| {
        // Up to a tenth earlier than due.
        let most = (least * 10).div_ceil(9);
        assert!((least..=most).contains(&fetches), "{what}: {fetches} fetches in an hour");
    };
    within(says("max-age=300"), 12, "as it says");
    within(
        fetches_in_an_hour(&[("cache-control", "max-age=900"), ("age", "600")], &bounds),
        12,
        "less its age",
    );
    for line in ["max-age=1", "no-store"] {
        assert!((29..=30).contains(&says(line)), "not before the floor: {line}");
    }
    within(says("max-age=86400"), 2, "not after the ceiling");
    within(says("public, s-maxage=1"), 6, "without a word for us: every ten minutes");
    within(fetches_in_an_hour(&[], &json!({"every": "5m"})), 12, "without any word: as the operator says");
}

#[test]
fn an_issuer_that_is_down_is_tried_ever_less_often() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::text(500, ""));
    let mut world = Here::start(upstreams, &patient()).unwrap();
    world.pass(10 * MINUTE);
    let tries = world.issuer().discoveries();
    assert!((23..=46).contains(&tries), "{tries} tries in ten minutes");
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
    assert!(log.lines().count() <= 24 * 7 + 10, "{} lines in a day", log.lines().count());
}
