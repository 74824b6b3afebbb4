//! Who a token is about: issuer + sub, the only durable key of a person or a service.

use sha2::{Digest, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An issuer identifier: an `http` or `https` URL without query or fragment, compared character by character
/// (OpenID Connect Core §2, RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Issuer(Arc<str>);

impl Issuer {
    /// Reads an issuer identifier; the error says, in a few words, what it should have been.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(['?', '#']) {
            return Err("an issuer has no query and no fragment");
        }
        let uri: ::http::Uri = text.parse().map_err(|_| "not a URL")?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("an issuer holds no credentials");
        }
        match uri.scheme_str() {
            Some("https" | "http") if uri.host().is_some_and(|host| !host.is_empty()) => {
                Ok(Self(text.into()))
            }
            _ => Err("an issuer is a URL like https://idp.example.com/realms/acme"),
        }
    }

    /// The identifier as the issuer writes it in `iss`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `sub` claim: 1 to 255 bytes without control characters, case-sensitive, never reassigned by its issuer (OpenID
/// Connect Core §2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectId(Arc<str>);

impl SubjectId {
    /// Reads a `sub`; `None` if it is empty, longer than 255 bytes or holds control characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into()))
    }

    /// The text of the claim.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Issuer + sub. E-mail addresses and names change hands; this pair does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Who vouches for it.
    pub issuer: Issuer,
    /// Its name at that issuer.
    pub id: SubjectId,
}

impl Subject {
    /// The digest under which this subject is remembered and sent.
    pub fn key(&self) -> SubjectKey {
        let mut digest = Sha256::new();
        for part in [self.issuer.as_str(), self.id.as_str()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        SubjectKey(digest.finalize().into())
    }
}

/// SHA-256 over issuer and sub, each preceded by its length in bytes as 8 bytes, big-endian; so no two pairs collide by
/// moving a character across the border. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// Reads 64 hexadecimal digits in lower case, as a key is shown.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| (byte as char).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        };
        let bytes = text.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        bytes.try_into().ok().map(Self)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Hash for SubjectKey {
    /// A digest is spread evenly as it is: a part of it is as good as the whole.
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(part) = self.0.first_chunk() {
            state.write_u64(u64::from_le_bytes(*part));
        }
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({self})")
    }
}

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A human being, or anything that no rule calls otherwise.
    Person,
    /// A client that acts for itself: its token's `sub` is its own `client_id` (RFC 9068 §2.2, client credentials).
    Service,
    /// Something that acts for somebody else: its token carries `act` (RFC 8693 §4.1).
    Agent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(issuer: &str, id: &str) -> Subject {
        Subject { issuer: Issuer::parse(issuer).unwrap(), id: SubjectId::parse(id).unwrap() }
    }

    #[test]
    fn a_subject_key_is_the_same_at_every_gateway_and_in_every_release() {
        // printf '\0\0\0\0\0\0\0\x17https://idp.example.com\0\0\0\0\0\0\0\x04jane' | sha256sum
        assert_eq!(
            subject("https://idp.example.com", "jane").key().to_string(),
            "2974105f792942fe971a85b1c9996b3f7f4bd97924e5e0d5e4a425cc0821dec1"
        );
    }

    #[test]
    fn a_key_is_read_as_it_is_shown_and_in_no_other_form() {
        let key = subject("https://idp.example.com", "jane").key();
        let shown = key.to_string();
        assert_eq!(SubjectKey::parse(&shown), Some(key));
        let upper = shown.to_uppercase();
        for odd in ["", "2974", &upper, &format!("{shown}00"), &shown.replace('2', "+"), "é"] {
            assert_eq!(SubjectKey::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn moving_a_character_across_the_border_makes_another_key() {
        let a = subject("https://idp.example.com/a", "bc").key();
        let b = subject("https://idp.example.com/ab", "c").key();
        assert_ne!(a, b);
    }

    #[test]
    fn an_issuer_is_a_url_without_query_or_fragment() {
        assert!(Issuer::parse("https://idp.example.com/realms/acme").is_ok());
        assert!(Issuer::parse("http://127.0.0.1:9000").is_ok());
        for bad in [
            "",
            "idp.example.com",
            "ftp://idp",
            "https://",
            "https://idp/?a=b",
            "https://idp/#x",
            "https://a:b@idp",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sub_is_short_and_free_of_control_characters() {
        assert!(SubjectId::parse("248289761001").is_some());
        assert!(SubjectId::parse("jörg").is_some());
        for bad in ["", "a\nb", "a\0", &"x".repeat(256)] {
            assert!(SubjectId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
