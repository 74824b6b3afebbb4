//! What an event says, by its type. Of several words for one thing only one is left here.

use super::text;
use serde_json::{Map, Value};

/// What an event says of its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// Its account becomes another one.
    Change(Change),
    /// It has another address or number now: the new one (RISC `identifier-changed`).
    Identifier(String),
    /// It has other attributes now: a SCIM resource of whole attributes, without what is SCIM's own (RFC 9967
    /// `prov:create:full`, `prov:put:full`).
    Attributes(Map<String, Value>),
    /// The stream works (Shared Signals Framework §8.1.4); with the state that was asked to come back.
    Verification(Option<String>),
    /// The stream is `enabled`, `paused` or `disabled` now (§8.1.5).
    StreamUpdated(Option<String>),
    /// Nothing that changes an account, or nothing that is known here.
    Nothing,
}

/// How an account becomes another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is shut for now: RISC `account-disabled`, RFC 9967 `prov:deactivate` and `feed:remove`, a resource that is no
    /// longer `active`.
    Disable,
    /// It is open again: RISC `account-enabled`, RFC 9967 `prov:activate`.
    Enable,
    /// It is shut for good: RISC `account-purged`, RFC 9967 `prov:delete`.
    Depart,
    /// It stays as it is, but tokens of before are worthless: CAEP `session-revoked`, a credential that is no longer good,
    /// claims that are others now, a logout.
    Revoke,
}

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
const OAUTH: &str = "https://schemas.openid.net/secevent/oauth/event-type/";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Drafts of RFC 9967 wrote `SCIM`.
const SCIM: &str = "urn:ietf:params:scim:event:";

/// Members of a resource that are SCIM's own, or the transmitter's (RFC 7643 §3.1).
const NO_ATTRIBUTES: &[&str] = &["schemas", "id", "externalId", "meta", "active", "groups", "password"];

impl Meaning {
    pub(super) fn of(event: &str, payload: &Value) -> Self {
        if event == LOGOUT {
            return Self::Change(Change::Revoke);
        }
        if let Some(name) = event.strip_prefix(RISC) {
            return Self::of_risc(name, payload);
        }
        if let Some(name) = event.strip_prefix(CAEP) {
            return Self::of_caep(name, payload);
        }
        match (event.strip_prefix(SSF), event.strip_prefix(OAUTH)) {
            (Some("verification"), _) => Self::Verification(text(payload, "state").map(str::to_owned)),
            (Some("stream-updated"), _) => Self::StreamUpdated(text(payload, "status").map(str::to_owned)),
            (_, Some("tokens-revoked")) => Self::Change(Change::Revoke),
            _ => match event.get(..SCIM.len()).filter(|start| start.eq_ignore_ascii_case(SCIM)) {
                Some(start) => Self::of_scim(event.strip_prefix(start).unwrap_or_default(), payload),
                None => Self::Nothing,
            },
        }
    }

    /// RISC 1.0 §2. (`identifier-recycled` is about an address, which is nobody's key here.)
    fn of_risc(name: &str, payload: &Value) -> Self {
        match name {
            "account-disabled" => Self::Change(Change::Disable),
            "account-enabled" => Self::Change(Change::Enable),
            "account-purged" => Self::Change(Change::Depart),
            "account-credential-change-required" | "credential-compromise" | "sessions-revoked" => {
                Self::Change(Change::Revoke)
            }
            "identifier-changed" => match text(payload, "new-value") {
                Some(new) => Self::Identifier(new.to_owned()),
                None => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }

    /// CAEP 1.0 §3. Tokens with claims of before are worthless too: the next ones have the new claims, and are mapped as the
    /// operator says, which a claim in an event is not. A credential that was added makes nothing worse.
    fn of_caep(name: &str, payload: &Value) -> Self {
        match name {
            "session-revoked" | "token-claims-change" => Self::Change(Change::Revoke),
            "credential-change" if text(payload, "change_type") != Some("create") => {
                Self::Change(Change::Revoke)
            }
            _ => Self::Nothing,
        }
    }

    /// RFC 9967 §2.3, §2.4. Notices say that something is to be looked up, which is for those who keep a copy. A resource
    /// with `active: true` opens nothing: it may have been true all along.
    fn of_scim(name: &str, payload: &Value) -> Self {
        let data = payload.get("data");
        match name {
            "prov:deactivate" | "feed:remove" => Self::Change(Change::Disable),
            "prov:activate" => Self::Change(Change::Enable),
            "prov:delete" => Self::Change(Change::Depart),
            "prov:create:full" | "prov:put:full" => match data.and_then(Value::as_object) {
                Some(resource) if is_false(resource.get("active")) => Self::Change(Change::Disable),
                Some(resource) => Self::Attributes(attributes(resource)),
                None => Self::Nothing,
            },
            "prov:patch:full" if data.is_some_and(deactivates) => Self::Change(Change::Disable),
            _ => Self::Nothing,
        }
    }
}

fn attributes(resource: &Map<String, Value>) -> Map<String, Value> {
    let own =
        |name: &str| NO_ATTRIBUTES.iter().any(|other| other.eq_ignore_ascii_case(name)) || name.contains(':');
    resource
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a PATCH (RFC 7644 §3.5.2) takes `active` away.
fn deactivates(patch: &Value) -> bool {
    let operations = patch.get("Operations").and_then(Value::as_array);
    operations.into_iter().flatten().any(|operation| {
        let on_active = text(operation, "path").is_some_and(|path| path.eq_ignore_ascii_case("active"));
        let value = operation.get("value");
        let takes_away = text(operation, "op").is_some_and(|op| op.eq_ignore_ascii_case("remove"));
        match on_active {
            true => takes_away || is_false(value),
            false => operation.get("path").is_none() && is_false(value.and_then(|value| value.get("active"))),
        }
    })
}

/// Some write `"False"`.
fn is_false(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(active)) => !active,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("false"),
        _ => false,
    }
}
