//! Values as text, without a thought for where it is sent. Knows JSON only.

use serde_json::Value;

/// A string, number or bool as it stands, unless it is a number that was rounded when it was read.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => is_exact(value).then(|| number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The same, or a list of them joined by commas. Nothing, in either form, is an empty text.
pub(super) fn joined(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => Some(String::new()),
        Value::Array(items) => Some(items.iter().map(item).collect::<Option<Vec<_>>>()?.join(",")),
        value => item(value),
    }
}

/// One item of a list. What separates items, or is dropped by those who split and trim, must not be in it.
fn item(value: &Value) -> Option<String> {
    scalar(value).filter(|text| !text.is_empty() && !text.contains(',') && text.trim() == text)
}

/// Any value but null as compact JSON, an object's members in the order of their names.
pub(super) fn json(value: &Value) -> Option<String> {
    (!value.is_null() && is_exact(value)).then(|| value.to_string())
}

/// Beyond 2^53 a number that is no integer of 64 bits was rounded when it was read: two ids would be one.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            !number.is_f64() || number.as_f64().is_some_and(|number| number.abs() < 9_007_199_254_740_992.0)
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
