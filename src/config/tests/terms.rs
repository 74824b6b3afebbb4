//! Terms: what an issuer's tokens must be like.

use super::*;
use crate::token::TokenKind;

fn issuer(terms: Value) -> Value {
    let mut document = smallest();
    for (key, value) in terms.as_object().into_iter().flatten() {
        document["issuers"][0][key] = value.clone();
    }
    document
}

#[track_caller]
fn is_told(terms: Value, text: &str) {
    assert_eq!(compiled(&issuer(terms.clone())).err().unwrap_or_default(), [text], "{terms}");
}

const SHARED: &str = "https://login.example.com/{tid}/v2.0";

#[test]
fn terms_are_read_as_they_are_written() {
    let trust = |terms: Value| {
        let policy = compiled(&issuer(terms)).unwrap_or_else(|problems| panic!("{problems:?}"));
        policy.issuers.into_iter().next().unwrap().trust
    };
    let usual = trust(json!({}));
    assert_eq!((usual.kind, usual.require_exp), (TokenKind::Access, true));
    assert_eq!((usual.max_age, usual.max_lifetime), (None, None));
    for (word, kind) in [
        ("access", TokenKind::Access),
        ("rfc9068", TokenKind::Rfc9068),
        ("id", TokenKind::Id),
        ("any", TokenKind::Any),
    ] {
        assert_eq!(trust(json!({"token": word})).kind, kind);
    }
    let strict = trust(json!({"require_exp": false, "max_age": "24h", "max_lifetime": "90m"}));
    assert!(!strict.require_exp);
    assert_eq!(strict.max_age, Some(Duration::from_secs(24 * 3600)));
    assert_eq!(strict.max_lifetime, Some(Duration::from_secs(90 * 60)));
    let tenants = json!({"issuer": SHARED, "jwks_uri": "https://login.example.com/keys", "tenants": {"claim": "tid", "allow": ["a"]}});
    assert_eq!(trust(tenants).tenants.map(|tenants| tenants.allow), Some(vec!["a".to_owned()]));
    let required = trust(json!({"require": {"scopes": ["a"], "claims": {"b": 1}}})).require;
    assert_eq!((required.scopes.len(), required.claims.len()), (1, 1));
}

#[test]
fn a_token_ends_some_time() {
    is_told(
        json!({"require_exp": false}),
        "issuers[0].require_exp: without exp a token would work for ever (write a max_age, which counts from `iat`)",
    );
    for key in ["max_age", "max_lifetime"] {
        for span in ["0s", "soon", "2years"] {
            assert_eq!(problems(&issuer(json!({key: span}))), [format!("issuers[0].{key}")], "{span}");
        }
    }
    assert_eq!(problems(&issuer(json!({"token": "jwt"}))), ["issuers[0].token"]);
}

#[test]
fn subjects_are_patterns_and_somebody_is_allowed() {
    is_told(
        json!({"subjects": {"allow": []}}),
        "issuers[0].subjects.allow: it allows nobody (name subjects, or leave it out)",
    );
    let hint = "(write a whole name, prefix*, *suffix or regex:EXPRESSION)";
    for list in ["allow", "deny"] {
        is_told(
            json!({"subjects": {list: ["fine", "a*b"]}}),
            &format!("issuers[0].subjects.{list}[1]: `a*b` has its * in the middle {hint}"),
        );
        let broken = compiled(&issuer(json!({"subjects": {list: ["regex:a)(b"]}}))).err().unwrap().join("");
        assert!(broken.starts_with(&format!("issuers[0].subjects.{list}[0]: it is no regular")), "{broken}");
        let long = compiled(&issuer(json!({"subjects": {list: [format!("regex:{}", "a".repeat(1001))]}})));
        assert!(long.err().unwrap().join("").contains("longer than 1000 characters"));
    }
    assert_eq!(problems(&issuer(json!({"subjects": ["jane"]}))), ["issuers[0].subjects"]);
}

#[test]
fn an_issuer_of_many_tenants_says_which_are_served() {
    let shared = |tenants: Value| json!({"issuer": SHARED, "jwks_uri": "https://login.example.com/keys", "tenants": tenants});
    let mut without = shared(json!(null));
    without.as_object_mut().unwrap().remove("tenants");
    is_told(
        without,
        "issuers[0].tenants: the issuer has a tenant in its name (say which: {claim: tid, allow: [...]})",
    );
    is_told(
        shared(json!({"claim": "org", "allow": ["a"]})),
        "issuers[0].tenants.claim: it is not what stands in the issuer's name (the issuer's {…} names the claim that is written here)",
    );
    is_told(
        json!({"issuer": SHARED, "tenants": {"claim": "tid", "allow": ["a"]}}),
        "issuers[0].jwks_uri: an issuer with a tenant in its name has no discovery document (write where the keys of all its tenants are)",
    );
    for allow in [
        json!([]),
        json!([""]),
        json!(["a/b"]),
        json!(["a", "{tid}"]),
        json!(["a b"]),
        json!(["a?b"]),
        json!(["*"]),
    ] {
        is_told(
            shared(json!({"claim": "tid", "allow": allow})),
            "issuers[0].tenants.allow: it names no tenants, or one that is none \
             (list the tenants as their tokens name them, with letters, digits and - . _ ~)",
        );
    }
    let unnamed = compiled(&issuer(json!({"tenants": {"allow": ["a"]}}))).err().unwrap().join("");
    assert!(unnamed.starts_with("issuers[0].tenants.claim: a step of its path is empty"), "{unnamed}");
}

#[test]
fn no_token_is_two_issuers() {
    let shared = json!({
        "issuer": SHARED, "jwks_uri": "https://login.example.com/keys", "audiences": ["a"], "cluster": "idp",
        "tenants": {"claim": "tid", "allow": ["acme", "umbrella"]},
    });
    let of_one =
        json!({"issuer": "https://login.example.com/acme/v2.0", "cluster": "idp", "audiences": ["a"]});
    let other_pattern = json!({
        "issuer": "https://login.example.com/umbrella/{ver}", "jwks_uri": "https://login.example.com/keys",
        "audiences": ["a"], "cluster": "idp", "tenants": {"claim": "ver", "allow": ["v2.0"]},
    });
    for list in [json!([shared, of_one]), json!([of_one, shared]), json!([shared, other_pattern])] {
        let told = compiled(&with("/issuers", list.clone())).err().unwrap_or_default();
        assert_eq!(told, ["issuers[1].issuer: this issuer is there already (merge the two)"], "{list}");
    }
    let stranger =
        json!({"issuer": "https://login.example.com/evil/v2.0", "cluster": "idp", "audiences": ["a"]});
    assert_eq!(problems(&with("/issuers", json!([shared, stranger]))), [""; 0]);
}

#[test]
fn what_an_issuer_requires_is_comparable() {
    assert_eq!(problems(&issuer(json!({"require": {"scopes": ["a b"]}}))), ["issuers[0].require.scopes[0]"]);
    assert_eq!(problems(&issuer(json!({"require": {"claims": {"x": {}}}}))), ["issuers[0].require.claims.x"]);
    assert_eq!(problems(&issuer(json!({"require": {"scope": ["a"]}}))), ["issuers[0].require.scope"]);
}

#[test]
fn what_is_remembered_of_tokens_is_bounded() {
    let limits =
        compiled(&with("/limits", json!({"tokens": 5.0, "tokens_bytes": 1024}))).ok().unwrap().limits;
    assert_eq!((limits.tokens, limits.tokens_bytes), (5, 1024));
    for key in ["tokens", "tokens_bytes"] {
        for odd in [json!(0), json!(-1), json!(1.5), json!("5"), json!(1e12)] {
            assert_eq!(problems(&with("/limits", json!({key: odd}))), [format!("limits.{key}")], "{odd}");
        }
    }
}
