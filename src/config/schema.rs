//! The JSON Schema (2020-12) of a configuration, from the types that it is read into. It says what can be said of a shape;
//! the last word is `compile`'s.

use super::document::{Count, Document, Range, Span};
use crate::token::{ALGORITHMS, Algorithm};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What editors and pipelines check a configuration with before a proxy sees it.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), json!("firstsight's plugin configuration"));
    schema.to_value()
}

/// Closes objects, as a key that is not known is a mistake; and takes out what the reader's types say of absence: it knows
/// a member that is `null` or has its type's own default as one that is not there.
fn tidy(schema: &mut Schema) {
    schema.remove("default");
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        match choices.as_mut_slice() {
            [Value::Object(only)] => schema.ensure_object().append(only),
            _ => drop(schema.insert("anyOf".to_owned(), Value::Array(choices))),
        }
    }
}

/// How a span of time is written, as far as its bounds allow: nothing shorter than milliseconds is kept.
const SPAN: &str = r"(\s*[0-9]+(\.[0-9]+)?\s*(millis|msec|ms|seconds|second|secs|sec|s|minutes|minute|mins|min|m|hours|hour|hrs|hr|h|days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y))+\s*";

impl<const LEAST: u64, const MOST: u64> JsonSchema for Span<LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        let [least, most] = Self::BOUNDS.map(humantime::format_duration);
        format!("SpanFrom{least}To{most}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [least, most] = Self::BOUNDS.map(humantime::format_duration);
        let description = format!("A span of time within {least} and {most}.");
        json_schema!({"description": description, "type": "string", "pattern": format!("^{SPAN}$")})
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "From a pause to the longest one that it grows to: \"100ms..2s\".";
        json_schema!({"description": description, "type": "string", "pattern": format!(r"^{SPAN}\.\.{SPAN}$")})
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": u32::MAX})
    }
}

pub(super) fn algorithms(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<_> = ALGORITHMS.iter().copied().map(Algorithm::name).collect();
    json_schema!({"type": "array", "minItems": 1, "items": {"enum": names}})
}

/// A JSON Web Key Set (RFC 7517 §5).
pub(super) fn keys(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "required": ["keys"], "additionalProperties": true,
        "properties": {"keys": {"type": "array", "items": {"type": "object"}}}
    })
}

/// What a claim is compared with.
pub(super) fn any_of(_: &mut SchemaGenerator) -> Schema {
    let comparable = ["string", "number", "boolean"];
    json_schema!({"oneOf": [
        {"type": comparable}, {"type": "array", "minItems": 1, "items": {"type": comparable}}
    ]})
}

/// Claims, each with what it is compared with.
pub(super) fn claims(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": any_of(generator)})
}

/// Words for words.
pub(super) fn words(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}})
}

/// One of each pair is required.
pub(super) fn either(pairs: [[&str; 2]; 2]) -> Value {
    pairs.map(|pair| json!({"anyOf": pair.map(|key| json!({"required": [key]}))})).to_vec().into()
}
