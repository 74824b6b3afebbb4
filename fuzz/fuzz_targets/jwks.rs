//! Key sets as issuers publish them: foreign and broken keys are skipped, and whatever is left can be used without harm.
#![no_main]

use firstsight::domain::Reason;
use firstsight::token::{ALGORITHMS, Crypto, Jws, Keyring};
use firstsight_fuzz::{ISSUER, now, once, policy, unsigned};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

once!(trusted: firstsight::config::IssuerPolicy = policy(json!({})).issuers.into_iter().next().expect("there is one"));

fuzz_target!(|body: &[u8]| {
    let Ok(keys) = Keyring::read(body, Crypto::pure()) else { return };
    let set: Value = serde_json::from_slice(body).expect("only JSON is read");
    let published = set["keys"].as_array().expect("it is a list");
    assert!((1..=100).contains(&keys.len()) && keys.len() <= published.len() && !keys.is_empty());
    assert!(ALGORITHMS.iter().any(|algorithm| keys.serves(*algorithm)));
    let private = |key: &&Value| key["use"] == "enc" || key["kty"] == "oct";
    assert!(keys.len() <= published.len() - published.iter().filter(private).count());
    let kids = published.iter().filter_map(|key| key["kid"].as_str()).take(3);
    for algorithm in ALGORITHMS.iter().filter(|algorithm| keys.serves(**algorithm)) {
        for kid in kids.clone().map(Some).chain([None]) {
            let header = json!({"alg": algorithm.name(), "kid": kid});
            let header = if kid.is_some() { header } else { json!({"alg": algorithm.name()}) };
            let message = unsigned(&header.to_string(), &json!({"iss": ISSUER, "sub": "eve"}).to_string());
            for signature in ["c2ln", &"Q0FG".repeat(16) as &str, &"_".repeat(342)] {
                let token = format!("{message}.{signature}");
                let Ok(jws) = Jws::parse(&token) else { continue };
                let reason = trusted().trust.verify(jws, &keys, now()).err();
                assert!(matches!(reason, Some(Reason::KeyUnknown | Reason::SignatureInvalid)), "{reason:?}");
            }
        }
    }
});
