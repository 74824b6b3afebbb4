//! The rules of a mapping and of kinds as they are written, before anything is checked but their shape.

use super::amounts::Count;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct HeaderDocument {
    pub(in crate::config) header: Option<String>,
    pub(in crate::config) claim: Option<String>,
    pub(in crate::config) account: Option<String>,
    pub(in crate::config) payload: Option<PayloadDocument>,
    pub(in crate::config) format: Option<FormatDocument>,
    pub(in crate::config) non_ascii: Option<NonAsciiDocument>,
    pub(in crate::config) map: Option<Map<String, Value>>,
    pub(in crate::config) map_others: Option<OthersDocument>,
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    pub(in crate::config) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct FilterStateDocument {
    pub(in crate::config) key: Option<String>,
    pub(in crate::config) claim: Option<String>,
    pub(in crate::config) account: Option<String>,
    pub(in crate::config) payload: Option<PayloadDocument>,
    pub(in crate::config) format: Option<FormatDocument>,
    pub(in crate::config) non_ascii: Option<NonAsciiDocument>,
    pub(in crate::config) map: Option<Map<String, Value>>,
    pub(in crate::config) map_others: Option<OthersDocument>,
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    pub(in crate::config) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct AttributeDocument {
    pub(in crate::config) attribute: Option<String>,
    pub(in crate::config) claim: Option<String>,
    pub(in crate::config) map: Option<Map<String, Value>>,
    pub(in crate::config) map_others: Option<OthersDocument>,
    pub(in crate::config) format: Option<AttributeFormatDocument>,
    pub(in crate::config) max_bytes: Option<Count>,
    pub(in crate::config) max_items: Option<Count>,
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    pub(in crate::config) sync: Option<SyncDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct KindsDocument {
    pub(in crate::config) agent: KindDocument,
    pub(in crate::config) service: KindDocument,
    pub(in crate::config) person: KindDocument,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct KindDocument {
    pub(in crate::config) when: Option<Vec<SignDocument>>,
    pub(in crate::config) treatment: Option<TreatmentDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct SignDocument {
    pub(in crate::config) claim: Option<String>,
    pub(in crate::config) same_as: Option<String>,
    #[serde(deserialize_with = "written")]
    pub(in crate::config) equals: Option<Value>,
    pub(in crate::config) matches: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum TreatmentDocument {
    Provision,
    Count,
    Refuse,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FormatDocument {
    Plain,
    Csv,
    Json,
    Base64Json,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum NonAsciiDocument {
    Utf8,
    Percent,
    Missing,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum PayloadDocument {
    Base64url,
    Base64urlPadded,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FallbackDocument {
    Refuse,
    Omit,
    Default(Value),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum AttributeFormatDocument {
    AsIs,
    Text,
    Csv,
    Json,
    List,
    Scim,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OthersDocument {
    Drop,
    Keep,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum SyncDocument {
    Arrival,
    Always,
}

/// A `null` that is written is a value: a sign that said nothing would be one that asks for less.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
