//! Claims that were verified. There is no other way to get them.

use super::validity::{ceiling, numeric_date};
use super::{KeyId, Validity};
use crate::domain::{Subject, Timestamp};
use serde_json::{Map, Value};

/// What a verified token says. Has no `Debug`: claim values are never logged.
#[derive(Clone, PartialEq)]
pub struct Claims {
    subject: Subject,
    validity: Validity,
    key: KeyId,
    members: Map<String, Value>,
}

impl Claims {
    /// Only [`Trust::verify`](super::Trust::verify) calls this.
    pub(super) fn verified(
        subject: Subject,
        validity: Validity,
        key: KeyId,
        members: Map<String, Value>,
    ) -> Self {
        Self { subject, validity, key, members }
    }

    /// Who the token is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// When the token may be used.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The key it was signed with: without it the token is no longer believed.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// All claims by name.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// When the token was made (`iat`), if it says so.
    pub fn issued_at(&self) -> Option<Timestamp> {
        numeric_date(&self.members, "iat").ok().flatten().map(ceiling)
    }
}
