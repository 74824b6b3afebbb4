//! The terms a token must meet, and the one place where a token becomes [`Claims`].

use super::{Algorithm, Claims, Jws, Keyring};
use crate::domain::{Issuer, Reason, Subject, SubjectId, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// The terms of one issuer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// The exact `iss`.
    pub issuer: Issuer,
    /// One of these must be in `aud`; `None` accepts any, which the operator has to write out.
    pub audiences: Option<Vec<String>>,
    /// What the issuer may sign with.
    pub algorithms: Vec<Algorithm>,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
}

impl Trust {
    /// Checks signature, algorithm, issuer, audience, time and subject, in the order in which a failure says least to a
    /// forger: nothing about the claims is told before the signature holds.
    ///
    /// # Errors
    /// `TokenUnsupported`, `KeyUnknown`, `SignatureInvalid`; then `IssuerUnknown`, `AudienceMismatch`, `TokenMalformed`
    /// (a time that is no time), `TokenExpired`, `TokenPremature`, `SubjectInvalid`.
    pub fn verify(&self, jws: Jws<'_>, keys: &Keyring, now: Timestamp) -> Result<Claims, Reason> {
        if !self.algorithms.contains(&jws.algorithm) {
            return Err(Reason::TokenUnsupported);
        }
        let key = keys.key_for(&jws).ok_or(Reason::KeyUnknown)?;
        if !key.verifies(jws.signing_input, &jws.signature, jws.algorithm) {
            return Err(Reason::SignatureInvalid);
        }
        if jws.claimed_issuer() != Some(self.issuer.as_str()) {
            return Err(Reason::IssuerUnknown);
        }
        self.check_audience(jws.payload.get("aud"))?;
        self.check_times(&jws, now)?;
        let id = jws.payload.get("sub").and_then(Value::as_str).and_then(SubjectId::parse);
        let subject = Subject { issuer: self.issuer.clone(), id: id.ok_or(Reason::SubjectInvalid)? };
        Ok(Claims::verified(subject, jws.payload))
    }

    /// RFC 7519 §4.1.3: `aud` is one string or a list of strings, compared exactly.
    fn check_audience(&self, aud: Option<&Value>) -> Result<(), Reason> {
        let Some(accepted) = &self.audiences else {
            return Ok(());
        };
        let is_accepted =
            |value: &Value| value.as_str().is_some_and(|text| accepted.iter().any(|one| one == text));
        let met = match aud {
            Some(Value::Array(list)) => list.iter().any(is_accepted),
            Some(value) => is_accepted(value),
            None => false,
        };
        if met { Ok(()) } else { Err(Reason::AudienceMismatch) }
    }

    /// RFC 7519 §4.1.4 to §4.1.6: expired at or after `exp`, which must be there; premature before `nbf` or before it was
    /// issued.
    fn check_times(&self, jws: &Jws<'_>, now: Timestamp) -> Result<(), Reason> {
        let skew = self.clock_skew.as_secs_f64();
        let now = now.as_secs_f64();
        let exp = numeric_date(jws, "exp")?.ok_or(Reason::TokenMalformed)?;
        let not_before = [numeric_date(jws, "nbf")?, numeric_date(jws, "iat")?];
        if now >= exp + skew {
            return Err(Reason::TokenExpired);
        }
        if not_before.into_iter().flatten().any(|start| now < start - skew) {
            return Err(Reason::TokenPremature);
        }
        Ok(())
    }
}

/// A NumericDate: seconds since the epoch, possibly with a fraction (RFC 7519 §2).
fn numeric_date(jws: &Jws<'_>, claim: &str) -> Result<Option<f64>, Reason> {
    match jws.payload.get(claim) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|secs| secs.is_finite()).map(Some).ok_or(Reason::TokenMalformed),
    }
}
