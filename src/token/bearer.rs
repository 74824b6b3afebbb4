//! The one token of a request. Untrusted text; it has no `Debug`, so that no log line can hold it.

use super::Credentials;
use crate::domain::{Reason, Request};

/// The text of a bearer token as the client sent it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'a>(&'a str);

impl<'a> Bearer<'a> {
    /// Finds the one bearer token of a request, in the places that `credentials` name.
    ///
    /// # Errors
    /// `TokenMissing` without any; `CredentialsInvalid` if there is more than one, in whatever places (RFC 6750 §2), or
    /// something that is no b64token (a proxy folds repeated headers with a comma, which a token never holds);
    /// `TokenOversized` above `limit` bytes.
    pub fn find(request: &Request<'a>, credentials: &Credentials, limit: usize) -> Result<Self, Reason> {
        let token = match *credentials.find(request).as_slice() {
            [] => return Err(Reason::TokenMissing),
            [token] => token,
            [..] => return Err(Reason::CredentialsInvalid),
        };
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

fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(values: &[&[u8]]) -> Result<String, Reason> {
        let headers: Vec<_> =
            values.iter().map(|value| ("authorization".to_owned(), value.to_vec())).collect();
        Bearer::find(&Request { headers: &headers }, &Credentials::default(), 16)
            .map(|bearer| bearer.as_str().to_owned())
    }

    #[test]
    fn the_scheme_is_compared_ignoring_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "] {
            assert_eq!(find(&[value.as_bytes()]), Ok("a.b.c".into()), "{value}");
        }
    }

    #[test]
    fn another_scheme_or_no_header_is_no_token() {
        for values in [&[] as &[&[u8]], &[b"Basic abc"], &[b""], &[b"\xff\xfe"], &[b"Bearerabc"]] {
            assert_eq!(find(values), Err(Reason::TokenMissing));
        }
    }

    #[test]
    fn more_than_one_credential_is_refused_even_when_a_proxy_folded_them() {
        assert_eq!(find(&[b"Bearer a", b"Bearer a"]), Err(Reason::CredentialsInvalid));
        assert_eq!(find(&[b"Bearer a,Bearer a"]), Err(Reason::CredentialsInvalid));
    }

    #[test]
    fn what_is_no_b64token_is_refused() {
        for value in [b"Bearer" as &[u8], b"Bearer ", b"Bearer a b", b"Bearer \xff", b"Bearer \"a\""] {
            assert_eq!(find(&[value]), Err(Reason::CredentialsInvalid), "{value:?}");
        }
    }

    #[test]
    fn a_token_over_the_limit_is_not_read() {
        assert!(find(&[b"Bearer 1234567890123456"]).is_ok());
        assert_eq!(find(&[b"Bearer 12345678901234567"]), Err(Reason::TokenOversized));
    }
}
