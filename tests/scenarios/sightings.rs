//! Last seen: who was served is told to the directory, once per window, until it has arrived.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{DIRECTORY_TOKEN, ISSUER, usual};
use crate::support::message::get;
use crate::support::world::{World, millis, unavailable};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn a_served_subject_is_told_once_per_window_with_all_its_requests() {
    let mut world = Here::usual(&usual().set("/last_seen/every", json!("700ms")));
    let before = world.now();
    for answer in world.visits("jane-4711", 7) {
        answer.forwarded();
    }
    let after = world.now();
    world.until("all are told", |world| world.directory().seen("jane-4711") == 7);
    let events = world.directory().sightings();
    assert!(events.len() <= Here::WORKERS, "{} events in one window", events.len());
    let arrival = &world.directory().arrivals()[0];
    for event in &events {
        assert_eq!(event.kind, "dev.firstsight.subject.sighted");
        assert_eq!(event.specversion, "1.0");
        assert_eq!(event.source, "/gateways/edge-1");
        assert_eq!(event.subject, arrival.subject.key);
        assert_eq!((event.data.issuer.as_str(), event.data.id.as_str()), (ISSUER, "jane-4711"));
        assert_eq!(event.data.account.as_deref(), Some("acct-1"));
        assert!(before.rfc3339() <= event.data.first_seen && event.data.first_seen <= event.data.last_seen);
        assert!(event.data.last_seen <= after.rfc3339() && event.time == event.data.last_seen);
    }
    let heard = &world.directory().heard("/v1/sightings")[0];
    assert_eq!(heard.header("content-type").as_deref(), Some("application/cloudevents-batch+json"));
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {DIRECTORY_TOKEN}")));
    world.until("it is counted", |world| world.counter("firstsight.sightings.sent") == events.len() as u64);
}

#[test]
fn the_next_window_is_told_anew() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    world.until("the first is told", |world| world.directory().seen("jane-4711") == 1);
    world.visit("jane-4711").forwarded();
    world.until("the second is told", |world| world.directory().seen("jane-4711") == 2);
    let ids: BTreeSet<_> = world.directory().sightings().into_iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 2, "every event has its own id");
}

#[test]
fn who_was_refused_was_not_seen() {
    let mut world = Here::usual(&usual());
    world.directory().answers(Behaviour::json(403, &json!({"status": "denied"})));
    world.visit("jane-4711").refused(403, "account-denied");
    let expired = world.token_with("john-4712", &json!({"exp": 1_000_000_000}));
    world.send(get("/orders").bearer(&expired)).refused(401, "token-expired");
    world.pass(millis(600));
    assert!(world.directory().batches().is_empty());
}

#[test]
fn sightings_are_kept_while_the_directory_fails_and_sent_again_under_the_same_ids() {
    let mut world = Here::usual(&usual());
    world.directory().answers_sightings(unavailable());
    world.visit("jane-4711").forwarded();
    world.until("it is tried twice", |world| world.directory().batches().len() >= 2);
    world.visit("john-4712").forwarded();
    world.until("it is counted", |world| world.counter("firstsight.sightings.failed") >= 2);
    world.directory().behaves();
    world.until("both are told", |world| {
        world.directory().seen("jane-4711") == 1 && world.directory().seen("john-4712") == 1
    });
    let tried = world.directory().batches();
    let of_jane = tried.iter().flatten().filter(|event| event.data.id == "jane-4711");
    let ids: BTreeSet<_> = of_jane.map(|event| event.id.clone()).collect();
    assert_eq!(ids.len(), 1, "one sighting, one id, however often it is sent");
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
}

#[test]
fn sightings_survive_every_way_of_not_answering() {
    let mut world = Here::usual(&usual().set("/last_seen/timeout", json!("250ms")));
    world.visit("jane-4711").forwarded();
    world.until("jane is told", |world| world.directory().seen("jane-4711") == 1);
    let no_answers = [
        Behaviour::Hangs,
        Behaviour::Resets,
        Behaviour::Babbles(b"SSH-2.0-OpenSSH_9.6\r\n"),
        Behaviour::text(401, "who are you?"),
        Behaviour::text(500, "<html>"),
    ];
    for (told, behaviour) in (2..).zip(no_answers) {
        world.directory().answers_sightings(behaviour);
        let tried = world.directory().batches().len();
        world.visit("jane-4711").forwarded();
        world.until("it is tried", |world| world.directory().batches().len() > tried);
        world.directory().behaves();
        world.until("it is told after all", |world| world.directory().seen("jane-4711") == told);
    }
    world.directory().goes_down();
    world.visit("jane-4711");
    world.pass(millis(700));
    world.directory().comes_back();
    let served = world.counter("firstsight.requests.forwarded");
    world.until("nothing is lost", |world| world.directory().seen("jane-4711") == served);
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let config = usual().set("/last_seen", json!({"every": "900ms", "batch": 2, "buffer": 2}));
    let mut world = Here::usual(&config);
    let tokens: Vec<_> = (0..12).map(|number| world.token(&format!("crowd-{number}"))).collect();
    for answer in world.send_all(tokens.iter().map(|token| get("/orders").bearer(token)).collect()) {
        answer.forwarded();
    }
    let dropped = world.counter("firstsight.sightings.dropped");
    assert!(dropped >= 12 - 2 * Here::WORKERS as u64, "{dropped} dropped");
    world.until("the others are told", |world| world.directory().sightings().len() as u64 == 12 - dropped);
}

#[test]
fn a_batch_is_no_larger_than_was_configured() {
    let config = usual().set("/last_seen", json!({"every": "400ms", "batch": 3}));
    let mut world = Here::usual(&config);
    for number in 0..11 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    world.until("all are told", |world| world.directory().sightings().len() == 11);
    let largest = world.directory().batches().iter().map(Vec::len).max();
    assert!(largest <= Some(3), "{largest:?}");
}

#[test]
fn a_batch_that_is_refused_for_good_does_not_hold_up_the_next() {
    let mut world = Here::usual(&usual());
    world.directory().answers_sightings(Behaviour::text(400, ""));
    world.visit("jane-4711").forwarded();
    world.until("it is refused", |world| !world.directory().batches().is_empty());
    world.directory().behaves();
    world.visit("john-4712").forwarded();
    world.until("the next is told", |world| world.directory().seen("john-4712") == 1);
    assert_eq!(world.directory().seen("jane-4711"), 0);
}

#[test]
fn what_is_pending_is_flushed_when_the_plugin_is_removed() {
    let mut world = Here::usual(&usual().set("/last_seen/every", json!("1h")));
    for number in 0..9 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    assert!(world.directory().batches().is_empty());
    world.remove_plugin();
    world.until("all are told", |world| world.directory().sightings().len() == 9);
}

#[test]
fn what_is_pending_is_flushed_when_the_configuration_is_replaced() {
    let config = usual().set("/last_seen", json!({"every": "1h", "batch": 2}));
    let mut world = Here::usual(&config);
    for number in 0..9 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    world.update(&config.set("/gateway", json!("edge-2"))).unwrap();
    world.until("all are told", |world| world.directory().sightings().len() == 9);
    assert!(world.directory().sightings().iter().all(|event| event.source == "/gateways/edge-1"));
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_flush_that_nobody_takes_is_counted_and_does_not_keep_the_plugin() {
    let config = usual().set("/last_seen/every", json!("1h"));
    let mut world = Here::usual(&config);
    world.visit("jane-4711").forwarded();
    world.directory().goes_down();
    world.update(&config.set("/gateway", json!("edge-2"))).unwrap();
    world.until("the loss is counted", |world| world.counter("firstsight.sightings.dropped") == 1);
    world.directory().comes_back();
    world.visit("jane-4711").forwarded();
}
