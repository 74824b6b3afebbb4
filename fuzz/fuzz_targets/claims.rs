//! Tokens that the issuer did sign, whatever they say: those that are accepted meet every term, as a second reader reads
//! them, and the application gets clean headers.
//!
//! Input: a character that chooses the terms, a line with the header, and the payload.
#![no_main]

use firstsight::config::{KeySource, Policy};
use firstsight::domain::{HeaderSource, Reason};
use firstsight::token::{Jws, TokenKind};
use firstsight_fuzz::{AUDIENCE, ISSUER, NOW, jwks, now, once, policy, sign};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

// An access token's usual terms, an ID token's, and terms with everything in them.
once!(policies: Vec<Policy> = {
    let terms = [
        json!({}),
        json!({"token": "id", "max_lifetime": "2h"}),
        json!({"token": "any", "require_exp": false, "max_age": "1h", "clock_skew": "1s",
               "subjects": {"allow": ["user-*"], "deny": ["*-0"]}, "require": {"scopes": ["read"]}}),
        json!({"token": "rfc9068", "tenants": {"claim": "tid", "allow": ["one"]}}),
    ];
    let headers = json!([
        {"header": "x-sub", "claim": "sub"},
        {"header": "x-mail", "claim": "mail", "when_missing": "omit"},
        {"header": "x-groups", "claim": "groups", "format": "csv", "non_ascii": "percent", "when_missing": "omit"},
        {"header": "x-json", "claim": "address", "format": "json", "when_missing": "omit"},
        {"header": "x-base64", "claim": "realm.roles", "format": "base64json", "when_missing": "omit"},
        {"header": "x-payload", "payload": "base64url-padded", "when_missing": "omit", "max_bytes": 200},
        {"header": "x-roles", "claim": "groups", "map": {"a": "b"}, "format": "csv", "when_missing": "omit"},
    ]);
    let attributes = ["as-is", "text", "csv", "json", "list", "scim"].map(|format| {
        json!({"attribute": format, "claim": "groups", "format": format, "max_bytes": 100, "sync": "always"})
    });
    let with = |terms: Value| {
        let mut issuer = json!({"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": jwks()});
        issuer.as_object_mut().expect("it is one").extend(terms.as_object().cloned().unwrap_or_default());
        policy(json!({"issuers": [issuer], "headers": headers, "attributes": attributes}))
    };
    terms.into_iter().map(with).collect()
});

fuzz_target!(|text: &str| {
    let mut characters = text.chars();
    let Some(choice) = characters.next() else { return };
    let policy = &policies()[choice.to_digit(36).unwrap_or_default() as usize % policies().len()];
    let Some((header, payload)) = characters.as_str().split_once('\n') else { return };
    let (terms, KeySource::Inline(keys)) = (&policy.issuers[0].trust, &policy.issuers[0].keys) else {
        unreachable!()
    };
    let token = sign(header, payload);
    let Ok(jws) = Jws::parse(&token) else { return };
    let claims = match terms.verify(jws, keys, now()) {
        Ok(claims) => claims,
        Err(reason) => {
            let header: Value = serde_json::from_str(header).expect("only JSON is read");
            assert!(reason != Reason::SignatureInvalid || header["alg"] != "EdDSA", "the issuer did sign it");
            return;
        }
    };

    let header: Value = serde_json::from_str(header).expect("only JSON is read");
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.get("kid").is_none_or(|kid| kid == "ed"));
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let typ = header["typ"].as_str().unwrap_or("JWT").to_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    assert!(match terms.kind {
        TokenKind::Access | TokenKind::Any => matches!(typ, "jwt" | "at+jwt"),
        TokenKind::Rfc9068 => typ == "at+jwt",
        TokenKind::Id => typ == "jwt",
    });

    let said: Value = serde_json::from_str(payload).expect("only JSON is read");
    assert_eq!(Some(claims.members()), said.as_object());
    assert_eq!(said["iss"], ISSUER);
    let sub = said["sub"].as_str().expect("a subject has a name");
    assert_eq!((claims.subject().id.as_str(), claims.subject().issuer.as_str()), (sub, ISSUER));
    assert!(!sub.is_empty() && !sub.contains(char::is_control) && said.get("events").is_none());
    if terms.subjects.allow.is_some() {
        assert!(sub.starts_with("user-") && !sub.ends_with("-0"));
    }
    let time = |name: &str| said.get(name).map(|value| value.as_f64().expect("a time is a number"));
    let (now, skew) = (NOW as f64, terms.clock_skew.as_secs_f64());
    // A proxy's clock has milliseconds.
    let slack = skew + 0.001;
    assert!(time("exp").map_or(!terms.require_exp, |exp| now < exp + slack));
    assert!(
        time("nbf").is_none_or(|nbf| nbf - slack <= now) && time("iat").is_none_or(|iat| iat - slack <= now)
    );
    if let Some(most) = terms.max_age {
        assert!(time("iat").is_some_and(|iat| now < iat + most.as_secs_f64() + slack));
    }
    if let Some(most) = terms.max_lifetime {
        assert!(time("exp").is_some_and(|exp| exp - now <= most.as_secs_f64() + slack));
    }
    if terms.kind != TokenKind::Id && terms.kind != TokenKind::Any {
        assert!(["nonce", "at_hash", "c_hash", "s_hash"].iter().all(|name| said.get(name).is_none()));
    }
    assert!(terms.tenants.is_none() || said["tid"] == "one");
    claims.validity().check(firstsight_fuzz::now()).expect("it holds now");

    if terms.meets(&policy.demands[0], &claims).is_ok() {
        let is_ours = |value: &Value| value == AUDIENCE;
        assert!(is_ours(&said["aud"]) || said["aud"].as_array().is_some_and(|list| list.iter().any(is_ours)));
        let scopes = [&said["scope"], &said["scp"]];
        let reads = |value: &&Value| match value {
            Value::String(text) => text.split(' ').any(|scope| scope == "read"),
            Value::Array(list) => list.iter().any(|scope| scope == "read"),
            _ => false,
        };
        assert!(terms.require.scopes.is_empty() || scopes.iter().any(reads));
    }
    let Ok(identity) = policy.mapping.identify(&claims, token.split('.').nth(1).expect("there are three"))
    else {
        return;
    };
    for (name, source) in &identity.headers {
        let HeaderSource::Claim(value) = source else { continue };
        let text = std::str::from_utf8(value.as_bytes()).expect("it is text");
        assert!(
            !text.is_empty() && text.trim() == text && !text.contains(char::is_control),
            "{name}: {text:?}"
        );
        assert!(
            text.len() <= 8192 && (name == "x-sub" || name == "x-mail" || text.is_ascii()),
            "{name}: {text:?}"
        );
        assert!(name != "x-roles" || text == "b");
    }
    assert!(identity.fingerprint.is_some());
    assert_eq!(identity.issued_at.is_some(), time("iat").is_some());
    for (name, value) in policy.mapping.attributes(&claims) {
        assert!(value.to_string().len() <= 100, "{name}: {value}");
        assert!(!matches!(name.as_str(), "text" | "csv" | "json") || value.is_string(), "{name}: {value}");
        assert!(!matches!(name.as_str(), "list" | "scim") || value.is_array(), "{name}: {value}");
    }
});
