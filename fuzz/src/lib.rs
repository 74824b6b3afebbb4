//! What the targets share: an issuer, a configuration, and text that becomes a request. Everything is the same in every
//! run, so that a finding can be had again. Inputs are text wherever they can be: seeds and dictionaries are read by people.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::config::{Policy, Surroundings, compile};
use firstsight::domain::{Headers, Timestamp};
use firstsight::gate::{Gate, Output};
use firstsight::memory::{Claim, Found};
use firstsight::token::Crypto;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The issuer that every target trusts.
pub const ISSUER: &str = "https://idp.example.com";
/// What its tokens are for.
pub const AUDIENCE: &str = "orders-api";
/// The time of every target, in seconds since the epoch.
pub const NOW: u64 = 1_795_458_540;

/// The time of every target.
pub const fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

/// The issuer's keys: published examples (RFC 7515 A.2 and A.3, RFC 8037 A.2). It signs with the last one.
pub fn jwks() -> Value {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF\
             d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo\
             7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
             Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    json!({"keys": [
        {"kid": "rsa", "kty": "RSA", "n": n, "e": "AQAB"},
        {"kid": "ec", "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    ]})
}

/// Signs `payload` under `header`, whatever they say, with the private half of the key `ed` (RFC 8037 A.1).
pub fn sign(header: &str, payload: &str) -> String {
    // PKCS #8 (RFC 8410 §7): what says that it is an Ed25519 key, and the key.
    let mut der =
        *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20................................";
    let key = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("it is base64url");
    der[16..].copy_from_slice(&key);
    let message = unsigned(header, payload);
    let key = EncodingKey::from_ed_der(&der);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA);
    format!("{message}.{}", signature.expect("the key is one"))
}

/// The first two parts of a token.
pub fn unsigned(header: &str, payload: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

/// A token that holds, of the subject `sub`.
pub fn access_token(sub: &str) -> String {
    let claims = json!({"iss": ISSUER, "sub": sub, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3600});
    sign(r#"{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}"#, &claims.to_string())
}

/// A usual configuration with inline keys, after its members were replaced by those of `changed`.
pub fn policy(changed: Value) -> Policy {
    let mut document = json!({
        "gateway": "edge-1",
        "issuers": [{"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": jwks()}],
        "headers": [
            {"header": "x-user-id", "claim": "sub"},
            {"header": "x-account-id", "account": "id"},
        ],
        "provisioning": {"cluster": "directory"},
    });
    for (key, value) in changed.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    let surroundings = Surroundings { env: &|_| None, node: "node", crypto: Crypto::pure() };
    compile(&document.to_string(), &surroundings).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What a gate wants done in a process of one worker that remembers nobody for it.
pub fn drain(gate: &mut Gate, now: Timestamp) -> Vec<Output> {
    let (mut pending, mut all) = (VecDeque::from(gate.drain()), Vec::new());
    while let Some(output) = pending.pop_front() {
        match output {
            Output::Claim { query, may_ask } => {
                let claim = if may_ask && gate.may_ask() { Claim::Granted } else { Claim::Unknown };
                gate.claimed(query.key, Found { claim, besides: None }, now);
            }
            output => all.push(output),
        }
        pending.extend(gate.drain());
    }
    all
}

/// A request's or an answer's headers, as a proxy hands them over: one a line, `name: value`, names in lower case.
pub fn headers(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = text.split(|byte| *byte == b'\n');
    let pair = |line: &[u8]| {
        let at = line.windows(2).position(|pair| pair == b": ")?;
        let name = String::from_utf8_lossy(&line[..at]).to_ascii_lowercase();
        Some((name, line[at + 2..].to_vec()))
    };
    lines.filter_map(pair).collect()
}

/// A request of these headers.
pub fn request(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().copied().collect()
}

/// `fn NAME() -> &'static T`: what is made once, and, as keys are for one thread, once in each.
#[macro_export]
macro_rules! once {
    ($name:ident: $type:ty = $make:expr) => {
        fn $name() -> &'static $type {
            thread_local! {
                static MADE: &'static $type = Box::leak(Box::new($make));
            }
            MADE.with(|made| *made)
        }
    };
}
