//! What becomes of a token that has no usable value for a rule.

use crate::domain::Reason;
use serde::Serialize;
use std::borrow::Cow;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The claim is not there, or there is nothing in it.
    Missing,
    /// It is there, and cannot become what the rule makes of it.
    Malformed,
}

/// What happens then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Fallback<T> {
    /// The request is refused.
    Refuse,
    /// The header or attribute is left out.
    Omit,
    /// This is used instead.
    Default(T),
}

/// What happens for either reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fallbacks<T> {
    /// What becomes of a token without the claim.
    pub missing: Fallback<T>,
    /// What becomes of one whose claim cannot be used; without it, such a claim counts as missing.
    pub malformed: Option<Fallback<T>>,
}

impl<T: Clone> Fallbacks<T> {
    /// The value, or what stands in for it.
    ///
    /// # Errors
    /// `ClaimMissing`, `ClaimMalformed` where the request is refused.
    pub(super) fn settle<'a>(
        &'a self,
        value: Result<Cow<'a, T>, Lack>,
    ) -> Result<Option<Cow<'a, T>>, Reason> {
        let (fallback, reason) = match (value, &self.malformed) {
            (Ok(value), _) => return Ok(Some(value)),
            (Err(Lack::Malformed), Some(fallback)) => (fallback, Reason::ClaimMalformed),
            (Err(_), _) => (&self.missing, Reason::ClaimMissing),
        };
        match fallback {
            Fallback::Refuse => Err(reason),
            Fallback::Omit => Ok(None),
            Fallback::Default(value) => Ok(Some(Cow::Borrowed(value))),
        }
    }

    /// Whether any token is refused for want of a value.
    pub(super) fn may_refuse(&self) -> bool {
        [Some(&self.missing), self.malformed.as_ref()]
            .into_iter()
            .flatten()
            .any(|fallback| matches!(fallback, Fallback::Refuse))
    }
}
