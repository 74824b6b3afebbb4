//! Whether an account's attributes are as the mapping has them, and what would make them so: compared as SCIM compares
//! (RFC 7643 §2). What the directory adds of its own is no difference.

use super::names::{is_name, is_urn};
use super::reply::{key, member};
use serde_json::{Map, Value, json};

/// The operations (RFC 7644 §3.5.2) that bring `have` into the state of `want`; none if it is in it.
pub(super) fn operations(have: &Map<String, Value>, want: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    for (name, wanted) in want {
        let there = member(have, name);
        match wanted {
            // Extensions are no attributes: theirs are written one by one, even where there is none yet.
            Value::Object(inner) if is_urn(name) && inner.keys().all(|name| is_name(name)) => {
                let there = there.and_then(Value::as_object);
                for (below, wanted) in inner {
                    let there = there.and_then(|there| member(there, below));
                    attribute(format!("{name}:{below}"), wanted, there, Text::of(below), &mut found);
                }
            }
            _ => attribute(name.clone(), wanted, there, Text::of(name), &mut found),
        }
    }
    found
}

/// Writes `want` over `have`, where it differs.
pub(super) fn overlay(have: &mut Map<String, Value>, want: &Map<String, Value>) {
    for (name, wanted) in want {
        let name_there = key(have, name).unwrap_or_else(|| name.clone());
        if is_same(wanted, have.get(&name_there), Text::of(name)) {
            continue;
        }
        match (wanted, have.get_mut(&name_there)) {
            (Value::Object(wanted), Some(Value::Object(there))) => overlay(there, wanted),
            _ => {
                have.insert(name_there, wanted.clone());
            }
        }
    }
}

/// How text is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Exact,
    /// Servers may keep these in lower case, and take both for the same (RFC 7643 §4.1.1, §4.1.2).
    AnyCase,
}

impl Text {
    fn of(name: &str) -> Self {
        let any_case = ["userName", "emails"].iter().any(|other| other.eq_ignore_ascii_case(name));
        if any_case { Self::AnyCase } else { Self::Exact }
    }
}

/// The most pairs that two lists are compared by.
const MOST_PAIRS: usize = 1 << 16;

/// A path has one name below an attribute's at the most (RFC 7644 §3.10), and names from a claim must mean nothing in it.
fn attribute(path: String, want: &Value, have: Option<&Value>, text: Text, found: &mut Vec<Value>) {
    match (want, have) {
        (Value::Object(wanted), Some(Value::Object(there))) if wanted.keys().all(|name| is_name(name)) => {
            for (below, wanted) in wanted {
                let there = member(there, below);
                if !is_same(wanted, there, text) {
                    found.push(operation(&format!("{path}.{below}"), wanted));
                }
            }
        }
        _ if is_same(want, have, text) => {}
        _ => found.push(operation(&path, want)),
    }
}

fn operation(path: &str, want: &Value) -> Value {
    match is_unassigned(want) {
        true => json!({"op": "remove", "path": path}),
        false => json!({"op": "replace", "path": path, "value": want}),
    }
}

/// No value, null and an empty list are the same (RFC 7643 §2.5).
fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_same(want: &Value, have: Option<&Value>, text: Text) -> bool {
    let Some(have) = have.filter(|have| !is_unassigned(have)) else {
        return is_unassigned(want);
    };
    match (want, have) {
        (Value::String(a), Value::String(b)) => {
            a == b || text == Text::AnyCase && a.to_lowercase() == b.to_lowercase()
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(name, value)| is_same(value, member(b, name), text))
        }
        (Value::Array(a), Value::Array(b)) => are_same(a, b, text),
        _ => want == have,
    }
}

/// Lists are sets: their order means nothing (RFC 7643 §2.4).
fn are_same(want: &[Value], have: &[Value], text: Text) -> bool {
    if want.len().saturating_mul(have.len()) > MOST_PAIRS {
        return want == have;
    }
    want.iter().all(|want| have.iter().any(|have| is_same_item(want, have, text)))
        && have.iter().all(|have| want.iter().any(|want| is_same_item(want, have, text)))
}

/// A plain item and an object with that `value` are the same.
fn is_same_item(want: &Value, have: &Value, text: Text) -> bool {
    match (want, have) {
        (Value::Object(_), _) | (_, Value::Array(_)) => is_same(want, Some(have), text),
        (_, Value::Object(members)) => is_same(want, member(members, "value"), text),
        _ => is_same(want, Some(have), text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(have: Value, want: Value) -> Vec<Value> {
        super::operations(have.as_object().unwrap(), want.as_object().unwrap())
    }

    fn same(have: Value, want: Value) -> bool {
        let mut whole = have.as_object().unwrap().clone();
        overlay(&mut whole, want.as_object().unwrap());
        let untouched = Value::Object(whole) == have;
        let none = operations(have, want).is_empty();
        assert_eq!(none, untouched, "what is changed one by one is changed as a whole");
        none
    }

    #[test]
    fn what_the_directory_adds_is_no_difference() {
        let have = json!({"userName": "jane", "title": "t", "name": {"givenName": "J", "formatted": "J D"},
                          "emails": [{"value": "J@x", "type": "work", "primary": true}]});
        assert!(same(have.clone(), json!({"username": "Jane", "name": {"givenName": "J"}})));
        assert!(same(have, json!({"emails": [{"value": "j@x"}]})));
    }

    #[test]
    fn lists_are_sets_by_value() {
        let have = json!({"roles": [{"value": "a", "display": "A"}, {"value": "b"}]});
        assert!(same(have.clone(), json!({"roles": [{"value": "b"}, {"value": "a"}]})));
        assert!(same(have.clone(), json!({"roles": ["b", "a", "a"]})));
        assert!(!same(have.clone(), json!({"roles": [{"value": "a"}]})));
        assert!(!same(have.clone(), json!({"roles": [{"value": "a"}, {"value": "B"}]})));
        assert!(!same(have, json!({"roles": [{"value": "a"}, {"value": "b", "type": "x"}]})));
    }

    #[test]
    fn no_value_null_and_an_empty_list_are_the_same() {
        for none in [json!(null), json!([]), json!({})] {
            assert!(same(json!({}), json!({"roles": none})));
            assert!(same(json!({"roles": []}), json!({"roles": none})));
        }
        assert!(same(json!({"n": 1}), json!({"n": 1.0})));
    }

    #[test]
    fn differences_are_replaced_where_they_are() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let have =
            json!({"title": "t", "name": {"givenName": "J", "familyName": "D"}, "roles": [{"value": "a"}]});
        let want = json!({"title": "u", "name": {"givenName": "K", "familyName": "D"}, "roles": [],
                          "address": {"a": 1}, enterprise: {"department": "d", "manager": {"value": "m"}}});
        assert_eq!(
            operations(have, want),
            [
                json!({"op": "replace", "path": "address", "value": {"a": 1}}),
                json!({"op": "replace", "path": "name.givenName", "value": "K"}),
                json!({"op": "remove", "path": "roles"}),
                json!({"op": "replace", "path": "title", "value": "u"}),
                json!({"op": "replace", "path": format!("{enterprise}:department"), "value": "d"}),
                json!({"op": "replace", "path": format!("{enterprise}:manager"), "value": {"value": "m"}}),
            ]
        );
    }

    #[test]
    fn a_name_from_a_claim_cannot_become_a_path() {
        let odd = json!({"x": {"a\"] or b": 1}});
        assert_eq!(
            operations(json!({"x": {"c": 1}}), odd.clone()),
            [json!({"op": "replace", "path": "x", "value": odd["x"]})]
        );
    }

    #[test]
    fn long_lists_cost_no_more_than_short_ones() {
        let long: Vec<_> = (0..30_000).map(|n| json!(n)).collect();
        let mut turned = long.clone();
        turned.reverse();
        assert!(same(json!({"x": long}), json!({"x": long})));
        assert_eq!(operations(json!({"x": long}), json!({"x": turned})).len(), 1);
    }
}
