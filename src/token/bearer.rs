//! The one token of a request. Untrusted text; it has no `Debug`, so that no log line can hold it.

use crate::domain::Reason;

/// The text of a bearer token as the client sent it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'a>(&'a str);

impl<'a> Bearer<'a> {
    /// Reads what a request carries in the place of a token.
    ///
    /// # Errors
    /// `TokenOversized` above `limit` bytes; `CredentialsInvalid` if it is no b64token (RFC 6750 §2.1; a proxy folds
    /// repeated headers with a comma, which a token never holds).
    pub fn parse(token: &'a [u8], limit: usize) -> Result<Self, Reason> {
        if token.len() > limit {
            return Err(Reason::TokenOversized);
        }
        match std::str::from_utf8(token) {
            Ok(text) if !text.is_empty() && text.bytes().all(is_b64token) => Ok(Self(text)),
            _ => Err(Reason::CredentialsInvalid),
        }
    }

    /// The token's text.
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

const fn is_b64token(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(token: &[u8]) -> Option<Reason> {
        Bearer::parse(token, 16).err()
    }

    #[test]
    fn what_is_no_b64token_is_refused() {
        assert_eq!(parse(b"a-._~+/b.c=="), None);
        for token in [b"" as &[u8], b"a b", b"\xff", b"\"a\"", b"a,b", "t\u{f6}ken".as_bytes()] {
            assert_eq!(parse(token), Some(Reason::CredentialsInvalid), "{token:?}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_not_read() {
        assert_eq!(parse(b"1234567890123456"), None);
        assert_eq!(parse(b"12345678901234567"), Some(Reason::TokenOversized));
    }
}
