//! A scripted issuer: keys and tokens are the testkit's; how it answers when it is asked for them is the scenario's.

use super::behaviour::{Behaviour, Heard, Upstream};
use super::config::ISSUER;
use super::switch::Switch;
use firstsight::domain::Timestamp;
use firstsight_testkit::{Algorithm, SigningKey, TestIssuer};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whom the usual configuration lets in.
pub(crate) const AUDIENCE: &str = "orders-api";

const DISCOVERY: &str = "/realms/acme/.well-known/openid-configuration";
const JWKS: &str = "/realms/acme/jwks";

/// A handle to it; clones are the same issuer.
#[derive(Clone)]
pub(crate) struct Issuer(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    switch: Switch,
}

struct State {
    keys: TestIssuer,
    discovery: Option<Behaviour>,
    jwks: Option<Behaviour>,
    /// What is behind `/odd/0`, `/odd/1`, …: key sets of other issuers.
    odd: Vec<Behaviour>,
    discoveries: usize,
    fetches: usize,
    /// Every token it made: none may ever be found in a log.
    tokens: Vec<String>,
}

impl Issuer {
    pub(crate) fn signing_with(algorithm: Algorithm) -> Self {
        let keys = TestIssuer::new(ISSUER, algorithm);
        let state = State {
            keys,
            discovery: None,
            jwks: None,
            odd: vec![],
            discoveries: 0,
            fetches: 0,
            tokens: vec![],
        };
        Self(Arc::new(Inner { state: Mutex::new(state), switch: Switch::default() }))
    }

    /// An access token of `sub`, with a few more claims; members of `extra` are added or replaced, `null` takes one out.
    pub(crate) fn token(&self, sub: &str, now: Timestamp, extra: &Value) -> String {
        let mut claims = json!({
            "email": format!("{sub}@people.test"),
            "preferred_username": format!("login-of-{sub}"),
            "given_name": format!("Given-{sub}"),
        });
        for (name, value) in extra.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let mut state = self.lock();
        let token = state.keys.access_token(sub, AUDIENCE, now.as_millis() / 1000, &claims);
        state.tokens.push(token.clone());
        token
    }

    /// A token with exactly this header and payload, signed with the current key.
    pub(crate) fn signs(&self, header: &Value, payload: &[u8]) -> String {
        let mut state = self.lock();
        let token = state.keys.key().sign(header, payload);
        state.tokens.push(token.clone());
        token
    }

    /// The key it signs with now.
    pub(crate) fn key(&self) -> SigningKey {
        self.lock().keys.key().clone()
    }

    /// The keys it publishes.
    pub(crate) fn jwks(&self) -> Value {
        self.lock().keys.jwks()
    }

    /// Signs with a new key from now on; the old one is published no longer.
    pub(crate) fn rotates(&self) {
        self.lock().keys.rotate(false);
    }

    /// From now on the discovery document is this.
    pub(crate) fn answers_discovery(&self, behaviour: Behaviour) {
        self.lock().discovery = Some(behaviour);
    }

    /// From now on the key set is this.
    pub(crate) fn answers_jwks(&self, behaviour: Behaviour) {
        self.lock().jwks = Some(behaviour);
    }

    /// What is behind `/odd/0`, `/odd/1`, and so on.
    pub(crate) fn answers_odd(&self, behaviours: Vec<Behaviour>) {
        self.lock().odd = behaviours;
    }

    /// Nobody can connect to it.
    pub(crate) fn goes_down(&self) {
        self.0.switch.turn(false);
    }

    pub(crate) fn comes_back(&self) {
        self.0.switch.turn(true);
    }

    /// How often its discovery document was asked for.
    pub(crate) fn discoveries(&self) -> usize {
        self.lock().discoveries
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.lock().fetches
    }

    /// Every token it made.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.lock().tokens.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream for Issuer {
    fn hear(&self, heard: &Heard) -> Behaviour {
        let mut state = self.lock();
        match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", DISCOVERY) => {
                state.discoveries += 1;
                state.discovery.clone().unwrap_or_else(|| Behaviour::json(200, &state.keys.discovery()))
            }
            ("GET", JWKS) => {
                state.fetches += 1;
                state.jwks.clone().unwrap_or_else(|| Behaviour::json(200, &state.keys.jwks()))
            }
            ("GET", path) => {
                let number: Option<usize> = path.strip_prefix("/odd/").and_then(|text| text.parse().ok());
                let odd = number.and_then(|number| state.odd.get(number).cloned());
                odd.unwrap_or_else(|| Behaviour::text(404, ""))
            }
            _ => Behaviour::text(404, ""),
        }
    }

    fn switch(&self) -> &Switch {
        &self.0.switch
    }
}
