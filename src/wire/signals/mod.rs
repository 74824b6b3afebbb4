//! What security events say of whom (RFC 8417, RISC, CAEP, RFC 9967, OpenID Connect Back-Channel Logout), as plain values:
//! the claims of a token that was verified go in. Knows no account, and not what becomes of one.

mod meaning;
mod poll;
mod subject;
#[cfg(test)]
mod tests;

pub use meaning::{Change, Meaning};
pub use poll::{PollAnswer, PollRequest, SetError};
pub use subject::{Alias, Identifiers};

use serde_json::{Map, Value};

/// The media type of a security event token on its way (RFC 8417 §2.3, RFC 8935 §2).
pub const SET_CONTENT_TYPE: &str = "application/secevent+jwt";

/// One event of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The event's type, a URI, as the transmitter writes it.
    pub event: String,
    /// Whom it is about. `None` if part of it cannot be understood that the transmitter calls critical: the event is then to
    /// be discarded (Shared Signals Framework §3.6).
    pub about: Option<Identifiers>,
    /// What it says.
    pub meaning: Meaning,
    /// Why, in the transmitter's words: at most 200 characters, none of them a control character.
    pub reason: Option<String>,
}

impl Signal {
    /// The event in a word, for whoever reads of it: `session-revoked`, `prov:delete`.
    pub fn word(&self) -> &str {
        let path = self.event.rsplit('/').next().unwrap_or_default();
        path.rsplit(":event:").next().unwrap_or_default()
    }
}

/// The most characters of a reason.
const LONGEST_REASON: usize = 200;

/// The events of a token, in no order: they tell of one and the same thing (RFC 8417 §2.2). `critical` are the members of a
/// subject that must be understood: the transmitter's `critical_subject_members`.
pub fn signals(claims: &Map<String, Value>, critical: &[String]) -> Vec<Signal> {
    let events = claims.get("events").and_then(Value::as_object);
    events.into_iter().flatten().map(|(event, payload)| signal(claims, event, payload, critical)).collect()
}

fn signal(claims: &Map<String, Value>, event: &str, payload: &Value, critical: &[String]) -> Signal {
    let meaning = Meaning::of(event, payload);
    let about = match claims.get("sub_id").or_else(|| payload.get("subject")) {
        Some(subject) => Identifiers::read(subject, critical),
        // Only logout tokens have it: a security event token with `sub` is refused.
        None => Some(Identifiers::of_sub(claims)),
    };
    Signal { event: event.to_owned(), about, meaning, reason: reason(payload) }
}

/// `reason` of RISC is one word, `reason_admin` of CAEP a text in several languages.
fn reason(payload: &Value) -> Option<String> {
    let admin = payload.get("reason_admin");
    let in_english = || admin?.get("en").or_else(|| admin?.as_object()?.values().next())?.as_str();
    let text = payload.get("reason").or(admin).and_then(Value::as_str).or_else(in_english)?;
    let text: String = text.chars().filter(|one| !one.is_control()).take(LONGEST_REASON).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
