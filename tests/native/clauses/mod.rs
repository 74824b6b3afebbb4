//! Clauses of the standards, one test each, where no other test holds them; `docs/conformance.md` lists them all.

mod jose;
mod jwk;
mod jwt;
mod oauth;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::domain::{Issuer, Reason, Timestamp};
use firstsight::token::{
    ALGORITHMS, Claims, Crypto, Demand, Jws, Keyring, Require, SubjectRules, TokenKind, Trust,
};
use firstsight_testkit::{Algorithm, SigningKey, TestIssuer};
use serde_json::{Value, json};
use std::time::Duration;

const NOW: u64 = 1_795_458_540;
const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "orders-api";

fn trust() -> Trust {
    Trust {
        issuer: Issuer::parse(ISSUER).expect("it is one"),
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

/// What becomes of a token.
fn verify(token: &str, keys: &Value, trust: &Trust) -> Result<Claims, Reason> {
    let ring = Keyring::from_value(keys, Crypto::pure()).map_err(|_| Reason::KeysUnavailable)?;
    let claims = trust.verify(Jws::parse(token)?, &ring, Timestamp::from_secs(NOW))?;
    trust.meets(&Demand::default(), &claims).map(|()| claims)
}

/// What a good token whose claims were changed by `extra` is refused for.
fn with_claims(extra: &Value) -> Option<Reason> {
    let issuer = TestIssuer::new(ISSUER, Algorithm::ES256);
    verify(&issuer.access_token("jane", AUDIENCE, NOW, extra), &issuer.jwks(), &trust()).err()
}

/// The same for a good token of `key` whose header was changed by `extra`; `null` takes a member out.
fn with_header(key: &SigningKey, keys: &Value, extra: &Value) -> Option<Reason> {
    let mut header = json!({"alg": key.algorithm().to_string(), "kid": key.kid()});
    for (name, value) in extra.as_object().into_iter().flatten() {
        header[name] = value.clone();
    }
    header.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    verify(&key.sign(&header, &claims()), keys, &trust()).err()
}

/// The payload of a good token.
fn claims() -> Vec<u8> {
    json!({"iss": ISSUER, "sub": "jane", "aud": AUDIENCE, "exp": NOW + 60}).to_string().into_bytes()
}

/// Whether a key set that holds this key alone has a usable key.
fn is_usable(jwk: &Value) -> bool {
    Keyring::from_value(&json!({"keys": [jwk]}), Crypto::pure()).is_ok()
}

fn changed(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
