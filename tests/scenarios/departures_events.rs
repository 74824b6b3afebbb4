//! Departures that a transmitter's events tell of (RFC 8936): each is believed only if it is the transmitter's, and told as
//! taken once all workers can know of it.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, ISSUER, departing_by_events};
use crate::support::message::get;
use crate::support::world::{Upstreams, World, millis};
use firstsight::domain::Timestamp;
use serde_json::json;

/// A world that polls.
fn world(config: &Config) -> Here {
    let mut world = Here::start(Upstreams::default(), config).unwrap_or_else(|log| panic!("{log}"));
    world.every_worker_serves();
    world.until("it is polled", |world| world.directory().transmitter().polls() > 1);
    world.pass(millis(300));
    world
}

/// Sends the same request until enough were answered by every worker, most probably.
#[track_caller]
fn refused_everywhere(world: &mut Here, token: &str, status: u16, slug: &str) {
    for _ in 0..8 {
        world.send(get("/orders").bearer(token)).refused(status, slug);
    }
}

fn forwarded_everywhere(world: &mut Here, token: &str) {
    for _ in 0..8 {
        world.send(get("/orders").bearer(token)).forwarded();
    }
}

/// Time for the next poll, and for all workers to hear of it.
fn next_poll(world: &mut Here) {
    world.pass(millis(900));
}

fn seconds(world: &Here) -> u64 {
    world.now().as_millis() / 1000
}

#[test]
fn whoever_is_disabled_is_refused_and_comes_back_with_a_newer_token() {
    let mut world = world(&departing_by_events());
    let (transmitter, now) = (world.directory().transmitter(), seconds(&world));
    let issued = |world: &Here, at: u64| world.token_with("jane-4711", &json!({"iat": at}));
    let (old, john) = (issued(&world, now - 60), world.token("john-4712"));
    forwarded_everywhere(&mut world, &old);
    let disabled = transmitter.disables("jane-4711", Timestamp::from_secs(now - 30));
    next_poll(&mut world);
    refused_everywhere(&mut world, &old, 403, "account-departed");
    let newer = world.token("jane-4711");
    refused_everywhere(&mut world, &newer, 403, "account-departed");
    forwarded_everywhere(&mut world, &john);
    assert!(transmitter.is_done() && transmitter.taken() == [disabled], "{:?}", transmitter.taken());
    assert_eq!(world.counter("firstsight.departures.heard"), 1);
    assert_eq!(world.counter("firstsight.departures.failed"), 0);
    assert!(world.counter("firstsight.departures.lag_seconds") < 2);
    transmitter.enables("jane-4711", Timestamp::from_secs(now - 20));
    next_poll(&mut world);
    refused_everywhere(&mut world, &old, 401, "token-outdated");
    forwarded_everywhere(&mut world, &newer);
}

#[test]
fn tokens_of_before_a_session_was_revoked_are_dead_and_that_lifts_no_departure() {
    let mut world = world(&departing_by_events());
    let (transmitter, now) = (world.directory().transmitter(), seconds(&world));
    let issued = |world: &Here, sub: &str, at: u64| world.token_with(sub, &json!({"iat": at}));
    let old = issued(&world, "jane-4711", now - 60);
    let new = issued(&world, "jane-4711", now - 10);
    forwarded_everywhere(&mut world, &old);
    // It was revoked long before that was told.
    let event = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": "jane-4711"});
    let events = json!({"events": {event: {"event_timestamp": now - 30}}});
    transmitter.tells_of(event, &subject, world.now(), &events);
    transmitter.disables("john-4712", Timestamp::from_secs(now - 50));
    transmitter.revokes("john-4712", Timestamp::from_secs(now - 40));
    next_poll(&mut world);
    refused_everywhere(&mut world, &old, 401, "token-outdated");
    forwarded_everywhere(&mut world, &new);
    let john = issued(&world, "john-4712", now);
    refused_everywhere(&mut world, &john, 403, "account-departed");
}

#[test]
fn events_that_are_not_believed_are_refused_by_name_and_change_nothing() {
    let mut world = world(&departing_by_events());
    let (transmitter, now) = (world.directory().transmitter(), world.now());
    let event = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": "jane-4711"});
    let seconds = seconds(&world);
    let odd = [
        (json!({"iss": ISSUER}), "invalid_issuer"),
        (json!({"aud": "https://another.test"}), "invalid_audience"),
        (json!({"sub": "jane-4711"}), "invalid_request"),
        (json!({"exp": seconds + 60}), "invalid_request"),
        (json!({"jti": "another"}), "invalid_request"),
        (json!({"iat": null}), "invalid_request"),
        (json!({"iat": seconds + 3600}), "invalid_request"),
    ];
    let mut expected: Vec<_> =
        odd.iter().map(|(extra, code)| (transmitter.tells_of(event, &subject, now, extra), *code)).collect();
    // Signed by whoever signs tokens, and of their kind.
    let claims = json!({"iss": ISSUER, "jti": "foreign", "events": {event: {}}}).to_string();
    let header = json!({"typ": "secevent+jwt", "alg": "ES256"});
    transmitter.brings("foreign", &world.issuer().signs(&header, claims.as_bytes()));
    transmitter.brings("token", &world.token("jane-4711"));
    transmitter.brings("rubbish", "a.b");
    expected.extend(
        [("foreign", "authentication_failed"), ("token", "invalid_request"), ("rubbish", "invalid_request")]
            .map(|(name, code)| (name.to_owned(), code)),
    );
    world.until("all are refused", |_| transmitter.is_done());
    next_poll(&mut world);
    let refused = transmitter.refused();
    for (name, code) in &expected {
        assert_eq!(refused.get(name).map(|error| error.err.as_str()), Some(*code), "{name}");
    }
    assert_eq!(world.counter("firstsight.departures.invalid"), expected.len() as u64);
    world.visit("jane-4711").forwarded();
}

#[test]
fn events_that_mean_nothing_here_are_taken() {
    let mut world = world(&departing_by_events());
    let (transmitter, now) = (world.directory().transmitter(), world.now());
    let event = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    for subject in [
        json!({"format": "email", "email": "jane-4711@people.test"}),
        json!({"format": "opaque", "id": "jane-4711"}),
        json!({"format": "iss_sub", "iss": "https://another.test", "sub": "jane-4711"}),
    ] {
        transmitter.tells_of(event, &subject, now, &json!({}));
    }
    transmitter.tells("urn:example:unknown", "jane-4711", now);
    world.until("all are taken", |_| transmitter.is_done());
    next_poll(&mut world);
    assert_eq!((transmitter.taken().len(), transmitter.refused().len()), (4, 0));
    world.visit("jane-4711").forwarded();
}

#[test]
fn many_events_are_read_answer_by_answer_in_the_order_in_which_they_happened() {
    let mut world = world(&departing_by_events());
    let (transmitter, now) = (world.directory().transmitter(), seconds(&world));
    transmitter.pages_of(3);
    for number in 0..10 {
        transmitter.disables(&format!("crowd-{number}"), Timestamp::from_secs(now - 30));
    }
    transmitter.pages_of(4);
    // In an answer events are in no order: names tell nothing.
    transmitter.enables("jane-4711", Timestamp::from_secs(now - 20));
    transmitter.disables("jane-4711", Timestamp::from_secs(now - 30));
    world.until("all are taken", |_| transmitter.is_done());
    next_poll(&mut world);
    for number in 0..10 {
        let token = world.token(&format!("crowd-{number}"));
        refused_everywhere(&mut world, &token, 403, "account-departed");
    }
    assert_eq!(world.counter("firstsight.departures.heard"), 12);
    world.visit("jane-4711").forwarded();
}

#[test]
fn an_event_that_is_signed_with_a_newer_key_waits_for_it() {
    let mut world = world(&departing_by_events());
    let transmitter = world.directory().transmitter();
    transmitter.rotates();
    transmitter.disables("jane-4711", world.now());
    world.until("it is taken", |_| transmitter.is_done());
    next_poll(&mut world);
    assert!(transmitter.refused().is_empty());
    world.visit("jane-4711").refused(403, "account-departed");
}

#[test]
fn while_the_transmitter_is_away_the_posture_decides_and_it_is_polled_again_afterwards() {
    let config = departing_by_events().set("/departures/when_stale", json!("deny"));
    let mut world = world(&config.set("/departures/stale_for", json!("1100ms")));
    let (transmitter, jane) = (world.directory().transmitter(), world.token("jane-4711"));
    world.send(get("/orders").bearer(&jane)).forwarded();
    transmitter.answers(Behaviour::text(500, ""));
    transmitter.disables("jane-4711", world.now());
    world.pass(millis(2200));
    world.send(get("/orders").bearer(&jane)).refused(503, "departures-unknown");
    transmitter.behaves();
    world.until("it is taken", |_| transmitter.is_done());
    world.pass(millis(300));
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    let log = world.log();
    assert_eq!(log.matches("who departed cannot be heard: status 500").count(), 1, "{log}");
}

#[test]
fn an_update_of_the_configuration_forgets_nobody() {
    let mut world = world(&departing_by_events());
    let transmitter = world.directory().transmitter();
    transmitter.disables("jane-4711", world.now());
    world.until("it is taken", |_| transmitter.is_done());
    world.update(&departing_by_events().set("/headers/0/header", json!("x-user"))).expect("it is taken");
    world.pass(millis(1000));
    let jane = world.token("jane-4711");
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    assert!(world.directory().arrivals().is_empty(), "nobody had to be asked");
}

#[test]
fn a_transmitter_that_does_not_wait_is_polled_now_and_then() {
    let config = departing_by_events().set("/departures/every", json!("500ms"));
    let mut world = world(&config);
    let transmitter = world.directory().transmitter();
    let before = transmitter.polls();
    world.pass(millis(2000));
    let polls = transmitter.polls() - before;
    assert!((2..=6).contains(&polls), "{polls} in two seconds");
    for body in ["<html>", "[]", "{}", r#"{"sets":{"a":7}}"#] {
        transmitter.answers(Behaviour::text(200, body));
        let before = transmitter.polls();
        world.pass(millis(2000));
        let polls = transmitter.polls() - before;
        assert!((1..=12).contains(&polls), "{polls} in two seconds of {body}");
    }
    transmitter.behaves();
}
