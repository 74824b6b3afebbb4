//! The compact serialisation of a signed token, taken apart and not yet believed (RFC 7515 §3.1, §7.1).

use super::jose_header::Typ;
use super::{JoseHeader, KnownHeaders};
use crate::domain::{Reason, strict_object};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// A well-formed token whose signature nobody has checked. Has no `Debug`: it holds claims.
pub struct Jws<'a> {
    pub(super) header: JoseHeader,
    header_part: &'a str,
    pub(super) payload: Map<String, Value>,
    /// The payload as it stands in the token.
    payload_part: &'a str,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// What may let somebody in.
const BEARER: &[Typ] = &[Typ::Plain, Typ::Access];
/// What tells of events.
const EVENTS: &[Typ] = &[Typ::Event];
/// What tells of a logout: plain ones are from before the type had a name.
const LOGOUT: &[Typ] = &[Typ::Logout, Typ::Plain];

impl<'a> Jws<'a> {
    /// Reads what a request carries in the place of a token. Headers that are known already are not read again.
    ///
    /// # Errors
    /// `TokenOversized` above `limit` bytes. `CredentialsInvalid` if it is no b64token (RFC 6750 §2.1). Then those of
    /// [`Jws::parse`].
    pub fn read(token: &'a [u8], limit: usize, known: &KnownHeaders) -> Result<Self, Reason> {
        if token.len() > limit {
            return Err(Reason::TokenOversized);
        }
        let text = std::str::from_utf8(token).map_err(|_| Reason::CredentialsInvalid)?;
        // What can be taken apart has no other characters: they are looked at only to tell what is wrong.
        Self::take_apart(text, known, BEARER).map_err(|reason| match is_b64token(text) {
            true => reason,
            false => Reason::CredentialsInvalid,
        })
    }

    /// Takes a token apart.
    ///
    /// # Errors
    /// `TokenMalformed` unless it is three base64url parts without padding, of which the first two are JSON objects
    /// without repeated members. `TokenUnsupported` for an encrypted token (five parts, RFC 7516), and for a header that
    /// asks for something that is not done here: an algorithm, `crit`, another token inside, another type.
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        Self::take_apart(token, &KnownHeaders::default(), BEARER)
    }

    /// Takes a security event token apart: its `typ` is `secevent+jwt` (RFC 8417 §2.3), nothing else.
    ///
    /// # Errors
    /// As [`Jws::parse`].
    pub fn parse_events(token: &'a str) -> Result<Self, Reason> {
        Self::take_apart(token, &KnownHeaders::default(), EVENTS)
    }

    /// Takes a logout token apart: its `typ` is `logout+jwt`, `JWT` or absent (OpenID Connect Back-Channel Logout §2.4).
    ///
    /// # Errors
    /// As [`Jws::parse`].
    pub fn parse_logout(token: &'a str) -> Result<Self, Reason> {
        Self::take_apart(token, &KnownHeaders::default(), LOGOUT)
    }

    fn take_apart(token: &'a str, known: &KnownHeaders, types: &[Typ]) -> Result<Self, Reason> {
        Self::take_three(token, known, types).map_err(|reason| match token.split('.').count() {
            5 => Reason::TokenUnsupported,
            _ => reason,
        })
    }

    fn take_three(token: &'a str, known: &KnownHeaders, types: &[Typ]) -> Result<Self, Reason> {
        let (header_part, rest) = token.split_once('.').ok_or(Reason::TokenMalformed)?;
        let (payload_part, signature) = rest.split_once('.').ok_or(Reason::TokenMalformed)?;
        let signing_input = token
            .as_bytes()
            .get(..header_part.len() + 1 + payload_part.len())
            .ok_or(Reason::TokenMalformed)?;
        let header = match known.get(header_part) {
            Some(header) => header.clone(),
            None => JoseHeader::parse(header_part, types)?,
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let payload =
            decode(payload_part).and_then(|bytes| strict_object(&bytes)).ok_or(Reason::TokenMalformed)?;
        let signature = decode(signature).filter(|bytes| !bytes.is_empty()).ok_or(Reason::TokenMalformed)?;
        Ok(Self { header, header_part, payload, payload_part, signing_input, signature })
    }

    /// The header, and the first part of the token as it stands there.
    pub fn header(&self) -> (&'a str, &JoseHeader) {
        (self.header_part, &self.header)
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

/// RFC 6750 §2.1. (A proxy folds repeated headers with a comma, which a token never holds.)
fn is_b64token(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    !text.is_empty() && text.bytes().all(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Algorithm;

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
        assert_eq!((jws.header.algorithm, jws.header.kid()), (Algorithm::ES256, Some("k1")));
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

    fn read(token: &[u8]) -> Option<Reason> {
        Jws::read(token, 16, &KnownHeaders::default()).err()
    }

    #[test]
    fn what_is_no_b64token_is_refused() {
        assert_eq!(read(b"a-._~+/b.c=="), Some(Reason::TokenMalformed));
        for token in [b"" as &[u8], b"a b", b"\xff", b"\"a\"", b"a,b", "t\u{f6}ken".as_bytes()] {
            assert_eq!(read(token), Some(Reason::CredentialsInvalid), "{token:?}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_not_read() {
        assert_eq!(read(b"1234567890123456"), Some(Reason::TokenMalformed));
        assert_eq!(read(b"12345678901234567"), Some(Reason::TokenOversized));
    }

    #[test]
    fn a_header_that_is_known_is_not_read_again_and_means_the_same() {
        let text = token(r#"{"alg":"ES256","kid":"k1"}"#, "{}");
        let mut known = KnownHeaders::default();
        let first = Jws::read(text.as_bytes(), 1000, &known).ok().unwrap();
        let (part, header) = first.header();
        known.learn(part, header);
        let again = Jws::read(text.as_bytes(), 1000, &known).ok().unwrap();
        assert_eq!(again.header(), first.header());
        let other = token(r#"{"alg":"ES256","kid":"k2"}"#, "{}");
        assert_eq!(Jws::read(other.as_bytes(), 1000, &known).ok().unwrap().header().1.kid(), Some("k2"));
    }
}
