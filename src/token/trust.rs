//! The terms a token must meet, and the one place where a token becomes [`Claims`].

use super::{Algorithm, Claims, Jws, Keyring, Require, Tenants, TokenKind, Validity};
use crate::domain::{Issuer, Pattern, Reason, Subject, SubjectId, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// The terms of one issuer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// The exact `iss`; or, where the tenant is part of it, its name with the tenant's claim in braces
    /// (`https://login.example.com/{tid}/v2.0`).
    pub issuer: Issuer,
    /// One of these must be in `aud`; `None` accepts any, which the operator has to write out.
    pub audiences: Option<Vec<String>>,
    /// What the issuer may sign with.
    pub algorithms: Vec<Algorithm>,
    /// What its tokens are accepted as.
    pub kind: TokenKind,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// Whether a token without `exp` is refused.
    pub require_exp: bool,
    /// A token is refused this long after it was issued (`iat`), whatever its `exp` says.
    pub max_age: Option<Duration>,
    /// A token is refused if it was made to live longer than this, or still would.
    pub max_lifetime: Option<Duration>,
    /// Whose tokens are accepted.
    pub subjects: SubjectRules,
    /// Which tenants' tokens are accepted.
    pub tenants: Option<Tenants>,
    /// What its tokens need on every route.
    pub require: Require,
}

/// Which subjects are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectRules {
    /// One of these must match; `None` is anybody.
    pub allow: Option<Vec<Pattern>>,
    /// None of these may.
    pub deny: Vec<Pattern>,
}

impl Trust {
    /// Checks signature, algorithm, issuer, kind, times and subject, in the order in which a failure says least to a
    /// forger: nothing about the claims is told before the signature holds. What the token may be used for is another
    /// question ([`Trust::meets`]).
    ///
    /// # Errors
    /// `TokenUnsupported`, `KeyUnknown`, `SignatureInvalid`; then `IssuerUnknown`, `TokenUnsupported` (another kind of
    /// token), `TokenMalformed` (a time that is no time), `TokenExpired`, `TokenPremature`, `TokenOutdated`,
    /// `TenantForbidden`, `SubjectInvalid`, `SubjectForbidden`.
    pub fn verify(&self, jws: Jws<'_>, keys: &Keyring, now: Timestamp) -> Result<Claims, Reason> {
        if !self.algorithms.contains(&jws.header.algorithm) {
            return Err(Reason::TokenUnsupported);
        }
        let key = keys.key_for(&jws).ok_or(Reason::KeyUnknown)?;
        if !key.verifies(jws.signing_input, &jws.signature, jws.header.algorithm) {
            return Err(Reason::SignatureInvalid);
        }
        let issuer = jws.claimed_issuer().and_then(|iss| self.recognise(iss)).ok_or(Reason::IssuerUnknown)?;
        self.kind.admits(&jws)?;
        let validity = Validity::of(self, &jws, now)?;
        if let Some(tenants) = &self.tenants {
            tenants.admit(&self.issuer, &issuer, &jws.payload)?;
        }
        let id = jws.payload.get("sub").and_then(Value::as_str).and_then(SubjectId::parse);
        let id = id.ok_or(Reason::SubjectInvalid)?;
        if !self.subjects.admit(id.as_str()) {
            return Err(Reason::SubjectForbidden);
        }
        let key = key.id();
        Ok(Claims::verified(Subject { issuer, id }, validity, key, jws.payload))
    }

    /// Every `iss` that its tokens may have.
    pub fn names(&self) -> Vec<String> {
        match self.tenants.as_ref().filter(|tenants| tenants.are_in(&self.issuer)) {
            Some(tenants) => {
                tenants.allow.iter().map(|tenant| tenants.name_in(&self.issuer, tenant)).collect()
            }
            None => vec![self.issuer.as_str().to_owned()],
        }
    }

    /// The issuer that writes `iss` like this, if it is this one.
    pub fn recognise(&self, iss: &str) -> Option<Issuer> {
        if iss == self.issuer.as_str() {
            // Braces are no tenant: a token that spells the pattern out is nobody's.
            let is_pattern = self.tenants.as_ref().is_some_and(|tenants| tenants.are_in(&self.issuer));
            return (!is_pattern).then(|| self.issuer.clone());
        }
        let tenants = self.tenants.as_ref().filter(|tenants| tenants.are_in(&self.issuer))?;
        let mut names = tenants.allow.iter().map(|tenant| tenants.name_in(&self.issuer, tenant));
        names.find(|name| name == iss).and_then(|name| Issuer::parse(&name).ok())
    }
}

impl SubjectRules {
    fn admit(&self, sub: &str) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(sub);
        self.allow.as_ref().is_none_or(|allowed| allowed.iter().any(matches))
            && !self.deny.iter().any(matches)
    }
}
