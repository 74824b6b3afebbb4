//! What clients and upstreams should not send, and do. Whatever it is, it is refused in words, and every worker serves on
//! (each world checks that when it is dropped).

use crate::Here;
use crate::support::behaviour::{Behaviour, Said};
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::get;
use crate::support::world::{Upstreams, World, nothing_secret_is_logged};
use serde_json::{Value, json};
use std::time::Duration;

fn said(body: impl Into<Vec<u8>>) -> Said {
    Said { status: 200, headers: vec![], body: body.into() }
}

/// Everything an upstream may do that is no answer.
fn no_answers() -> Vec<Behaviour> {
    vec![
        Behaviour::Resets,
        Behaviour::Babbles(b"SSH-2.0-OpenSSH_9.6\r\n"),
        Behaviour::Babbles(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"),
        Behaviour::Babbles(b"\xff\xfe\x00\x00"),
        Behaviour::BreaksOff(said(r#"{"status": "active", "account": {"id": "half-an-answer"}}"#)),
        Behaviour::Stalls(said(r#"{"status": "active", "account": {"id": "half-an-answer"}}"#)),
        Behaviour::Hangs,
        Behaviour::text(200, ""),
        Behaviour::text(200, "<html>Please log in to the hotel's network</html>"),
        Behaviour::text(200, b"\xff\xfe\x00".to_vec()),
        Behaviour::text(200, "[".repeat(100_000)),
        Behaviour::text(200, r#"{"status": "active", "account": "#.to_owned() + &"[".repeat(5000)),
        Behaviour::text(200, "x".repeat(3_000_000)),
        Behaviour::text(200, "null"),
        Behaviour::text(200, r#"{"keys": {}}"#),
        Behaviour::text(200, r#"{"keys": [1, null, "key", {"kty": "RSA", "n": "AA", "e": ""}]}"#),
        Behaviour::text(200, r#"{"status": "active", "account": {"id": 7}}"#),
        Behaviour::text(200, r#"{"status": "active", "account": {"id": ""}}"#),
        Behaviour::text(200, r#"{"status": ["active"]}"#),
        Behaviour::text(200, r#"{"status": "active", "account": {"id": "a\r\nx-admin: 1"}}"#),
        Behaviour::text(200, r#"{"status": "active", "account": {"id": "a\u0000"}}"#),
        Behaviour::text(200, r#"{"status": "active", "valid_for": -1}"#),
        Behaviour::text(200, "").with_header("x-odd", b"\xff\xfe\x80"),
        Behaviour::text(204, ""),
        Behaviour::text(302, "").with_header("location", b"http://attacker.test/"),
        Behaviour::text(401, ""),
        Behaviour::text(403, "<html>blocked by a firewall</html>"),
        Behaviour::text(404, r#"{"status": "active"}"#),
        Behaviour::text(429, "").with_header("retry-after", b"\xff"),
        Behaviour::text(500, r#"{"status": "active"}"#),
        Behaviour::text(503, "").with_header("retry-after", b"99999999999999999999"),
    ]
}

#[test]
fn whatever_a_directory_answers_a_new_subject_gets_the_posture() {
    // Each is asked once, and the directory is never left alone.
    let config = usual().set("/provisioning/timeout", json!("300ms"));
    let config = config.set("/provisioning/retry", json!({"attempts": 1}));
    let mut world = Here::usual(&config.set("/provisioning/breaker", json!({"failures": 1000})));
    for (number, behaviour) in no_answers().into_iter().enumerate() {
        let shown = format!("{behaviour:?}").chars().take(200).collect::<String>();
        world.directory().answers(behaviour);
        let answer = world.visit(&format!("crowd-{number}"));
        assert!(answer.seen.is_none(), "{shown} let somebody through");
        assert_eq!(answer.status, 503, "{shown}");
        let answer = answer.refused(503, "directory-unavailable");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait), "{shown}: {wait} s");
    }
    world.directory().behaves();
    world.visit("crowd-0").forwarded();
}

#[test]
fn whatever_an_issuer_answers_its_tokens_wait_and_other_issuers_work() {
    let upstreams = Upstreams::default();
    let odd = no_answers();
    let mut config = usual().set("/limits/hold", json!("300ms"));
    for number in 0..odd.len() {
        let jwks_uri = format!("http://idp.test/odd/{number}");
        let issuer = json!({"issuer": format!("{ISSUER}/{number}"), "cluster": "idp", "jwks_uri": jwks_uri, "audiences": [AUDIENCE]});
        config.0["issuers"].as_array_mut().unwrap().push(issuer);
    }
    upstreams.issuer.answers_odd(odd.clone());
    let mut world = Here::start(upstreams, &config).unwrap();
    world.visit("jane-4711").forwarded();
    let tokens: Vec<_> = (0..odd.len())
        .map(|number| world.token_with("jane-4711", &json!({"iss": format!("{ISSUER}/{number}")})))
        .collect();
    let answers = world.send_all(tokens.iter().map(|token| get("/orders").bearer(token)).collect());
    for (answer, behaviour) in answers.into_iter().zip(odd) {
        let shown = format!("{behaviour:?}").chars().take(200).collect::<String>();
        assert_eq!(answer.status, 503, "{shown}");
        answer.refused(503, "keys-unavailable");
    }
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_discovery_document_of_somebody_else_is_not_used() {
    for odd in [
        json!({"issuer": "http://idp.test/realms/other", "jwks_uri": format!("{ISSUER}/jwks")}),
        json!({"issuer": ISSUER, "jwks_uri": "/jwks"}),
        json!({"issuer": ISSUER}),
    ] {
        let upstreams = Upstreams::default();
        upstreams.issuer.answers_discovery(Behaviour::json(200, &odd));
        let mut world = Here::start(upstreams, &usual().set("/limits/hold", json!("200ms"))).unwrap();
        world.visit("jane-4711").refused(503, "keys-unavailable");
        assert_eq!(world.issuer().fetches(), 0, "{odd}");
        assert!(world.log().contains(&format!("keys of {ISSUER} not fetched")), "{}", world.log());
    }
}

#[test]
fn an_account_id_that_would_break_a_header_is_not_sent() {
    let mut world = Here::usual(&usual());
    for (number, id) in ["a\r\nx-admin: 1", "a\u{0}", "a\nb", "a\u{7f}"].into_iter().enumerate() {
        world.directory().answers(Behaviour::json(200, &json!({"status": "active", "account": {"id": id}})));
        let token = world.token(&format!("crowd-{number}"));
        let answer = world.send(get("/orders").bearer(&token).header("x-account-id", "forged"));
        if let Some(seen) = answer.seen {
            assert_eq!(seen.header("x-account-id"), None);
            assert_eq!(seen.header("x-admin"), None);
        } else {
            answer.refused(503, "directory-unavailable");
        }
    }
}

#[test]
fn bytes_that_are_no_text_harm_nobody() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    let bytes = b"\xff\xfe\x80\xc3\x28";
    world.send(get("/orders").header("x-odd", bytes)).refused(401, "token-missing");
    world.send(get("/orders").header("authorization", bytes)).refused(401, "token-missing");
    let mixed = [b"Bearer ".as_slice(), token.as_bytes(), b"\xff"].concat();
    world.send(get("/orders").header("authorization", mixed)).refused(400, "credentials-invalid");
    for _ in 0..2 {
        let request = get("/orders").bearer(&token).header("x-odd", bytes).header("x_user_id", bytes);
        let seen = world.send(request.header("x-user-email", bytes)).forwarded();
        assert_eq!(seen.spellings("x-user-id"), ["x-user-id"]);
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
        assert_eq!(seen.header("x-user-email").as_deref(), Some("jane-4711@people.test"));
    }
}

#[test]
fn a_token_is_not_read_beyond_its_limit() {
    let mut world = Here::usual(&usual().set("/limits/token_bytes", json!(4096)));
    let fitting = world.token_with("jane-4711", &json!({"filler": "f".repeat(2000)}));
    assert!(fitting.len() < 4096);
    world.send(get("/orders").bearer(&fitting)).forwarded();
    let larger = world.token_with("jane-4711", &json!({"filler": "f".repeat(4000)}));
    world.send(get("/orders").bearer(&larger)).refused(400, "token-oversized");
    let megabyte = "a".repeat(1024 * 1024);
    world.send(get("/orders").bearer(&megabyte)).refused(400, "token-oversized");
    let megabyte = world.token_with("jane-4711", &json!({"filler": "f".repeat(750_000)}));
    world.send(get("/orders").bearer(&megabyte)).refused(400, "token-oversized");
}

#[test]
fn a_large_limit_for_tokens_is_kept_too() {
    let mut world = Here::usual(&usual().set("/limits/token_bytes", json!(2_000_000)));
    let megabyte = world.token_with("jane-4711", &json!({"filler": "f".repeat(750_000)}));
    assert!(megabyte.len() > 1_000_000);
    let seen = world.send(get("/orders").bearer(&megabyte)).forwarded();
    assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
}

#[test]
fn a_token_as_deep_as_a_well_is_refused() {
    let mut world = Here::usual(&usual());
    let issuer = world.issuer();
    let header = json!({"alg": "ES256", "kid": issuer.key().kid()});
    for payload in ["[".repeat(9000), "{\"a\":".repeat(2000), "[".repeat(4500) + &"]".repeat(4500)] {
        let token = issuer.signs(&header, payload.as_bytes());
        world.send(get("/orders").bearer(&token)).refused(401, "token-malformed");
    }
}

#[test]
fn a_cluster_that_does_not_exist_is_an_upstream_that_is_away() {
    let mut world = Here::usual(&usual().set("/provisioning/cluster", json!("nowhere")));
    for number in 0..4 {
        world.visit(&format!("crowd-{number}")).refused(503, "directory-unavailable");
    }
    let config = usual().set("/issuers/0/cluster", json!("nowhere")).set("/limits/hold", json!("200ms"));
    let mut world = Here::usual(&config);
    for number in 0..4 {
        world.visit(&format!("crowd-{number}")).refused(503, "keys-unavailable");
    }
}

#[test]
fn a_cluster_that_does_not_exist_loses_no_sighting() {
    let config = usual()
        .set("/last_seen", json!({"cluster": "nowhere", "every": "200ms"}))
        .set("/provisioning/when_unavailable", json!("allow"));
    let mut world = Here::usual(&config);
    world.visit("jane-4711").forwarded();
    world.until("it is tried", |world| world.counter("firstsight.sightings.failed") >= 2);
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_storm_of_clients_that_come_and_go_leaves_every_request_answered() {
    let mut world = Here::usual(&usual());
    let active = json!({"status": "active", "account": {"id": "stormy"}});
    world.directory().answers(Behaviour::json(200, &active).after(Duration::from_millis(40)));
    for round in 0..6 {
        let tokens: Vec<_> = (0..3).map(|number| world.token(&format!("crowd-{round}-{number}"))).collect();
        let open: Vec<_> =
            (0..12).map(|index| world.open(get("/orders").bearer(&tokens[index % 3]))).collect();
        world.pass(Duration::from_millis(10 * round));
        for (index, request) in open.into_iter().enumerate() {
            if index % 2 == 0 {
                world.abort(request);
            } else {
                world.answer(request).forwarded();
            }
        }
    }
}

#[test]
fn neither_tokens_nor_claims_are_logged_whatever_goes_wrong() {
    let config = usual().set("/provisioning/timeout", json!("200ms"));
    let mut world = Here::usual(&config.set("/provisioning/breaker", json!({"failures": 1000})));
    world.visit("jane-4711").forwarded();
    let problems = |sub: &str| json!({"problems": [format!("login-of-{sub} is taken")], "status": "denied", "message": sub});
    for (number, behaviour) in [
        Behaviour::json(422, &problems("crowd-0")),
        Behaviour::json(403, &problems("crowd-1")),
        Behaviour::json(500, &problems("crowd-2")),
        Behaviour::Hangs,
    ]
    .into_iter()
    .enumerate()
    {
        world.directory().answers(behaviour);
        assert!(world.visit(&format!("crowd-{number}")).seen.is_none());
    }
    world.directory().behaves();
    let mut send = |sub: &str, claims: Value| {
        let token = world.token_with(sub, &claims);
        assert!(world.send(get("/orders").bearer(&token)).seen.is_none());
    };
    send("expired-77", json!({"exp": 1_000_000_000}));
    send("foreign-77", json!({"iss": "http://other.test/realms/secret-realm-77"}));
    send("mistaken-77", json!({"aud": "audience-77"}));
    world.issuer().rotates();
    world.visit("rotated-77").forwarded();
    assert!(world.log().contains("keys of "), "a log that says nothing proves nothing:\n{}", world.log());
    nothing_secret_is_logged(&world);
    assert!(!world.log().contains("secret-realm-77") && !world.log().contains("audience-77"));
}
