//! The header of a token (RFC 7515 §4): taken apart once, as an issuer writes the same one into all that it signs with a
//! key.

use super::Algorithm;
use crate::domain::{Reason, strict_object};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a header says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoseHeader {
    pub(super) typ: Typ,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Arc<str>>,
}

/// What a token's header says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typ {
    /// Nothing, or `JWT`: it may be anything (RFC 7519 §5.1).
    Plain,
    /// `at+jwt`: an access token (RFC 9068 §2.1).
    Access,
    /// `secevent+jwt`: security events (RFC 8417 §2.3).
    Event,
    /// `logout+jwt`: a logout token (OpenID Connect Back-Channel Logout §2.4).
    Logout,
}

impl JoseHeader {
    /// Reads the first part of a token that is to be of one of these types: events and logout tokens are signed by the same
    /// keys as those that let somebody in (RFC 8725 §3.11).
    ///
    /// # Errors
    /// `TokenMalformed` unless it is a JSON object in base64url, without padding and repeated members.
    /// `TokenUnsupported` for an unknown algorithm or `none`, a `crit` header (nothing critical is understood here, RFC
    /// 7515 §4.1.11), another token inside (`cty`), or another `typ`.
    pub(super) fn parse(part: &str, types: &[Typ]) -> Result<Self, Reason> {
        let header = members(part).ok_or(Reason::TokenMalformed)?;
        if header.contains_key("crit") || header.contains_key("b64") || is_nested(&header)? {
            return Err(Reason::TokenUnsupported);
        }
        let (algorithm, kid) = (algorithm(&header)?, kid(&header)?);
        let typ = typ(&header)?;
        if !types.contains(&typ) {
            return Err(Reason::TokenUnsupported);
        }
        Ok(Self { typ, algorithm, kid: kid.map(Arc::from) })
    }

    /// The name of the key.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

fn members(part: &str) -> Option<Map<String, Value>> {
    strict_object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

/// Headers of tokens that were verified: nobody but an issuer can fill it.
#[derive(Default)]
pub struct KnownHeaders(Vec<(Box<str>, JoseHeader)>);

/// An issuer has a key or two at a time; more headers than this make room for each other.
const MOST: usize = 8;

impl KnownHeaders {
    pub(super) fn get(&self, part: &str) -> Option<&JoseHeader> {
        self.0.iter().find(|(known, _)| **known == *part).map(|(_, header)| header)
    }

    /// Remembers the header of a token that was verified.
    pub fn learn(&mut self, part: &str, header: &JoseHeader) {
        if self.get(part).is_none() {
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push((part.into(), header.clone()));
        }
    }
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

/// RFC 7519 §5.1; see [`Typ`].
fn typ(header: &Map<String, Value>) -> Result<Typ, Reason> {
    match media_type(header, "typ")?.as_deref() {
        None | Some("jwt") => Ok(Typ::Plain),
        Some("at+jwt") => Ok(Typ::Access),
        Some("secevent+jwt") => Ok(Typ::Event),
        Some("logout+jwt") => Ok(Typ::Logout),
        Some(_) => Err(Reason::TokenUnsupported),
    }
}

/// RFC 7519 §5.2: what was signed is another token, and its claims are not this one's.
fn is_nested(header: &Map<String, Value>) -> Result<bool, Reason> {
    Ok(media_type(header, "cty")?.as_deref() == Some("jwt"))
}

/// A media type in lower case and without `application/`: it compares without case, and the prefix may be left out
/// (RFC 7515 §4.1.9, §4.1.10).
fn media_type(header: &Map<String, Value>, name: &str) -> Result<Option<String>, Reason> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let lower = text.to_ascii_lowercase();
            Ok(Some(lower.strip_prefix("application/").unwrap_or(&lower).to_owned()))
        }
        Some(_) => Err(Reason::TokenMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_headers_are_known_and_the_oldest_makes_room() {
        let header = JoseHeader { typ: Typ::Plain, algorithm: Algorithm::ES256, kid: None };
        let mut known = KnownHeaders::default();
        for number in 0..=MOST {
            known.learn(&number.to_string(), &header);
            known.learn(&number.to_string(), &header);
        }
        assert_eq!((known.get("0"), known.get("1"), known.0.len()), (None, Some(&header), MOST));
    }
}
