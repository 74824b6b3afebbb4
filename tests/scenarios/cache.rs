//! Tokens that were seen before: answered from memory, and no longer than if they were read anew.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::usual;
use crate::support::message::get;
use crate::support::world::World;
use serde_json::json;
use std::time::Duration;

/// Enough for every worker to know a token that is sent so often.
const TIMES: usize = 12;

#[track_caller]
fn make_known(world: &mut Here, path: &str, token: &str) {
    for _ in 0..TIMES {
        world.send(get(path).bearer(token)).forwarded();
    }
}

#[test]
fn a_known_token_goes_when_its_key_is_withdrawn() {
    let config = usual().set("/issuers/0/keys_refresh/every", json!("150ms"));
    let mut world = Here::usual(&config);
    let old = world.token("jane-4711");
    make_known(&mut world, "/orders", &old);
    world.issuer().rotates();
    let fetched = world.issuer().fetches();
    world.until("every worker has newer keys", |world| world.issuer().fetches() >= fetched + 4);
    for _ in 0..TIMES {
        world.send(get("/orders").bearer(&old)).refused(401, "key-unknown");
    }
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_known_token_goes_when_all_keys_are_too_old() {
    let config = usual()
        .set("/issuers/0/keys_refresh", json!({"every": "200ms", "stale_for": "1s"}))
        .set("/limits/hold", json!("200ms"));
    let mut world = Here::usual(&config);
    let token = world.token("jane-4711");
    make_known(&mut world, "/orders", &token);
    world.issuer().goes_down();
    world.pass(Duration::from_millis(1500));
    for _ in 0..4 {
        world.send(get("/orders").bearer(&token)).refused(503, "keys-unavailable");
    }
}

#[test]
fn a_known_token_ends_when_it_says() {
    let mut world = Here::usual(&usual().set("/issuers/0/clock_skew", json!("1ms")));
    let exp = world.now().as_millis() / 1000 + 3;
    let token = world.token_with("jane-4711", &json!({"exp": exp}));
    make_known(&mut world, "/orders", &token);
    world.pass(Duration::from_millis(3100));
    for _ in 0..TIMES {
        world.send(get("/orders").bearer(&token)).refused(401, "token-expired");
    }
}

#[test]
fn a_token_that_ends_like_a_known_one_is_another() {
    let mut world = Here::usual(&usual());
    let (jane, other) = (world.token("jane-4711"), world.token("admin-0815"));
    make_known(&mut world, "/orders", &jane);
    let parts: Vec<_> = jane.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };
    let theirs = other.split('.').nth(1).unwrap();
    for _ in 0..TIMES {
        let swapped = format!("{header}.{theirs}.{signature}");
        world.send(get("/orders").bearer(&swapped)).refused(401, "signature-invalid");
    }
    // One character of the header, of the payload, of the signature.
    for at in [
        1,
        header.len() - 1,
        header.len() + 1,
        header.len() + payload.len() - 3,
        jane.len() - signature.len() + 2,
    ] {
        let mut bytes = jane.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let answer = world.send(get("/orders").bearer(&String::from_utf8(bytes).unwrap()));
        assert!(answer.seen.is_none(), "{at}");
        assert_eq!(answer.status, 401, "{at}");
    }
    for changed in
        [format!("{jane}A"), format!("{jane}="), format!("A{jane}"), jane[1..].to_owned(), format!("{jane}.")]
    {
        assert_eq!(world.send(get("/orders").bearer(&changed)).status, 401, "{changed}");
    }
    make_known(&mut world, "/orders", &jane);
}

#[test]
fn the_tokens_of_somebody_who_departed_are_worth_nothing() {
    let mut world = Here::usual(&usual());
    let active = json!({"status": "active", "account": {"id": "acct-1"}, "valid_for": 2});
    world.directory().answers(Behaviour::json(200, &active));
    let tokens = [world.token("jane-4711"), world.token("jane-4711")];
    for token in &tokens {
        make_known(&mut world, "/orders", token);
    }
    world.directory().answers(Behaviour::text(410, ""));
    world.pass(Duration::from_millis(2200));
    for token in &tokens {
        for _ in 0..TIMES {
            world.send(get("/orders").bearer(token)).refused(403, "account-departed");
        }
    }
}

#[test]
fn what_a_known_token_is_good_for_is_remembered_by_route() {
    let routes = json!([
        {"path": {"prefix": "/read"}, "require": {"scopes": ["orders.read"]}},
        {"path": {"prefix": "/write"}, "require": {"scopes": ["orders.write"]}},
        {"path": {"prefix": "/invoices"}, "audiences": ["invoices-api"]},
        {"path": {"prefix": "/try"}, "access": "lenient", "require": {"scopes": ["orders.write"]}},
        {"path": {"prefix": "/open"}, "access": "public"},
    ]);
    let mut world = Here::usual(&usual().set("/routes", routes));
    let token = world.token_with("jane-4711", &json!({"scope": "orders.read"}));
    for _ in 0..TIMES {
        world.send(get("/write").bearer(&token)).refused(403, "scope-insufficient");
        let seen = world.send(get("/read").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
        world.send(get("/invoices").bearer(&token)).refused(401, "audience-mismatch");
        assert_eq!(world.send(get("/try").bearer(&token)).forwarded().header("x-user-id"), None);
        assert_eq!(world.send(get("/open").bearer(&token)).forwarded().header("x-user-id"), None);
        world.send(get("/elsewhere").bearer(&token)).forwarded();
    }
    assert_eq!(world.counter("firstsight.requests.scope-insufficient"), TIMES as u64);
}

#[test]
fn a_token_that_one_configuration_knew_is_strange_to_the_next() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    make_known(&mut world, "/orders", &token);
    world.update(&usual().set("/issuers/0/audiences", json!(["invoices-api"]))).unwrap();
    for _ in 0..TIMES {
        world.send(get("/orders").bearer(&token)).refused(401, "audience-mismatch");
    }
    world.update(&usual().set("/headers/0/claim", json!("preferred_username"))).unwrap();
    for _ in 0..TIMES {
        let seen = world.send(get("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("login-of-jane-4711"));
    }
}

#[test]
fn tokens_are_served_however_few_may_be_known() {
    for limits in
        [json!({"tokens": 1}), json!({"tokens_bytes": 1}), json!({"tokens": 3, "tokens_bytes": 4000})]
    {
        let mut world = Here::usual(&usual().set("/limits", limits));
        let tokens: Vec<_> = (0..4)
            .map(|number| (format!("crowd-{number}"), world.token(&format!("crowd-{number}"))))
            .collect();
        for _ in 0..4 {
            for (sub, token) in &tokens {
                for _ in 0..2 {
                    let seen = world.send(get("/orders").bearer(token)).forwarded();
                    assert_eq!(seen.header("x-user-id"), Some(sub.clone()));
                }
            }
        }
    }
}
