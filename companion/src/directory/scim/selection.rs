//! Which attributes of a resource are shown (RFC 7644 §3.9): all, some, or all but some. What is always returned stays.

use super::failure::Failure;
use super::schema::{Place, ResourceType};
use scim_v2::filter::PatchPath;
use serde_json::{Map, Value};

/// Names of attributes; those that mean nothing are passed over.
#[derive(Debug, PartialEq)]
pub(super) enum Selection {
    All,
    Only(Vec<String>),
    Without(Vec<String>),
}

/// Returned whatever is asked for (RFC 7643 §3.1, §7).
const ALWAYS: [&str; 2] = ["schemas", "id"];

impl Selection {
    /// # Errors
    /// 400 if both are given: they exclude each other.
    pub(super) fn of(only: Vec<String>, without: Vec<String>) -> Result<Self, Failure> {
        match (only.is_empty(), without.is_empty()) {
            (true, true) => Ok(Self::All),
            (false, true) => Ok(Self::Only(only)),
            (true, false) => Ok(Self::Without(without)),
            (false, false) => Err(Failure::value("excludedAttributes", "not together with attributes")),
        }
    }

    /// Whether an attribute at the top is shown, at least in part.
    pub(super) fn shows(&self, kind: ResourceType, name: &str) -> bool {
        let whole = |place: &Place| place.below.is_none();
        let is_it = |place: &Place| place.attribute.is_some_and(|attribute| attribute.is(name));
        match self {
            Self::All => true,
            Self::Only(names) => places(kind, names).any(|place| is_it(&place)),
            Self::Without(names) => !places(kind, names).any(|place| is_it(&place) && whole(&place)),
        }
    }

    /// What is shown of a resource.
    pub(super) fn of_resource(
        &self,
        kind: ResourceType,
        mut resource: Map<String, Value>,
    ) -> Map<String, Value> {
        match self {
            Self::All => resource,
            Self::Without(names) => {
                for place in places(kind, names) {
                    take_out(&mut resource, &place);
                }
                resource
            }
            Self::Only(names) => {
                let mut shown = Map::new();
                for name in ALWAYS {
                    shown.extend(resource.get(name).map(|value| (name.to_owned(), value.clone())));
                }
                for place in places(kind, names) {
                    put_in(&mut shown, &resource, &place);
                }
                shown
            }
        }
    }
}

fn places(kind: ResourceType, names: &[String]) -> impl Iterator<Item = Place> {
    names.iter().filter_map(move |name| match name.parse() {
        Ok(PatchPath::Attr(path)) => kind.find(&path),
        _ => None,
    })
}

fn take_out(resource: &mut Map<String, Value>, place: &Place) {
    let Some(attribute) = place.attribute else {
        drop(place.extension.and_then(|urn| resource.remove(urn)));
        return;
    };
    if ALWAYS.iter().any(|name| attribute.is(name)) && place.extension.is_none() {
        return;
    }
    let within = match place.extension {
        Some(urn) => resource.get_mut(urn).and_then(Value::as_object_mut),
        None => Some(resource),
    };
    let Some(within) = within else { return };
    match place.below {
        None => drop(within.remove(&attribute.name)),
        Some(below) => {
            let take =
                |value: &mut Value| drop(value.as_object_mut().map(|members| members.remove(&below.name)));
            match within.get_mut(&attribute.name) {
                Some(Value::Array(values)) => values.iter_mut().for_each(take),
                Some(value) => take(value),
                None => {}
            }
        }
    }
}

fn put_in(shown: &mut Map<String, Value>, resource: &Map<String, Value>, place: &Place) {
    let there = match place.extension {
        Some(urn) => resource.get(urn).and_then(Value::as_object),
        None => Some(resource),
    };
    let Some(there) = there else { return };
    let Some(attribute) = place.attribute else {
        shown.extend(place.extension.map(|urn| (urn.to_owned(), Value::Object(there.clone()))));
        return;
    };
    let Some(value) = there.get(&attribute.name) else { return };
    let within = match place.extension {
        Some(urn) => {
            let extension = shown.entry(urn).or_insert_with(|| Map::new().into());
            let Some(extension) = extension.as_object_mut() else { return };
            extension
        }
        None => shown,
    };
    let Some(below) = place.below else {
        within.insert(attribute.name.clone(), value.clone());
        return;
    };
    let part = |value: &Value| value.get(&below.name).cloned();
    let empty = || match value {
        Value::Array(values) => values.iter().map(|_| Value::Object(Map::new())).collect(),
        _ => Value::Object(Map::new()),
    };
    let put = |into: &mut Value, from: &Value| {
        if let (Some(members), Some(part)) = (into.as_object_mut(), part(from)) {
            members.insert(below.name.clone(), part);
        }
    };
    match (within.entry(&attribute.name).or_insert_with(empty), value) {
        (Value::Array(into), Value::Array(from)) => {
            into.iter_mut().zip(from).for_each(|(into, from)| put(into, from))
        }
        (into, from) => put(into, from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn jane() -> Map<String, Value> {
        let jane = json!({
            "schemas": [], "id": "1", "userName": "jane", "name": {"givenName": "Jane", "familyName": "Doe"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}], ENTERPRISE: {"department": "d", "division": "v"},
        });
        jane.as_object().unwrap().clone()
    }

    fn only(names: &[&str]) -> Value {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Selection::Only(names).of_resource(ResourceType::User, jane()).into()
    }

    fn without(names: &[&str]) -> Value {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Selection::Without(names).of_resource(ResourceType::User, jane()).into()
    }

    #[test]
    fn only_what_is_asked_for_is_shown_and_what_is_always_returned() {
        let whole = only(&["USERNAME", "name.givenName", "shoeSize", "emails.type"]);
        assert_eq!(
            whole,
            json!({"schemas": [], "id": "1", "userName": "jane", "name": {"givenName": "Jane"},
                   "emails": [{"type": "work"}, {}]})
        );
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(only(&[&department]), json!({"schemas": [], "id": "1", ENTERPRISE: {"department": "d"}}));
        assert_eq!(only(&[ENTERPRISE])[ENTERPRISE], jane()[ENTERPRISE]);
    }

    #[test]
    fn what_is_not_wanted_is_left_out_but_for_what_is_always_returned() {
        assert_eq!(
            without(&["id", "schemas", "userName", "name.givenName", ENTERPRISE, "emails.value"]),
            json!({"schemas": [], "id": "1", "name": {"familyName": "Doe"}, "emails": [{"type": "work"}, {}]})
        );
    }
}
