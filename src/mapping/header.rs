//! The headers of the application, and what becomes of one that has no value.

use super::value_map::mapped;
use super::{Fallbacks, Lack, Rendering, ValueMap, header_value};
use crate::domain::{AccountMember, ClaimPath, HeaderSource, Reason};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use std::borrow::Cow;
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
        /// Other words for what it says.
        map: Option<ValueMap>,
        /// How it is written.
        rendering: Rendering,
        /// What becomes of a token without a usable value.
        fallbacks: Fallbacks<HeaderValue>,
    },
    /// The token's payload exactly as the token holds it, in base64url (RFC 7515 §3.1).
    Payload {
        /// Whether `=` fills up the last quantum, which a token itself does without.
        padded: bool,
        /// The longest value that is sent, in bytes.
        max_bytes: usize,
        /// What becomes of a token whose payload is longer.
        fallbacks: Fallbacks<HeaderValue>,
    },
    /// Something of the account, as the directory tells it; not sent while it has told none.
    Account(AccountMember),
}

impl HeaderSourceRule {
    /// Where the value is from that is sent for this token; `None` if none is sent.
    pub(super) fn of(
        &self,
        claims: &Map<String, Value>,
        payload: &str,
    ) -> Result<Option<HeaderSource>, Reason> {
        Ok(match self {
            Self::Account(member) => Some(HeaderSource::Account(*member)),
            Self::Claim { claim, map, rendering, fallbacks } => {
                let value = claim.find(claims).and_then(|value| mapped(value, map.as_ref()));
                let value = value.ok_or(Lack::Missing).and_then(|value| rendering.render(&value));
                fallbacks.settle(value.map(Cow::Owned))?.map(Cow::into_owned).map(HeaderSource::Claim)
            }
            Self::Payload { padded, max_bytes, fallbacks } => {
                let value = payload_value(payload, *padded, *max_bytes).ok_or(Lack::Malformed);
                fallbacks.settle(value.map(Cow::Owned))?.map(Cow::into_owned).map(HeaderSource::Claim)
            }
        })
    }
}

fn payload_value(payload: &str, padded: bool, max_bytes: usize) -> Option<HeaderValue> {
    let fill = if padded { "=".repeat(payload.len().wrapping_neg() % 4) } else { String::new() };
    header_value(&format!("{payload}{fill}")).filter(|value| value.len() <= max_bytes)
}
