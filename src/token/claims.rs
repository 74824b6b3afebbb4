//! Claims that were verified. There is no other way to get them.

use super::{KeyId, Validity};
use crate::domain::{Kind, Subject};
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

    /// An agent acts for somebody (`act`, RFC 8693 §4.1); a service acts for itself, its `sub` being its own `client_id`
    /// (RFC 9068 §2.2); everybody else is a person.
    pub fn kind(&self) -> Kind {
        let is_own_client =
            |name: &str| self.members.get(name).and_then(Value::as_str) == Some(self.subject.id.as_str());
        if self.members.contains_key("act") {
            Kind::Agent
        } else if is_own_client("client_id") || is_own_client("azp") {
            Kind::Service
        } else {
            Kind::Person
        }
    }
}
