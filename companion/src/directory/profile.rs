//! What an arrival makes of an account: which attributes it brings, and which stay. Knows neither HTTP nor the database.
//!
//! Arrivals of one subject come from several gateways, devices and clients, in any order. So attributes are a JSON Merge
//! Patch (RFC 7396), and the newest token has the last word.

use crate::clock;
use firstsight::domain::{Kind, Timestamp};
use firstsight::wire::Arrival;
use serde_json::{Map, Value};

/// What arrivals may change of an account; the default is nobody's yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Profile {
    /// The word for the kind, as it goes over the wire.
    pub(super) kind: String,
    pub(super) attributes: Map<String, Value>,
    /// The names of attributes that SCIM wrote: arrivals leave them as they are.
    pub(super) owned: Vec<String>,
    pub(super) mapping: String,
    /// When the issuer made the newest token that was heard of.
    pub(super) issued_at: Option<Timestamp>,
}

impl Profile {
    /// The profile after an arrival; the same one if the arrival says nothing new.
    ///
    /// - A token older than the newest changes nothing. Without `issued_at` nobody can tell, and it counts as newer; so it
    ///   does with the same second, as `iat` has no finer ones.
    /// - An attribute that is not there stays: another client's token may just not have the claim. Null takes it out.
    ///   Members of an object are attributes of their own.
    /// - One that SCIM wrote is SCIM's: whoever provisions has the last word.
    /// - One that is `initial` is for whoever has none: an account that was made before the mapping named it gets it too.
    pub(super) fn after(&self, arrival: &Arrival) -> Self {
        let issued_at = arrival.issued_at.as_deref().and_then(clock::parse);
        if issued_at.is_some() && issued_at < self.issued_at {
            return self.clone();
        }
        let mut patch = arrival.attributes.clone();
        patch.retain(|name, _| !self.owned.iter().any(|owned| owned.eq_ignore_ascii_case(name)));
        for name in &arrival.initial {
            if has(&self.attributes, name) {
                take_out(&mut patch, name);
            }
        }
        let mut attributes = self.attributes.clone();
        merge(&mut attributes, patch);
        Self {
            kind: word(arrival.kind),
            attributes,
            owned: self.owned.clone(),
            mapping: arrival.mapping.clone(),
            issued_at: issued_at.max(self.issued_at),
        }
    }

    /// What the account is found by as a user name; without one the subject's `sub` stands in for it.
    pub(super) fn user_name(&self, sub: &str) -> String {
        let said = self.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("userName"));
        lookup_key(said.and_then(|(_, value)| value.as_str()).unwrap_or(sub))
    }

    /// The dotted names of attributes that `other` does not have, or has with another value, or has alone; sorted.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        differences(&self.attributes, &other.attributes)
    }
}

/// The dotted names of what one has and the other has not, or has with another value; sorted.
pub(super) fn differences(one: &Map<String, Value>, other: &Map<String, Value>) -> Vec<String> {
    let (mut names, mut path) = (Vec::new(), String::new());
    compare(one, other, &mut path, &mut names);
    names.sort_unstable();
    names
}

/// What text without case is found by: in lower case, and no longer than an index takes. Others may have the same.
pub(super) fn lookup_key(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| *c != '\0').take(200).collect()
}

fn compare(one: &Map<String, Value>, other: &Map<String, Value>, path: &mut String, names: &mut Vec<String>) {
    let (nothing, length) = (Map::new(), path.len());
    for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
        let (before, after) = (one.get(name), other.get(name));
        path.push_str(name);
        match (before.and_then(Value::as_object), after.and_then(Value::as_object)) {
            _ if before == after => {}
            (None, None) => names.push(path.clone()),
            (before, after) => {
                path.push('.');
                compare(before.unwrap_or(&nothing), after.unwrap_or(&nothing), path, names);
            }
        }
        path.truncate(length);
    }
}

fn has(attributes: &Map<String, Value>, dotted: &str) -> bool {
    match dotted.split_once('.') {
        None => attributes.contains_key(dotted),
        Some((name, rest)) => {
            attributes.get(name).and_then(Value::as_object).is_some_and(|members| has(members, rest))
        }
    }
}

fn take_out(attributes: &mut Map<String, Value>, dotted: &str) {
    match dotted.split_once('.') {
        None => drop(attributes.remove(dotted)),
        Some((name, rest)) => {
            if let Some(members) = attributes.get_mut(name).and_then(Value::as_object_mut) {
                take_out(members, rest);
            }
        }
    }
}

fn merge(attributes: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (value, attributes.get_mut(&name)) {
            (Value::Null, _) => drop(attributes.remove(&name)),
            (Value::Object(patch), Some(Value::Object(members))) => merge(members, patch),
            (Value::Object(patch), _) => {
                let mut members = Map::new();
                merge(&mut members, patch);
                attributes.insert(name, Value::Object(members));
            }
            (value, _) => drop(attributes.insert(name, value)),
        }
    }
}

fn word(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_are_merged_as_rfc_7396_has_it() {
        // Those of its appendix A whose target and patch are objects.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut attributes = target.as_object().unwrap().clone();
            merge(&mut attributes, patch.as_object().unwrap().clone());
            assert_eq!(Value::Object(attributes), result, "{target} {patch}");
        }
    }

    #[test]
    fn differences_are_names_and_members_of_an_object_have_names_of_their_own() {
        let profile = |attributes: Value| Profile {
            attributes: attributes.as_object().unwrap().clone(),
            ..Profile::default()
        };
        for (before, after, names) in [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (json!({"a": 1, "b": 2}), json!({"b": 3, "c": 4}), vec!["a", "b", "c"]),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "c": 3}}), vec!["a.c"]),
            (json!({}), json!({"a": {"b": 1}}), vec!["a.b"]),
            (json!({"a": {"b": 1}}), json!({"a": 1}), vec!["a.b"]),
            (json!({"a": [1]}), json!({"a": [2]}), vec!["a"]),
        ] {
            assert_eq!(
                profile(before.clone()).differences(&profile(after.clone())),
                names,
                "{before} {after}"
            );
        }
    }
}
