//! `GET /v1/departures`: who may not get in any more, and who may again.

use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/departures?after=CURSOR&wait=20s`: what happened since the cursor, in order. Without `after` it
/// begins at the beginning. Either way it is compacted: of each subject only the latest word is told.
///
/// Nothing within `wait` is an empty list and the same cursor. A cursor that the directory does not know, as its database
/// is another one now, is answered with 410: begin anew, without `after`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departures {
    /// The `after` of the next request: opaque, of visible ASCII characters that need no escaping in a query.
    pub cursor: String,
    /// Whether there is more already: ask again at once.
    pub more: bool,
    /// In the order in which they happened.
    pub departures: Vec<Departure>,
}

/// The latest word on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The exact issuer identifier.
    pub issuer: String,
    /// The exact `sub`.
    pub id: String,
    /// The subject's key, 64 hexadecimal digits.
    pub key: String,
    /// Whether it may get in.
    pub state: DepartureState,
    /// RFC 3339 time, UTC, at which that came about.
    pub at: String,
    /// Why, in the words of whoever did it: for operators, not for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a subject stands since its latest departure or return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepartureState {
    /// It may not get in, whatever token it holds: its account is departed or disabled.
    Departed,
    /// It may get in, with a token issued after `at`: those issued before never work again. It returned, or its sessions
    /// were ended.
    Returned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_feed_reads_as_the_contract_has_it() {
        let departure = |reason: Option<&str>| Departure {
            issuer: "https://idp.example.com".into(),
            id: "jane".into(),
            key: "2974".into(),
            state: DepartureState::Departed,
            at: "2026-11-23T18:29:00.000Z".into(),
            reason: reason.map(str::to_owned),
        };
        let departures = vec![departure(Some("left the company")), departure(None)];
        let feed = Departures { cursor: "7-0123".into(), more: false, departures };
        let member = json!({"issuer": "https://idp.example.com", "id": "jane", "key": "2974", "state": "departed",
                            "at": "2026-11-23T18:29:00.000Z"});
        let mut with_reason = member.clone();
        with_reason["reason"] = json!("left the company");
        let text = json!({"cursor": "7-0123", "more": false, "departures": [with_reason, member]});
        assert_eq!(serde_json::to_value(&feed).unwrap(), text);
        assert_eq!(serde_json::from_value::<Departures>(text).unwrap(), feed);
    }
}
