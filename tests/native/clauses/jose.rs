//! RFC 7515, RFC 7516 and RFC 7797: what a signed token looks like.

use super::*;
use firstsight::token::KnownHeaders;

const MALFORMED: Option<Reason> = Some(Reason::TokenMalformed);
const UNSUPPORTED: Option<Reason> = Some(Reason::TokenUnsupported);

fn key() -> (SigningKey, Value) {
    let key = SigningKey::generate(Algorithm::ES256, "key-1");
    let keys = json!({"keys": [key.public_jwk()]});
    (key, keys)
}

/// RFC 7515 §2 and RFC 4648 §3.5: a value has one text, in each of the three parts. (A decoder that overlooks the bits that
/// are left over lets one signature be written in several ways.)
#[test]
fn base64url_has_no_padding_no_blanks_and_no_stray_bits() {
    let parts = [encode(r#"{"alg":"ES256" }"#), encode("{}"), encode("sign")];
    assert_eq!(Jws::parse(&parts.join(".")).err(), None);
    for (index, part) in parts.iter().enumerate() {
        let (head, last) = part.split_at(part.len() - 1);
        let stray = char::from(last.as_bytes()[0] + 1);
        for bad in [
            format!("{part}="),
            format!("{part}=="),
            format!(" {part}"),
            format!("{part}\n"),
            format!("{head}\r\n{last}"),
            format!("{head}+"),
            format!("{head}/"),
            format!("{head}{stray}"),
            String::new(),
        ] {
            let mut parts = parts.clone();
            parts[index] = bad;
            let token = parts.join(".");
            assert_eq!(Jws::parse(&token).err(), MALFORMED, "{token:?}");
        }
    }
}

/// RFC 7515 §4: what is not understood, and not critical, is ignored.
#[test]
fn an_unknown_header_parameter_is_ignored() {
    let (key, keys) = key();
    assert_eq!(with_header(&key, &keys, &json!({"zip": "DEF", "https://example.com/x": {"a": [1]}})), None);
}

/// RFC 7515 §4.1.2, §4.1.3, §4.1.5 to §4.1.8, RFC 8725 §3.10: a token does not say which keys are to be believed.
#[test]
fn keys_that_a_token_brings_along_are_ignored() {
    let (key, keys) = key();
    let theirs = SigningKey::generate(Algorithm::ES256, "key-1");
    let url = "https://attacker.example.com/keys";
    for brought in [
        json!({"jku": url}),
        json!({"jwk": theirs.public_jwk()}),
        json!({"x5u": url}),
        json!({"x5c": ["MIIB"]}),
        json!({"x5t": "AAAA", "x5t#S256": "AAAA"}),
        json!({"jku": 7, "jwk": [], "x5c": {}}),
    ] {
        assert_eq!(with_header(&key, &keys, &brought), None, "{brought}");
        assert_eq!(with_header(&theirs, &keys, &brought), Some(Reason::SignatureInvalid), "{brought}");
    }
}

/// RFC 7515 §4.1.4.
#[test]
fn a_kid_is_compared_exactly_and_is_text() {
    let (key, keys) = key();
    for kid in ["KEY-1", "key-1 ", "", "../key-1", "k\u{435}y-1"] {
        assert_eq!(with_header(&key, &keys, &json!({"kid": kid})), Some(Reason::KeyUnknown), "{kid}");
    }
    for kid in [json!(1), json!(["key-1"]), json!({"kid": "key-1"})] {
        assert_eq!(with_header(&key, &keys, &json!({"kid": kid})), MALFORMED, "{kid}");
    }
}

/// RFC 7515 §4.1.11: a name that is not understood, none, one twice, one that is not there, and what is no list of names.
#[test]
fn whatever_crit_says_the_token_is_refused() {
    let (key, keys) = key();
    for crit in [
        json!(["exp"]),
        json!([]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["x", "x"]),
        json!(["absent"]),
        json!("exp"),
        json!([7]),
        json!({}),
        json!(false),
    ] {
        let header = json!({"crit": crit, "exp": NOW + 60, "x": 1});
        assert_eq!(with_header(&key, &keys, &header), UNSUPPORTED, "{crit}");
    }
}

/// RFC 7797 §7: a JWT's payload is encoded.
#[test]
fn an_unencoded_payload_is_refused() {
    let (key, keys) = key();
    for header in [json!({"b64": false}), json!({"b64": false, "crit": ["b64"]}), json!({"b64": true})] {
        assert_eq!(with_header(&key, &keys, &header), UNSUPPORTED, "{header}");
    }
    let plain =
        format!(r#"{}.{{"sub":"jane"}}.c2ln"#, encode(r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#));
    assert_eq!(Jws::parse(&plain).err(), UNSUPPORTED);
}

/// RFC 7515 §5.2, steps 2 and 3; RFC 8725 §3.7.
#[test]
fn header_and_payload_are_json_objects_in_utf_8() {
    let token = |header: &[u8], payload: &[u8]| format!("{}.{}.c2ln", encode(header), encode(payload));
    let header = br#"{"alg":"ES256"}"#;
    assert_eq!(Jws::parse(&token(header, b"{}")).err(), None);
    let utf_16 = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    for bad in
        [&b"\xff"[..], b"{\"a\":\"\xc3\"}", b"\xef\xbb\xbf{}", &utf_16, b"[]", b"null", b"{} {}", b"{'a':1}"]
    {
        assert_eq!(Jws::parse(&token(header, bad)).err(), MALFORMED, "{bad:?}");
        assert_eq!(Jws::parse(&token(bad, b"{}")).err(), MALFORMED, "{bad:?}");
    }
}

/// RFC 7515 §7.2, appendix F; RFC 7519 §3: the compact serialisation with its payload, and no other.
#[test]
fn other_serialisations_and_detached_payloads_are_no_tokens() {
    let (head, payload) = (encode(r#"{"alg":"ES256"}"#), encode("{}"));
    let flattened = json!({"protected": head, "payload": payload, "signature": "c2ln"}).to_string();
    let general =
        json!({"payload": payload, "signatures": [{"protected": head, "signature": "c2ln"}]}).to_string();
    for text in [flattened, general] {
        let read = Jws::read(text.as_bytes(), 1000, &KnownHeaders::default());
        assert_eq!(read.err(), Some(Reason::CredentialsInvalid), "{text}");
        assert_eq!(Jws::parse(&text).err(), MALFORMED, "{text}");
    }
    assert_eq!(Jws::parse(&format!("{head}..c2ln")).err(), MALFORMED);
}

/// RFC 7519 §5.2: a token in a token is not looked into, and its envelope is no token.
#[test]
fn a_nested_token_is_refused() {
    let (key, keys) = key();
    for cty in ["JWT", "jwt", "application/jwt"] {
        assert_eq!(with_header(&key, &keys, &json!({"cty": cty})), UNSUPPORTED, "{cty}");
    }
    assert_eq!(with_header(&key, &keys, &json!({"cty": 7})), MALFORMED);
    assert_eq!(with_header(&key, &keys, &json!({"cty": "application/json"})), None);
}
