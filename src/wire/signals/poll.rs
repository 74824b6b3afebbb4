//! What is said when a transmitter is polled (RFC 8936 §2).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request: what became of tokens that came before, and a wish for more (§2.2, §2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollRequest {
    /// How many tokens at the most; with 0, only what became of others is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events: Option<u32>,
    /// Whether to answer at once, although there is nothing. Otherwise it is a long poll.
    #[serde(default)]
    pub return_immediately: bool,
    /// The `jti` of every token that was taken: the transmitter forgets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ack: Vec<String>,
    /// The `jti` of every token that will never be taken, and why not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_errs: BTreeMap<String, SetError>,
}

/// Why a token was not taken; also the body of RFC 8935's 400 (§2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetError {
    /// A registered code (RFC 8935 §2.4).
    pub err: String,
    /// For whoever runs the transmitter; nothing from the token.
    pub description: String,
}

/// An answer (§2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollAnswer {
    /// Tokens by their `jti`.
    pub sets: BTreeMap<String, String>,
    /// Whether there are more already: ask again at once.
    #[serde(default)]
    pub more_available: bool,
}

impl SetError {
    /// A token that was not taken, under one of the registered codes.
    pub fn new(code: &str, description: &str) -> Self {
        Self { err: code.to_owned(), description: description.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn polling_is_written_and_read_as_the_rfc_has_it() {
        let set_errs = BTreeMap::from([("2".to_owned(), SetError::new("invalid_key", "unknown"))]);
        let request =
            PollRequest { max_events: Some(10), return_immediately: false, ack: vec!["1".into()], set_errs };
        let text = json!({"maxEvents": 10, "returnImmediately": false, "ack": ["1"],
                          "setErrs": {"2": {"err": "invalid_key", "description": "unknown"}}});
        assert_eq!(serde_json::to_value(&request).unwrap(), text);
        assert_eq!(
            serde_json::to_value(PollRequest::default()).unwrap(),
            json!({"returnImmediately": false})
        );
        let read = |text: &str| serde_json::from_str::<PollAnswer>(text).ok();
        let answer = read(r#"{"sets":{"1":"a.b.c"},"moreAvailable":true,"odd":1}"#).unwrap();
        assert_eq!((answer.sets["1"].as_str(), answer.more_available), ("a.b.c", true));
        assert_eq!(read(r#"{"sets":{}}"#), Some(PollAnswer::default()));
        assert_eq!((read("{}"), read(r#"{"sets":[]}"#)), (None, None));
    }
}
