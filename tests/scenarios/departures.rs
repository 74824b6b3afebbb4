//! Departures: whoever departed is refused without a login, with every token that was issued before, and for good.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, DIRECTORY_TOKEN, departing};
use crate::support::message::get;
use crate::support::world::{World, millis, unavailable};
use serde_json::json;

/// A world whose workers have all read the feed.
fn world(config: &Config) -> Here {
    let mut world = Here::usual(config);
    world.every_worker_serves();
    world.until("all have read the feed", |world| world.directory().feed().readings() >= Here::VMS);
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

#[test]
fn a_departed_subject_is_refused_within_a_second_with_the_token_it_has() {
    let mut world = world(&departing());
    let (jane, john) = (world.token("jane-4711"), world.token("john-4712"));
    for _ in 0..8 {
        world.send(get("/orders").bearer(&jane)).forwarded();
    }
    let now = world.now();
    world.directory().feed().departs("jane-4711", now);
    world.pass(millis(700));
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    let newer = world.token("jane-4711");
    refused_everywhere(&mut world, &newer, 403, "account-departed");
    world.send(get("/orders").bearer(&john)).forwarded();
    assert_eq!(world.directory().arrivals().len(), 2, "nobody had to be asked");
    assert_eq!(world.counter("firstsight.departures.heard"), 1);
    assert_eq!(world.counter("firstsight.departures.failed"), 0);
    assert!(world.counter("firstsight.departures.lag_seconds") < 2);
}

#[test]
fn who_was_departed_before_the_proxy_started_is_refused_without_a_call() {
    let upstreams = crate::support::world::Upstreams::default();
    let at = firstsight::domain::Timestamp::from_secs(1_700_000_000);
    let feed = upstreams.directory.feed();
    feed.pages_of(3);
    for number in 0..10 {
        feed.departs(&format!("crowd-{number}"), at);
    }
    let mut world = Here::start(upstreams, &departing()).expect("it starts");
    let all = 10 * Here::VMS as u64;
    world.until("the feed is read", |world| world.counter("firstsight.departures.heard") >= all);
    world.pass(millis(500));
    for number in 0..10 {
        let token = world.token(&format!("crowd-{number}"));
        refused_everywhere(&mut world, &token, 403, "account-departed");
    }
    assert_eq!(world.directory().arrivals().len(), 0);
}

#[test]
fn a_request_that_is_held_for_somebody_who_departs_is_refused_at_once() {
    let mut world = world(&departing().set("/provisioning/timeout", json!("30s")));
    world.directory().answers(Behaviour::Hangs);
    let (token, before) = (world.token("jane-4711"), world.now());
    let open: Vec<_> = (0..4).map(|_| world.open(get("/orders").bearer(&token))).collect();
    world.until("it is asked for", |world| !world.directory().arrivals().is_empty());
    world.directory().feed().departs("jane-4711", before);
    for request in open {
        world.answer(request).refused(403, "account-departed");
    }
    let waited = world.now().since(before);
    assert!(waited < millis(1500), "{waited:?}");
}

#[test]
fn tokens_of_before_a_departure_never_work_again_even_after_a_return() {
    let mut world = world(&departing());
    let now = world.now().as_millis() / 1000;
    let issued = |world: &Here, at: u64| world.token_with("jane-4711", &json!({"iat": at}));
    let old = issued(&world, now - 60);
    let undated = world.token_with("jane-4711", &json!({"iat": null}));
    world.send(get("/orders").bearer(&old)).forwarded();
    let at = |secs| firstsight::domain::Timestamp::from_secs(secs);
    let feed = world.directory().feed();
    feed.departs("jane-4711", at(now - 30));
    world.pass(millis(700));
    refused_everywhere(&mut world, &old, 403, "account-departed");
    feed.returns("jane-4711", at(now - 20));
    world.pass(millis(700));
    refused_everywhere(&mut world, &old, 401, "token-outdated");
    refused_everywhere(&mut world, &undated, 401, "token-outdated");
    let same = issued(&world, now - 20);
    refused_everywhere(&mut world, &same, 401, "token-outdated");
    let asked = world.directory().arrivals().len();
    let new = issued(&world, now - 10);
    for _ in 0..8 {
        world.send(get("/orders").bearer(&new)).forwarded();
    }
    assert_eq!(world.directory().arrivals().len(), asked + 1, "the directory is asked anew, once");
}

#[test]
fn whoever_departs_is_refused_on_every_route_and_whatever_its_kind() {
    let routes = json!([
        {"path": {"prefix": "/behind"}, "provisioning": "background"},
        {"path": {"prefix": "/optional"}, "access": "optional"},
        {"path": {"prefix": "/lenient"}, "access": "lenient"},
    ]);
    let config = departing()
        .set("/routes", routes)
        .set("/kinds/service", json!({"treatment": "count"}))
        .set("/provisioning/when_unavailable", json!("allow"));
    let mut world = world(&config);
    let jane = world.token("jane-4711");
    let job = world.token_with("batch-job-1", &json!({"client_id": "batch-job-1"}));
    for token in [&jane, &job] {
        world.send(get("/behind").bearer(token)).forwarded();
    }
    let now = world.now();
    world.directory().feed().departs("jane-4711", now);
    world.directory().feed().departs("batch-job-1", now);
    world.pass(millis(700));
    world.directory().goes_down();
    for token in [&jane, &job] {
        for path in ["/behind", "/optional", "/orders"] {
            world.send(get(path).bearer(token)).refused(403, "account-departed");
        }
        assert_eq!(world.send(get("/lenient").bearer(token)).forwarded().header("x-user-id"), None);
    }
    world.directory().comes_back();
}

#[test]
fn a_feed_that_is_lost_is_told_once_and_heard_again_as_soon_as_it_is_back() {
    let mut world = world(&departing().set("/departures/when_stale", json!("allow")));
    let jane = world.token("jane-4711");
    world.send(get("/orders").bearer(&jane)).forwarded();
    world.directory().feed().answers(Behaviour::text(500, ""));
    world.until("it fails", |world| world.counter("firstsight.departures.failed") >= 3);
    let now = world.now();
    world.directory().feed().departs("jane-4711", now);
    world.pass(millis(300));
    world.send(get("/orders").bearer(&jane)).forwarded();
    world.directory().feed().behaves();
    world.pass(millis(1700));
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    let log = world.log();
    assert_eq!(log.matches("who departed cannot be heard: status 500").count(), 1, "{log}");
    assert_eq!(log.matches("who departed is heard again").count(), 1, "{log}");
}

#[test]
fn while_the_feed_is_stale_the_posture_decides() {
    for (posture, refuses) in [("deny", true), ("allow", false), ("ask", false)] {
        let posture = json!({"wait": "100ms", "timeout": "400ms", "stale_for": "1s", "when_stale": posture});
        let mut world = world(&departing().set("/departures", posture.clone()));
        world.visit("jane-4711").forwarded();
        world.directory().feed().answers(unavailable().after(millis(100)));
        world.pass(millis(2200));
        assert!(world.counter("firstsight.departures.lag_seconds") >= 1, "{posture}");
        if refuses {
            let answer = world.visit("jane-4711").refused(503, "departures-unknown");
            assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
        } else {
            world.visit("jane-4711").forwarded();
        }
        assert_eq!(world.directory().arrivals().len(), 1, "{posture}");
        world.directory().feed().behaves();
        world.until("it is heard", |world| world.counter("firstsight.departures.lag_seconds") == 0);
        world.pass(millis(300));
        world.visit("jane-4711").forwarded();
    }
}

#[test]
fn a_cursor_that_is_unknown_there_has_the_feed_read_anew_and_old_tokens_stay_dead() {
    let mut world = world(&departing());
    let (jane, now) = (world.token("jane-4711"), world.now());
    world.directory().feed().departs("jane-4711", now);
    world.pass(millis(700));
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    let readings = world.directory().feed().readings();
    world.directory().feed().begins_anew();
    world.directory().feed().departs("john-4712", now);
    world
        .until("it is read anew by all", |world| world.directory().feed().readings() >= readings + Here::VMS);
    world.pass(millis(300));
    let john = world.token("john-4712");
    refused_everywhere(&mut world, &john, 403, "account-departed");
    refused_everywhere(&mut world, &jane, 401, "token-outdated");
}

#[test]
fn the_feed_is_asked_for_with_the_directorys_credentials_and_never_in_haste() {
    let mut world = world(&departing());
    let before = world.directory().feed().polls();
    world.directory().feed().answers(Behaviour::text(200, "<html>"));
    world.pass(millis(2000));
    let polls = world.directory().feed().polls() - before;
    assert!((1..=12).contains(&polls), "{polls} in two seconds of a feed that is none");
    world.directory().feed().behaves();
    assert_eq!(world.directory().feed().authorization(), Some(format!("Bearer {DIRECTORY_TOKEN}")));
}

#[test]
fn more_than_can_be_remembered_are_asked_about_and_not_let_in() {
    let mut world = world(&departing().set("/limits/departures", json!(4)));
    let (feed, now) = (world.directory().feed(), world.now());
    (0..8).for_each(|number| feed.departs(&format!("crowd-{number}"), now));
    world.until("some are forgotten", |world| world.counter("firstsight.departures.forgotten") > 0);
    world.pass(millis(500));
    world.directory().answers(Behaviour::json(410, &json!({})));
    for number in 0..8 {
        let token = world.token(&format!("crowd-{number}"));
        refused_everywhere(&mut world, &token, 403, "account-departed");
    }
    assert!(world.log().contains("limits.departures"));
}

#[test]
fn a_poll_that_is_under_way_holds_up_neither_an_update_nor_a_removal() {
    let config = departing().set("/departures", json!({"wait": "20s"}));
    let mut world = world(&config);
    let (jane, before) = (world.token("jane-4711"), world.now());
    world.send(get("/orders").bearer(&jane)).forwarded();
    let (readings, now) = (world.directory().feed().readings(), world.now());
    world.directory().feed().departs("jane-4711", now);
    // The old poll was asked before that, and nobody hears its answer any more.
    world.update(&config.set("/headers/0/header", json!("x-user"))).expect("it is taken");
    world.until("the feed is read", |world| world.directory().feed().readings() >= readings + Here::VMS);
    world.pass(millis(300));
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    world.remove_plugin();
    let took = world.now().since(before);
    assert!(took < millis(15_000), "{took:?}");
}
