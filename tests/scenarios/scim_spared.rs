//! What a directory that speaks SCIM is spared: one subject's trouble is told once and is nobody else's, and what it cannot
//! do is asked of it once.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, scim};
use crate::support::message::{Answer, Request, get};
use crate::support::scim::{Operation, Quirk, Scim};
use crate::support::world::{World, millis};
use serde_json::{Value, json};

/// A directory that is left alone after one failure, and whoever it does not confirm goes on.
fn touchy() -> Config {
    scim()
        .set("/provisioning/breaker", json!({"failures": 1, "pause": "10m..10m"}))
        .set("/provisioning/when_unavailable", json!("allow"))
}

/// A request with a token that was issued so many seconds ago.
fn request(world: &Here, sub: &str, seconds_ago: u64, claims: Value) -> Request {
    let mut claims = claims;
    claims["iat"] = json!(world.now().as_millis() / 1000 - seconds_ago);
    get("/orders").bearer(&world.token_with(sub, &claims))
}

#[track_caller]
fn visit(world: &mut Here, sub: &str, seconds_ago: u64, claims: Value) -> Answer {
    let request = request(world, sub, seconds_ago, claims);
    world.send(request)
}

/// Users who are nobody's beyond doubt: two of one externalId, and one whose id is none.
fn holds_odd_ones(scim: &Scim) {
    scim.holds(json!({"id": "one", "userName": "one", "externalId": "jane-4711"}));
    scim.holds(json!({"id": "two", "userName": "two", "externalId": "jane-4711"}));
    scim.holds(json!({"id": "three", "userName": "three", "externalId": "john-4712"}));
    scim.holds(json!({"id": "four", "userName": "four", "externalId": "john-4712", "active": false}));
    scim.holds(json!({"id": "..", "userName": "dots", "externalId": "dora-4713"}));
}

#[test]
fn subjects_whose_account_is_in_doubt_cost_one_conversation_each_and_nobody_elses_service() {
    let mut world = Here::usual(&touchy());
    let scim = world.directory().scim();
    holds_odd_ones(&scim);
    for _ in 0..6 {
        for sub in ["jane-4711", "john-4712", "dora-4713"] {
            world.visit(sub).refused(403, "account-invalid");
        }
    }
    world.pass(millis(500));
    assert_eq!(scim.heard(Operation::LookUp).len(), 3);
    assert_eq!(scim.writes(), 0);
    assert_eq!(world.visit("crowd-1").forwarded().header("x-account-id").as_deref(), Some("user-1"));
    for (counter, count) in [
        ("firstsight.scim.ambiguous", 2),
        ("firstsight.scim.malformed", 1),
        ("firstsight.arrivals.invalid", 3),
        ("firstsight.arrivals.unavailable", 0),
        ("firstsight.arrivals.owed", 0),
    ] {
        assert_eq!(world.counter(counter), count, "{counter}");
    }
}

#[test]
fn who_is_known_is_served_on_when_the_account_comes_to_be_in_doubt() {
    let mut world = Here::usual(&touchy());
    let scim = world.directory().scim();
    visit(&mut world, "jane-4711", 60, json!({})).forwarded();
    scim.holds(json!({"id": "two", "userName": "two", "externalId": "jane-4711"}));
    world.pass(millis(200));
    for _ in 0..6 {
        visit(&mut world, "jane-4711", 0, json!({"email": "jane@married.test"})).forwarded();
        world.pass(millis(200));
    }
    assert_eq!(world.counter("firstsight.scim.ambiguous"), 1, "it is told once");
    assert_eq!(scim.writes(), 1);
}

#[test]
fn attributes_that_are_refused_are_told_once() {
    let refusal = json!({"status": "400", "scimType": "invalidValue"});
    for quirks in [vec![], vec![Quirk::HasNoPatch]] {
        let mut world = Here::usual(&scim());
        let scim = world.directory().scim();
        quirks.iter().for_each(|quirk| scim.has(quirk.clone()));
        visit(&mut world, "jane-4711", 120, json!({})).forwarded();
        for operation in [Operation::Patch, Operation::Put] {
            scim.answers(operation, Behaviour::json(400, &refusal));
        }
        world.pass(millis(200));
        for seconds_ago in [60, 50, 40, 30, 120, 20, 10, 0] {
            let claims = if seconds_ago == 120 { json!({}) } else { json!({"email": "none"}) };
            visit(&mut world, "jane-4711", seconds_ago, claims).forwarded();
            world.pass(millis(200));
        }
        let told = scim.heard(Operation::Patch).len() + scim.heard(Operation::Put).len();
        assert_eq!(told, 1, "{quirks:?}");
        assert_eq!(world.counter("firstsight.scim.refused"), 1);

        scim.behaves();
        visit(&mut world, "jane-4711", 0, json!({"email": "jane@married.test"})).forwarded();
        let arrived = json!([{"value": "jane@married.test"}]);
        world.until("what is news is told", |_| scim.user("jane-4711")["emails"] == arrived);
    }
}

#[test]
fn what_it_can_do_is_asked_for_whom_nobody_could_know_it_yet() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::IsSlow(millis(40)));
    let crowd = |world: &Here, numbers: std::ops::Range<u32>| -> Vec<Request> {
        numbers.map(|number| request(world, &format!("crowd-{number}"), 0, json!({}))).collect()
    };
    let first = crowd(&world, 0..10);
    world.send_all(first).into_iter().for_each(|answer| drop(answer.forwarded()));
    let asked = scim.heard(Operation::Config).len();
    assert!((1..=10).contains(&asked), "{asked} times");
    for request in crowd(&world, 10..24) {
        world.send(request).forwarded();
    }
    // A worker that had none of the first ten asks as well.
    let later = scim.heard(Operation::Config).len() - asked;
    assert!(later < Here::WORKERS, "{later} times more");
    assert_eq!(scim.users().len(), 24);
}

#[test]
fn patch_that_is_promised_in_vain_is_tried_once_by_each_worker() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::PromisesPatch);
    let crowd: Vec<_> = (0..8).map(|number| format!("crowd-{number}")).collect();
    for sub in &crowd {
        visit(&mut world, sub, 60, json!({})).forwarded();
    }
    world.pass(millis(200));
    for sub in &crowd {
        visit(&mut world, sub, 0, json!({"email": "married@people.test"})).forwarded();
        let arrived = json!([{"value": "married@people.test"}]);
        world.until("it has arrived", |_| scim.user(sub)["emails"] == arrived);
    }
    let tried = scim.heard(Operation::Patch).len();
    assert!((1..=Here::WORKERS).contains(&tried), "{tried} times");
    assert_eq!(scim.heard(Operation::Put).len(), crowd.len());
}
