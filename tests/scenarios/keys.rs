//! Where an issuer's keys come from, when they are fetched, and what requests do meanwhile.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::get;
use crate::support::world::{Upstreams, World};
use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::json;
use std::time::Duration;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn keys_are_found_by_discovery_and_fetched_once() {
    let mut world = Here::usual(&usual());
    for _ in 0..6 {
        world.visit("jane-4711").forwarded();
    }
    let issuer = world.issuer();
    assert!((1..=Here::COPIES).contains(&issuer.discoveries()), "{} documents", issuer.discoveries());
    assert!((1..=Here::COPIES).contains(&issuer.fetches()), "{} key sets", issuer.fetches());
}

#[test]
fn keys_may_be_at_an_address_or_in_the_configuration() {
    let config = usual().set("/issuers/0/jwks_uri", json!("http://idp.test/realms/acme/jwks"));
    let mut world = Here::usual(&config);
    world.visit("jane-4711").forwarded();
    assert_eq!(world.issuer().discoveries(), 0);

    let upstreams = Upstreams::default();
    upstreams.issuer.goes_down();
    let config = usual().set("/issuers/0/jwks", upstreams.issuer.jwks());
    let mut world = Here::start(upstreams, &config).unwrap();
    world.visit("jane-4711").forwarded();
    assert_eq!(world.issuer().fetches(), 0);
}

#[test]
fn a_request_that_arrives_before_the_keys_waits_for_them() {
    let upstreams = Upstreams::default();
    let keys = upstreams.issuer.jwks();
    upstreams.issuer.answers_jwks(Behaviour::json(200, &keys).after(millis(700)));
    let mut world = Here::start(upstreams, &usual()).unwrap();
    for answer in world.visits("jane-4711", 8) {
        answer.forwarded();
    }
}

#[test]
fn a_request_that_waits_too_long_for_keys_is_refused_by_the_filter_itself() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::Hangs);
    let mut world = Here::start(upstreams, &usual().set("/limits/hold", json!("300ms"))).unwrap();
    let before = world.now();
    world.visit("jane-4711").refused(503, "keys-unavailable");
    let waited = world.now().since(before);
    assert!((millis(250)..millis(2000)).contains(&waited), "{waited:?}");
}

#[test]
fn only_so_many_requests_may_wait() {
    let upstreams = Upstreams::default();
    let keys = upstreams.issuer.jwks();
    upstreams.issuer.answers_jwks(Behaviour::json(200, &keys).after(millis(900)));
    let mut world = Here::start(upstreams, &usual().set("/limits/waiting", json!(3))).unwrap();
    let (forwarded, refused): (Vec<_>, Vec<_>) =
        world.visits("jane-4711", 20).into_iter().partition(|answer| answer.seen.is_some());
    assert!((3..=3 * Here::WORKERS).contains(&forwarded.len()), "{} forwarded", forwarded.len());
    for answer in refused {
        answer.refused(503, "overloaded");
    }
    world.visit("jane-4711").forwarded();
}

#[test]
fn an_issuer_that_was_down_is_served_again_without_a_restart() {
    let upstreams = Upstreams::default();
    upstreams.issuer.goes_down();
    let config = usual().set("/limits/hold", json!("200ms"));
    let mut world = Here::start(upstreams, &config).unwrap();
    world.visit("jane-4711").refused(503, "keys-unavailable");
    assert!(world.counter("firstsight.keys.failed") > 0);
    world.issuer().comes_back();
    let back = (0..40).any(|_| {
        world.pass(millis(200));
        world.visit("jane-4711").seen.is_some()
    });
    assert!(back, "the keys were not tried for again\n{}", world.log());
}

#[test]
fn after_a_rotation_the_new_key_is_fetched_without_a_restart() {
    let mut world = Here::usual(&usual());
    let old = world.token("jane-4711");
    world.send(get("/orders").bearer(&old)).forwarded();
    world.issuer().rotates();
    for answer in world.visits("jane-4711", 8) {
        answer.forwarded();
    }
    assert!(world.issuer().fetches() <= Here::COPIES + Here::WORKERS);
    let refused = (0..20).any(|_| world.send(get("/orders").bearer(&old)).seen.is_none());
    assert!(refused, "the withdrawn key is still accepted everywhere");
}

#[test]
fn unknown_keys_cost_the_issuer_next_to_nothing() {
    let mut world = Here::usual(&usual().set("/issuers/0/keys_refresh/unknown_kid", json!("1m")));
    world.visit("jane-4711").forwarded();
    let exp = world.now().as_millis() / 1000 + 60;
    let claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": exp}).to_string();
    let theirs = SigningKey::generate(Algorithm::ES256, "theirs");
    for number in 0..20 {
        let header = json!({"alg": "ES256", "kid": format!("kid-{number}/../../x?y=\r\n")});
        let token = theirs.sign(&header, claims.as_bytes());
        world.send(get("/orders").bearer(&token)).refused(401, "key-unknown");
    }
    let fetches = world.issuer().fetches();
    assert!(fetches <= Here::COPIES + Here::WORKERS, "{fetches} fetches for 20 forged tokens");
}

#[test]
fn an_unknown_key_while_the_issuer_is_down_is_nobodys_fault() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    world.issuer().rotates();
    let token = world.token("jane-4711");
    world.issuer().goes_down();
    let answers: Vec<_> = (0..4).map(|_| world.send(get("/orders").bearer(&token))).collect();
    for answer in answers {
        assert!(answer.seen.is_none());
        assert!(matches!(answer.status, 401 | 503), "{}", answer.status);
    }
}

#[test]
fn keys_are_fetched_again_on_ticks_and_withdrawn_ones_are_refused() {
    let config = usual().set("/issuers/0/keys_refresh/every", json!("150ms"));
    let mut world = Here::usual(&config);
    let old = world.token("jane-4711");
    world.send(get("/orders").bearer(&old)).forwarded();
    world.issuer().rotates();
    let fetched = world.issuer().fetches();
    world.until("every copy fetches twice more", |world| {
        world.issuer().fetches() >= fetched + 3 * Here::COPIES
    });
    world.send(get("/orders").bearer(&old)).refused(401, "key-unknown");
    world.visit("jane-4711").forwarded();
}

#[test]
fn keys_are_used_while_the_issuer_is_down_but_not_for_ever() {
    let config = usual()
        .set("/issuers/0/keys_refresh", json!({"every": "200ms", "stale_for": "1500ms"}))
        .set("/limits/hold", json!("200ms"));
    let mut world = Here::usual(&config);
    let token = world.token("jane-4711");
    let request = || get("/orders").bearer(&token);
    world.send(request()).forwarded();
    world.issuer().goes_down();
    world.pass(millis(600));
    world.send(request()).forwarded();
    world.pass(millis(1500));
    world.send(request()).refused(503, "keys-unavailable");
}
