//! Where an issuer's keys come from, when they are fetched, and what requests do meanwhile.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::{Request, get};
use crate::support::world::{Upstreams, World, millis};
use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::json;

#[test]
fn keys_are_found_by_discovery_and_fetched_once() {
    let mut world = Here::usual(&usual());
    for _ in 0..6 {
        world.visit("jane-4711").forwarded();
    }
    world.every_worker_serves();
    let issuer = world.issuer();
    assert_eq!((issuer.discoveries(), issuer.fetches()), (1, 1), "by all workers together\n{}", world.log());
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
fn an_issuer_that_is_down_is_tried_by_all_workers_together() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::text(500, ""));
    let mut world = Here::start(upstreams, &usual()).unwrap();
    world.until("it is tried", |world| world.issuer().discoveries() > 0);
    world.pass(millis(3400));
    let tries = world.issuer().discoveries();
    assert!((2..=3).contains(&tries), "{tries} tries with pauses of half to one, and one to two seconds");
}

#[test]
fn the_age_of_the_keys_is_shown() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    world.pass(millis(1100));
    world.visit("jane-4711").forwarded();
    world.until("it is shown", |world| (1..20).contains(&world.counter("firstsight.keys.age_seconds")));
}

#[test]
fn after_an_update_the_keys_are_still_there() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    world.issuer().goes_down();
    world.update(&usual().set("/gateway", json!("edge-2"))).unwrap();
    for answer in world.visits("jane-4711", 8) {
        answer.forwarded();
    }
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
    let issuer = world.issuer();
    assert_eq!((issuer.discoveries(), issuer.fetches()), (2, 2), "by all workers together\n{}", world.log());
    let refused = (0..20).any(|_| world.send(get("/orders").bearer(&old)).seen.is_none());
    assert!(refused, "the withdrawn key is still accepted everywhere");
}

/// A token of `kid`, signed with a key that no issuer has.
fn forged(world: &Here, theirs: &SigningKey, kid: &str) -> Request {
    let exp = world.now().as_millis() / 1000 + 60;
    let claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": exp}).to_string();
    get("/orders").bearer(&theirs.sign(&json!({"alg": "ES256", "kid": kid}), claims.as_bytes()))
}

#[test]
fn unknown_keys_cost_the_issuer_next_to_nothing() {
    let mut world = Here::usual(&usual().set("/issuers/0/keys_refresh/unknown_kid", json!("1m")));
    world.visit("jane-4711").forwarded();
    let theirs = SigningKey::generate(Algorithm::ES256, "theirs");
    for number in 0..20 {
        let request = forged(&world, &theirs, &format!("kid-{number}/../../x?y=\r\n"));
        world.send(request).refused(401, "key-unknown");
    }
    let fetches = world.issuer().fetches();
    assert!((2..=1 + Here::WORKERS).contains(&fetches), "{fetches} fetches for 20 forged tokens");
}

#[test]
fn a_key_that_is_not_published_is_not_asked_for_again_soon() {
    let mut world = Here::usual(&usual().set("/issuers/0/keys_refresh/unknown_kid", json!("500ms")));
    let theirs = SigningKey::generate(Algorithm::ES256, "theirs");
    let request = forged(&world, &theirs, "old");
    let visits = |world: &mut Here| {
        for _ in 0..12 {
            world.send(request.clone()).refused(401, "key-unknown");
        }
        world.issuer().fetches()
    };
    let before = visits(&mut world);
    let asked = 2..=1 + Here::WORKERS;
    assert!(asked.contains(&before), "the first keys, and whether there is another: {before}");
    world.pass(millis(700));
    let fetches = visits(&mut world);
    assert!(fetches < before + Here::WORKERS, "where it was asked for, it is known to be unknown: {fetches}");
    world.pass(millis(1600));
    assert!(visits(&mut world) > fetches, "but not for ever");
}

#[test]
fn a_key_that_was_unknown_is_good_as_soon_as_it_is_published() {
    let upstreams = Upstreams::default();
    let old = upstreams.issuer.jwks();
    let config = usual().set("/issuers/0/keys_refresh", json!({"every": "400ms", "unknown_kid": "1m"}));
    upstreams.issuer.answers_jwks(Behaviour::json(200, &old));
    let mut world = Here::start(upstreams, &config).unwrap();
    world.visit("jane-4711").forwarded();
    world.issuer().rotates();
    let token = world.token("jane-4711");
    for _ in 0..6 {
        world.send(get("/orders").bearer(&token)).refused(401, "key-unknown");
    }
    let (new, fetched) = (world.issuer().jwks(), world.issuer().fetches());
    world.issuer().answers_jwks(Behaviour::json(200, &new));
    world.until("every worker has newer keys", |world| world.issuer().fetches() >= fetched + 3);
    for _ in 0..6 {
        world.send(get("/orders").bearer(&token)).forwarded();
    }
}

#[test]
fn a_flood_of_unknown_keys_leaves_room_for_others_to_wait() {
    let config = usual().set("/limits", json!({"waiting": 8, "hold": "1s"}));
    let mut world = Here::usual(&config);
    for answer in world.visits("jane-4711", 8) {
        answer.forwarded();
    }
    world.issuer().answers_jwks(Behaviour::Hangs);
    let theirs = SigningKey::generate(Algorithm::ES256, "theirs");
    let flood: Vec<_> = (0..40)
        .map(|number| {
            let request = forged(&world, &theirs, &format!("kid-{number}"));
            world.open(request)
        })
        .collect();
    for answer in world.visits("a-newcomer", 2) {
        answer.forwarded();
    }
    for open in flood {
        world.answer(open).refused(503, "keys-unavailable");
    }
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
    world.until("every worker has newer keys", |world| world.issuer().fetches() >= fetched + 4);
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
