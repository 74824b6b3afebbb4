//! A SCIM server's answers as they come: one resource, or a page of them (RFC 7644 §3.4.2), and how final a failure is.
//! Knows no attribute's meaning.

use crate::domain::{Reply, strict_object};
use serde_json::{Map, Value};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// A page of what was asked for.
pub(super) struct Page {
    /// How many there are on all pages.
    pub(super) total: u64,
    /// The place of this page's first one, counted from one, if the server says it.
    pub(super) start: Option<u64>,
    /// Those on this page.
    pub(super) resources: Vec<Map<String, Value>>,
}

impl Page {
    /// Reads a list; `None` if the answer is anything else, or says that there are some and shows none.
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        let mut list = object(reply).filter(|_| status(reply) == Some(200))?;
        let total = member(&list, "totalResults")?.as_u64()?;
        let start = member(&list, "startIndex").and_then(Value::as_u64);
        let key = key(&list, "Resources").unwrap_or_default();
        let resources = match list.remove(&key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.into_iter().map(members).collect::<Option<_>>()?,
            Some(_) => return None,
        };
        (total == 0 || !resources.is_empty()).then_some(Self { total, start, resources })
    }
}

/// The status of an answer.
pub(super) fn status(reply: &Reply) -> Option<u16> {
    match reply {
        Reply::Answer { status, .. } => Some(*status),
        Reply::Failed(_) => None,
    }
}

/// The resource that a success brings.
pub(super) fn resource(reply: &Reply) -> Option<Map<String, Value>> {
    object(reply).filter(|_| matches!(status(reply), Some(200 | 201)))
}

/// Whether a failure says nothing about what was asked: another time the same may succeed.
pub(super) fn is_passing(reply: &Reply) -> bool {
    match status(reply) {
        None | Some(401 | 408 | 429) => true,
        Some(501) => false,
        Some(status) => status >= 500,
    }
}

/// The error's `scimType` (RFC 7644 §3.12).
pub(super) fn says(reply: &Reply, scim_type: &str) -> bool {
    object(reply).is_some_and(|error| member(&error, "scimType").is_some_and(|said| said == scim_type))
}

/// A member by its name, whose case does not matter (RFC 7643 §2.1).
pub(super) fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(&key(members, name)?)
}

/// How a member's name is written here.
pub(super) fn key(members: &Map<String, Value>, name: &str) -> Option<String> {
    let exact = members.contains_key(name).then(|| name.to_owned());
    exact.or_else(|| members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned())
}

fn object(reply: &Reply) -> Option<Map<String, Value>> {
    match reply {
        Reply::Answer { body, .. } if body.len() <= LONGEST_ANSWER => strict_object(body),
        _ => None,
    }
}

fn members(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
