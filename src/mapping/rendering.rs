//! How a claim is written into a header. Whatever comes out may be sent as it is: no control characters, no blanks around
//! it, no longer than it may be.

use super::Lack;
use super::text::{joined, json, scalar};
use crate::domain::is_header_text;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use std::fmt::Write;

/// How a claim's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendering {
    /// In which form.
    pub format: Format,
    /// What becomes of characters beyond ASCII. The JSON formats have none.
    pub non_ascii: NonAscii,
    /// The longest value that is sent, in bytes.
    pub max_bytes: usize,
}

/// The form of a header's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A string, number or bool as it stands.
    Plain,
    /// The same, or a list of them joined by commas.
    Csv,
    /// Any value as compact JSON, in ASCII: all else is escaped within its strings (RFC 8259 §7).
    Json,
    /// Any value as compact JSON in base64 with padding (RFC 4648 §4), as `jwt_authn` writes lists and objects.
    Base64Json,
}

/// What becomes of characters beyond ASCII, whose meaning in a header is nobody's standard (RFC 9110 §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonAscii {
    /// They are sent in UTF-8.
    Utf8,
    /// The bytes of their UTF-8, and `%` itself, are percent-encoded (RFC 3986 §2.1).
    Percent,
    /// A value that has any is missing.
    Missing,
}

impl Rendering {
    /// The header value.
    ///
    /// # Errors
    /// `Missing` for null, an empty text or list, and what is beyond ASCII where that counts as missing. `Malformed` for
    /// another type than the format takes, a control character, blanks around it, what is too long, a number that was
    /// rounded when it was read, or a list item that itself holds the comma which separates items (`"staff,admin"` would
    /// read as two).
    pub fn render(&self, value: &Value) -> Result<HeaderValue, Lack> {
        let text = match self.format {
            _ if value.is_null() => return Err(Lack::Missing),
            Format::Plain => self.spell(scalar(value))?,
            Format::Csv => self.spell(joined(value))?,
            Format::Json => in_ascii(&json(value).ok_or(Lack::Malformed)?),
            Format::Base64Json => STANDARD.encode(json(value).ok_or(Lack::Malformed)?),
        };
        header_value(&text).filter(|value| value.len() <= self.max_bytes).ok_or(Lack::Malformed)
    }

    /// Writes clean text in the characters that are wanted.
    fn spell(&self, text: Option<String>) -> Result<String, Lack> {
        const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
        let text = text.ok_or(Lack::Malformed)?;
        match self.non_ascii {
            _ if text.is_empty() => Err(Lack::Missing),
            _ if !is_header_text(&text) => Err(Lack::Malformed),
            NonAscii::Utf8 => Ok(text),
            NonAscii::Percent => Ok(utf8_percent_encode(&text, ESCAPED).to_string()),
            NonAscii::Missing if text.is_ascii() => Ok(text),
            NonAscii::Missing => Err(Lack::Missing),
        }
    }
}

/// The text as a header value, if it can be one.
pub fn header_value(text: &str) -> Option<HeaderValue> {
    is_header_text(text).then(|| HeaderValue::from_bytes(text.as_bytes()).ok()).flatten()
}

/// JSON with everything but visible ASCII and blanks escaped, which is found within its strings only.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if matches!(character, ' '..='~') {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(format: Format, value: &Value) -> Option<String> {
        spelled(format, NonAscii::Utf8, value)
    }

    fn spelled(format: Format, non_ascii: NonAscii, value: &Value) -> Option<String> {
        let value = Rendering { format, non_ascii, max_bytes: 40 }.render(value).ok()?;
        Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn scalars_are_written_as_they_stand() {
        for format in [Format::Plain, Format::Csv] {
            for (claim, text) in
                [(json!("jörg"), "jörg"), (json!(7), "7"), (json!(1.5), "1.5"), (json!(true), "true")]
            {
                assert_eq!(render(format, &claim).as_deref(), Some(text));
            }
        }
    }

    #[test]
    fn a_list_is_joined_only_as_csv() {
        assert_eq!(render(Format::Csv, &json!(["a", 1, true])), Some("a,1,true".into()));
        assert_eq!(render(Format::Plain, &json!(["a"])), None);
    }

    #[test]
    fn a_list_item_that_would_read_as_two_is_not_sent() {
        for claim in [json!(["staff,admin"]), json!("staff,admin"), json!(["x", " admin"]), json!(["a", ""])]
        {
            assert_eq!(render(Format::Csv, &claim), None, "{claim}");
        }
        assert_eq!(render(Format::Plain, &json!("staff,admin")), Some("staff,admin".into()));
    }

    #[test]
    fn any_value_is_json_in_ascii() {
        for (claim, text) in [
            (json!(["a", 1, {"b": null}]), r#"["a",1,{"b":null}]"#),
            (json!("jörg"), r#""j\u00f6rg""#),
            (json!({"👋": "\u{7f}\u{85}\n"}), r#"{"\ud83d\udc4b":"\u007f\u0085\n"}"#),
            (json!(""), r#""""#),
            (json!([]), "[]"),
            (json!(false), "false"),
        ] {
            assert_eq!(render(Format::Json, &claim).as_deref(), Some(text));
        }
    }

    #[test]
    fn base64_of_json_is_what_jwt_authn_writes() {
        assert_eq!(
            render(Format::Base64Json, &json!({"n": 1, "a": "é"})),
            Some("eyJhIjoiw6kiLCJuIjoxfQ==".into())
        );
        assert_eq!(render(Format::Base64Json, &json!(["?>~~", "ö"])), Some("WyI/Pn5+Iiwiw7YiXQ==".into()));
    }

    #[test]
    fn what_is_beyond_ascii_is_sent_encoded_or_missing() {
        let claim = json!(["jörg", "100%", "a b"]);
        let spelled = |how| spelled(Format::Csv, how, &claim);
        assert_eq!(spelled(NonAscii::Utf8), Some("jörg,100%,a b".into()));
        assert_eq!(spelled(NonAscii::Percent), Some("j%C3%B6rg,100%25,a b".into()));
        assert_eq!(spelled(NonAscii::Missing), None);
    }

    #[test]
    fn encoding_hides_no_control_character() {
        for claim in [json!("a\u{85}b"), json!("a\r\nb"), json!("\u{a0}a"), json!("a\t")] {
            for how in [NonAscii::Utf8, NonAscii::Percent, NonAscii::Missing] {
                assert_eq!(spelled(Format::Plain, how, &claim), None, "{claim} {how:?}");
            }
        }
    }

    #[test]
    fn what_is_empty_is_missing_and_what_cannot_be_written_is_malformed() {
        let lack = |format, non_ascii, claim: &Value| {
            Rendering { format, non_ascii, max_bytes: 4 }.render(claim).err()
        };
        for claim in [json!(""), json!([]), json!(null)] {
            assert_eq!(lack(Format::Csv, NonAscii::Utf8, &claim), Some(Lack::Missing), "{claim}");
        }
        for claim in [json!({}), json!(["a", ""]), json!("a\n"), json!("aaaaa"), json!(1e16)] {
            assert_eq!(lack(Format::Csv, NonAscii::Utf8, &claim), Some(Lack::Malformed), "{claim}");
        }
        assert_eq!(lack(Format::Plain, NonAscii::Missing, &json!("ö")), Some(Lack::Missing));
        assert_eq!(lack(Format::Json, NonAscii::Utf8, &json!("aaaaa")), Some(Lack::Malformed));
    }

    #[test]
    fn what_cannot_be_a_header_is_not_sent() {
        for format in [Format::Plain, Format::Csv, Format::Json, Format::Base64Json] {
            for claim in [json!(null), json!("x".repeat(41)), json!(1.8446744073709552e19)] {
                assert_eq!(render(format, &claim), None, "{claim} {format:?}");
            }
        }
        for format in [Format::Json, Format::Base64Json] {
            assert_eq!(render(format, &json!([{"id": 1.8446744073709552e19}])), None, "{format:?}");
        }
        for claim in [json!({}), json!(""), json!([]), json!(["a", {}]), json!("a\r\nx: y"), json!("a\0")] {
            assert_eq!(render(Format::Csv, &claim), None, "{claim}");
        }
        for claim in [json!(" a"), json!("a\tb"), json!("a\u{85}b")] {
            assert_eq!(render(Format::Plain, &claim), None, "{claim}");
        }
    }
}
