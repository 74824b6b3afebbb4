//! RFC 7517, RFC 7518 §6 and RFC 8037: an issuer's keys.

use super::*;

fn jwk() -> Value {
    SigningKey::generate(Algorithm::ES256, "key-1").public_jwk()
}

/// RFC 7517 §4 and §5: members that are not understood are ignored, in a key and beside the keys.
#[test]
fn a_key_and_a_key_set_may_say_more_than_is_understood() {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let mut jwk = key.public_jwk();
    for (name, value) in
        [("x5c", json!(["MIIB"])), ("x5t", json!("AAAA")), ("exp", json!(1)), ("issuer", json!("Acme"))]
    {
        jwk = changed(&jwk, name, value);
    }
    let keys = json!({"keys": [jwk], "next": "https://idp.example.com/more", "version": 2});
    assert_eq!(with_header(&key, &keys, &json!({})), None);
}

/// RFC 7517 §4 leaves a reader that choice; a token's own JSON is read more strictly.
#[test]
fn of_a_member_that_is_there_twice_in_a_key_the_last_counts() {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let token = key.sign(&json!({"alg": "ES256", "kid": "key-1"}), &claims());
    let read = |first: &str, last: &str| {
        let rest = key.public_jwk().to_string().replace(r#""kid":"key-1""#, &format!(r#""kid":"{last}""#));
        let text = format!(r#"{{"keys":[{{"kid":"{first}",{}]}}"#, rest.trim_start_matches('{'));
        let ring = Keyring::read(text.as_bytes(), Crypto::pure()).expect("a key set");
        trust().verify(Jws::parse(&token).expect("a token"), &ring, Timestamp::from_secs(NOW)).err()
    };
    assert_eq!(read("another", "key-1"), None);
    assert_eq!(read("key-1", "another"), Some(Reason::KeyUnknown));
}

/// RFC 7517 §5 sets no limit; memory does.
#[test]
fn of_a_long_key_set_the_first_hundred_keys_are_read() {
    let jwk = jwk();
    let keys: Vec<_> = (0..150).map(|number| changed(&jwk, "kid", json!(format!("key-{number}")))).collect();
    let ring = Keyring::from_value(&json!({"keys": keys}), Crypto::pure()).expect("a key set");
    assert_eq!(ring.len(), 100);
}

/// RFC 7517 §4.1, RFC 7518 §6.1.
#[test]
fn a_key_type_and_a_curve_are_compared_exactly() {
    let jwk = jwk();
    assert!(is_usable(&jwk));
    for (name, value) in [
        ("kty", json!("ec")),
        ("kty", json!("RSA")),
        ("kty", json!("AKP")),
        ("kty", json!(null)),
        ("crv", json!("p-256")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
    ] {
        assert!(!is_usable(&changed(&jwk, name, value.clone())), "{name}: {value}");
    }
}

/// RFC 7517 §4.2.
#[test]
fn a_key_whose_use_is_not_sig_is_skipped() {
    for value in [json!("enc"), json!("SIG"), json!(""), json!(["sig"]), json!(null)] {
        assert!(!is_usable(&changed(&jwk(), "use", value.clone())), "{value}");
    }
}

/// RFC 7517 §4.3: verifying is among the operations, none is named twice, and beside `use` they say the same.
#[test]
fn the_operations_of_a_key_allow_verifying() {
    let mut bare = jwk();
    bare.as_object_mut().unwrap().remove("use");
    let usable = |operations: &Value| {
        let both = is_usable(&changed(&jwk(), "key_ops", operations.clone()));
        (is_usable(&changed(&bare, "key_ops", operations.clone())), both)
    };
    for (operations, expected) in [
        (json!(["verify"]), (true, true)),
        (json!(["sign", "verify"]), (true, true)),
        (json!(["verify", "encrypt"]), (true, false)),
        (json!(["sign"]), (false, false)),
        (json!(["verify", "verify"]), (false, false)),
        (json!(["verify", "sign", "sign"]), (false, false)),
        (json!(["Verify"]), (false, false)),
        (json!(["verify", 7]), (false, false)),
        (json!([]), (false, false)),
        (json!("verify"), (false, false)),
        (json!(null), (false, false)),
    ] {
        assert_eq!(usable(&operations), expected, "{operations}");
    }
}

/// RFC 7517 §4.4: an `alg` that the key cannot have, or that nobody here knows.
#[test]
fn a_key_bound_to_another_algorithm_is_skipped() {
    for alg in
        [json!("ES384"), json!("RS256"), json!("HS256"), json!("es256"), json!("none"), json!(7), json!(null)]
    {
        assert!(!is_usable(&changed(&jwk(), "alg", alg.clone())), "{alg}");
    }
}

/// RFC 7517 §4.5.
#[test]
fn a_key_whose_kid_is_no_text_is_skipped() {
    for kid in [json!(1), json!(["key-1"]), json!(null)] {
        assert!(!is_usable(&changed(&jwk(), "kid", kid.clone())), "{kid}");
    }
}

/// RFC 7517 §9.2: whoever reads it can sign with it.
#[test]
fn a_key_that_was_published_with_its_private_half_is_skipped() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let jwk = SigningKey::generate(algorithm, "key-1").public_jwk();
        assert!(is_usable(&jwk), "{algorithm}");
        assert!(!is_usable(&changed(&jwk, "d", json!("AQAB"))), "{algorithm}");
    }
}

/// RFC 7518 §3.3 and §3.5: 2048 bits at least; and what else makes no RSA key.
#[test]
fn an_rsa_key_has_a_size_and_an_exponent_that_are_safe() {
    let modulus = |bits: usize| {
        let mut bytes = vec![0xff_u8; bits.div_ceil(8)];
        bytes[0] >>= (8 - bits % 8) % 8;
        bytes
    };
    let rsa = |n: &[u8], e: &[u8]| is_usable(&json!({"kty": "RSA", "n": encode(n), "e": encode(e)}));
    for (bits, usable) in
        [(512, false), (1024, false), (2047, false), (2048, true), (4096, true), (4097, false)]
    {
        assert_eq!(rsa(&modulus(bits), &[1, 0, 1]), usable, "{bits} bits");
    }
    let good = modulus(2048);
    for (e, usable) in [
        (&[3][..], true),
        (&[1], false),
        (&[0], false),
        (&[2], false),
        (&[1, 0, 0], false),
        (&[1, 0, 0, 0, 1], false),
        (&[], false),
    ] {
        assert_eq!(rsa(&good, e), usable, "{e:?}");
    }
    let even = [&good[..good.len() - 1], &[0xfe]].concat();
    assert!(!rsa(&even, &[1, 0, 1]));
}

/// RFC 7518 §6.3.1.1 has none, but some libraries write one, and the number is the same.
#[test]
fn a_modulus_may_have_a_zero_byte_before_it() {
    let key = SigningKey::generate(Algorithm::RS256, "key-1");
    let n = decode(key.public_jwk()["n"].as_str().unwrap());
    let jwk = changed(&key.public_jwk(), "n", json!(encode([&[0], &n[..]].concat())));
    assert_eq!(with_header(&key, &json!({"keys": [jwk]}), &json!({})), None);
}

/// RFC 7518 §6.2.1.2, RFC 8037 §2.
#[test]
fn a_coordinate_has_its_full_length() {
    for (algorithm, names) in
        [(Algorithm::ES256, &["x", "y"][..]), (Algorithm::ES384, &["x", "y"]), (Algorithm::EdDSA, &["x"])]
    {
        let jwk = SigningKey::generate(algorithm, "key-1").public_jwk();
        for name in names {
            let value = decode(jwk[*name].as_str().unwrap());
            for bad in [[&[0], &value[..]].concat(), [&value[..], &[0]].concat(), value[1..].to_vec(), vec![]]
            {
                assert!(!is_usable(&changed(&jwk, name, json!(encode(bad)))), "{algorithm} {name}");
            }
            let padded = format!("{}=", jwk[*name].as_str().unwrap());
            assert!(!is_usable(&changed(&jwk, name, json!(padded))), "{algorithm} {name}");
        }
    }
}

/// RFC 7518 §3.4: each ECDSA algorithm has its curve, whatever the key's name and its lack of an `alg`.
#[test]
fn a_key_on_another_curve_verifies_nothing() {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let mut other = SigningKey::generate(Algorithm::ES384, "key-1").public_jwk();
    other.as_object_mut().unwrap().remove("alg");
    assert_eq!(with_header(&key, &json!({"keys": [other]}), &json!({})), Some(Reason::KeyUnknown));
}
