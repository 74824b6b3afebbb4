//! What the application gets to know, and what it never gets from a client.

use crate::Here;
use crate::support::config::{Config, ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::{Request, get, post};
use crate::support::world::{World, unavailable};
use serde_json::{Value, json};

#[test]
fn claims_become_the_headers_that_were_configured() {
    let rules = json!([
        {"header": "x-text", "claim": "text"},
        {"header": "x-number", "claim": "number"},
        {"header": "x-flag", "claim": "flag"},
        {"header": "x-list", "claim": "list", "format": "csv"},
        {"header": "x-single", "claim": "number", "format": "csv"},
        {"header": "x-nested", "claim": "realm_access.roles", "format": "csv"},
        {"header": "x-pointed", "claim": "/https:~1~1acme.test~1tenant"},
        {"header": "x-account-id", "account": "id"},
    ]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    let claims = json!({
        "text": "Jörg O'Neil; a=b, \"c\"",
        "number": 42,
        "flag": true,
        "list": ["admin", 7, false],
        "realm_access": {"roles": ["offline", "orders:read"]},
        "https://acme.test/tenant": "tenant-9",
    });
    let token = world.token_with("jane-4711", &claims);
    let seen = world.send(get("/orders").bearer(&token)).forwarded();
    for (header, value) in [
        ("x-text", "Jörg O'Neil; a=b, \"c\""),
        ("x-number", "42"),
        ("x-flag", "true"),
        ("x-list", "admin,7,false"),
        ("x-single", "42"),
        ("x-nested", "offline,orders:read"),
        ("x-pointed", "tenant-9"),
        ("x-account-id", "acct-1"),
    ] {
        assert_eq!(seen.header(header).as_deref(), Some(value), "{header}");
    }
}

#[test]
fn a_value_is_written_in_the_form_that_was_chosen() {
    let rules = json!([
        {"header": "x-json", "claim": "groups", "format": "json"},
        {"header": "x-base64", "claim": "address", "format": "base64json"},
        {"header": "x-percent", "claim": "name", "non_ascii": "percent"},
        {"header": "x-ascii", "claim": "name", "non_ascii": "missing", "when_missing": {"default": "someone"}},
    ]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    let claims = json!({
        "groups": ["staff,admin", "Jörg\r\nx-admin: yes", {"deep": [1, 2.5, null]}],
        "address": {"city": "Köln"},
        "name": "Jörg 100%",
    });
    let token = world.token_with("jane-4711", &claims);
    let seen = world.send(get("/orders").bearer(&token)).forwarded();
    let json = r#"["staff,admin","J\u00f6rg\r\nx-admin: yes",{"deep":[1,2.5,null]}]"#;
    for (header, value) in [
        ("x-json", json),
        ("x-base64", "eyJjaXR5IjoiS8O2bG4ifQ=="),
        ("x-percent", "J%C3%B6rg 100%25"),
        ("x-ascii", "someone"),
    ] {
        assert_eq!(seen.header(header).as_deref(), Some(value), "{header}");
    }
    assert_eq!(seen.header("x-admin"), None);
}

#[test]
fn a_verified_payload_is_passed_on_as_the_token_holds_it() {
    let rules = json!([
        {"header": "x-jwt-payload", "payload": "base64url"},
        {"header": "x-jwt-padded", "payload": "base64url-padded"},
        {"header": "x-jwt-short", "payload": "base64url", "max_bytes": 300, "when_missing": "omit"},
    ]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    for (filler, is_short) in [("", true), ("f", true), ("ff", true), (&"f".repeat(300), false)] {
        // Blanks and an escape that no one who wrote it anew would write.
        let exp = world.now().as_millis() / 1000 + 60;
        let payload = format!(
            r#"{{ "iss": "{ISSUER}", "sub": "jane\u002d4711", "aud": "{AUDIENCE}", "exp": {exp}, "filler": "{filler}" }}"#
        );
        let issuer = world.issuer();
        let token = issuer.signs(&json!({"alg": "ES256", "kid": issuer.key().kid()}), payload.as_bytes());
        let part = token.split('.').nth(1).unwrap().to_owned();
        for _ in 0..2 {
            let request = get("/orders").bearer(&token).header("x_jwt_payload", "e30");
            let seen = world.send(request).forwarded();
            assert_eq!(seen.spellings("x-jwt-payload"), ["x-jwt-payload"]);
            assert_eq!(seen.header("x-jwt-payload").as_ref(), Some(&part));
            let padded = seen.header("x-jwt-padded").unwrap();
            assert_eq!((padded.trim_end_matches('='), padded.len() % 4), (&*part, 0));
            assert_eq!(seen.header("x-jwt-short").is_some(), is_short, "{}", part.len());
        }
    }
}

#[test]
fn a_missing_claim_has_the_outcome_that_its_rule_declares() {
    let rules = json!([
        {"header": "x-omit", "claim": "omitted", "when_missing": "omit"},
        {"header": "x-default", "claim": "defaulted", "when_missing": {"default": "guest"}},
        {"header": "x-must", "claim": "must"},
    ]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    let token = world.token_with("jane-4711", &json!({"must": "here"}));
    let seen = world.send(get("/orders").bearer(&token).header("x-omit", "forged")).forwarded();
    assert_eq!(seen.header("x-omit"), None);
    assert_eq!(seen.header("x-default").as_deref(), Some("guest"));
    assert_eq!(seen.header("x-must").as_deref(), Some("here"));

    let arrivals = world.directory().arrivals().len();
    world.visit("john-4712").refused(403, "claim-missing");
    assert_eq!(world.directory().arrivals().len(), arrivals, "nobody is provisioned who is refused anyway");
}

#[test]
fn a_claim_that_cannot_be_a_header_counts_as_missing() {
    let rules = json!([
        {"header": "x-odd", "claim": "odd", "when_missing": "omit", "max_bytes": 64},
        {"header": "x-list", "claim": "odd", "format": "csv", "when_missing": {"default": "none"}, "max_bytes": 64},
        {"header": "x-must", "claim": "must"},
    ]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    for odd in [
        json!("jane\r\nx-admin: yes"),
        json!("jane\nx-admin: yes"),
        json!("jane\r"),
        json!("\u{0}jane"),
        json!("jane\u{7f}"),
        json!({"name": "jane"}),
        json!([["nested"]]),
        json!(["staff,admin"]),
        json!(["staff", "a\r\nx-admin: yes"]),
        json!([]),
        json!(""),
        json!("x".repeat(65)),
    ] {
        let token = world.token_with("jane-4711", &json!({"odd": odd, "must": "here"}));
        let seen = world.send(get("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-odd"), None, "{odd}");
        assert_eq!(seen.header("x-list").as_deref(), Some("none"), "{odd}");
        assert_eq!(seen.header("x-admin"), None, "{odd}");
        let token = world.token_with("jane-4711", &json!({"must": odd}));
        let answer = world.send(get("/orders").bearer(&token));
        let expected_size = odd.as_str().is_some_and(|text| text.len() == 65);
        if expected_size {
            answer.forwarded();
        } else {
            let answer = answer.refused(403, "claim-missing");
            assert_eq!(answer.header("x-admin"), None, "{odd}");
        }
    }
    let token = world.token_with("jane-4711", &json!({"odd": ["a", "b"], "must": "here"}));
    let seen = world.send(get("/orders").bearer(&token)).forwarded();
    assert_eq!((seen.header("x-odd"), seen.header("x-list").as_deref()), (None, Some("a,b")));
}

/// Every way a client may try to write a managed header itself.
fn forged(request: Request) -> Request {
    let names =
        ["x-user-id", "X-User-Id", "x_user_id", "X_USER-ID", "x-user_id", "x-user-email", "x_user_email"];
    let more = ["x-user-groups", "x-account-id", "x_account_id", "X-ACCOUNT_ID"];
    names
        .iter()
        .chain(&more)
        .fold(request, |request, name| request.header(name, "admin").header(name, "root"))
}

#[track_caller]
fn only_ours(seen: &crate::support::message::Seen, expected: &[(&str, &str)]) {
    for managed in ["x-user-id", "x-user-email", "x-user-groups", "x-account-id"] {
        let ours = expected.iter().find(|(name, _)| *name == managed);
        let spellings: Vec<_> = ours.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(seen.spellings(managed), spellings, "{managed}");
        assert_eq!(seen.header(managed).as_deref(), ours.map(|(_, value)| *value), "{managed}");
    }
}

#[test]
fn a_managed_header_of_a_client_never_reaches_the_application() {
    let mut world = Here::usual(&usual());
    let token = world.token_with("jane-4711", &json!({"email": null}));
    let ours = [("x-user-id", "jane-4711"), ("x-account-id", "acct-1")];
    let first_sight = world.send(forged(get("/orders")).bearer(&token)).forwarded();
    only_ours(&first_sight, &ours);
    for _ in 0..4 {
        let known = world.send(forged(get("/orders")).bearer(&token)).forwarded();
        only_ours(&known, &ours);
    }
    world.send(forged(get("/orders"))).refused(401, "token-missing");
    world.send(forged(get("/orders")).bearer("a.b.c")).refused(401, "token-malformed");
}

#[test]
fn nor_does_it_when_the_directory_is_away_and_the_posture_is_to_allow() {
    let mut world = Here::usual(&usual().set("/provisioning/when_unavailable", json!("allow")));
    world.directory().answers(unavailable());
    let token = world.token_with("jane-4711", &json!({"email": null}));
    let seen = world.send(forged(get("/orders")).bearer(&token)).forwarded();
    only_ours(&seen, &[("x-user-id", "jane-4711")]);
}

#[test]
fn a_configured_underscore_owns_its_hyphen_too() {
    let rules = json!([{"header": "x_login", "claim": "preferred_username"}]);
    let mut world = Here::usual(&usual().set("/headers", rules));
    let token = world.token("jane-4711");
    let request = get("/orders").header("x-login", "root").header("X_Login", "root").bearer(&token);
    let seen = world.send(request).forwarded();
    assert_eq!(seen.spellings("x-login"), ["x_login"]);
    assert_eq!(seen.header("x_login").as_deref(), Some("login-of-jane-4711"));
}

#[test]
fn other_headers_and_the_body_pass_as_they_came() {
    let mut world = Here::usual(&usual());
    let body: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    for sub in ["jane-4711", "john-4712", "jane-4711"] {
        let token = world.token(sub);
        let request = post("/orders", body.clone())
            .header("x-user", "not managed")
            .header("x-user-id2", "nor this")
            .header("x-bytes", b"\xe9\xff\x80")
            .bearer(&token);
        let seen = world.send(request).forwarded();
        assert_eq!(seen.header("x-user").as_deref(), Some("not managed"));
        assert_eq!(seen.header("x-user-id2").as_deref(), Some("nor this"));
        let bytes = seen.headers.iter().find(|(name, _)| name == "x-bytes").map(|(_, value)| value.clone());
        assert_eq!(bytes.as_deref(), Some(&b"\xe9\xff\x80"[..]));
        assert!(seen.body == body, "{} of {} bytes", seen.body.len(), body.len());
    }
}

#[test]
fn what_a_token_says_of_its_subject_may_change_at_any_time() {
    let mut world = Here::usual(&usual());
    let mut groups = |value: Value| {
        let token = world.token_with("jane-4711", &json!({"groups": value}));
        world.send(get("/orders").bearer(&token)).forwarded().header("x-user-groups")
    };
    assert_eq!(groups(json!(["staff"])).as_deref(), Some("staff"));
    assert_eq!(groups(json!(["staff", "admin"])).as_deref(), Some("staff,admin"));
    assert_eq!(groups(Value::Null), None);
}

#[test]
fn a_configuration_without_headers_still_verifies() {
    let config: Config = usual().set("/headers", json!([]));
    let mut world = Here::usual(&config);
    world.visit("jane-4711").forwarded();
    world.send(get("/orders")).refused(401, "token-missing");
}

#[test]
fn what_is_mapped_into_filter_state_reaches_the_proxys_other_filters_and_not_the_application() {
    let rules = json!([{"key": "user", "claim": "sub"}, {"key": "account", "account": "id"}]);
    let mut world = Here::usual(&usual().set("/filter_state", rules).set("/headers", json!([])));
    for _ in 0..2 {
        let seen = world.visit("jane-4711").forwarded();
        assert_eq!(seen.header("x-filter-state").as_deref(), Some("jane-4711"));
        assert!(seen.headers.iter().all(|(name, _)| name != "user"));
    }
    world.send(get("/orders").header("x-filter-state", "admin-0815")).refused(401, "token-missing");
}
