//! Security event tokens and logout tokens (RFC 8417, OpenID Connect Back-Channel Logout): tokens of their own kinds, which
//! tell of a subject and let nobody in. What their events mean is not known here.

use super::validity::{ceiling, numeric_date};
use super::{Algorithm, Jws, Keyring};
use crate::domain::{Issuer, Reason, Timestamp};
use serde_json::{Map, Value};
use std::time::Duration;

/// The terms of one transmitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmitter {
    /// The exact `iss`.
    pub issuer: Issuer,
    /// One of these must be in `aud`.
    pub audiences: Vec<String>,
    /// What it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// How far clocks may be apart.
    pub clock_skew: Duration,
    /// A token is refused this long after it was issued (`iat`): for so long its `jti` has to be remembered.
    pub max_age: Duration,
}

/// What a verified token tells. Has no `Debug`: it holds claims.
#[derive(Clone, PartialEq)]
pub struct EventToken {
    id: String,
    issued_at: Timestamp,
    members: Map<String, Value>,
}

/// Why a token tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// It cannot be taken apart, is of another kind, or asks for something that is not done here.
    #[error("it is no signed token of this kind")]
    Unreadable,
    /// No key of the transmitter is the one it names, or it is signed with an algorithm that the transmitter may not use.
    #[error("its key or algorithm is not known")]
    KeyUnknown,
    /// The signature is not the key's.
    #[error("its signature does not hold")]
    SignatureInvalid,
    /// It is somebody else's.
    #[error("its iss is not the transmitter's")]
    IssuerUnknown,
    /// It is for somebody else.
    #[error("its aud is another receiver")]
    AudienceMismatch,
    /// A claim that is required is not there or is of another type, or one is there that must not be.
    #[error("it lacks a required claim, or has one that is forbidden")]
    Malformed,
    /// It is too old, or it has expired.
    #[error("it is too old")]
    Outdated,
    /// It was issued later than now.
    #[error("its iat is in the future")]
    Premature,
}

impl EventRefusal {
    /// The registered error code (RFC 8935 §2.4).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable | Self::Malformed | Self::Outdated | Self::Premature => "invalid_request",
            Self::KeyUnknown => "invalid_key",
            Self::SignatureInvalid => "authentication_failed",
            Self::IssuerUnknown => "invalid_issuer",
            Self::AudienceMismatch => "invalid_audience",
        }
    }
}

impl From<Reason> for EventRefusal {
    fn from(_: Reason) -> Self {
        Self::Unreadable
    }
}

/// The event of a logout token (OpenID Connect Back-Channel Logout §2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The longest `jti`, in bytes: it has to be remembered.
const LONGEST_ID: usize = 255;

impl Transmitter {
    /// Checks a security event token ([`Jws::parse_events`]): nothing about its claims is told before its signature holds.
    /// `iss`, `aud`, `iat`, `jti` and `events` are required; `sub` and `exp` must not be there (Shared Signals Framework
    /// §4.1.2, §4.1.7), so that it is taken for no other kind of token.
    ///
    /// # Errors
    /// Each but [`EventRefusal::Unreadable`], in the order in which they stand.
    pub fn verify(&self, jws: Jws<'_>, keys: &Keyring, now: Timestamp) -> Result<EventToken, EventRefusal> {
        self.check_origin(&jws, keys)?;
        if jws.payload.contains_key("sub") || jws.payload.contains_key("exp") {
            return Err(EventRefusal::Malformed);
        }
        self.read(jws, now)
    }

    /// Checks a logout token ([`Jws::parse_logout`]): besides what is required of any, it has the event of a logout, says
    /// with `sub` or `sid` whose, and has no `nonce`, which would make it an ID token (OpenID Connect Back-Channel Logout
    /// §2.6). Its `exp` is obeyed where it is there.
    ///
    /// # Errors
    /// As [`Transmitter::verify`].
    pub fn verify_logout(
        &self,
        jws: Jws<'_>,
        keys: &Keyring,
        now: Timestamp,
    ) -> Result<EventToken, EventRefusal> {
        self.check_origin(&jws, keys)?;
        let claims = &jws.payload;
        let is_logout =
            claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)?.as_object()).is_some();
        let text = |name| claims.get(name).is_none_or(|value: &Value| value.is_string());
        let says_whose = claims.contains_key("sub") || claims.contains_key("sid");
        if !is_logout || !says_whose || !text("sub") || !text("sid") || claims.contains_key("nonce") {
            return Err(EventRefusal::Malformed);
        }
        let exp = numeric_date(claims, "exp").map_err(|_| EventRefusal::Malformed)?;
        if exp.is_some_and(|exp| now >= ceiling(exp).after(self.clock_skew)) {
            return Err(EventRefusal::Outdated);
        }
        self.read(jws, now)
    }

    /// Whether it is the transmitter's, and meant for this receiver.
    fn check_origin(&self, jws: &Jws<'_>, keys: &Keyring) -> Result<(), EventRefusal> {
        let algorithm = jws.header.algorithm;
        let key = keys.key_for(jws).filter(|_| self.algorithms.contains(&algorithm));
        let key = key.ok_or(EventRefusal::KeyUnknown)?;
        if !key.verifies(jws.signing_input, &jws.signature, algorithm) {
            return Err(EventRefusal::SignatureInvalid);
        }
        if jws.claimed_issuer() != Some(self.issuer.as_str()) {
            return Err(EventRefusal::IssuerUnknown);
        }
        let accepted =
            |value: &Value| value.as_str().is_some_and(|text| self.audiences.iter().any(|one| one == text));
        let meant = match jws.payload.get("aud") {
            Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(accepted),
            Some(value) => accepted(value),
            None => false,
        };
        if meant { Ok(()) } else { Err(EventRefusal::AudienceMismatch) }
    }

    /// What every kind has: `iat`, `jti` and events, each of which is an object (RFC 8417 §2.2).
    fn read(&self, jws: Jws<'_>, now: Timestamp) -> Result<EventToken, EventRefusal> {
        let issued_at = numeric_date(&jws.payload, "iat").ok().flatten().map(ceiling);
        let id = jws.payload.get("jti").and_then(Value::as_str).filter(|id| is_id(id)).map(str::to_owned);
        let events = jws.payload.get("events").and_then(Value::as_object);
        let sound = events.is_some_and(|events| !events.is_empty() && events.values().all(Value::is_object));
        let (Some(issued_at), Some(id), true) = (issued_at, id, sound) else {
            return Err(EventRefusal::Malformed);
        };
        if now >= issued_at.after(self.max_age).after(self.clock_skew) {
            return Err(EventRefusal::Outdated);
        }
        if now.after(self.clock_skew) < issued_at {
            return Err(EventRefusal::Premature);
        }
        Ok(EventToken { id, issued_at, members: jws.payload })
    }
}

impl EventToken {
    /// Its `jti`, 1 to 255 bytes: the transmitter gives it to no other token.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was made (`iat`).
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// All claims by name.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && !text.chars().any(char::is_control)
}
