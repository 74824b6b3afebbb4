//! Signatures of every algorithm, checked by a host and by pure Rust.

use super::*;
use crate::token::key::Key;
use crate::token::{ALGORITHMS, Jws, Keyring, KeyringError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight_testkit::{Algorithm as Signs, SigningKey, TestIssuer};
use serde_json::{Value, json};
use std::cell::RefCell;

const NOW: u64 = 1_795_458_540;

thread_local! {
    /// The lengths of the signatures that the host of this thread was asked about.
    static ASKED: RefCell<Vec<usize>> = const { RefCell::new(vec![]) };
}

/// A host that checks signatures as Envoy does.
struct Host;

impl SignatureHost for Host {
    fn verifies(check: &HostCheck<'_>) -> bool {
        ASKED.with_borrow_mut(|asked| asked.push(check.signature.len()));
        firstsight_testkit::verify_signature(check.hash, check.key, check.signature, check.message)
    }
}

/// What the host is asked while `of` is done.
fn asked<T>(of: impl FnOnce() -> T) -> (T, Vec<usize>) {
    ASKED.take();
    let done = of();
    (done, ASKED.take())
}

fn both() -> [Crypto; 2] {
    [Crypto::pure(), Crypto::by_host::<Host>()]
}

/// Whether the token's signature is that of the key it names.
fn verified(token: &str, keys: &Keyring) -> bool {
    let jws = Jws::parse(token).ok().unwrap();
    keys.key_for(&jws).unwrap().verifies(jws.signing_input, &jws.signature, jws.header.algorithm)
}

/// For every algorithm that this crypto supports: an issuer's keys as they are read, and a token for each of two subjects.
fn issuers(crypto: Crypto) -> Vec<(Algorithm, Keyring, [String; 2])> {
    let read = |key: SigningKey| {
        let algorithm: Algorithm = key.algorithm().to_string().parse().unwrap();
        let issuer = TestIssuer::signing_with("https://idp.example.com", key);
        let tokens = ["jane", "john"].map(|sub| issuer.access_token(sub, "orders-api", NOW, json!({})));
        crypto
            .supports(algorithm)
            .then(|| (algorithm, Keyring::from_value(&issuer.jwks(), crypto).unwrap(), tokens))
    };
    SigningKey::of_every_algorithm().into_iter().filter_map(read).collect()
}

#[test]
fn a_good_token_of_every_algorithm_passes_whoever_checks() {
    for (crypto, count) in both().into_iter().zip([9, 10]) {
        let issuers = issuers(crypto);
        assert_eq!(issuers.len(), count);
        for (algorithm, keys, [token, _]) in issuers {
            assert!(verified(&token, &keys), "{algorithm:?}");
        }
    }
}

#[test]
fn a_changed_token_of_any_algorithm_is_refused_whoever_checks() {
    for crypto in both() {
        for (algorithm, keys, [token, other]) in issuers(crypto) {
            let (message, own) = token.rsplit_once('.').unwrap();
            let (_, foreign) = other.rsplit_once('.').unwrap();
            let own = URL_SAFE_NO_PAD.decode(own).unwrap();
            let foreign = URL_SAFE_NO_PAD.decode(foreign).unwrap();
            let zeros = vec![0; own.len()];
            let ones = vec![0xff; own.len()];
            let short = own[..own.len() - 1].to_vec();
            let long = [&own[..], &[0]].concat();
            let padded = [&[0], &own[..]].concat();
            let der = der::ecdsa_signature(&own, own.len() / 2);
            let der = der.map_or(vec![0], |signature| signature.as_bytes().to_vec());
            for signature in [foreign, zeros, ones, short, long, padded, der, vec![0], vec![1; 5000]] {
                let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature));
                assert!(!verified(&token, &keys), "{algorithm:?} {signature:?}");
            }
        }
    }
}

#[test]
fn the_host_is_asked_by_algorithm_and_only_once() {
    for (algorithm, keys, [token, other]) in issuers(Crypto::by_host::<Host>()) {
        use Algorithm as A;
        let by_host = matches!(algorithm, A::RS256 | A::RS384 | A::RS512 | A::ES256 | A::ES384 | A::ES512);
        let times = usize::from(by_host);
        let (good, asked_for_it) = asked(|| verified(&token, &keys));
        assert_eq!((good, asked_for_it.len()), (true, times), "{algorithm:?}");
        let (head, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        let (bad, asked_for_it) = asked(|| verified(&format!("{head}.{signature}"), &keys));
        assert_eq!((bad, asked_for_it.len()), (false, times), "{algorithm:?}");
    }
}

#[test]
fn an_ecdsa_signature_of_the_wrong_length_does_not_reach_the_host() {
    let key = SigningKey::generate(Signs::ES256, "k");
    let key = Key::read(&key.public_jwk(), Crypto::by_host::<Host>()).unwrap();
    for length in [0, 1, 63, 65, 70, 71, 72, 96] {
        let (verified, asked) = asked(|| key.verifies(b"message", &vec![1; length], Algorithm::ES256));
        assert_eq!((verified, asked), (false, vec![]), "{length} bytes");
    }
}

#[test]
fn a_host_that_gets_published_examples_wrong_is_not_asked_again() {
    struct SaysYes;
    impl SignatureHost for SaysYes {
        fn verifies(_: &HostCheck<'_>) -> bool {
            true
        }
    }
    struct SaysNo;
    impl SignatureHost for SaysNo {
        fn verifies(_: &HostCheck<'_>) -> bool {
            false
        }
    }
    /// One that does not look at the message.
    struct Half;
    impl SignatureHost for Half {
        fn verifies(check: &HostCheck<'_>) -> bool {
            check.message.ends_with(b"Q") && Host::verifies(check)
        }
    }
    for crypto in [Crypto::by_host::<SaysYes>(), Crypto::by_host::<SaysNo>(), Crypto::by_host::<Half>()] {
        assert!(!crypto.asks_host());
        let (_, keys, [good, bad]) = issuers(crypto).remove(0);
        let (head, _) = good.rsplit_once('.').unwrap();
        let (_, signature) = bad.rsplit_once('.').unwrap();
        assert!(verified(&good, &keys));
        assert!(!verified(&format!("{head}.{signature}"), &keys));
    }
    assert!(Crypto::by_host::<Host>().asks_host());
}

#[test]
fn the_examples_of_rfc_7515_are_verified_whoever_checks() {
    assert!(both().into_iter().all(probe::passes));
}

#[test]
fn the_example_of_rfc_8037_is_verified() {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = URL_SAFE_NO_PAD
        .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        .unwrap();
    for crypto in both() {
        let key = Key::read(&jwk, crypto).unwrap();
        assert!(key.verifies(message, &signature, Algorithm::EdDSA));
        assert!(!key.verifies(&message[1..], &signature, Algorithm::EdDSA));
    }
}

/// What an issuer publishes and what a client sends is anybody's; a panic would be an outage.
#[test]
fn no_key_and_no_signature_makes_the_checks_panic() {
    let number = |first: u8, fill: u8, last: u8, bytes: usize| {
        let mut number = vec![fill; bytes];
        number[0] = first;
        number[bytes - 1] = last;
        URL_SAFE_NO_PAD.encode(number)
    };
    let mut jwks = vec![];
    for bytes in [1, 255, 256, 257, 384, 512, 513, 2000] {
        for modulus in [number(0x80, 0, 1, bytes), number(0xff, 0xff, 0xff, bytes), number(0, 0, 3, bytes)] {
            for exponent in ["Aw", "_____w", "AQAAAAE", "AQ", "Ag", ""] {
                jwks.push(json!({"kty": "RSA", "n": modulus, "e": exponent}));
            }
        }
    }
    for (curve, bytes) in [("P-256", 32), ("P-384", 48), ("P-521", 66)] {
        for x in [number(0, 0, 0, bytes), number(0xff, 0xff, 0xff, bytes), number(0, 0, 1, bytes)] {
            jwks.push(json!({"kty": "EC", "crv": curve, "x": x, "y": x}));
        }
    }
    for x in [number(0, 0, 0, 32), number(0xff, 0xff, 0xff, 32), number(1, 0, 0, 32)] {
        jwks.push(json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
    }
    let mut read = 0;
    for (jwk, crypto) in jwks.iter().flat_map(|jwk| both().map(|crypto| (jwk, crypto))) {
        let Some(key) = Key::read(jwk, crypto) else { continue };
        read += 1;
        for algorithm in ALGORITHMS.iter().filter(|algorithm| key.fits(**algorithm)) {
            for length in [0, 1, 63, 64, 96, 132, 256, 512] {
                for fill in [0, 1, 0xff] {
                    // Whether a key as bad as these verifies something is its issuer's concern.
                    let _ = key.verifies(b"message", &vec![fill; length], *algorithm);
                }
            }
        }
    }
    assert!(read > 20, "only {read} keys were read");
}

#[test]
fn a_key_on_p_521_is_skipped_where_nobody_can_check_with_it() {
    let keys = json!({"keys": [SigningKey::generate(Signs::ES512, "k").public_jwk()]});
    assert_eq!(Keyring::from_value(&keys, Crypto::pure()).err(), Some(KeyringError::NoUsableKey));
    assert!(Keyring::from_value(&keys, Crypto::by_host::<Host>()).unwrap().serves(Algorithm::ES512));
}

#[test]
fn a_point_that_is_not_on_its_curve_is_no_key_whoever_checks() {
    for algorithm in [Signs::ES256, Signs::ES384] {
        let mut jwk = SigningKey::generate(algorithm, "k").public_jwk();
        jwk["y"] = jwk["x"].clone();
        for crypto in both() {
            assert!(Key::read(&jwk, crypto).is_none(), "{algorithm}");
        }
    }
    let mut jwk = SigningKey::generate(Signs::ES512, "k").public_jwk();
    jwk["y"] = jwk["x"].clone();
    let key = Key::read(&jwk, both()[1]).unwrap();
    assert!(!key.verifies(b"message", &vec![1; 132], Algorithm::ES512));
}

#[test]
fn the_providers_verifiers_are_jsonwebtokens_and_name_their_algorithm() {
    let keys = SigningKey::of_every_algorithm();
    for key in keys.iter().filter(|key| key.algorithm() != Signs::ES512) {
        let algorithm: Theirs = key.algorithm().to_string().parse().unwrap();
        let jwk = serde_json::from_value(key.public_jwk()).unwrap();
        let material = DecodingKey::from_jwk(&jwk).unwrap();
        let verifier = (provider::<Host>().verifier_factory)(&algorithm, &material).unwrap();
        assert_eq!(verifier.algorithm(), algorithm);
        let token = key.sign(&json!({"alg": algorithm}), b"payload");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(verifier.verify(message.as_bytes(), &signature).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn an_rsa_key_without_alg_serves_every_algorithm_of_its_kind_and_one_with_alg_its_own() {
    let mut jwk = SigningKey::generate(Signs::PS384, "k").public_jwk();
    let serving = |jwk: &Value| {
        let key = Key::read(jwk, Crypto::by_host::<Host>()).unwrap();
        ALGORITHMS.iter().filter(|algorithm| key.fits(**algorithm)).count()
    };
    assert_eq!(serving(&jwk), 1);
    jwk.as_object_mut().unwrap().remove("alg");
    assert_eq!(serving(&jwk), 6);
}
