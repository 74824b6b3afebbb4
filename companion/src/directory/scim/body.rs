//! Bodies: JSON, names in the spelling of the schemas whatever case they came in (RFC 7643 §2.1), and whole resources
//! checked against them.

use super::failure::Failure;
use super::schema::ResourceType;
use super::{MEDIA_TYPE, external_id};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, header};
use scim_v2::case_insensitive::canonicalize_keys;
use scim_v2::models::errors::ScimType;
use scim_v2::models::group::Group;
use scim_v2::models::user::User;
use scim_v2::{Context, Validate};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The largest body, and the largest resource, in bytes.
pub(super) const LIMIT: usize = 1024 * 1024;
/// The longest user name, in characters.
const LONGEST_NAME: usize = 200;

/// Reads a body.
///
/// # Errors
/// 415 for another media type, 413 for too large a body, 400 `invalidSyntax` for what is no JSON object.
pub(super) fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, Failure> {
    if let Some(said) = headers.get(header::CONTENT_TYPE) {
        let media_type = said.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if ![MEDIA_TYPE, "application/json"].iter().any(|taken| taken.eq_ignore_ascii_case(media_type)) {
            return Err(Failure::media_type());
        }
    }
    let none = |detail| Failure::bad(ScimType::InvalidSyntax, detail);
    let mut value: Value = serde_json::from_slice(&body?).map_err(|_| none("The body is not JSON."))?;
    if !value.is_object() {
        return Err(none("The body is not an object."));
    }
    canonicalize_keys(&mut value).map_err(|_| none("An attribute is there twice, in different cases."))?;
    Ok(value)
}

/// A whole resource as a client writes it: without what only the service writes (RFC 7644 §3.3), checked, and without what
/// has no value. What it was `before` is no reason to refuse it: an arrival may have brought it, and whoever is to be shut
/// out can be, whatever they are called.
///
/// # Errors
/// 400 `invalidValue` with the attribute.
pub(super) fn resource(
    kind: ResourceType,
    value: Value,
    before: &Map<String, Value>,
    context: Context,
) -> Result<Map<String, Value>, Failure> {
    let checked = match kind {
        ResourceType::User => check::<User>(without_read_only(value), context),
        ResourceType::Group => check::<Group>(without_read_only(value), context),
    }?;
    let mut resource = kind.fit(&checked);
    if let Some(external_id) = checked.get("externalId").filter(|external_id| external_id.is_string()) {
        resource.insert("externalId".to_owned(), external_id.clone());
    }
    let changed = |name: &str| {
        let value = resource.get(name).filter(|value| before.get(name) != Some(value));
        value.and_then(Value::as_str)
    };
    if changed("externalId").is_some_and(|external_id| !external_id::fits(external_id)) {
        return Err(Failure::value("externalId", "1 to 2048 bytes without control characters"));
    }
    for name in ["userName", "displayName"] {
        let written = changed(name).unwrap_or_default();
        if written.chars().count() > LONGEST_NAME || written.chars().any(char::is_control) {
            return Err(Failure::value(name, "up to 200 characters, none of them for control"));
        }
    }
    let size = |resource: &Map<String, Value>| serde_json::to_vec(resource).map_or(0, |text| text.len());
    if size(&resource) > LIMIT.max(size(before)) {
        return Err(Failure::value("resource", "larger than what is kept"));
    }
    Ok(resource)
}

fn without_read_only(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        for name in ["id", "meta", "groups"] {
            members.remove(name);
        }
    }
    value
}

fn check<T: DeserializeOwned + Serialize + Validate>(
    value: Value,
    context: Context,
) -> Result<Map<String, Value>, Failure> {
    let resource: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        // What is missing is named by the parser alone; its other words may repeat what was sent.
        let missing = error.inner().to_string();
        let missing = missing.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        match missing {
            Some(name) => Failure::value(name, "is missing"),
            None => Failure::value(&path, "another type is wanted"),
        }
    })?;
    resource.validate_as(context)?;
    match serde_json::to_value(resource) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Failure::bad(ScimType::InvalidSyntax, "The body is not a resource.")),
    }
}
