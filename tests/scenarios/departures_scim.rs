//! Departures of a SCIM directory, whose users are read again and again: whoever is inactive is refused, and its older tokens
//! for good.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, DIRECTORY_TOKEN, ISSUER, departing_by_scim, scim};
use crate::support::message::get;
use crate::support::scim::{Operation, Quirk};
use crate::support::world::{Upstreams, World, millis};
use firstsight::domain::{Issuer, Subject, SubjectId, Timestamp};
use serde_json::{Value, json};

/// A world whose workers have all read the users.
fn world(upstreams: Upstreams, config: &Config) -> Here {
    let mut world = Here::start(upstreams, config).unwrap_or_else(|log| panic!("it does not start: {log}"));
    world.every_worker_serves();
    world.until("all have read who is inactive", |world| {
        let (first, later) = world.directory().scim().readings();
        first >= Here::VMS && later >= Here::VMS
    });
    world.pass(millis(300));
    world
}

fn usual() -> Here {
    world(Upstreams::default(), &departing_by_scim())
}

/// Sends the same request until enough were answered by every worker, most probably.
#[track_caller]
fn refused_everywhere(world: &mut Here, token: &str, status: u16, slug: &str) {
    for _ in 0..8 {
        world.send(get("/orders").bearer(token)).refused(status, slug);
    }
}

/// Time for the next reading, and for all workers to hear of it.
fn next_reading(world: &mut Here) {
    world.pass(millis(900));
}

fn sets_active(world: &Here, sub: &str, active: bool) {
    world.directory().scim().sets_active(sub, active, world.now());
}

fn seconds(world: &Here) -> u64 {
    world.now().as_millis() / 1000
}

#[test]
fn a_user_who_is_set_inactive_is_refused_with_the_token_it_has() {
    let mut world = usual();
    let (jane, john) = (world.token("jane-4711"), world.token("john-4712"));
    sets_active(&world, "john-4712", true);
    for token in [&jane, &john] {
        world.send(get("/orders").bearer(token)).forwarded();
    }
    sets_active(&world, "jane-4711", false);
    next_reading(&mut world);
    refused_everywhere(&mut world, &jane, 403, "account-departed");
    let newer = world.token("jane-4711");
    refused_everywhere(&mut world, &newer, 403, "account-departed");
    world.send(get("/orders").bearer(&john)).forwarded();
    next_reading(&mut world);
    assert_eq!(world.counter("firstsight.departures.heard"), 1, "it is no news twice");
    assert_eq!(world.counter("firstsight.departures.failed"), 0);
    assert!(world.counter("firstsight.departures.lag_seconds") < 2);
    let asked = world.directory().scim().heard(Operation::LookUp);
    let credentials = Some(format!("Bearer {DIRECTORY_TOKEN}"));
    assert!(asked.iter().all(|heard| heard.header("authorization") == credentials));
}

#[test]
fn a_user_who_is_active_again_needs_a_newer_token() {
    let mut world = usual();
    let now = seconds(&world);
    let issued = |world: &Here, at: u64| world.token_with("jane-4711", &json!({"iat": at}));
    let old = issued(&world, now - 60);
    world.directory().scim().sets_active("jane-4711", false, Timestamp::from_secs(now - 30));
    next_reading(&mut world);
    refused_everywhere(&mut world, &old, 403, "account-departed");
    world.directory().scim().sets_active("jane-4711", true, Timestamp::from_secs(now - 20));
    next_reading(&mut world);
    refused_everywhere(&mut world, &old, 401, "token-outdated");
    let same = issued(&world, now - 20);
    refused_everywhere(&mut world, &same, 401, "token-outdated");
    let new = issued(&world, now - 10);
    // A change of a user who stays is no return.
    sets_active(&world, "jane-4711", true);
    next_reading(&mut world);
    for _ in 0..8 {
        world.send(get("/orders").bearer(&new)).forwarded();
    }
}

#[test]
fn who_was_inactive_before_the_proxy_started_is_refused_however_short_pages_are() {
    for quirks in [
        vec![Quirk::ShowsAtMost(3)],
        vec![Quirk::ShowsAtMost(1)],
        vec![Quirk::ShowsAtMost(4), Quirk::IgnoresFilters],
        vec![Quirk::ShowsAtMost(4), Quirk::KnowsOneFilter],
    ] {
        let upstreams = Upstreams::default();
        let directory = upstreams.directory.scim();
        quirks.iter().for_each(|quirk| directory.has(quirk.clone()));
        for number in 0..12 {
            let long_ago = Timestamp::from_secs(1_700_000_000 + number);
            directory.sets_active(&format!("crowd-{number}"), number % 2 == 1, long_ago);
        }
        let mut world = Here::start(upstreams, &departing_by_scim()).expect("it starts");
        let all = 6 * Here::VMS as u64;
        world.until("all are heard", |world| world.counter("firstsight.departures.heard") >= all);
        world.pass(millis(500));
        for number in 0..12 {
            let token = world.token(&format!("crowd-{number}"));
            if number % 2 == 0 {
                refused_everywhere(&mut world, &token, 403, "account-departed");
            } else {
                world.send(get("/orders").bearer(&token)).forwarded();
            }
        }
        assert_eq!(world.counter("firstsight.departures.failed"), 0, "{quirks:?}");
    }
}

#[test]
fn a_directory_that_takes_no_filters_is_read_as_a_whole() {
    for quirk in [Quirk::IgnoresFilters, Quirk::KnowsOneFilter] {
        let upstreams = Upstreams::default();
        upstreams.directory.scim().has(quirk.clone());
        let mut world = world(upstreams, &departing_by_scim());
        let jane = world.token("jane-4711");
        world.send(get("/orders").bearer(&jane)).forwarded();
        // It does not even say when somebody was changed.
        let sets = |active| json!({"id": "1", "externalId": "jane-4711", "active": active});
        world.directory().scim().holds(sets(false));
        next_reading(&mut world);
        refused_everywhere(&mut world, &jane, 403, "account-departed");
        world.directory().scim().holds(sets(true));
        next_reading(&mut world);
        refused_everywhere(&mut world, &jane, 401, "token-outdated");
        assert_eq!(world.counter("firstsight.departures.failed"), 0, "{quirk:?}");
    }
}

#[test]
fn a_list_that_is_shifted_while_it_is_read_is_read_again() {
    let upstreams = Upstreams::default();
    let directory = upstreams.directory.scim();
    directory.has(Quirk::ShowsAtMost(3));
    for number in 0..9 {
        directory.sets_active(&format!("crowd-{number}"), false, Timestamp::from_secs(1_700_000_000));
    }
    directory.loses_users(2);
    let mut world = Here::start(upstreams, &departing_by_scim()).expect("it starts");
    world.every_worker_serves();
    world.until("somebody was passed over", |world| world.counter("firstsight.departures.failed") > 0);
    next_reading(&mut world);
    for number in 2..9 {
        let token = world.token(&format!("crowd-{number}"));
        refused_everywhere(&mut world, &token, 403, "account-departed");
    }
    assert!(world.log().contains("its list was shifted while it was read"));
}

#[test]
fn whoever_departed_and_was_deleted_stays_out() {
    let mut world = usual();
    let jane = world.token("jane-4711");
    sets_active(&world, "jane-4711", false);
    next_reading(&mut world);
    world.directory().scim().loses_users(1);
    world.until("it is deleted", |world| world.directory().scim().users().is_empty());
    next_reading(&mut world);
    refused_everywhere(&mut world, &jane, 403, "account-departed");
}

#[test]
fn users_are_told_by_the_external_id_that_was_chosen_and_others_are_nobody() {
    let subject = Subject {
        issuer: Issuer::parse(ISSUER).expect("an issuer"),
        id: SubjectId::parse("jane-4711").expect("a sub"),
    };
    let forms = [("key", subject.key().to_string()), ("issuer_and_sub", format!("{ISSUER}|jane-4711"))];
    for (form, external_id) in forms {
        let config = departing_by_scim().set("/departures/scim", json!({"external_id": form}));
        let mut world = world(Upstreams::default(), &config);
        let now = world.now().rfc3339();
        let directory = world.directory().scim();
        let others = [json!("john-4712"), json!(7), Value::Null, json!(""), json!(ISSUER)];
        for (number, other) in others.into_iter().chain([json!(external_id)]).enumerate() {
            let meta = json!({"lastModified": now});
            directory
                .holds(json!({"id": number.to_string(), "externalId": other, "active": false, "meta": meta}));
        }
        next_reading(&mut world);
        world.visit("jane-4711").refused(403, "account-departed");
        world.visit("john-4712").forwarded();
        assert_eq!(world.counter("firstsight.departures.heard"), 1);
    }
}

#[test]
fn while_the_directory_is_away_the_posture_decides_and_afterwards_nothing_was_missed() {
    for (posture, refuses) in [("deny", true), ("allow", false)] {
        let config = departing_by_scim().set("/departures/stale_for", json!("1100ms"));
        let mut world = world(Upstreams::default(), &config.set("/departures/when_stale", json!(posture)));
        let jane = world.token("jane-4711");
        world.send(get("/orders").bearer(&jane)).forwarded();
        world.directory().scim().answers(Operation::LookUp, Behaviour::text(500, ""));
        let departed = world.now();
        world.directory().scim().sets_active("jane-4711", false, departed);
        world.pass(millis(2200));
        if refuses {
            world.send(get("/orders").bearer(&jane)).refused(503, "departures-unknown");
        } else {
            world.send(get("/orders").bearer(&jane)).forwarded();
        }
        world.directory().scim().behaves();
        world.until("it is heard", |world| world.counter("firstsight.departures.heard") > 0);
        world.pass(millis(300));
        refused_everywhere(&mut world, &jane, 403, "account-departed");
        let log = world.log();
        assert_eq!(log.matches("who departed cannot be heard: status 500").count(), 1, "{log}");
        assert_eq!(log.matches("who departed is heard again").count(), 1, "{log}");
    }
}

#[test]
fn answers_that_are_no_lists_are_not_asked_for_in_haste() {
    let mut world = usual();
    for body in
        ["<html>", "[]", r#"{"totalResults":5}"#, r#"{"totalResults":5,"startIndex":3,"Resources":[{}]}"#]
    {
        world.directory().scim().answers(Operation::LookUp, Behaviour::text(200, body));
        let before = world.directory().scim().heard(Operation::LookUp).len();
        world.pass(millis(2000));
        let asked = world.directory().scim().heard(Operation::LookUp).len() - before;
        assert!((1..=12).contains(&asked), "{asked} in two seconds of {body}");
        world.directory().scim().behaves();
        next_reading(&mut world);
    }
}

#[test]
fn an_account_that_is_made_and_read_by_scim_ends_with_its_user() {
    let config = scim().set("/departures", departing_by_scim().0["departures"].clone());
    let mut world = world(Upstreams::default(), &config);
    let jane = world.token("jane-4711");
    world.send(get("/orders").bearer(&jane)).forwarded();
    let mut user = world.directory().scim().user("jane-4711");
    user["active"] = json!(false);
    user["meta"] = json!({"lastModified": world.now().rfc3339()});
    world.directory().scim().holds(user);
    next_reading(&mut world);
    refused_everywhere(&mut world, &jane, 403, "account-departed");
}
