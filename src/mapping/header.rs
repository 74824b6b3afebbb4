//! How a claim becomes a header value, and what becomes of one that cannot.

use crate::domain::ClaimPath;
use crate::domain::Reason;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

/// One header of the application, and where its value is from.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderRule {
    /// The header's name.
    pub header: HeaderName,
    /// Where its value is from.
    pub source: HeaderSourceRule,
}

/// Where a header's value is from.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderSourceRule {
    /// A claim.
    Claim {
        /// Which one.
        claim: ClaimPath,
        /// How it is written.
        format: Format,
        /// What becomes of a token without a usable value.
        when_missing: WhenMissing<HeaderValue>,
        /// The longest value that is sent, in bytes.
        max_bytes: usize,
    },
    /// The directory's id of the account; not sent while there is none.
    AccountId,
}

/// What becomes of a token whose claim is absent or cannot become what a rule makes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum WhenMissing<T> {
    /// The request is refused.
    Refuse,
    /// The header or attribute is left out.
    Omit,
    /// This is used instead.
    Default(T),
}

impl<T: Clone> WhenMissing<T> {
    /// The value, or what stands in for it.
    pub(super) fn settle(&self, value: Option<T>) -> Result<Option<T>, Reason> {
        match (value, self) {
            (Some(value), _) => Ok(Some(value)),
            (None, Self::Omit) => Ok(None),
            (None, Self::Default(value)) => Ok(Some(value.clone())),
            (None, Self::Refuse) => Err(Reason::ClaimMissing),
        }
    }
}

/// How a claim's value is written into a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A string, number or bool as it stands.
    Plain,
    /// The same, or a list of them joined by commas.
    Csv,
}

impl Format {
    /// The header value, or `None` if the claim cannot be one: another type, a control character, too long, empty, or a
    /// list item that itself holds the comma which separates items and so would read as two (`"staff,admin"`).
    pub fn render(self, value: &Value, max_bytes: usize) -> Option<HeaderValue> {
        let text = match (self, value) {
            (Self::Plain, value) => scalar(value)?,
            (Self::Csv, Value::Array(items)) => items.iter().map(item).collect::<Option<Vec<_>>>()?.join(","),
            (Self::Csv, value) => item(value)?,
        };
        header_value(&text, max_bytes)
    }
}

/// The text as a header value, unless it is empty, too long, padded with blanks, or holds control characters.
fn header_value(text: &str, max_bytes: usize) -> Option<HeaderValue> {
    let fits = !text.is_empty() && text.len() <= max_bytes && text.trim() == text;
    let sendable = fits && !text.chars().any(char::is_control);
    sendable.then(|| HeaderValue::from_bytes(text.as_bytes()).ok()).flatten()
}

/// One item of a list. What separates items, or is dropped by those who split and trim, must not be in it.
fn item(value: &Value) -> Option<String> {
    scalar(value).filter(|text| !text.is_empty() && !text.contains(',') && text.trim() == text)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // Beyond 2^53 a number that is no integer of 64 bits was rounded when it was read: two ids would be one.
        Value::Number(number) if number.is_f64() && number.as_f64()?.abs() >= 9_007_199_254_740_992.0 => None,
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(format: Format, value: Value) -> Option<String> {
        format.render(&value, 20).map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn scalars_are_written_as_they_stand() {
        for format in [Format::Plain, Format::Csv] {
            assert_eq!(render(format, json!("jörg")), Some("jörg".into()));
            assert_eq!(render(format, json!(7)), Some("7".into()));
            assert_eq!(render(format, json!(1.5)), Some("1.5".into()));
            assert_eq!(render(format, json!(true)), Some("true".into()));
        }
    }

    #[test]
    fn a_list_is_joined_only_as_csv() {
        assert_eq!(render(Format::Csv, json!(["a", 1, true])), Some("a,1,true".into()));
        assert_eq!(render(Format::Plain, json!(["a"])), None);
    }

    #[test]
    fn a_list_item_that_would_read_as_two_is_not_sent() {
        for claim in [json!(["staff,admin"]), json!("staff,admin"), json!(["x", " admin"]), json!(["a", ""])]
        {
            assert_eq!(render(Format::Csv, claim.clone()), None, "{claim}");
        }
        assert_eq!(render(Format::Plain, json!("staff,admin")), Some("staff,admin".into()));
    }

    #[test]
    fn what_cannot_be_a_header_is_not_sent() {
        let too_long = "x".repeat(21);
        for value in [
            json!(null),
            json!({}),
            json!(""),
            json!([]),
            json!(["a", {}]),
            json!("a\r\nx: y"),
            json!("a\0"),
            json!(too_long),
        ] {
            assert_eq!(render(Format::Csv, value.clone()), None, "{value}");
        }
        for claim in [json!(" a"), json!("a\tb"), json!("a\u{85}b"), json!(1.8446744073709552e19)] {
            assert_eq!(render(Format::Plain, claim.clone()), None, "{claim}");
        }
    }
}
