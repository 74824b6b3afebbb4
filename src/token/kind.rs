//! Which kind of token an issuer's are: a token made for one purpose must not serve another (RFC 8725 §3.12).

use super::Jws;
use super::jose_header::Typ;
use crate::domain::Reason;
use serde_json::{Map, Value};

/// What tokens of an issuer are accepted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Access tokens: `typ` is `at+jwt`, `JWT` or absent, and nothing in it says that it is another kind of token.
    Access,
    /// Access tokens as RFC 9068 has them: `typ` is `at+jwt` (§4), and every required claim is there (§2.2).
    Rfc9068,
    /// ID tokens (OpenID Connect Core §2), for a client whose id is among the audiences.
    Id,
    /// Either.
    Any,
}

/// Claims that only ID tokens have (OpenID Connect Core §2, §3.3.2.11).
const OF_ID_TOKENS: &[&str] = &["nonce", "at_hash", "c_hash", "s_hash"];
/// RFC 9068 §2.2; `iss`, `exp`, `aud` and `sub` are checked in any case.
const OF_ACCESS_TOKENS: &[&str] = &["client_id", "iat", "jti"];

impl TokenKind {
    /// Whether the token is of this kind.
    ///
    /// # Errors
    /// `TokenUnsupported` if it is another kind of token, `TokenMalformed` if it lacks what its kind requires.
    pub(super) fn admits(self, jws: &Jws<'_>) -> Result<(), Reason> {
        let claims = &jws.payload;
        let has_all = |names: &[&str]| names.iter().all(|name| claims.contains_key(*name));
        // A logout token or a security event, whatever its `typ` says (RFC 8417 §2.2, OIDC Back-Channel Logout §2.4).
        if claims.contains_key("events") {
            return Err(Reason::TokenUnsupported);
        }
        let fits = match self {
            Self::Any => own_name(claims).is_none_or(|name| matches!(name, Named::Access | Named::Id)),
            Self::Access | Self::Rfc9068 => {
                let is_id = OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name));
                !is_id && own_name(claims).is_none_or(|name| name == Named::Access)
            }
            Self::Id => jws.header.typ == Typ::Plain && own_name(claims).is_none_or(|name| name == Named::Id),
        };
        match (fits, self) {
            (false, _) => Err(Reason::TokenUnsupported),
            (true, Self::Rfc9068) if jws.header.typ != Typ::Access => Err(Reason::TokenUnsupported),
            (true, Self::Rfc9068) if !has_all(OF_ACCESS_TOKENS) => Err(Reason::TokenMalformed),
            (true, Self::Id) if !has_all(&["iat", "exp"]) => Err(Reason::TokenMalformed),
            (true, _) => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Access,
    Id,
    Other,
}

/// What some issuers (Keycloak) write into the claims, as their `typ` header is `JWT` throughout.
fn own_name(claims: &Map<String, Value>) -> Option<Named> {
    Some(match claims.get("typ")?.as_str()? {
        "Bearer" | "DPoP" | "JWT" | "at+jwt" => Named::Access,
        "ID" => Named::Id,
        "Refresh" | "Offline" | "Logout" | "Registration" => Named::Other,
        _ => return None,
    })
}
