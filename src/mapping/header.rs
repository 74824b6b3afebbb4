//! The headers of the application, and what becomes of one that has no value.

use super::Rendering;
use crate::domain::{ClaimPath, Reason};
use http::{HeaderName, HeaderValue};
use std::sync::Arc;

/// One header of the application, and where its value is from.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderRule {
    /// The header's name.
    pub header: HeaderName,
    /// Where its value is from.
    pub source: HeaderSourceRule,
}

/// One value for the proxy's other filters and its log, and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterStateRule {
    /// The key; the proxy puts `wasm.` before it.
    pub key: Arc<str>,
    /// Where the value is from.
    pub source: HeaderSourceRule,
}

/// Where a header's value is from.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderSourceRule {
    /// A claim.
    Claim {
        /// Which one.
        claim: ClaimPath,
        /// How it is written.
        rendering: Rendering,
        /// What becomes of a token without a usable value.
        when_missing: WhenMissing<HeaderValue>,
    },
    /// The token's payload exactly as the token holds it, in base64url (RFC 7515 §3.1).
    Payload {
        /// Whether `=` fills up the last quantum, which a token itself does without.
        padded: bool,
        /// The longest value that is sent, in bytes.
        max_bytes: usize,
        /// What becomes of a token whose payload is longer.
        when_missing: WhenMissing<HeaderValue>,
    },
    /// The directory's id of the account; not sent while there is none.
    AccountId,
}

/// What becomes of a token whose claim is absent or cannot become what a rule makes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum WhenMissing<T> {
    /// The request is refused.
    Refuse,
    /// The header or attribute is left out.
    Omit,
    /// This is used instead.
    Default(T),
}

impl<T: Clone> WhenMissing<T> {
    /// What stands in for a missing value, if anything does.
    pub(super) fn default(&self) -> Option<&T> {
        match self {
            Self::Default(value) => Some(value),
            Self::Refuse | Self::Omit => None,
        }
    }

    /// The value, or what stands in for it.
    pub(super) fn settle(&self, value: Option<T>) -> Result<Option<T>, Reason> {
        match (value, self) {
            (Some(value), _) => Ok(Some(value)),
            (None, Self::Omit) => Ok(None),
            (None, Self::Default(value)) => Ok(Some(value.clone())),
            (None, Self::Refuse) => Err(Reason::ClaimMissing),
        }
    }
}
