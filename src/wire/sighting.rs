//! `POST /v1/sightings`: a batch of CloudEvents, one per subject and window (CloudEvents 1.0, JSON batch format).

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// The media type of a batch.
pub const CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// One CloudEvent. The receiver is idempotent by (`source`, `id`) and keeps the latest `last_seen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within `source`, and the same on every retry.
    pub id: String,
    /// The gateway, as a URI reference.
    pub source: String,
    /// Always [`SightingEvent::TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The subject's key, 64 hexadecimal digits.
    pub subject: String,
    /// RFC 3339 time of the last sighting in the window.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What was seen.
    pub data: Sighting,
}

/// What a gateway saw of one subject in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The exact issuer identifier.
    pub issuer: String,
    /// The exact `sub`.
    pub id: String,
    /// The account's id, where the directory told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// RFC 3339 time of the first request in the window.
    pub first_seen: String,
    /// RFC 3339 time of the last request in the window.
    pub last_seen: String,
    /// Requests in the window.
    pub count: u64,
}

impl SightingEvent {
    /// The event type of a sighting.
    pub const TYPE: &str = "dev.firstsight.subject.sighted";

    /// An event of `gateway` about the subject with `key`, last seen at `time`.
    pub fn new(id: String, gateway: &str, key: String, time: Timestamp, data: Sighting) -> Self {
        Self {
            specversion: "1.0".into(),
            id,
            source: format!("/gateways/{gateway}"),
            kind: Self::TYPE.into(),
            subject: key,
            time: time.rfc3339(),
            datacontenttype: "application/json".into(),
            data,
        }
    }
}
