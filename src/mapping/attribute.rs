//! The account's attributes: JSON for the directory, in the shape and within the bounds that the operator wrote down.

use super::text::{joined, json, scalar};
use super::value_map::mapped;
use super::{Fallbacks, Lack, ValueMap};
use crate::domain::{ClaimPath, Reason};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One claim that becomes one account attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeRule {
    /// Where in the attributes it is: `name.givenName` is `givenName` within `name`.
    pub attribute: ClaimPath,
    /// Where its value is from.
    pub claim: ClaimPath,
    /// Other words for what the claim says.
    pub map: Option<ValueMap>,
    /// What its value is made into.
    pub shape: Shape,
    /// What becomes of a token without a usable value.
    pub fallbacks: Fallbacks<Value>,
    /// Whether it is kept in step with the claim (`sync: always`), or is for an account that is made now.
    pub is_kept_in_step: bool,
}

/// What a value is made into, and its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// In which form it is sent.
    pub format: AttributeFormat,
    /// The longest value that is sent, in bytes of its JSON.
    pub max_bytes: usize,
    /// The longest list that is taken.
    pub max_items: usize,
}

/// The form of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AttributeFormat {
    /// Any value as it stands.
    AsIs,
    /// A string, number or bool as a string.
    Text,
    /// The same, or a list of them joined by commas.
    Csv,
    /// Any value as a string of compact JSON.
    Json,
    /// A list as it stands, or anything else as a list of one.
    List,
    /// The same as SCIM's multi-valued attributes are written (RFC 7643 §2.4): `[{"value": "…"}, …]`; what is an object
    /// already stays as it is.
    Scim,
}

impl AttributeRule {
    /// The value for a token of these claims; `None` if it is left out.
    ///
    /// # Errors
    /// `ClaimMissing`, `ClaimMalformed` where there is no usable value, and its rule says `refuse`.
    pub(super) fn value<'a>(
        &'a self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<Cow<'a, Value>>, Reason> {
        self.fallbacks.settle(self.value_of(claims))
    }

    fn value_of<'a>(&self, claims: &'a Map<String, Value>) -> Result<Cow<'a, Value>, Lack> {
        let claim = self.claim.find(claims).ok_or(Lack::Missing)?;
        match mapped(claim, self.map.as_ref()) {
            Some(value) => self.shape.form(value),
            // As of a list of one: issuers write one group either way.
            None if self.shape.is_list() => Ok(Cow::Owned(Value::Array(vec![]))),
            None => Err(Lack::Missing),
        }
    }

    /// Whether a token may be refused for what it says here.
    pub(super) fn may_refuse(&self) -> bool {
        self.fallbacks.may_refuse()
    }
}

impl Shape {
    /// Makes a value into what is sent.
    ///
    /// # Errors
    /// `Missing` for null. `Malformed` for another type than the format takes, a list or a result beyond the bounds, a
    /// number that was rounded when it was read, and, with `Csv`, an item that is empty, has blanks around it, or holds a
    /// comma.
    pub fn form<'a>(&self, value: Cow<'a, Value>) -> Result<Cow<'a, Value>, Lack> {
        if value.is_null() {
            return Err(Lack::Missing);
        }
        let has_room = value.as_array().is_none_or(|items| items.len() <= self.max_items);
        let formed = has_room.then(|| self.formed(value)).flatten().ok_or(Lack::Malformed)?;
        let fits = json(&formed).is_some_and(|json| json.len() <= self.max_bytes);
        if fits { Ok(formed) } else { Err(Lack::Malformed) }
    }

    fn formed<'a>(&self, value: Cow<'a, Value>) -> Option<Cow<'a, Value>> {
        let formed = match self.format {
            AttributeFormat::AsIs => return Some(value),
            AttributeFormat::Text => scalar(&value)?.into(),
            AttributeFormat::Csv => joined(&value)?.into(),
            AttributeFormat::Json => json(&value)?.into(),
            AttributeFormat::List if value.is_array() => return Some(value),
            AttributeFormat::List => Value::Array(vec![value.into_owned()]),
            AttributeFormat::Scim => match value.as_array() {
                Some(items) => items.iter().map(complex).collect::<Option<Vec<_>>>()?.into(),
                None => Value::Array(vec![complex(&value)?]),
            },
        };
        Some(Cow::Owned(formed))
    }

    fn is_list(&self) -> bool {
        matches!(self.format, AttributeFormat::List | AttributeFormat::Scim)
    }
}

/// One value of a multi-valued attribute.
fn complex(item: &Value) -> Option<Value> {
    match item {
        Value::Object(_) => Some(item.clone()),
        _ => scalar(item).map(|text| Map::from_iter([("value".to_owned(), text.into())]).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const FORMATS: [AttributeFormat; 6] = [
        AttributeFormat::AsIs,
        AttributeFormat::Text,
        AttributeFormat::Csv,
        AttributeFormat::Json,
        AttributeFormat::List,
        AttributeFormat::Scim,
    ];

    fn formed(format: AttributeFormat, claim: &Value) -> Result<Value, Lack> {
        let shape = Shape { format, max_bytes: 60, max_items: 3 };
        shape.form(Cow::Borrowed(claim)).map(Cow::into_owned)
    }

    /// As is, as text, CSV, JSON, list and SCIM; null is for what the format does not take.
    #[test]
    fn each_format_has_its_way_with_each_type() {
        for (claim, expected) in [
            (json!("a b"), json!(["a b", "a b", "a b", "\"a b\"", ["a b"], [{"value": "a b"}]])),
            (json!(7), json!([7, "7", "7", "7", [7], [{"value": "7"}]])),
            (
                json!(["a", true]),
                json!([["a", true], null, "a,true", "[\"a\",true]", ["a", true], [{"value": "a"}, {"value": "true"}]]),
            ),
            (json!([]), json!([[], null, "", "[]", [], []])),
            (json!(""), json!(["", "", "", "\"\"", [""], [{"value": ""}]])),
            (
                json!({"b": 1, "a": 2}),
                json!([{"a": 2, "b": 1}, null, null, r#"{"a":2,"b":1}"#, [{"a": 2, "b": 1}], [{"a": 2, "b": 1}]]),
            ),
            (
                json!([{"id": 1}, "a"]),
                json!([[{"id": 1}, "a"], null, null, r#"[{"id":1},"a"]"#, [{"id": 1}, "a"], [{"id": 1}, {"value": "a"}]]),
            ),
            (json!(1.8446744073709552e19), json!([null, null, null, null, null, null])),
        ] {
            for (format, expected) in FORMATS.into_iter().zip(expected.as_array().unwrap()) {
                let expected = (!expected.is_null()).then(|| expected.clone()).ok_or(Lack::Malformed);
                assert_eq!(formed(format, &claim), expected, "{claim} {format:?}");
            }
        }
    }

    #[test]
    fn null_is_missing() {
        for format in FORMATS {
            assert_eq!(formed(format, &Value::Null), Err(Lack::Missing), "{format:?}");
        }
    }

    #[test]
    fn what_is_no_item_is_neither_joined_nor_a_value() {
        for claim in [json!(["a,b"]), json!([" a"]), json!([""]), json!([null]), json!([["a"]])] {
            assert_eq!(formed(AttributeFormat::Csv, &claim), Err(Lack::Malformed), "{claim}");
        }
        for claim in [json!([null]), json!([["a"]])] {
            assert_eq!(formed(AttributeFormat::Scim, &claim), Err(Lack::Malformed), "{claim}");
        }
    }

    #[test]
    fn a_list_beyond_its_bound_is_malformed_in_every_format() {
        for format in FORMATS {
            assert_eq!(formed(format, &json!([1, 2, 3, 4])), Err(Lack::Malformed), "{format:?}");
        }
    }

    fn claim() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_attribute_keeps_to_its_bounds(claim in claim(), format in prop::sample::select(&FORMATS[..])) {
            if let Ok(value) = formed(format, &claim) {
                prop_assert!(value.to_string().len() <= 60);
                prop_assert!(value.as_array().is_none_or(|items| items.len() <= 3));
                let is_text = matches!(format, AttributeFormat::Text | AttributeFormat::Csv | AttributeFormat::Json);
                prop_assert!(!is_text || value.is_string());
                let is_list = matches!(format, AttributeFormat::List | AttributeFormat::Scim);
                prop_assert!(!is_list || value.is_array());
            }
        }
    }
}
