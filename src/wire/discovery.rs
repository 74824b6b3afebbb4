//! An issuer's discovery document (OpenID Connect Discovery 1.0 §4).

use crate::domain::Issuer;
use http::Uri;

use serde::Deserialize;

/// What is used of a discovery document, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Where the issuer's keys are.
    pub jwks_uri: Uri,
}

/// Why a discovery document is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Not the JSON of a discovery document.
    #[error("not a discovery document")]
    Malformed,
    /// OpenID Connect Discovery §4.3: `issuer` must be exactly the issuer that was asked.
    #[error("the document is another issuer's")]
    OtherIssuer,
    /// The URL of the keys is unusable, or less protected than the issuer itself.
    #[error("jwks_uri is not an absolute URL, without credentials, with the issuer's scheme or https")]
    KeysAddress,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    /// Reads the document that `issuer` published.
    pub fn read(body: &[u8], issuer: &Issuer) -> Result<Self, DiscoveryError> {
        let document: Document = serde_json::from_slice(body).map_err(|_| DiscoveryError::Malformed)?;
        if document.issuer != issuer.as_str() {
            return Err(DiscoveryError::OtherIssuer);
        }
        let jwks_uri: Uri = document.jwks_uri.parse().map_err(|_| DiscoveryError::KeysAddress)?;
        let own_scheme = issuer.as_str().split("://").next();
        let protected = jwks_uri.scheme_str() == Some("https") || jwks_uri.scheme_str() == own_scheme;
        let named =
            jwks_uri.authority().is_some_and(|at| !at.host().is_empty() && !at.as_str().contains('@'));
        if !named || !protected {
            return Err(DiscoveryError::KeysAddress);
        }
        Ok(Self { jwks_uri })
    }
}

/// Where `issuer` publishes its document: the well-known path is appended to the issuer's own (§4.1).
pub fn discovery_path(issuer: &Uri) -> String {
    format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/'))
}

/// Where a transmitter of shared signals publishes its own, in which `issuer` and `jwks_uri` mean the same: the well-known
/// path stands before the issuer's own (Shared Signals Framework §7.2.1).
pub fn ssf_configuration_path(issuer: &Uri) -> String {
    format!("/.well-known/ssf-configuration{}", issuer.path().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Discovery, DiscoveryError> {
        Discovery::read(body.as_bytes(), &Issuer::parse("https://idp.example.com/a").unwrap())
    }

    #[test]
    fn a_document_of_the_issuer_tells_where_its_keys_are() {
        let found =
            read(r#"{"issuer":"https://idp.example.com/a","jwks_uri":"https://keys.example.com/jwks?x=1"}"#);
        assert_eq!(found.unwrap().jwks_uri, "https://keys.example.com/jwks?x=1");
    }

    #[test]
    fn a_document_of_another_issuer_is_not_used() {
        for other in ["https://idp.example.com/b", "https://idp.example.com/a/", "HTTPS://idp.example.com/a"]
        {
            let body = format!(r#"{{"issuer":"{other}","jwks_uri":"https://idp.example.com/jwks"}}"#);
            assert_eq!(read(&body), Err(DiscoveryError::OtherIssuer), "{other}");
        }
    }

    #[test]
    fn keys_are_not_fetched_with_less_protection_than_the_issuer_has() {
        for address in [
            "http://idp.example.com/jwks",
            "/jwks",
            "ftp://x/jwks",
            "https://:443/jwks",
            "https://me@x/jwks",
            "",
        ] {
            let body = format!(r#"{{"issuer":"https://idp.example.com/a","jwks_uri":"{address}"}}"#);
            assert_eq!(read(&body), Err(DiscoveryError::KeysAddress), "{address}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for body in ["", "[]", "{}", r#"{"issuer":1}"#, "\u{0}"] {
            assert_eq!(read(body), Err(DiscoveryError::Malformed), "{body}");
        }
    }

    #[test]
    fn the_well_known_path_follows_the_issuers_own() {
        for (issuer, path) in [
            ("https://idp", "/.well-known/openid-configuration"),
            ("https://idp/", "/.well-known/openid-configuration"),
            ("https://idp/realms/a", "/realms/a/.well-known/openid-configuration"),
        ] {
            assert_eq!(discovery_path(&issuer.parse().unwrap()), path);
        }
    }
}
