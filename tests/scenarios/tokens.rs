//! Which tokens let a request through, and what the others are told.

use crate::Here;
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::get;
use crate::support::world::{Upstreams, World};
use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_request_without_a_token_is_challenged_without_an_error_code() {
    let mut world = Here::usual(&usual());
    let answer = world.send(get("/orders")).refused(401, "token-missing");
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer realm=\"firstsight\""));
    world
        .send(get("/orders").header("authorization", "Basic amFuZTpzM2NyZXQ="))
        .refused(401, "token-missing");
    world.send(get("/orders").header("authorization", "")).refused(401, "token-missing");
    assert!(world.counter("firstsight.requests.token-missing") >= 3);
}

#[test]
fn a_valid_token_lets_its_request_through_and_is_passed_on() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    let seen = world.send(get("/orders").bearer(&token)).forwarded();
    assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {token}")));
    world.send(get("/orders").header("Authorization", format!("bearer {token}"))).forwarded();
    assert_eq!(world.counter("firstsight.requests.forwarded"), 2);
}

#[test]
fn tokens_of_every_accepted_algorithm_pass() {
    let keys = SigningKey::of_every_algorithm();
    let jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
    let mut world = Here::usual(&usual().set("/issuers/0/jwks", json!({"keys": jwks})));
    for key in keys {
        let exp = world.now().as_millis() / 1000 + 60;
        let claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": exp});
        let header = json!({"alg": key.algorithm().to_string(), "kid": key.kid()});
        let token = key.sign(&header, claims.to_string().as_bytes());
        let seen = world.send(get("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"), "{}", key.algorithm());
    }
}

#[test]
fn a_token_that_breaks_a_rule_is_refused_with_its_own_reason() {
    let mut world = Here::usual(&usual());
    let now = world.now().as_millis() / 1000;
    let rules: [(Value, &str); 15] = [
        (json!({"exp": now - 60}), "token-expired"),
        (json!({"exp": null}), "token-malformed"),
        (json!({"exp": "tomorrow"}), "token-malformed"),
        (json!({"nbf": now + 600}), "token-premature"),
        (json!({"iat": now + 600}), "token-premature"),
        (json!({"aud": "invoices-api"}), "audience-mismatch"),
        (json!({"aud": ["invoices-api", {"orders-api": 1}]}), "audience-mismatch"),
        (json!({"aud": null}), "audience-mismatch"),
        (json!({"iss": "http://idp.test/realms/other"}), "issuer-unknown"),
        (json!({"iss": null}), "issuer-unknown"),
        (json!({"iss": ["http://idp.test/realms/acme"]}), "issuer-unknown"),
        (json!({"sub": null}), "subject-invalid"),
        (json!({"sub": ""}), "subject-invalid"),
        (json!({"sub": 4711}), "subject-invalid"),
        (json!({"sub": "jane\r\nx-admin: 1"}), "subject-invalid"),
    ];
    for (claims, slug) in rules {
        let token = world.token_with("jane-4711", &claims);
        let answer = world.send(get("/orders").bearer(&token)).refused(401, slug);
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer realm=\"firstsight\", error=\"invalid_token\""), "{challenge}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("jane"), "{slug}");
    }
    assert!(world.directory().arrivals().is_empty());
}

#[test]
fn an_audience_may_be_one_of_several_or_written_off() {
    let mut world = Here::usual(&usual());
    let token = world.token_with("jane-4711", &json!({"aud": ["invoices-api", AUDIENCE]}));
    world.send(get("/orders").bearer(&token)).forwarded();

    let issuer = json!({"issuer": ISSUER, "cluster": "idp", "any_audience": true});
    let mut world = Here::usual(&usual().set("/issuers/0", issuer));
    let token = world.token_with("jane-4711", &json!({"aud": null}));
    world.send(get("/orders").bearer(&token)).forwarded();
}

#[test]
fn clocks_may_differ_by_the_skew_that_was_configured() {
    let mut world = Here::usual(&usual().set("/issuers/0/clock_skew", json!("90s")));
    let now = world.now().as_millis() / 1000;
    let late = world.token_with("jane-4711", &json!({"exp": now - 60}));
    world.send(get("/orders").bearer(&late)).forwarded();
    let too_late = world.token_with("jane-4711", &json!({"exp": now - 100}));
    world.send(get("/orders").bearer(&too_late)).refused(401, "token-expired");
}

#[test]
fn a_token_stops_working_when_it_expires() {
    let mut world = Here::usual(&usual().set("/issuers/0/clock_skew", json!("1ms")));
    let exp = world.now().as_millis() / 1000 + 2;
    let token = world.token_with("jane-4711", &json!({"exp": exp}));
    world.send(get("/orders").bearer(&token)).forwarded();
    world.pass(Duration::from_millis(2100));
    world.send(get("/orders").bearer(&token)).refused(401, "token-expired");
}

#[test]
fn a_forged_token_is_refused() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let other_claims = world.token("admin-0815");
    let claims = other_claims.split('.').nth(1).unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let flipped = format!("{first}{}", &signature[1..]);
    for forged in [format!("{message}.{flipped}"), format!("{header}.{claims}.{signature}")] {
        world.send(get("/orders").bearer(&forged)).refused(401, "signature-invalid");
    }

    // A key of the attacker's own, under the name of the issuer's.
    let key = world.issuer().key();
    let theirs = SigningKey::generate(Algorithm::ES256, key.kid());
    let claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": 4_000_000_000_u64});
    let sign = |header: &Value| theirs.sign(header, claims.to_string().as_bytes());
    let forged = sign(&json!({"alg": "ES256", "kid": key.kid()}));
    world.send(get("/orders").bearer(&forged)).refused(401, "signature-invalid");
    let named = sign(&json!({"alg": "ES256", "kid": key.kid(), "jwk": theirs.public_jwk()}));
    world.send(get("/orders").bearer(&named)).refused(401, "signature-invalid");
    for algorithm in ["none", "HS256"] {
        let forged = sign(&json!({"alg": algorithm, "kid": key.kid()}));
        world.send(get("/orders").bearer(&forged)).refused(401, "token-unsupported");
    }
}

#[test]
fn an_algorithm_that_the_operator_did_not_choose_is_refused() {
    let mut world = Here::usual(&usual().set("/issuers/0/algorithms", json!(["RS256", "EdDSA"])));
    world.visit("jane-4711").refused(401, "token-unsupported");
}

#[test]
fn a_token_of_another_type_is_no_access_token() {
    let mut world = Here::usual(&usual());
    let exp = world.now().as_millis() / 1000 + 60;
    let claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": exp}).to_string();
    let issuer = world.issuer();
    let mut sign = |extra: Value| {
        let mut header = json!({"alg": "ES256", "kid": issuer.key().kid()});
        header[extra[0].as_str().unwrap()] = extra[1].clone();
        let token = issuer.signs(&header, claims.as_bytes());
        world.send(get("/orders").bearer(&token))
    };
    sign(json!(["typ", "JWT"])).forwarded();
    for odd in [json!(["typ", "secevent+jwt"]), json!(["typ", "logout+jwt"]), json!(["crit", ["exp"]])] {
        sign(odd).refused(401, "token-unsupported");
    }
}

#[test]
fn what_is_no_token_at_all_is_malformed() {
    let upstreams = Upstreams::default();
    let mut world = Here::start(upstreams, &usual()).unwrap();
    for text in ["x", "a.b", "a.b.c", "..", "a.b.c.d", "e30.e30.e30", "eyJhbGciOiJFUzI1NiJ9.bm90IGpzb24.c2ln"]
    {
        world.send(get("/orders").bearer(text)).refused(401, "token-malformed");
    }
    let issuer = world.issuer();
    let header = json!({"alg": "ES256", "kid": issuer.key().kid()});
    for payload in [&b"[]"[..], b"{", b"\xff\xfe", b"null", br#"{"sub":"jane-4711","sub":"admin-0815"}"#] {
        let token = issuer.signs(&header, payload);
        world.send(get("/orders").bearer(&token)).refused(401, "token-malformed");
    }
    let encrypted = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d";
    world.send(get("/orders").bearer(encrypted)).refused(401, "token-unsupported");
}

#[test]
fn a_request_with_credentials_twice_is_refused() {
    let mut world = Here::usual(&usual());
    let (one, other) = (world.token("jane-4711"), world.token("john-4712"));
    for second in [&one, &other] {
        let twice = get("/orders").bearer(&one).bearer(second);
        let answer = world.send(twice).refused(400, "credentials-invalid");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.starts_with("Bearer realm=\"firstsight\", error=\"invalid_request\""),
            "{challenge}"
        );
        let folded = get("/orders").header("authorization", format!("Bearer {one}, Bearer {second}"));
        world.send(folded).refused(400, "credentials-invalid");
    }
    let broken = ["Bearer", "Bearer ", "Bearer a b", "Bearer \"a\"", "Bearer a,"];
    for value in broken {
        world.send(get("/orders").header("authorization", value)).refused(400, "credentials-invalid");
    }
}
