//! The rules of a mapping and of kinds as they are written, before anything is checked but their shape.

use super::amounts::Count;
#[cfg(feature = "schema")]
use crate::config::schema;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["header"])))]
pub(in crate::config) struct HeaderDocument {
    /// Its name; `_` counts as `-`.
    pub(in crate::config) header: Option<String>,
    /// The claim: `email`, `realm_access.roles`, or a JSON Pointer.
    pub(in crate::config) claim: Option<String>,
    /// Instead of `claim`: `id`, or `headers.NAME` of the directory's answer.
    pub(in crate::config) account: Option<String>,
    /// Instead of `claim`: the verified token's payload exactly as it stands in the token.
    pub(in crate::config) payload: Option<PayloadDocument>,
    /// How the claim becomes text.
    pub(in crate::config) format: Option<FormatDocument>,
    /// Of `plain` and `csv`: as it is, encoded, or taken for missing.
    pub(in crate::config) non_ascii: Option<NonAsciiDocument>,
    /// Other words, for a value or each item of a list.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::words"))]
    pub(in crate::config) map: Option<Map<String, Value>>,
    /// What becomes of what is not in the map.
    pub(in crate::config) map_others: Option<OthersDocument>,
    /// What becomes of a token without the claim.
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    /// The same for a claim of a type or size that cannot be sent; as `when_missing`.
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    /// A longer value is malformed.
    pub(in crate::config) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["key"])))]
pub(in crate::config) struct FilterStateDocument {
    /// Letters, digits, `-`, `_` and `.`.
    pub(in crate::config) key: Option<String>,
    /// The claim: `email`, `realm_access.roles`, or a JSON Pointer.
    pub(in crate::config) claim: Option<String>,
    /// Instead of `claim`: `id`, or `headers.NAME` of the directory's answer.
    pub(in crate::config) account: Option<String>,
    /// Instead of `claim`: the verified token's payload exactly as it stands in the token.
    pub(in crate::config) payload: Option<PayloadDocument>,
    /// How the claim becomes text.
    pub(in crate::config) format: Option<FormatDocument>,
    /// Of `plain` and `csv`: as it is, encoded, or taken for missing.
    pub(in crate::config) non_ascii: Option<NonAsciiDocument>,
    /// Other words, for a value or each item of a list.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::words"))]
    pub(in crate::config) map: Option<Map<String, Value>>,
    /// What becomes of what is not in the map.
    pub(in crate::config) map_others: Option<OthersDocument>,
    /// What becomes of a token without the claim.
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    /// The same for a claim of a type or size that cannot be sent; as `when_missing`.
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    /// A longer value is malformed.
    pub(in crate::config) max_bytes: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["attribute", "claim"])))]
pub(in crate::config) struct AttributeDocument {
    /// Its name; dots nest.
    pub(in crate::config) attribute: Option<String>,
    /// The claim: `email`, `realm_access.roles`, or a JSON Pointer.
    pub(in crate::config) claim: Option<String>,
    /// Other words, for a value or each item of a list.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::words"))]
    pub(in crate::config) map: Option<Map<String, Value>>,
    /// What becomes of what is not in the map.
    pub(in crate::config) map_others: Option<OthersDocument>,
    /// How the claim becomes the attribute.
    pub(in crate::config) format: Option<AttributeFormatDocument>,
    /// Longer JSON is malformed.
    pub(in crate::config) max_bytes: Option<Count>,
    /// A longer list is malformed.
    pub(in crate::config) max_items: Option<Count>,
    /// What becomes of a token without the claim.
    pub(in crate::config) when_missing: Option<FallbackDocument>,
    /// The same for a claim that the format does not take; as `when_missing`.
    pub(in crate::config) when_malformed: Option<FallbackDocument>,
    /// `arrival`: for an account that is made now; `always`: the account follows the claim.
    pub(in crate::config) sync: Option<SyncDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct KindsDocument {
    /// Who acts for somebody; tried first.
    pub(in crate::config) agent: KindDocument,
    /// Client credentials; tried second.
    pub(in crate::config) service: KindDocument,
    /// Everybody else.
    pub(in crate::config) person: KindDocument,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct KindDocument {
    /// Signs, one is enough; with none nobody is one.
    pub(in crate::config) when: Option<Vec<SignDocument>>,
    /// `provision`: an account is made; `count`: goes on without one; `refuse`: 403.
    pub(in crate::config) treatment: Option<TreatmentDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["claim"])))]
pub(in crate::config) struct SignDocument {
    /// It is there.
    pub(in crate::config) claim: Option<String>,
    /// It says the same as this claim.
    pub(in crate::config) same_as: Option<String>,
    /// It has this value, or one of these.
    #[serde(deserialize_with = "written")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::any_of"))]
    pub(in crate::config) equals: Option<Value>,
    /// Its text matches this pattern.
    pub(in crate::config) matches: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum TreatmentDocument {
    Provision,
    Count,
    Refuse,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FormatDocument {
    Plain,
    Csv,
    Json,
    Base64Json,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum NonAsciiDocument {
    Utf8,
    Percent,
    Missing,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum PayloadDocument {
    Base64url,
    Base64urlPadded,
}

#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FallbackDocument {
    Refuse,
    Omit,
    Default(Value),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OthersDocument {
    Drop,
    Keep,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum SyncDocument {
    Arrival,
    Always,
}

/// A `null` that is written is a value: a sign that said nothing would be one that asks for less.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
