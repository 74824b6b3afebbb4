//! RFC 6750, RFC 9068 and OpenID Connect, where the rules are the filter's own values.

use super::*;
use firstsight::token::Credentials;

/// RFC 6750 §2.1: a header of one scheme, and nothing else, unless an operator says so (§2.2, §2.3).
#[test]
fn without_a_word_of_the_operator_a_token_is_looked_for_in_one_place() {
    let find = |pairs: &[(&str, &str)]| {
        let request = pairs.iter().copied().collect();
        Credentials::default().find(&request).map(<[u8]>::to_vec)
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(find(&[("authorization", &format!("{scheme} a.b.c"))]), Ok(b"a.b.c".to_vec()));
    }
    for place in [
        (":path", "/?access_token=a.b.c"),
        ("cookie", "access_token=a.b.c"),
        ("x-authorization", "Bearer a.b.c"),
        ("authorization", "Basic a.b.c"),
        ("authorization", "Bearer\ta.b.c"),
        ("authorization", "DPoP a.b.c"),
        ("authorization", "a.b.c"),
    ] {
        assert_eq!(find(&[place]), Err(Reason::TokenMissing), "{place:?}");
    }
}

/// What becomes of a good token of this kind and `typ`, its claims changed by `extra`.
fn of_kind(kind: TokenKind, typ: &str, extra: &Value) -> Option<Reason> {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let mut claims: Value = serde_json::from_slice(&claims()).unwrap();
    for (name, value) in extra.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let token = key.sign(&json!({"alg": "ES256", "kid": "key-1", "typ": typ}), claims.to_string().as_bytes());
    verify(&token, &json!({"keys": [key.public_jwk()]}), &Trust { kind, ..trust() }).err()
}

/// RFC 9068 §4: the rules of every token hold for one with the right type, too.
#[test]
fn an_access_token_of_rfc_9068_is_checked_like_any_other() {
    let all = json!({"client_id": "web", "iat": NOW, "jti": "1"});
    let with = |name: &str, value: Value| of_kind(TokenKind::Rfc9068, "at+jwt", &changed(&all, name, value));
    assert_eq!(with("jti", json!("2")), None);
    assert_eq!(of_kind(TokenKind::Rfc9068, "AT+JWT", &all), None, "a media type has no case");
    assert_eq!(with("iss", json!("https://idp.example.com/")), Some(Reason::IssuerUnknown));
    assert_eq!(with("aud", json!("billing")), Some(Reason::AudienceMismatch));
    assert_eq!(with("exp", json!(NOW - 31)), Some(Reason::TokenExpired));
    assert_eq!(with("exp", json!(null)), Some(Reason::TokenMalformed));
    assert_eq!(with("sub", json!(null)), Some(Reason::SubjectInvalid));
}

/// OpenID Connect Core §3.1.3.7: the rules of every token hold for an ID token, too.
#[test]
fn an_id_token_is_checked_like_any_other() {
    let with =
        |name: &str, value: Value| of_kind(TokenKind::Id, "JWT", &changed(&json!({"iat": NOW}), name, value));
    assert_eq!(with("nonce", json!("n")), None);
    assert_eq!(with("iss", json!("https://idp.example.com/")), Some(Reason::IssuerUnknown));
    assert_eq!(with("aud", json!("another")), Some(Reason::AudienceMismatch));
    assert_eq!(with("exp", json!(NOW - 31)), Some(Reason::TokenExpired));
    assert_eq!(with("iat", json!(NOW + 31)), Some(Reason::TokenPremature));
}

/// OpenID Connect Core §2: at most 255 characters. They are counted in bytes, and need not be ASCII (RFC 7519 §4.1.2).
#[test]
fn a_subject_has_at_most_255_bytes() {
    assert_eq!(with_claims(&json!({"sub": "x".repeat(255)})), None);
    assert_eq!(with_claims(&json!({"sub": "j\u{f6}rg"})), None);
    for long in ["x".repeat(256), "\u{f6}".repeat(128)] {
        assert_eq!(with_claims(&json!({"sub": long})), Some(Reason::SubjectInvalid), "{} bytes", long.len());
    }
}
