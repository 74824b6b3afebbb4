//! RFC 7519 and RFC 8725: what a token claims, and how it is abused.

use super::*;
use firstsight::domain::ClaimPath;
use firstsight::token::Tenants;
use jsonwebtoken::EncodingKey;

const MALFORMED: Option<Reason> = Some(Reason::TokenMalformed);

/// A token with exactly this text for its payload.
fn with_payload(payload: &str) -> Option<Reason> {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let token = key.sign(&json!({"alg": "ES256", "kid": "key-1"}), payload.as_bytes());
    verify(&token, &json!({"keys": [key.public_jwk()]}), &trust()).err()
}

/// RFC 7519 §2: a NumericDate is a JSON number, however it is written, and finite.
#[test]
fn a_numeric_date_is_any_finite_number() {
    let with_exp = |exp: &str| {
        with_payload(&format!(r#"{{"iss":"{ISSUER}","sub":"jane","aud":"{AUDIENCE}","exp":{exp}}}"#))
    };
    for exp in
        ["1795458541", "1795458541.5", "1.795458541e9", "17954585410e-1", "1e300", "99999999999999999999"]
    {
        assert_eq!(with_exp(exp), None, "{exp}");
    }
    for exp in ["0", "-1", "-1e300", "1795458.540e2", "1e-400"] {
        assert_eq!(with_exp(exp), Some(Reason::TokenExpired), "{exp}");
    }
    for exp in [
        "1e999",
        "NaN",
        "Infinity",
        "\"1795458541\"",
        "true",
        "null",
        "[1795458541]",
        "{}",
        "0x7",
        "01",
        "+1",
    ] {
        assert_eq!(with_exp(exp), MALFORMED, "{exp}");
    }
}

/// RFC 7519 §4: a claim that is not understood is ignored.
#[test]
fn an_unknown_claim_is_ignored() {
    assert_eq!(with_claims(&json!({"https://example.com/x": {"exp": 0}, "cnf": {}, "jti": 7})), None);
}

/// RFC 7519 §4.1.3: a string, or a list of nothing but strings.
#[test]
fn an_audience_among_what_is_no_text_does_not_count() {
    assert_eq!(with_claims(&json!({"aud": ["billing", AUDIENCE]})), None);
    for aud in [json!([AUDIENCE, 7]), json!([AUDIENCE, null]), json!([[AUDIENCE]]), json!({AUDIENCE: 1})] {
        assert_eq!(with_claims(&json!({"aud": aud})), Some(Reason::AudienceMismatch), "{aud}");
    }
}

/// RFC 7519 §7.3, OpenID Connect Core §2: code point by code point, without case and normalisation.
#[test]
fn a_subject_is_compared_exactly() {
    let issuer = TestIssuer::new(ISSUER, Algorithm::ES256);
    let key_of = |sub: &str| {
        let token = issuer.access_token(sub, AUDIENCE, NOW, json!({}));
        verify(&token, &issuer.jwks(), &trust()).ok().unwrap().subject().key().to_string()
    };
    let subs = ["jane", "Jane", "jane ", "j\u{f6}rg", "jo\u{308}rg", "J\u{d6}RG"];
    let keys: std::collections::BTreeSet<_> = subs.into_iter().map(key_of).collect();
    assert_eq!(keys.len(), subs.len());
}

/// RFC 8725 §2.1 and §3.1: what is published is no secret, so nobody can sign with it.
#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let key = SigningKey::generate(Algorithm::RS256, "key-1");
    let jwk = key.public_jwk();
    let n = jwk["n"].as_str().unwrap();
    let secrets = [n.as_bytes().to_vec(), decode(n), jwk.to_string().into_bytes(), vec![]];
    for secret in secrets {
        let message =
            format!("{}.{}", encode(json!({"alg": "HS256", "kid": "key-1"}).to_string()), encode(claims()));
        let secret = EncodingKey::from_secret(&secret);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        let token = format!("{message}.{signature}");
        assert_eq!(verify(&token, &json!({"keys": [jwk]}), &trust()).err(), Some(Reason::TokenUnsupported));
    }
}

/// RFC 8725 §3.8: where several issuers share a key set and each key says whose it is, as Microsoft Entra's does.
#[test]
fn a_key_that_says_whose_it_is_verifies_nobody_elses_tokens() {
    let pattern = "https://login.example.com/{tid}/v2.0";
    let claim = ClaimPath::parse("tid").unwrap();
    let tenants = Tenants { name: "tid".into(), claim, allow: vec!["acme".into(), "consumers".into()] };
    let trust = Trust { issuer: Issuer::parse(pattern).unwrap(), tenants: Some(tenants), ..trust() };
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let outcome = |owner: &str, tenant: &str| {
        let iss = format!("https://login.example.com/{tenant}/v2.0");
        let claims = json!({"iss": iss, "tid": tenant, "sub": "jane", "aud": AUDIENCE, "exp": NOW + 60});
        let token = key.sign(&json!({"alg": "ES256", "kid": "key-1"}), claims.to_string().as_bytes());
        let keys = json!({"keys": [changed(&key.public_jwk(), "issuer", json!(owner))]});
        verify(&token, &keys, &trust).err()
    };
    let unknown = Some(Reason::KeyUnknown);
    let everybodys = "https://login.example.com/{tenantid}/v2.0";
    assert_eq!(outcome(everybodys, "acme"), None);
    assert_eq!(outcome(everybodys, "consumers"), None);
    assert_eq!(outcome("https://login.example.com/consumers/v2.0", "consumers"), None);
    assert_eq!(outcome("https://login.example.com/consumers/v2.0", "acme"), unknown);
    assert_eq!(outcome("https://login.example.com/CONSUMERS/v2.0", "consumers"), unknown);
    assert_eq!(outcome("https://login.example.cn/{tenantid}/v2.0", "acme"), unknown);
    assert_eq!(outcome("https://login.example.com/{tenantid}/", "acme"), unknown);
    assert_eq!(outcome("Acme, Inc.", "acme"), None, "what is no issuer's name says nothing");
}

/// The same where two keys have one name: the issuer's own is chosen.
#[test]
fn keys_of_one_name_are_told_apart_by_whose_they_are() {
    let issuer = TestIssuer::new(ISSUER, Algorithm::ES256);
    let own = changed(&issuer.key().public_jwk(), "issuer", json!(ISSUER));
    let other = SigningKey::generate(Algorithm::ES256, issuer.key().kid()).public_jwk();
    let others = changed(&other, "issuer", json!("https://other.example.com"));
    let token = issuer.access_token("jane", AUDIENCE, NOW, json!({}));
    assert_eq!(verify(&token, &json!({"keys": [others, own]}), &trust()).err(), None);
}
