//! Verified claims become an [`Identity`]: the headers the application gets and the attributes the directory gets, exactly
//! as the operator wrote them down. Knows no proxy and no account.

mod header;
mod managed;
mod rendering;

pub use header::{FilterStateRule, HeaderRule, HeaderSourceRule, WhenMissing};
pub use managed::Managed;
pub use rendering::{Format, NonAscii, Rendering, header_value};

use crate::domain::{AccountMember, ClaimPath, HeaderSource, Identity, Reason};
use crate::token::Claims;
use http::HeaderValue;
use serde_json::{Map, Value};

/// The operator's mapping, complete and without contradictions.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Claim (or account) to header, in the operator's order.
    pub headers: Vec<HeaderRule>,
    /// Claim (or account) to what the proxy's other filters and its log are told.
    pub filter_state: Vec<FilterStateRule>,
    /// Claim to account attribute.
    pub attributes: Vec<AttributeRule>,
    /// Digest of the attribute rules, sent with every arrival: which mapping made this account?
    pub digest: String,
}

/// One claim that becomes one account attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeRule {
    /// The attribute's name, split at its dots: `name.givenName` is `givenName` within `name`.
    pub attribute: Vec<String>,
    /// Where its value is; it is taken as it stands.
    pub claim: ClaimPath,
    /// What becomes of a token without it.
    pub when_missing: WhenMissing<Value>,
}

impl Mapping {
    /// Makes the identity that `claims` stand for. `payload` is the part of the token that they were read from, as it
    /// stands there.
    ///
    /// # Errors
    /// `ClaimMissing` if a claim is absent, or cannot become what a rule makes of it, and that rule says `refuse`.
    pub fn identify(&self, claims: &Claims, payload: &str) -> Result<Identity, Reason> {
        let mut headers = Vec::with_capacity(self.headers.len());
        for rule in &self.headers {
            let source = rule.source.of(claims, payload)?;
            headers.extend(source.map(|source| (rule.header.clone(), source)));
        }
        let mut filter_state = Vec::with_capacity(self.filter_state.len());
        for rule in &self.filter_state {
            let source = rule.source.of(claims, payload)?;
            filter_state.extend(source.map(|source| (rule.key.clone(), source)));
        }
        let lacks = |rule: &AttributeRule| rule.value(claims).is_none();
        if self.attributes.iter().any(|rule| rule.when_missing == WhenMissing::Refuse && lacks(rule)) {
            return Err(Reason::ClaimMissing);
        }
        let subject = claims.subject().clone();
        Ok(Identity {
            key: subject.key(),
            subject,
            kind: claims.kind(),
            headers,
            filter_state,
            fingerprint: None,
            issued_at: None,
        })
    }

    /// The account attributes of whom `claims` stand for, nested where their names are dotted. They are wanted only when
    /// the directory is asked.
    pub fn attributes(&self, claims: &Claims) -> Map<String, Value> {
        let mut attributes = Map::new();
        for rule in &self.attributes {
            if let Some(value) = rule.value(claims).or(rule.when_missing.default()) {
                insert(&mut attributes, &rule.attribute, value.clone());
            }
        }
        attributes
    }
}

impl HeaderSourceRule {
    fn of(&self, claims: &Claims, payload: &str) -> Result<Option<HeaderSource>, Reason> {
        Ok(match self {
            Self::AccountId => Some(HeaderSource::Account(AccountMember::Id)),
            Self::Claim { claim, rendering, when_missing } => {
                let value = claim.find(claims.members()).and_then(|value| rendering.render(value));
                when_missing.settle(value)?.map(HeaderSource::Claim)
            }
            Self::Payload { padded, max_bytes, when_missing } => {
                let value = payload_value(payload, *padded, *max_bytes);
                when_missing.settle(value)?.map(HeaderSource::Claim)
            }
        })
    }
}

impl AttributeRule {
    fn value<'a>(&self, claims: &'a Claims) -> Option<&'a Value> {
        self.claim.find(claims.members()).filter(|value| !value.is_null())
    }
}

fn payload_value(payload: &str, padded: bool, max_bytes: usize) -> Option<HeaderValue> {
    let fill = if padded { "=".repeat(payload.len().wrapping_neg() % 4) } else { String::new() };
    header_value(&format!("{payload}{fill}")).filter(|value| value.len() <= max_bytes)
}

/// Puts `value` at the nested place `path`; places within it are made where they are missing.
fn insert(members: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        members.insert(first.clone(), value);
    } else if let Value::Object(inner) = members.entry(first.clone()).or_insert_with(|| Map::new().into()) {
        insert(inner, rest, value);
    }
}
