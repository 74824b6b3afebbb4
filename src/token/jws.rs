//! The compact serialisation of a signed token, taken apart and not yet believed (RFC 7515 §3.1, §7.1).

use super::Algorithm;
use crate::domain::{Reason, strict_object};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// A well-formed token whose signature nobody has checked. Has no `Debug`: it holds claims.
pub struct Jws<'a> {
    pub(super) typ: Typ,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) payload: Map<String, Value>,
    /// The payload as it stands in the token.
    pub(super) payload_part: &'a str,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// What a token's header says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typ {
    /// Nothing, or `JWT`: it may be anything (RFC 7519 §5.1).
    Plain,
    /// `at+jwt`: an access token (RFC 9068 §2.1).
    Access,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `TokenMalformed` unless it is three base64url parts without padding, of which the first two are JSON objects
    /// without repeated members. `TokenUnsupported` for an encrypted token (five parts, RFC 7516), an unknown algorithm
    /// or `none`, a `crit` header (nothing critical is understood here, RFC 7515 §4.1.11), or a `typ` that is not a
    /// plain or an access token: events and logout tokens are signed by the same keys (RFC 8725 §3.11).
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        let (header, rest) = token.split_once('.').ok_or(Reason::TokenMalformed)?;
        let (payload_part, signature) = rest.split_once('.').ok_or(Reason::TokenMalformed)?;
        if signature.split('.').count() == 3 {
            return Err(Reason::TokenUnsupported);
        }
        let signing_input =
            token.as_bytes().get(..header.len() + 1 + payload_part.len()).ok_or(Reason::TokenMalformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header = decode(header).and_then(|bytes| strict_object(&bytes)).ok_or(Reason::TokenMalformed)?;
        let payload =
            decode(payload_part).and_then(|bytes| strict_object(&bytes)).ok_or(Reason::TokenMalformed)?;
        let signature = decode(signature).filter(|bytes| !bytes.is_empty()).ok_or(Reason::TokenMalformed)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Reason::TokenUnsupported);
        }
        Ok(Self {
            algorithm: algorithm(&header)?,
            kid: kid(&header)?,
            typ: typ(&header)?,
            payload,
            payload_part,
            signing_input,
            signature,
        })
    }

    /// The second part of the token as it stands there.
    pub fn payload_part(&self) -> &'a str {
        self.payload_part
    }

    /// The issuer the token claims to be from: good for choosing whose terms to check it against, and for nothing else.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.payload.get("iss")?.as_str()
    }
}

/// The `kid` of a token that is taken apart no further, if it has one.
pub fn kid_of(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.')?;
    kid(&strict_object(&URL_SAFE_NO_PAD.decode(header).ok()?)?).ok()?
}

fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, Reason> {
    let name = header.get("alg").and_then(Value::as_str).ok_or(Reason::TokenMalformed)?;
    name.parse().map_err(|_| Reason::TokenUnsupported)
}

fn kid(header: &Map<String, Value>) -> Result<Option<String>, Reason> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) => Ok(Some(kid.clone())),
        Some(_) => Err(Reason::TokenMalformed),
    }
}

/// RFC 7519 §5.1 and RFC 9068 §2.1; media types compare without case, and `application/` may be left out.
fn typ(header: &Map<String, Value>) -> Result<Typ, Reason> {
    match header.get("typ") {
        None => Ok(Typ::Plain),
        Some(Value::String(typ)) => {
            let short = typ.to_ascii_lowercase();
            match short.strip_prefix("application/").unwrap_or(&short) {
                "jwt" => Ok(Typ::Plain),
                "at+jwt" => Ok(Typ::Access),
                _ => Err(Reason::TokenUnsupported),
            }
        }
        Some(_) => Err(Reason::TokenMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn refusal(token: &str) -> Option<Reason> {
        Jws::parse(token).err()
    }

    #[test]
    fn a_compact_token_is_taken_apart() {
        let text = token(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","x":1}"#, r#"{"iss":"https://idp"}"#);
        let jws = Jws::parse(&text).ok().unwrap();
        assert_eq!((jws.algorithm, jws.kid.as_deref()), (Algorithm::ES256, Some("k1")));
        assert_eq!(jws.claimed_issuer(), Some("https://idp"));
        assert_eq!(format!("{}.c2ln", String::from_utf8_lossy(jws.signing_input)), text);
        assert_eq!(jws.signature, b"sig");
    }

    #[test]
    fn a_token_that_is_not_three_strict_base64url_parts_is_malformed() {
        let good = token(r#"{"alg":"ES256"}"#, "{}");
        let (head, _) = good.rsplit_once('.').unwrap();
        for bad in [
            String::new(),
            "a".into(),
            "a.b".into(),
            "..".into(),
            "a.b.c.d".into(),
            "a.b.c.d.e.f".into(),
            format!("{head}."),
            format!("{head}.c2ln="),
            format!("{head}.c2l+"),
            format!("={good}"),
            token("[]", "{}"),
            token("{}", "{}"),
            token(r#"{"alg":7}"#, "{}"),
            token(r#"{"alg":"ES256","kid":7}"#, "{}"),
            token(r#"{"alg":"ES256","typ":7}"#, "{}"),
            token(r#"{"alg":"ES256","alg":"ES256"}"#, "{}"),
            token(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#),
            token(r#"{"alg":"ES256"}"#, "text"),
        ] {
            assert_eq!(refusal(&bad), Some(Reason::TokenMalformed), "{bad}");
        }
    }

    #[test]
    fn an_encrypted_token_is_named_as_unsupported() {
        assert_eq!(refusal("a.b.c.d.e"), Some(Reason::TokenUnsupported));
    }

    #[test]
    fn none_symmetric_and_unknown_algorithms_are_never_accepted() {
        for alg in ["none", "None", "nOnE", "", "HS256", "HS512", "es256", "ES256K", "RSA-OAEP"] {
            let bad = token(&format!(r#"{{"alg":"{alg}"}}"#), "{}");
            assert_eq!(refusal(&bad), Some(Reason::TokenUnsupported), "{alg}");
        }
    }

    #[test]
    fn nothing_critical_is_understood_so_crit_is_refused() {
        for extra in [r#""crit":[]"#, r#""crit":["exp"],"exp":1"#, r#""b64":false"#] {
            let bad = token(&format!(r#"{{"alg":"ES256",{extra}}}"#), "{}");
            assert_eq!(refusal(&bad), Some(Reason::TokenUnsupported), "{extra}");
        }
    }

    #[test]
    fn a_token_of_another_type_is_no_bearer_token() {
        for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "Application/AT+JWT"] {
            assert_eq!(refusal(&token(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), "{}")), None, "{typ}");
        }
        for typ in ["secevent+jwt", "logout+jwt", "dpop+jwt", "JOSE", ""] {
            let bad = token(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), "{}");
            assert_eq!(refusal(&bad), Some(Reason::TokenUnsupported), "{typ}");
        }
    }
}
