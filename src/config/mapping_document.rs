//! The rules of a mapping and of kinds as they are written, before anything is checked but their shape.

use super::document::Count;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HeaderDocument {
    pub(super) header: Option<String>,
    pub(super) claim: Option<String>,
    pub(super) account: Option<String>,
    pub(super) payload: Option<PayloadDocument>,
    pub(super) format: Option<FormatDocument>,
    pub(super) non_ascii: Option<NonAsciiDocument>,
    pub(super) map: Option<Map<String, Value>>,
    pub(super) map_others: Option<OthersDocument>,
    pub(super) when_missing: Option<FallbackDocument>,
    pub(super) when_malformed: Option<FallbackDocument>,
    pub(super) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilterStateDocument {
    pub(super) key: Option<String>,
    pub(super) claim: Option<String>,
    pub(super) account: Option<String>,
    pub(super) payload: Option<PayloadDocument>,
    pub(super) format: Option<FormatDocument>,
    pub(super) non_ascii: Option<NonAsciiDocument>,
    pub(super) map: Option<Map<String, Value>>,
    pub(super) map_others: Option<OthersDocument>,
    pub(super) when_missing: Option<FallbackDocument>,
    pub(super) when_malformed: Option<FallbackDocument>,
    pub(super) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AttributeDocument {
    pub(super) attribute: Option<String>,
    pub(super) claim: Option<String>,
    pub(super) map: Option<Map<String, Value>>,
    pub(super) map_others: Option<OthersDocument>,
    pub(super) format: Option<AttributeFormatDocument>,
    pub(super) max_bytes: Option<Count>,
    pub(super) max_items: Option<Count>,
    pub(super) when_missing: Option<FallbackDocument>,
    pub(super) when_malformed: Option<FallbackDocument>,
    pub(super) sync: Option<SyncDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KindsDocument {
    pub(super) agent: KindDocument,
    pub(super) service: KindDocument,
    pub(super) person: KindDocument,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KindDocument {
    pub(super) when: Option<Vec<SignDocument>>,
    pub(super) treatment: Option<TreatmentDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignDocument {
    pub(super) claim: Option<String>,
    pub(super) same_as: Option<String>,
    #[serde(deserialize_with = "written")]
    pub(super) equals: Option<Value>,
    pub(super) matches: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TreatmentDocument {
    Provision,
    Count,
    Refuse,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormatDocument {
    Plain,
    Csv,
    Json,
    Base64Json,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NonAsciiDocument {
    Utf8,
    Percent,
    Missing,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PayloadDocument {
    Base64url,
    Base64urlPadded,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FallbackDocument {
    Refuse,
    Omit,
    Default(Value),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AttributeFormatDocument {
    AsIs,
    Text,
    Csv,
    Json,
    List,
    Scim,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OthersDocument {
    Drop,
    Keep,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SyncDocument {
    Arrival,
    Always,
}

/// A `null` that is written is a value: a sign that said nothing would be one that asks for less.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
