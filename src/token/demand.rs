//! What is asked of a token that holds: by its issuer's terms, and by the route it is used on.

use super::{Claims, TokenKind, Trust};
use crate::domain::{ClaimPath, Issuer, Reason};
use serde_json::{Map, Value};

/// What a route asks beyond the issuer's own terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Demand {
    /// In place of the issuer's audiences.
    pub audiences: Option<Vec<String>>,
    /// Tokens of these issuers only.
    pub issuers: Option<Vec<Issuer>>,
    /// On top of what the issuer's terms require.
    pub require: Require,
}

/// Scopes and claim values that must be there, all of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Require {
    /// Each must be among the token's scopes (RFC 8693 §4.2 `scope`, or `scp`).
    pub scopes: Vec<String>,
    /// Each must have one of its values.
    pub claims: Vec<ClaimValue>,
}

/// A claim that must be one of these values, or a list that holds one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimValue {
    /// Where it is.
    pub claim: ClaimPath,
    /// Strings, numbers and bools.
    pub any_of: Vec<Value>,
}

impl Trust {
    /// Whether a token of this issuer may be used where `demand` is made.
    ///
    /// # Errors
    /// `IssuerUnknown`, `AudienceMismatch`, then `ScopeInsufficient`, `ClaimMismatch`.
    pub fn meets(&self, demand: &Demand, claims: &Claims) -> Result<(), Reason> {
        if demand.issuers.as_ref().is_some_and(|issuers| !issuers.contains(&self.issuer)) {
            return Err(Reason::IssuerUnknown);
        }
        if let Some(accepted) = demand.audiences.as_ref().or(self.audiences.as_ref()) {
            self.check_audience(accepted, claims.members())?;
        }
        let requires = [&self.require, &demand.require];
        if requires.iter().any(|require| !require.scopes_are_in(claims.members())) {
            return Err(Reason::ScopeInsufficient);
        }
        if requires.iter().any(|require| !require.claims.iter().all(|rule| rule.is_in(claims.members()))) {
            return Err(Reason::ClaimMismatch);
        }
        Ok(())
    }

    /// The scopes that a token of this issuer needs where `demand` is made, for the challenge (RFC 6750 §3).
    pub fn scopes(&self, demand: &Demand) -> Vec<String> {
        let mut scopes = self.require.scopes.clone();
        scopes.extend(
            demand.require.scopes.iter().filter(|scope| !self.require.scopes.contains(scope)).cloned(),
        );
        scopes
    }

    /// RFC 7519 §4.1.3: `aud` is one string or a list of nothing but strings, compared exactly; one that is accepted is
    /// enough. An ID token is for its client alone: no audience that is not accepted, and the party it was made for is one
    /// of them (OpenID Connect Core §3.1.3.7).
    fn check_audience(&self, accepted: &[String], claims: &Map<String, Value>) -> Result<(), Reason> {
        let is_accepted =
            |value: &Value| value.as_str().is_some_and(|text| accepted.iter().any(|one| one == text));
        let audiences = match claims.get("aud") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        let met = match self.kind {
            TokenKind::Id => {
                let party = claims.get("azp").map_or(audiences.len() == 1, is_accepted);
                party && !audiences.is_empty() && audiences.iter().all(is_accepted)
            }
            TokenKind::Access | TokenKind::Rfc9068 | TokenKind::Any => {
                audiences.iter().all(Value::is_string) && audiences.iter().any(is_accepted)
            }
        };
        if met { Ok(()) } else { Err(Reason::AudienceMismatch) }
    }
}

impl Require {
    fn scopes_are_in(&self, claims: &Map<String, Value>) -> bool {
        if self.scopes.is_empty() {
            return true;
        }
        let granted: Vec<&str> = ["scope", "scp"].iter().flat_map(|name| words(claims.get(*name))).collect();
        self.scopes.iter().all(|scope| granted.contains(&scope.as_str()))
    }
}

/// The words of a text, or of a list of texts: issuers write scopes either way.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

impl ClaimValue {
    /// Whether the claim has one of the values.
    pub fn is_in(&self, claims: &Map<String, Value>) -> bool {
        let wanted = |value: &Value| self.any_of.iter().any(|one| is_same(one, value));
        match self.claim.find(claims) {
            Some(Value::Array(list)) => list.iter().any(wanted),
            Some(value) => wanted(value),
            None => false,
        }
    }
}

/// Istio renders every number of a configuration as a double, so 1 is 1.0.
fn is_same(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Number(wanted), Value::Number(value)) => wanted.as_f64() == value.as_f64(),
        _ => wanted == value,
    }
}
