//! Tokens as clients make them up: whatever one looks like, it is believed only if the issuer signed it.
//!
//! Input: a token; or its header, its payload and its signature on three lines, the first two not encoded.
#![no_main]

use firstsight::config::KeySource;
use firstsight::domain::Reason;
use firstsight::token::{Jws, KnownHeaders};
use firstsight_fuzz::{access_token, now, once, policy, unsigned};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

once!(trusted: firstsight::config::IssuerPolicy = policy(json!({})).issuers.into_iter().next().expect("there is one"));

/// The one token that the issuer ever signed; its signature is among the seeds.
static SIGNED: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| access_token("jane"));

fuzz_target!(|text: &str| {
    let parts: Vec<_> = text.splitn(3, '\n').collect();
    let token = match *parts {
        [header, payload, signature] => format!("{}.{signature}", unsigned(header, payload)),
        _ => text.to_owned(),
    };
    let Ok(jws) = Jws::parse(&token) else { return };
    assert_eq!(token.split('.').count(), 3);
    let (part, header) = jws.header();
    let mut known = KnownHeaders::default();
    known.learn(part, header);
    let again = Jws::read(token.as_bytes(), token.len(), &known).ok().expect("it was read just now");
    assert_eq!(again.header(), jws.header(), "a header that is known means the same");
    let kid = header.kid().map(str::to_owned);
    let claimed = jws.claimed_issuer().map(str::to_owned);
    let KeySource::Inline(keys) = &trusted().keys else { unreachable!("they are in the configuration") };
    match trusted().trust.verify(jws, keys, now()) {
        Ok(claims) => {
            // An ECDSA signature can be written in two ways, so what was signed is what counts.
            assert_eq!(
                token.rsplit_once('.').map(|parts| parts.0),
                SIGNED.rsplit_once('.').map(|parts| parts.0)
            );
            assert_eq!(claims.members().get("iss").and_then(Value::as_str), claimed.as_deref());
            assert_eq!(kid.as_deref(), Some("ed"));
        }
        Err(reason) => {
            assert_ne!(token, *SIGNED);
            let silent =
                matches!(reason, Reason::TokenUnsupported | Reason::KeyUnknown | Reason::SignatureInvalid);
            assert!(silent, "{reason:?} tells something about claims that nobody signed");
        }
    }
});
