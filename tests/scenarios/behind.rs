//! What is done behind requests: first sights on routes that do not wait, and accounts that are kept in step.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::{Answer, get};
use crate::support::world::{World, millis};
use firstsight::domain::Timestamp;
use firstsight::wire::Cause;
use serde_json::{Value, json};

fn background() -> Config {
    usual().set("/provisioning/mode", json!("background"))
}

#[test]
fn in_the_background_a_first_request_goes_on_at_once_and_its_account_is_made_behind_it() {
    let mut world = Here::usual(&background());
    world.visit("ready-0").forwarded();
    world.directory().takes(millis(400));
    let before = world.now();
    for answer in world.visits("jane-4711", 16) {
        assert_eq!(answer.forwarded().header("x-account-id"), None);
    }
    assert!(world.now().since(before) < millis(400));
    world.until("the account is made", |world| world.counter("firstsight.arrivals.active") == 2);
    let seen = world.visit("jane-4711").forwarded();
    assert!(seen.header("x-account-id").is_some());
    let calls = world.directory().arrivals();
    assert_eq!(calls.iter().filter(|arrival| arrival.subject.id == "jane-4711").count(), 1);
}

#[test]
fn in_the_background_a_refusal_of_the_directory_is_heeded_as_soon_as_it_is_known() {
    let mut world = Here::usual(&background());
    world.directory().answers(Behaviour::json(403, &json!({"status": "denied"})));
    world.visit("jane-4711").forwarded();
    world.until("the directory has answered", |world| world.counter("firstsight.arrivals.denied") == 1);
    for _ in 0..8 {
        world.visit("jane-4711").refused(403, "account-denied");
    }
}

#[test]
fn in_the_background_an_outage_loses_nobody() {
    let config = background()
        .set("/provisioning/retry/backoff", json!("50ms..100ms"))
        .set("/provisioning/breaker/pause", json!("100ms..300ms"));
    let mut world = Here::usual(&config);
    world.directory().goes_down();
    for number in 0..30 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    world.directory().comes_back();
    world.until("everybody has an account", |world| world.directory().accounts() == 30);
}

#[test]
fn in_the_background_a_standing_is_asked_again_when_its_time_is_over() {
    let mut world = Here::usual(&background().set("/provisioning/refresh", json!("300ms")));
    world.directory().answers(Behaviour::json(200, &json!({"status": "active", "account": {"id": "a-1"}})));
    world.visit("jane-4711").forwarded();
    world.until("the account is made", |world| world.counter("firstsight.arrivals.active") == 1);
    world.directory().answers(Behaviour::json(410, &json!({})));
    world.pass(millis(350));
    world.visit("jane-4711").forwarded();
    world.until("the directory has answered", |world| world.counter("firstsight.arrivals.departed") == 1);
    world.pass(millis(350));
    for _ in 0..8 {
        world.visit("jane-4711").refused(403, "account-departed");
    }
}

#[test]
fn in_the_background_nobody_is_refused_because_others_wait() {
    let background = json!([{"path": {"prefix": "/static"}, "provisioning": "background"}]);
    let config = usual().set("/routes", background).set("/limits/waiting", json!(2));
    let mut world = Here::usual(&config.set("/limits/calls", json!(1)).set("/limits/owed", json!(3)));
    world.visit("ready-0").forwarded();
    world.directory().takes(millis(500));
    let tokens: Vec<_> = (0..6).map(|number| world.token(&format!("jane-{number}"))).collect();
    let held: Vec<_> = tokens.iter().map(|token| world.open(get("/orders").bearer(token))).collect();
    for number in 0..20 {
        let token = world.token(&format!("crowd-{number}"));
        world.send(get("/static/logo").bearer(&token)).forwarded();
    }
    let (owed, dropped) =
        (world.counter("firstsight.arrivals.owed"), world.counter("firstsight.arrivals.dropped"));
    assert_eq!(owed + dropped, 20);
    for request in held {
        world.answer(request);
    }
}

#[test]
fn each_route_says_whether_it_waits() {
    let config = usual().set(
        "/routes",
        json!([{"path": {"prefix": "/static"}, "provisioning": "background"}, {"path": {"prefix": "/"}}]),
    );
    let mut world = Here::usual(&config);
    world.visit("ready-0").forwarded();
    world.directory().takes(millis(300));
    let token = world.token("jane-4711");
    let held = world.open(get("/orders").bearer(&token));
    world.until("it is asked for", |world| world.directory().arrivals().len() == 2);
    let before = world.now();
    let seen = world.send(get("/static/logo").bearer(&token)).forwarded();
    assert_eq!(seen.header("x-account-id"), None);
    assert!(world.now().since(before) < millis(200));
    assert!(world.answer(held).forwarded().header("x-account-id").is_some());
}

/// An attribute of accounts that is kept in step with `groups`, and one that is not.
fn in_step() -> Config {
    usual()
        .set(
            "/attributes",
            json!([
                {"attribute": "userName", "claim": "preferred_username"},
                {"attribute": "roles", "claim": "groups", "sync": "always"},
            ]),
        )
        .set("/provisioning/drift_every", json!("100ms"))
}

/// A request with a token of `jane-4711`, issued so many seconds ago.
fn visit(world: &mut Here, ago: u64, claims: &Value) -> Answer {
    let token = token(world, ago, claims);
    world.send(get("/orders").bearer(&token))
}

fn token(world: &Here, ago: u64, claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["iat"] = json!(iat(world.now(), ago));
    world.token_with("jane-4711", &claims)
}

fn iat(now: Timestamp, ago: u64) -> u64 {
    now.as_millis() / 1000 - ago
}

fn roles(world: &Here) -> Vec<(Cause, Value)> {
    let arrivals = world.directory().arrivals().into_iter();
    arrivals.map(|arrival| (arrival.cause, arrival.attributes["roles"].clone())).collect()
}

#[test]
fn an_account_that_drifted_is_served_as_it_is_and_told_behind() {
    let mut world = Here::usual(&in_step());
    visit(&mut world, 100, &json!({"groups": ["dev"]})).forwarded();
    world.pass(millis(200));
    world.directory().takes(millis(300));
    let before = world.now();
    visit(&mut world, 50, &json!({"groups": ["dev", "ops"]})).forwarded();
    assert!(world.now().since(before) < millis(250), "nobody waits for a drift");
    world.until("it is told", |world| world.directory().arrivals().len() == 2);
    assert_eq!(roles(&world), [(Cause::Arrival, json!(["dev"])), (Cause::Drift, json!(["dev", "ops"]))]);
    let drift = &world.directory().arrivals()[1];
    assert_eq!(drift.initial, ["userName"]);
    assert!(drift.issued_at.is_some());
}

#[test]
fn a_drift_is_told_once_however_many_requests_show_it() {
    let mut world = Here::usual(&in_step());
    visit(&mut world, 100, &json!({"groups": ["dev"]})).forwarded();
    world.pass(millis(200));
    let drifted = token(&world, 50, &json!({"groups": ["ops"]}));
    for answer in world.send_all((0..24).map(|_| get("/orders").bearer(&drifted)).collect()) {
        answer.forwarded();
    }
    world.pass(millis(300));
    for answer in world.send_all((0..24).map(|_| get("/orders").bearer(&drifted)).collect()) {
        answer.forwarded();
    }
    world.pass(millis(300));
    assert_eq!(roles(&world).len(), 2);
}

#[test]
fn what_is_not_kept_in_step_makes_no_drift() {
    let mut world = Here::usual(&in_step());
    visit(&mut world, 100, &json!({"groups": ["dev"], "preferred_username": "jane-login"})).forwarded();
    world.pass(millis(200));
    visit(&mut world, 50, &json!({"groups": ["dev"], "preferred_username": "married-login"})).forwarded();
    world.pass(millis(300));
    assert_eq!(roles(&world).len(), 1);
}

#[test]
fn two_tokens_of_one_subject_do_not_change_its_account_to_and_fro() {
    let mut world = Here::usual(&in_step());
    let older = token(&world, 100, &json!({"groups": ["dev"]}));
    let newer = token(&world, 50, &json!({"groups": ["ops"]}));
    for _ in 0..8 {
        for token in [&older, &newer] {
            world.send(get("/orders").bearer(token)).forwarded();
            world.pass(millis(130));
        }
    }
    assert_eq!(roles(&world), [(Cause::Arrival, json!(["dev"])), (Cause::Drift, json!(["ops"]))]);
}

#[test]
fn an_account_whose_drift_is_not_taken_is_served_on() {
    let mut world = Here::usual(&in_step());
    visit(&mut world, 100, &json!({"groups": ["dev"]})).forwarded();
    world.pass(millis(200));
    world.directory().answers(Behaviour::json(422, &json!({"problems": ["roles"]})));
    for _ in 0..6 {
        visit(&mut world, 50, &json!({"groups": ["ops"]})).forwarded();
        world.pass(millis(120));
    }
    assert!(world.counter("firstsight.arrivals.invalid") >= 1);
    assert_eq!(roles(&world).len(), 2, "it is not told again and again");
}

#[test]
fn a_drift_that_is_not_taken_of_a_subject_forgotten_meanwhile_keeps_nobody_waiting() {
    let mut world = Here::usual(&in_step().set("/limits/subjects", json!(1)));
    visit(&mut world, 100, &json!({"groups": ["dev"]})).forwarded();
    world.pass(millis(200));
    let refusal = Behaviour::json(422, &json!({"problems": ["roles"]}));
    world.directory().answers_first(&[refusal.after(millis(300))]);
    visit(&mut world, 50, &json!({"groups": ["ops"]})).forwarded();
    world.until("the drift is told", |world| world.directory().arrivals().len() == 2);
    for number in 0..4 {
        world.visit(&format!("john-{number}")).forwarded();
    }
    world.pass(millis(400));
    visit(&mut world, 50, &json!({"groups": ["dev"]})).forwarded();
}

#[test]
fn a_drift_may_end_an_accounts_access() {
    let mut world = Here::usual(&in_step());
    visit(&mut world, 100, &json!({"groups": ["dev"]})).forwarded();
    world.pass(millis(200));
    world.directory().answers(Behaviour::json(410, &json!({})));
    visit(&mut world, 50, &json!({"groups": ["ops"]})).forwarded();
    world.until("the directory has answered", |world| world.counter("firstsight.arrivals.departed") == 1);
    let refused = (0..8).filter(|_| world.visit("jane-4711").status == 403).count();
    assert!(refused > 0);
}

#[test]
fn a_standing_is_asked_again_when_its_time_is_over() {
    let mut world = Here::usual(&usual().set("/provisioning/refresh", json!("300ms")));
    world.directory().answers(Behaviour::json(200, &json!({"status": "active", "account": {"id": "a-1"}})));
    world.visit("jane-4711").forwarded();
    world.pass(millis(350));
    world.visit("jane-4711").forwarded();
    let causes: Vec<_> = world.directory().arrivals().iter().map(|arrival| arrival.cause).collect();
    assert_eq!(causes, [Cause::Arrival, Cause::Refresh]);
    world.directory().answers(Behaviour::json(410, &json!({})));
    world.pass(millis(350));
    world.visit("jane-4711").refused(403, "account-departed");
}
