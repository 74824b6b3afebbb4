//! Security event tokens and logout tokens: every rule of [`Transmitter`], one test each; and none is a bearer token.

use super::*;

const ISSUER: &str = "https://idp.example.com";

fn transmitter() -> Transmitter {
    Transmitter {
        issuer: Issuer::parse(ISSUER).unwrap(),
        audiences: vec!["directory".into()],
        algorithms: ALGORITHMS.to_vec(),
        clock_skew: Duration::from_secs(30),
        max_age: Duration::from_secs(3600),
    }
}

/// Good claims, changed by `extra`; null takes one out.
fn claims(base: Value, extra: &Value) -> Value {
    let mut claims = base;
    for (name, value) in extra.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn events(extra: &Value) -> Value {
    let base =
        json!({"iss": ISSUER, "aud": "directory", "iat": NOW, "jti": "1", "events": {"urn:example:x": {}}});
    claims(base, extra)
}

fn logout(extra: &Value) -> Value {
    let base = json!({"iss": ISSUER, "aud": ["directory"], "iat": NOW, "exp": NOW + 120, "jti": "1", "sub": "jane",
                      "events": {LOGOUT_EVENT: {}}});
    claims(base, extra)
}

fn key() -> SigningKey {
    SigningKey::generate(Signs::ES256, "key-1")
}

fn signed(key: &SigningKey, typ: &Value, claims: &Value) -> String {
    let mut header = json!({"alg": key.algorithm().to_string(), "kid": key.kid()});
    if !typ.is_null() {
        header["typ"] = typ.clone();
    }
    key.sign(&header, claims.to_string().as_bytes())
}

fn verify(key: &SigningKey, token: &str) -> Result<EventToken, EventRefusal> {
    let keys = ring(&json!({"keys": [key.public_jwk()]}));
    transmitter().verify(Jws::parse_events(token)?, &keys, Timestamp::from_secs(NOW))
}

fn verify_logout(key: &SigningKey, token: &str) -> Result<EventToken, EventRefusal> {
    let keys = ring(&json!({"keys": [key.public_jwk()]}));
    transmitter().verify_logout(Jws::parse_logout(token)?, &keys, Timestamp::from_secs(NOW))
}

fn refusal(extra: &Value) -> Option<EventRefusal> {
    let key = key();
    verify(&key, &signed(&key, &json!("secevent+jwt"), &events(extra))).err()
}

fn logout_refusal(extra: &Value) -> Option<EventRefusal> {
    let key = key();
    verify_logout(&key, &signed(&key, &json!("logout+jwt"), &logout(extra))).err()
}

#[test]
fn a_token_of_events_tells_who_made_it_and_when() {
    let key = key();
    for typ in ["secevent+jwt", "application/secevent+jwt", "SecEvent+JWT"] {
        let token = verify(&key, &signed(&key, &json!(typ), &events(&json!({})))).ok().unwrap();
        assert_eq!((token.id(), token.issued_at()), ("1", Timestamp::from_secs(NOW)));
        assert!(token.members().contains_key("events"));
    }
}

#[test]
fn only_its_own_type_is_a_token_of_events_or_a_logout_token() {
    let key = key();
    for typ in [json!("JWT"), json!(null), json!("at+jwt"), json!("logout+jwt"), json!("dpop+jwt")] {
        let token = signed(&key, &typ, &events(&json!({})));
        assert_eq!(verify(&key, &token).err(), Some(EventRefusal::Unreadable), "{typ}");
    }
    for typ in [json!("at+jwt"), json!("secevent+jwt")] {
        let token = signed(&key, &typ, &logout(&json!({})));
        assert_eq!(verify_logout(&key, &token).err(), Some(EventRefusal::Unreadable), "{typ}");
    }
    for typ in [json!("logout+jwt"), json!("application/logout+jwt"), json!("JWT"), json!(null)] {
        assert!(verify_logout(&key, &signed(&key, &typ, &logout(&json!({})))).is_ok(), "{typ}");
    }
}

#[test]
fn no_token_of_events_lets_anybody_in_whatever_type_it_says() {
    let issuer = issuer(Signs::ES256);
    let own = |typ: &str, claims: &Value| signed(issuer.key(), &json!(typ), claims);
    let usual =
        json!({"iss": ISSUER, "sub": "jane", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "jti": "1"});
    let mut telling = usual.clone();
    telling["events"] = json!({LOGOUT_EVENT: {}});
    assert!(verify_at(&own("at+jwt", &usual), &issuer.jwks(), &trust(), NOW).is_ok());
    for (typ, claims) in
        [("secevent+jwt", &usual), ("logout+jwt", &usual), ("at+jwt", &telling), ("JWT", &telling)]
    {
        let refused = verify_at(&own(typ, claims), &issuer.jwks(), &trust(), NOW).err();
        assert_eq!(refused, Some(Reason::TokenUnsupported), "{typ}");
        let bearer = own(typ, claims);
        let read = Jws::read(bearer.as_bytes(), 10_000, &KnownHeaders::default()).err();
        assert_eq!(read, (claims == &usual).then_some(Reason::TokenUnsupported), "{typ}");
    }
}

#[test]
fn a_token_of_events_is_from_the_transmitter_and_for_this_receiver() {
    for iss in [json!("https://idp.example.com/"), json!(null), json!(7)] {
        assert_eq!(refusal(&json!({"iss": iss})), Some(EventRefusal::IssuerUnknown), "{iss}");
    }
    for aud in [json!("other"), json!(null), json!([]), json!(["directory", 7]), json!({"directory": 1})] {
        assert_eq!(refusal(&json!({"aud": aud})), Some(EventRefusal::AudienceMismatch), "{aud}");
    }
    assert_eq!(refusal(&json!({"aud": ["other", "directory"]})), None);
}

#[test]
fn a_token_of_events_has_what_is_required_and_not_what_is_forbidden() {
    for extra in [
        json!({"sub": "jane"}),
        json!({"exp": NOW + 60}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"jti": 7}),
        json!({"jti": "a\n"}),
        json!({"jti": "x".repeat(256)}),
        json!({"iat": null}),
        json!({"iat": "now"}),
        json!({"events": null}),
        json!({"events": {}}),
        json!({"events": []}),
        json!({"events": {"urn:example:x": "text"}}),
    ] {
        assert_eq!(refusal(&extra), Some(EventRefusal::Malformed), "{extra}");
    }
    assert_eq!(refusal(&json!({"toe": NOW, "txn": "7", "odd": {}})), None);
}

#[test]
fn a_token_of_events_is_neither_old_nor_from_the_future() {
    assert_eq!(refusal(&json!({"iat": NOW - 3629})), None);
    assert_eq!(refusal(&json!({"iat": NOW - 3630})), Some(EventRefusal::Outdated));
    assert_eq!(refusal(&json!({"iat": NOW + 30})), None);
    assert_eq!(refusal(&json!({"iat": NOW + 31})), Some(EventRefusal::Premature));
}

#[test]
fn nothing_is_told_of_a_token_whose_signature_does_not_hold() {
    let (own, other) = (key(), key());
    let forged = signed(&other, &json!("secevent+jwt"), &events(&json!({"iss": "https://evil.example.com"})));
    assert_eq!(verify(&own, &forged).err(), Some(EventRefusal::SignatureInvalid));
    let unknown = SigningKey::generate(Signs::ES256, "key-2");
    let token = signed(&unknown, &json!("secevent+jwt"), &events(&json!({})));
    assert_eq!(verify(&own, &token).err(), Some(EventRefusal::KeyUnknown));
    let narrow = Transmitter { algorithms: vec![Algorithm::RS256], ..transmitter() };
    let token = signed(&own, &json!("secevent+jwt"), &events(&json!({})));
    let keys = ring(&json!({"keys": [own.public_jwk()]}));
    let jws = Jws::parse_events(&token).ok().unwrap();
    let refused = narrow.verify(jws, &keys, Timestamp::from_secs(NOW)).err();
    assert_eq!(refused, Some(EventRefusal::KeyUnknown));
}

#[test]
fn a_logout_token_keeps_the_rules_of_its_own_kind() {
    for extra in [
        json!({"nonce": "n"}),
        json!({"sub": null}),
        json!({"sub": 7}),
        json!({"sid": 7}),
        json!({"events": {"urn:example:x": {}}}),
        json!({"events": {LOGOUT_EVENT: true}}),
        json!({"exp": "soon"}),
        json!({"iat": null}),
        json!({"jti": null}),
    ] {
        assert_eq!(logout_refusal(&extra), Some(EventRefusal::Malformed), "{extra}");
    }
    for extra in [json!({}), json!({"exp": null}), json!({"sub": null, "sid": "s"}), json!({"sid": "s"})] {
        assert_eq!(logout_refusal(&extra), None, "{extra}");
    }
    assert_eq!(logout_refusal(&json!({"exp": NOW - 29})), None);
    assert_eq!(logout_refusal(&json!({"exp": NOW - 30})), Some(EventRefusal::Outdated));
    assert_eq!(logout_refusal(&json!({"iss": "https://other"})), Some(EventRefusal::IssuerUnknown));
    assert_eq!(logout_refusal(&json!({"aud": "other"})), Some(EventRefusal::AudienceMismatch));
    assert_eq!(logout_refusal(&json!({"iat": NOW - 3630})), Some(EventRefusal::Outdated));
}

#[test]
fn every_refusal_has_a_registered_code() {
    use EventRefusal as E;
    for (refusal, code) in [
        (E::Unreadable, "invalid_request"),
        (E::Malformed, "invalid_request"),
        (E::Outdated, "invalid_request"),
        (E::Premature, "invalid_request"),
        (E::KeyUnknown, "invalid_key"),
        (E::SignatureInvalid, "authentication_failed"),
        (E::IssuerUnknown, "invalid_issuer"),
        (E::AudienceMismatch, "invalid_audience"),
    ] {
        assert_eq!(refusal.code(), code);
    }
}
