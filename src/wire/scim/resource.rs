//! A user as it is read, made and replaced (RFC 7643 §3.1, §4.1). What a server says of itself is believed only where it
//! can go into a header and a path.

use super::compare::overlay;
use super::names::{is_plural, is_reserved, is_urn};
use super::reply::{key, member};
use crate::domain::{ClaimPath, is_header_text};
use crate::wire::answer::LONGEST_TEXT;
use http::HeaderValue;
use serde_json::{Map, Value, json};

/// An account that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    /// The directory's id of it, which goes into headers and paths.
    pub(super) id: String,
    /// Its version, if it says one that can be a header (RFC 7643 §3.1, `meta.version`).
    pub(super) version: Option<HeaderValue>,
    /// Whether its owner may use it.
    pub(super) active: bool,
    /// All of it.
    pub(super) members: Map<String, Value>,
}

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

impl Resource {
    /// Reads an account; `None` if its id is none that can be used, or it cannot be told whether it is active.
    pub(super) fn read(members: Map<String, Value>) -> Option<Self> {
        let id = usable_id(member(&members, "id")?)?;
        let version = member(&members, "meta")
            .and_then(|meta| member(meta.as_object()?, "version")?.as_str())
            .filter(|version| version.len() <= LONGEST_TEXT)
            .and_then(|version| HeaderValue::from_str(version).ok());
        let active = is_active(&members)?;
        Some(Self { id, version, active, members })
    }

    /// Whether this is the account of that external id, to the letter.
    pub(super) fn is_of(members: &Map<String, Value>, external_id: &str) -> bool {
        member(members, "externalId").is_some_and(|said| said == external_id)
    }

    /// The whole of it with `attributes` in their new state, without what only the directory writes.
    pub(super) fn replacement(&self, attributes: &Map<String, Value>) -> Value {
        let mut whole = self.members.clone();
        for own in ["id", "meta", "groups"] {
            key(&whole, own).and_then(|key| whole.remove(&key));
        }
        overlay(&mut whole, attributes);
        let schemas = key(&whole, "schemas").unwrap_or_else(|| "schemas".to_owned());
        if let Value::Array(named) = whole.entry(schemas).or_insert_with(|| json!([USER])) {
            let missing = |urn: &&String| !named.iter().any(|known| known == urn.as_str());
            let missing: Vec<_> = urns(attributes).filter(missing).map(|urn| json!(urn)).collect();
            named.extend(missing);
        }
        whole.into()
    }
}

/// The account that is made of `attributes`. A user has a `userName` (RFC 7643 §4.1.1): without one it is the external id.
pub(super) fn creation(external_id: &str, attributes: &Map<String, Value>) -> Value {
    let mut user = attributes.clone();
    let extensions = urns(attributes).map(String::as_str);
    user.insert("schemas".to_owned(), std::iter::once(USER).chain(extensions).collect());
    user.insert("externalId".to_owned(), external_id.into());
    user.insert("active".to_owned(), true.into());
    if key(&user, "userName").is_none() {
        user.insert("userName".to_owned(), external_id.into());
    }
    user.into()
}

/// A mapping's attributes in SCIM's shape: what it may not write and what has no value is left out, and what has many
/// values is a list of objects with a `value`, so that `emails` may be mapped from one claim.
pub fn shaped(mapped: &Map<String, Value>) -> Map<String, Value> {
    let written = mapped.iter().filter(|(name, value)| !value.is_null() && !is_reserved(name));
    let shaped = written.map(|(name, value)| match value {
        Value::Array(items) if is_plural(name) => (name.clone(), items.iter().map(valued).collect()),
        value if is_plural(name) => (name.clone(), Value::Array(vec![valued(value)])),
        value => (name.clone(), value.clone()),
    });
    shaped.collect()
}

/// `attributes` less those that are only for a new account.
pub(super) fn kept(attributes: &Map<String, Value>, initial: &[String]) -> Map<String, Value> {
    let mut kept = attributes.clone();
    for name in initial {
        if let Ok(place) = ClaimPath::parse(name) {
            remove(&mut kept, place.steps());
        }
    }
    kept
}

/// An id that can go into a path and a header, and that can be remembered for every subject. Dots alone would lead a path
/// somewhere else.
pub(super) fn usable_id(said: &Value) -> Option<String> {
    let id = said.as_str()?;
    let fits = id.len() <= LONGEST_TEXT && is_header_text(id) && id != "." && id != "..";
    fits.then(|| id.to_owned())
}

/// Whether the account is active: it is unless it says otherwise (RFC 7643 §4.1.1). `None` if what it says is neither.
pub(super) fn is_active(members: &Map<String, Value>) -> Option<bool> {
    match member(members, "active") {
        None | Some(Value::Null) => Some(true),
        Some(Value::Bool(active)) => Some(*active),
        Some(Value::String(text)) => text.to_ascii_lowercase().parse().ok(),
        Some(_) => None,
    }
}

fn urns(attributes: &Map<String, Value>) -> impl Iterator<Item = &String> {
    attributes.keys().filter(|name| is_urn(name))
}

fn valued(item: &Value) -> Value {
    match item {
        Value::Object(_) => item.clone(),
        value => json!({ "value": value }),
    }
}

fn remove(members: &mut Map<String, Value>, path: &[String]) {
    match path {
        [] => {}
        [last] => {
            members.remove(last);
        }
        [first, rest @ ..] => {
            if let Some(Value::Object(inner)) = members.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_id_that_cannot_go_into_a_header_or_a_path_is_none() {
        for bad in ["", ".", "..", " a", "a\n", "a\u{85}b", &"x".repeat(257)] {
            assert_eq!(usable_id(&json!(bad)), None, "{bad:?}");
        }
        assert_eq!(usable_id(&json!(7)), None);
        assert_eq!(usable_id(&json!("2819c223-7f76")).as_deref(), Some("2819c223-7f76"));
    }

    #[test]
    fn an_account_is_active_unless_it_says_otherwise() {
        for (said, active) in [
            (json!({}), Some(true)),
            (json!({"active": null}), Some(true)),
            (json!({"Active": false}), Some(false)),
            (json!({"active": "False"}), Some(false)),
            (json!({"active": "perhaps"}), None),
            (json!({"active": 0}), None),
        ] {
            assert_eq!(is_active(&map(said.clone())), active, "{said}");
        }
    }

    #[test]
    fn what_has_many_values_is_a_list_however_it_was_mapped() {
        let mapped = json!({"emails": "j@x", "roles": ["a", {"value": "b"}], "title": "t", "nickName": null});
        let shape =
            json!({"emails": [{"value": "j@x"}], "roles": [{"value": "a"}, {"value": "b"}], "title": "t"});
        assert_eq!(Value::Object(shaped(&map(mapped))), shape);
    }

    #[test]
    fn a_replacement_is_the_whole_account_without_what_only_the_directory_writes() {
        let read = json!({"schemas": [USER], "id": "1", "meta": {"version": "W/\"1\""}, "Groups": [], "title": "t",
                          "name": {"givenName": "J", "familyName": "D"}});
        let resource = Resource::read(map(read)).unwrap();
        let changed = json!({"name": {"givenName": "K"}, "urn:acme:2.0:User": {"team": "x"}});
        assert_eq!(
            resource.replacement(&map(changed)),
            json!({"schemas": [USER, "urn:acme:2.0:User"], "title": "t", "urn:acme:2.0:User": {"team": "x"},
                   "name": {"givenName": "K", "familyName": "D"}})
        );
    }
}
