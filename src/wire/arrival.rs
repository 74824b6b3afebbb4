//! `POST /v1/arrivals`: the gateway asks the directory for an account.

use crate::domain::{Kind, Subject, SubjectKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The body of `POST /v1/arrivals`. Idempotent by subject: any number of gateways and retries make one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Who was sighted.
    pub subject: ArrivalSubject,
    /// Person, service or agent.
    pub kind: Kind,
    /// Why the directory is asked.
    pub cause: Cause,
    /// Account attributes as the operator maps them; dotted names are nested objects.
    pub attributes: Map<String, Value>,
    /// Those of them (dotted names) that are for an account that is made now: one that exists keeps its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub initial: Vec<String>,
    /// RFC 3339 time at which the issuer made the token that the attributes are from: the newest has the last word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<String>,
    /// Digest of the mapping that made the attributes.
    pub mapping: String,
    /// RFC 3339 time of the sighting.
    pub sighted_at: String,
    /// Which gateway asks.
    pub gateway: String,
}

/// A subject as it is written in an [`Arrival`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalSubject {
    /// The exact issuer identifier.
    pub issuer: String,
    /// The exact `sub`.
    pub id: String,
    /// The subject's key, 64 hexadecimal digits (see [`SubjectKey`]).
    pub key: String,
}

impl ArrivalSubject {
    /// The subject whose key is `key`.
    pub fn of(subject: &Subject, key: SubjectKey) -> Self {
        Self {
            issuer: subject.issuer.as_str().to_owned(),
            id: subject.id.as_str().to_owned(),
            key: key.to_string(),
        }
    }
}

/// Why the directory is asked about a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// This gateway has not sighted the subject before, or no longer remembers it.
    Arrival,
    /// The gateway knows it, and its attributes are others now.
    Drift,
    /// The gateway remembers it, but its standing is too old to be relied on.
    Refresh,
}

impl Arrival {
    /// The `idempotency-key` header: a digest of the whole message, as a key that comes back with another message is an
    /// error to those who heed it. The same message sent again has the same key; what makes one account of the messages
    /// of many gateways is the subject.
    pub fn idempotency_key(&self) -> String {
        // Strings, numbers and maps with string keys always serialise.
        let message = serde_json::to_vec(self).unwrap_or_default();
        format!("{:x}", Sha256::digest(&message))
    }
}
