//! Tokens against terms and keys: every rule of [`Trust::verify`] and [`Keyring`], one test each.

mod events;
mod terms;

use super::*;
use crate::domain::{Issuer, Reason, Timestamp};
use firstsight_testkit::{Algorithm as Signs, SigningKey, TestIssuer};
use serde_json::{Value, json};
use std::time::Duration;

const NOW: u64 = 1_795_458_540;
const AUDIENCE: &str = "orders-api";

fn trust() -> Trust {
    Trust {
        issuer: Issuer::parse("https://idp.example.com").unwrap(),
        audiences: Some(vec![AUDIENCE.into()]),
        algorithms: ALGORITHMS.to_vec(),
        kind: TokenKind::Access,
        clock_skew: Duration::from_secs(30),
        require_exp: true,
        max_age: None,
        max_lifetime: None,
        subjects: SubjectRules::default(),
        tenants: None,
        require: Require::default(),
    }
}

fn issuer(algorithm: Signs) -> TestIssuer {
    TestIssuer::new("https://idp.example.com", algorithm)
}

fn ring(keys: &Value) -> Keyring {
    Keyring::from_value(keys, Crypto::pure()).unwrap()
}

fn verify_at(token: &str, keys: &Value, trust: &Trust, secs: u64) -> Result<Claims, Reason> {
    let claims = trust.verify(Jws::parse(token)?, &ring(keys), Timestamp::from_secs(secs))?;
    trust.meets(&Demand::default(), &claims).map(|()| claims)
}

/// What becomes of a good token whose claims were changed by `extra`.
fn outcome(extra: &Value) -> Option<Reason> {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token("jane", AUDIENCE, NOW, extra);
    verify_at(&token, &issuer.jwks(), &trust(), NOW).err()
}

#[test]
fn an_algorithm_that_the_issuer_is_not_trusted_with_is_refused() {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token("jane", AUDIENCE, NOW, json!({}));
    let terms = Trust { algorithms: vec![Algorithm::RS256], ..trust() };
    assert_eq!(verify_at(&token, &issuer.jwks(), &terms, NOW).err(), Some(Reason::TokenUnsupported));
}

#[test]
fn a_key_verifies_only_the_algorithm_it_is_bound_to() {
    let key = SigningKey::generate(Signs::RS256, "k");
    let claims = json!({"iss": "https://idp.example.com", "sub": "jane", "aud": AUDIENCE, "exp": NOW + 60});
    let token = key.sign(&json!({"alg": "PS256", "kid": "k"}), claims.to_string().as_bytes());
    let keys = json!({"keys": [key.public_jwk()]});
    assert_eq!(verify_at(&token, &keys, &trust(), NOW).err(), Some(Reason::KeyUnknown));
}

#[test]
fn a_token_names_its_key_by_kid() {
    let mut issuer = issuer(Signs::ES256);
    let old = issuer.access_token("jane", AUDIENCE, NOW, json!({}));
    issuer.rotate(true);
    let new = issuer.access_token("jane", AUDIENCE, NOW, json!({}));
    assert!(verify_at(&old, &issuer.jwks(), &trust(), NOW).is_ok());
    assert!(verify_at(&new, &issuer.jwks(), &trust(), NOW).is_ok());
    issuer.rotate(false);
    assert_eq!(verify_at(&new, &issuer.jwks(), &trust(), NOW).err(), Some(Reason::KeyUnknown));
}

#[test]
fn a_token_without_kid_needs_a_set_in_which_exactly_one_key_fits() {
    let mut issuer = issuer(Signs::ES256);
    let claims = json!({"iss": "https://idp.example.com", "sub": "jane", "aud": AUDIENCE, "exp": NOW + 60});
    let token = issuer.key().sign(&json!({"alg": "ES256"}), claims.to_string().as_bytes());
    let foreign = SigningKey::generate(Signs::EdDSA, "another").public_jwk();
    let mut keys = issuer.jwks();
    keys["keys"].as_array_mut().unwrap().push(foreign);
    assert!(verify_at(&token, &keys, &trust(), NOW).is_ok());
    issuer.rotate(true);
    assert_eq!(verify_at(&token, &issuer.jwks(), &trust(), NOW).err(), Some(Reason::KeyUnknown));
}

#[test]
fn two_keys_of_one_kid_are_told_apart_by_what_they_are_or_not_at_all() {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token("jane", AUDIENCE, NOW, json!({}));
    let own = issuer.key().public_jwk();
    let other_type = SigningKey::generate(Signs::EdDSA, "key-1").public_jwk();
    let same_type = SigningKey::generate(Signs::ES256, "key-1").public_jwk();
    assert!(verify_at(&token, &json!({"keys": [other_type, own]}), &trust(), NOW).is_ok());
    let twins = json!({"keys": [same_type, own]});
    assert_eq!(verify_at(&token, &twins, &trust(), NOW).err(), Some(Reason::KeyUnknown));
}

#[test]
fn keys_that_are_not_for_verifying_here_are_skipped_one_by_one() {
    let good = SigningKey::generate(Signs::ES256, "good").public_jwk();
    let changed = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let foreign = [
        json!(null),
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "n": "", "e": ""}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
        changed("use", json!("enc")),
        changed("key_ops", json!(["sign"])),
        changed("alg", json!("ES384")),
        changed("alg", json!("HS256")),
        changed("x", json!("AAAA")),
        changed("y", json!("not base64url!")),
    ];
    for key in foreign {
        let keys = json!({"keys": [key]});
        assert_eq!(
            Keyring::from_value(&keys, Crypto::pure()).err(),
            Some(KeyringError::NoUsableKey),
            "{keys}"
        );
        assert_eq!(ring(&json!({"keys": [key, good]})).len(), 1);
    }
}

#[test]
fn what_is_no_key_set_is_refused() {
    for body in ["", "[]", "{}", r#"{"keys":{}}"#, "\u{0}"] {
        assert_eq!(
            Keyring::read(body.as_bytes(), Crypto::pure()).err(),
            Some(KeyringError::Malformed),
            "{body}"
        );
    }
}

#[test]
fn the_issuer_is_compared_exactly() {
    for other in ["https://idp.example.com/", "https://IDP.example.com", "https://evil.example.com"] {
        assert_eq!(outcome(&json!({"iss": other})), Some(Reason::IssuerUnknown), "{other}");
    }
}

#[test]
fn one_accepted_audience_is_enough_and_none_is_too_little() {
    assert_eq!(outcome(&json!({"aud": [AUDIENCE, "billing"]})), None);
    for aud in
        [json!("billing"), json!([]), json!(["Orders-API"]), json!(7), json!([{"x": AUDIENCE}]), json!(null)]
    {
        assert_eq!(outcome(&json!({"aud": aud})), Some(Reason::AudienceMismatch), "{aud}");
    }
}

#[test]
fn any_audience_has_to_be_written_off() {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token("jane", "billing", NOW, json!({"aud": null}));
    let terms = Trust { audiences: None, ..trust() };
    assert!(verify_at(&token, &issuer.jwks(), &terms, NOW).is_ok());
}

#[test]
fn a_token_expires_at_exp_and_the_skew_is_ours_to_give() {
    let issuer = issuer(Signs::ES256);
    let token = issuer.access_token("jane", AUDIENCE, NOW, json!({"exp": NOW + 60}));
    let at = |secs| verify_at(&token, &issuer.jwks(), &trust(), secs).err();
    assert_eq!(at(NOW + 89), None);
    assert_eq!(at(NOW + 90), Some(Reason::TokenExpired));
    assert_eq!(at(NOW + 100_000), Some(Reason::TokenExpired));
}

#[test]
fn a_token_is_premature_before_nbf_and_before_it_was_issued() {
    for claim in ["nbf", "iat"] {
        assert_eq!(outcome(&json!({claim: NOW + 30})), None, "{claim}");
        assert_eq!(outcome(&json!({claim: NOW + 31})), Some(Reason::TokenPremature), "{claim}");
    }
}

#[test]
fn a_time_is_a_number_of_seconds_and_exp_is_required() {
    assert_eq!(outcome(&json!({"exp": NOW as f64 + 0.5})), None);
    assert_eq!(outcome(&json!({"exp": null})), Some(Reason::TokenMalformed));
    for claim in ["exp", "nbf", "iat"] {
        assert_eq!(outcome(&json!({claim: NOW.to_string()})), Some(Reason::TokenMalformed), "{claim}");
        assert_eq!(outcome(&json!({claim: [NOW]})), Some(Reason::TokenMalformed), "{claim}");
    }
}

#[test]
fn a_subject_is_required_and_is_text() {
    for sub in [json!(null), json!(""), json!(7), json!(["jane"]), json!("a\nb"), json!("x".repeat(256))] {
        assert_eq!(outcome(&json!({"sub": sub})), Some(Reason::SubjectInvalid), "{sub}");
    }
}

#[test]
fn verified_claims_say_when_the_token_was_made() {
    let issuer = issuer(Signs::ES256);
    let made = |extra: &Value| {
        let token = issuer.access_token("jane", AUDIENCE, NOW, extra);
        verify_at(&token, &issuer.jwks(), &trust(), NOW).ok().unwrap().issued_at()
    };
    assert_eq!(made(&json!({})), Some(Timestamp::from_secs(NOW)));
    assert_eq!(made(&json!({"iat": 1.5})), Some(Timestamp::from_millis(1500)));
    assert_eq!(made(&json!({"iat": -7})), Some(Timestamp::from_millis(0)));
    assert_eq!(made(&json!({"iat": null})), None);
}
