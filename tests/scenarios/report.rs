//! `mode: report`: everything is decided and told, and nobody is refused.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::{Request, Seen, get, post};
use crate::support::world::{Upstreams, World, unavailable};
use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::json;
use std::time::Duration;

fn reporting() -> Config {
    usual().set("/mode", json!("report"))
}

fn forged(path: &str) -> Request {
    get(path)
        .header("x-user-id", "admin-0815")
        .header("X_User_Id", "admin-0815")
        .header("x-account-id", "acct-0815")
}

#[track_caller]
fn is_nobody(seen: &Seen) {
    for name in ["x-user-id", "x-user-email", "x-account-id"] {
        assert_eq!(seen.spellings(name), Vec::<String>::new());
    }
}

/// Sends a request that would be refused for `slug`.
#[track_caller]
fn passes_for(world: &mut Here, slug: &str, request: Request) {
    let counter = format!("firstsight.reported.{slug}");
    let before = world.counter(&counter);
    is_nobody(&world.send(request).forwarded());
    assert_eq!(world.counter(&counter), before + 1, "{slug}");
    assert_eq!(world.counter(&format!("firstsight.requests.{slug}")), 0, "nobody was refused for {slug}");
}

#[test]
fn whoever_would_be_refused_goes_on_as_nobody_and_is_counted() {
    let routes = json!([
        {"path": {"prefix": "/scoped"}, "require": {"scopes": ["orders.read"]}},
        {"path": {"prefix": "/open"}, "access": "public"},
        {"path": {"prefix": "/maybe"}, "access": "optional"},
        {"path": {"prefix": "/try"}, "access": "lenient"},
    ]);
    let mut world = Here::usual(&reporting().set("/routes", routes).set("/limits/token_bytes", json!(4096)));
    let token = world.token("jane-4711");
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    let elsewhere = world.token_with("jane-4711", &json!({"aud": "invoices-api"}));
    let (message, _) = token.rsplit_once('.').unwrap();
    let unsigned = format!("{message}.{}", "A".repeat(86));
    for (slug, request) in [
        ("token-missing", forged("/orders")),
        ("token-expired", forged("/orders").bearer(&expired)),
        ("token-expired", forged("/maybe").bearer(&expired)),
        ("audience-mismatch", forged("/orders").bearer(&elsewhere)),
        ("token-malformed", forged("/orders").bearer("a.b.c")),
        ("token-oversized", forged("/orders").bearer(&"a".repeat(5000))),
        ("signature-invalid", forged("/orders").bearer(&unsigned)),
        ("credentials-invalid", forged("/orders").bearer(&token).bearer(&token)),
        ("scope-insufficient", forged("/scoped").bearer(&token)),
        ("target-ambiguous", forged("/open/../orders")),
        ("target-ambiguous", forged("/open/../orders").bearer(&token)),
    ] {
        passes_for(&mut world, slug, request);
    }
    // What is no refusal is none here either.
    is_nobody(&world.send(forged("/open").bearer(&expired)).forwarded());
    is_nobody(&world.send(forged("/maybe")).forwarded());
    is_nobody(&world.send(forged("/try").bearer(&expired)).forwarded());
    assert_eq!(world.counter("firstsight.requests.public"), 1);
    assert_eq!(world.counter("firstsight.requests.anonymous"), 2);
    assert_eq!(world.counter("firstsight.reported.token-expired"), 2);
}

#[test]
fn whose_token_holds_is_told_to_the_application_as_ever() {
    let mut world = Here::usual(&reporting());
    let token = world.token("jane-4711");
    for _ in 0..6 {
        let seen = world.send(forged("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.spellings("x-user-id"), ["x-user-id"]);
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
        assert_eq!(seen.header("x-account-id").as_deref(), Some("acct-1"));
    }
    assert_eq!(world.counter("firstsight.requests.forwarded"), 6);
    world.until("its sightings are told", |world| world.directory().seen("jane-4711") == 6);
    passes_for(&mut world, "token-missing", forged("/orders"));
}

#[test]
fn whoever_the_directory_turns_away_goes_on_too() {
    let mut world = Here::usual(&reporting());
    let answers = [
        ("account-denied", Behaviour::json(403, &json!({"status": "denied"}))),
        ("account-pending", Behaviour::json(202, &json!({"status": "pending", "message": "Ask IT"}))),
        ("account-departed", Behaviour::text(410, "")),
        ("account-invalid", Behaviour::text(422, "")),
        ("directory-unavailable", unavailable()),
        ("directory-unavailable", Behaviour::Hangs),
    ];
    for (number, (slug, behaviour)) in answers.into_iter().enumerate() {
        world.directory().answers(behaviour);
        let token = world.token(&format!("crowd-{number}"));
        passes_for(&mut world, slug, forged("/orders").bearer(&token));
    }
    world.directory().goes_down();
    let token = world.token("crowd-9");
    passes_for(&mut world, "directory-unavailable", forged("/orders").bearer(&token));
}

#[test]
fn requests_that_wait_go_on_whatever_comes_of_it() {
    let mut world = Here::usual(&reporting().set("/limits", json!({"hold": "300ms", "waiting": 2})));
    let theirs = SigningKey::generate(Algorithm::ES256, "theirs");
    let claims = json!({"iss": crate::support::config::ISSUER, "sub": "eve", "aud": "orders-api", "exp": 4_000_000_000_u64});
    let stranger = theirs.sign(&json!({"alg": "ES256", "kid": "theirs"}), claims.to_string().as_bytes());
    for answer in world.visits("jane-4711", 4) {
        answer.forwarded();
    }
    is_nobody(&world.send(forged("/orders").bearer(&stranger)).forwarded());
    let unknown = world.counter("firstsight.reported.key-unknown")
        + world.counter("firstsight.reported.keys-unavailable");
    assert_eq!(unknown, 1);

    // More than may wait, for an answer that does not come.
    world.directory().answers(Behaviour::Hangs);
    let tokens: Vec<_> = (0..8).map(|number| world.token(&format!("crowd-{number}"))).collect();
    let (before, overloaded) = (world.now(), world.counter("firstsight.reported.overloaded"));
    for answer in world.send_all(tokens.iter().map(|token| forged("/orders").bearer(token)).collect()) {
        is_nobody(&answer.forwarded());
    }
    assert!(world.now().since(before) < Duration::from_secs(3));
    let overloaded = world.counter("firstsight.reported.overloaded") - overloaded;
    assert!((8 - 2 * Here::WORKERS as u64..=6).contains(&overloaded), "{overloaded}");
    assert_eq!(world.counter("firstsight.reported.directory-unavailable"), 8 - overloaded);
    assert_eq!(world.counter("firstsight.requests.overloaded"), 0);

    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::Hangs);
    let mut world = Here::start(upstreams, &reporting().set("/limits/hold", json!("300ms"))).unwrap();
    let token = world.token("jane-4711");
    passes_for(&mut world, "keys-unavailable", forged("/orders").bearer(&token));
    let body = b"a body that waits as well".to_vec();
    let seen = world.send(post("/orders", body.clone()).bearer(&token)).forwarded();
    assert_eq!(seen.body, body);
}

/// How many requests the log says would have been refused for `slug`, and in how many lines.
fn told(log: &str, slug: &str) -> (u64, usize) {
    let lines = log.lines().filter_map(|line| line.split_once("report mode: "));
    let lines = lines.filter(|(_, told)| told.trim_end().ends_with(&format!("since the last line: {slug}")));
    let counts: Vec<u64> = lines
        .map(|(_, told)| told.split(' ').next().and_then(|count| count.parse().ok()).expect("a count"))
        .collect();
    (counts.iter().sum(), counts.len())
}

#[test]
fn the_log_tells_what_would_be_refused_without_being_flooded() {
    let mut world = Here::usual(&reporting());
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    world.send(get("/orders").bearer(&expired)).forwarded();
    world.until("it is told", |world| told(&world.log(), "token-expired") == (1, 1));
    for _ in 0..20 {
        world.send(get("/orders").bearer(&expired)).forwarded();
    }
    world.send(get("/orders").bearer("a.b.c")).forwarded();
    world.until("it is told", |world| told(&world.log(), "token-malformed") == (1, 1));
    let (_, lines) = told(&world.log(), "token-expired");
    assert!(lines <= Here::WORKERS, "{}", world.log());
    // What was not told yet is told before the plugin goes.
    world.remove_plugin();
    world.until("all is told", |world| told(&world.log(), "token-expired").0 == 21);
}

#[test]
fn who_is_refused_is_not_in_the_log() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    world.send(get("/orders").bearer("a.b.c")).refused(401, "token-malformed");
    world.pass(Duration::from_millis(50));
    assert!(!world.log().contains("report mode"), "{}", world.log());
}
