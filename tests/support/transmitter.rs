//! A scripted transmitter of shared signals (RFC 8936): it brings an event until it is told what became of it.

use super::behaviour::{Behaviour, Heard};
use super::config::ISSUER;
use firstsight::domain::Timestamp;
use firstsight::wire::signals::{PollAnswer, PollRequest, SetError};
use firstsight_testkit::{Algorithm, TestIssuer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The `iss` of its events, and the `aud` that they are meant for.
pub(crate) const TRANSMITTER: &str = "http://transmitter.test/acme";
pub(crate) const RECEIVER: &str = "https://edge.test";

/// What all its addresses begin with, but for that of its configuration.
pub(crate) const BASE: &str = "/ssf";
pub(crate) const CONFIGURATION: &str = "/.well-known/ssf-configuration";

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// A handle to it; clones are the same transmitter.
#[derive(Clone)]
pub(crate) struct Transmitter(Arc<Mutex<State>>);

struct State {
    keys: TestIssuer,
    made: usize,
    /// Those it was not told of what became of them.
    pending: BTreeMap<String, String>,
    /// The most in one answer.
    page: usize,
    /// How it answers, unless as it should.
    answer: Option<Behaviour>,
    asked: Vec<PollRequest>,
}

impl Default for Transmitter {
    fn default() -> Self {
        let keys = TestIssuer::new(TRANSMITTER, Algorithm::ES256);
        let (pending, asked) = (BTreeMap::new(), vec![]);
        Self(Arc::new(Mutex::new(State { keys, made: 0, pending, page: 100, answer: None, asked })))
    }
}

impl Transmitter {
    pub(crate) fn disables(&self, sub: &str, at: Timestamp) -> String {
        self.tells(&format!("{RISC}account-disabled"), sub, at)
    }

    pub(crate) fn enables(&self, sub: &str, at: Timestamp) -> String {
        self.tells(&format!("{RISC}account-enabled"), sub, at)
    }

    pub(crate) fn revokes(&self, sub: &str, at: Timestamp) -> String {
        self.tells(&format!("{CAEP}session-revoked"), sub, at)
    }

    /// Tells such an event of that subject. Returns the event's name.
    pub(crate) fn tells(&self, event: &str, sub: &str, at: Timestamp) -> String {
        self.tells_of(event, &json!({"format": "iss_sub", "iss": ISSUER, "sub": sub}), at, &json!({}))
    }

    /// The same with another subject, and other claims: `null` takes one out.
    pub(crate) fn tells_of(&self, event: &str, subject: &Value, at: Timestamp, extra: &Value) -> String {
        let mut state = self.lock();
        state.made += 1;
        let name = format!("event-{}", state.made);
        let mut claims = json!({
            "iss": TRANSMITTER, "aud": RECEIVER, "iat": at.as_millis() / 1000, "jti": name, "sub_id": subject,
            "events": {event: {}},
        });
        for (claim, value) in extra.as_object().into_iter().flatten() {
            claims[claim] = value.clone();
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        let key = state.keys.key();
        let header = json!({"typ": "secevent+jwt", "alg": "ES256", "kid": key.kid()});
        let text = key.sign(&header, claims.to_string().as_bytes());
        state.pending.insert(name.clone(), text);
        name
    }

    /// Brings this text, whatever it is.
    pub(crate) fn brings(&self, name: &str, text: &str) {
        self.lock().pending.insert(name.to_owned(), text.to_owned());
    }

    /// There are at most so many events in one answer.
    pub(crate) fn pages_of(&self, most: usize) {
        self.lock().page = most;
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotates(&self) {
        self.lock().keys.rotate(true);
    }

    pub(crate) fn answers(&self, behaviour: Behaviour) {
        self.lock().answer = Some(behaviour);
    }

    pub(crate) fn behaves(&self) {
        self.lock().answer = None;
    }

    pub(crate) fn polls(&self) -> usize {
        self.lock().asked.len()
    }

    /// Whether nothing is left to bring.
    pub(crate) fn is_done(&self) -> bool {
        self.lock().pending.is_empty()
    }

    /// The names of all events that were taken.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.lock().asked.iter().flat_map(|request| request.ack.clone()).collect()
    }

    /// All that were refused, and why.
    pub(crate) fn refused(&self) -> BTreeMap<String, SetError> {
        self.lock().asked.iter().flat_map(|request| request.set_errs.clone()).collect()
    }

    pub(super) fn hear(&self, heard: &Heard) -> Behaviour {
        let mut state = self.lock();
        match heard.path.as_str() {
            "/.well-known/ssf-configuration/acme" => {
                let keys = "http://transmitter.test/ssf/jwks";
                Behaviour::json(200, &json!({"issuer": TRANSMITTER, "jwks_uri": keys}))
            }
            "/ssf/jwks" => Behaviour::json(200, &state.keys.jwks()),
            "/ssf/poll" => state.poll(heard),
            _ => Behaviour::text(404, ""),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll(&mut self, heard: &Heard) -> Behaviour {
        let Ok(request) = serde_json::from_slice::<PollRequest>(&heard.body) else {
            return Behaviour::text(400, "");
        };
        self.asked.push(request.clone());
        if let Some(behaviour) = &self.answer {
            return behaviour.clone();
        }
        for name in request.ack.iter().chain(request.set_errs.keys()) {
            self.pending.remove(name);
        }
        let sets: BTreeMap<_, _> = self.pending.clone().into_iter().take(self.page).collect();
        let wait = if sets.is_empty() && !request.return_immediately { 300 } else { 0 };
        let answer = PollAnswer { more_available: sets.len() < self.pending.len(), sets };
        let answer = serde_json::to_value(&answer).expect("it is JSON");
        Behaviour::json(200, &answer).after(Duration::from_millis(wait))
    }
}
