//! A small transmitter: it signs tokens, publishes its keys, and answers polls (RFC 8936).

use super::AUDIENCE;
use crate::program::ISSUER;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use firstsight_testkit::{Algorithm, TestIssuer};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone)]
pub(super) struct Transmitter {
    pub(super) url: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    issuer: TestIssuer,
    keys_are_away: bool,
    keys_asked: usize,
    /// Tokens that were not acknowledged yet.
    waiting: BTreeMap<String, String>,
    /// Polls that are answered with 503 before others are answered.
    failures: usize,
    /// Every poll that came.
    polls: Vec<(Option<String>, Value)>,
}

impl Transmitter {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            issuer: TestIssuer::new(&url, Algorithm::ES256),
            keys_are_away: false,
            keys_asked: 0,
            waiting: BTreeMap::new(),
            failures: 0,
            polls: Vec::new(),
        };
        let transmitter = Self { url, inner: Arc::new(Mutex::new(inner)) };
        let app = Router::new()
            .route("/jwks", get(keys))
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/.well-known/ssf-configuration", get(discovery))
            .route("/poll", post(poll))
            .with_state(transmitter.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        transmitter
    }

    /// Its section in the settings, with more lines.
    pub(super) fn section(&self, more: &str) -> String {
        format!(
            "[[signals]]\nname = \"idp\"\nissuer = \"{}\"\naudiences = [\"{AUDIENCE}\"]\nsubjects = [\"{ISSUER}\"]\n{more}\n",
            self.url
        )
    }

    /// The same, polled.
    pub(super) fn polled(&self, more: &str) -> String {
        self.section(&format!("{more}\n[signals.poll]\nurl = \"{}/poll\"\nmax_events = 2", self.url))
    }

    pub(super) fn rotate(&self) {
        self.inner.lock().unwrap().issuer.rotate(false);
    }

    /// Whether its keys cannot be fetched.
    pub(super) fn keys_are_away(&self, away: bool) {
        self.inner.lock().unwrap().keys_are_away = away;
    }

    pub(super) fn keys_asked(&self) -> usize {
        self.inner.lock().unwrap().keys_asked
    }

    /// Signs these claims under this `typ`.
    pub(super) fn sign(&self, typ: &str, claims: &Value) -> String {
        let inner = self.inner.lock().unwrap();
        let key = inner.issuer.key();
        key.sign(&json!({"typ": typ, "alg": "ES256", "kid": key.kid()}), claims.to_string().as_bytes())
    }

    /// Good claims of a token of one event, made now.
    pub(super) fn claims(&self, sub_id: &Value, event: &str, payload: &Value) -> Value {
        json!({"iss": self.url, "aud": [AUDIENCE], "iat": now(), "jti": id(), "sub_id": sub_id, "events": {event: payload}})
    }

    pub(super) fn events(&self, claims: &Value) -> String {
        self.sign("secevent+jwt", claims)
    }

    /// A token of one event about this subject at the usual issuer.
    pub(super) fn about(&self, sub: &str, event: &str, payload: &Value) -> String {
        self.events(&self.claims(&iss_sub(sub), event, payload))
    }

    /// The same, made so many seconds ago.
    pub(super) fn earlier(&self, seconds: u64, sub: &str, event: &str) -> String {
        let mut claims = self.claims(&iss_sub(sub), event, &json!({}));
        claims["iat"] = json!(now() - seconds);
        self.events(&claims)
    }

    /// Has a token wait for a poll; returns its id.
    pub(super) fn queue(&self, sub: &str, event: &str) -> String {
        let claims = self.claims(&iss_sub(sub), event, &json!({}));
        let id = claims["jti"].as_str().unwrap().to_owned();
        self.queue_text(&id, &self.events(&claims));
        id
    }

    pub(super) fn queue_text(&self, id: &str, token: &str) {
        self.inner.lock().unwrap().waiting.insert(id.to_owned(), token.to_owned());
    }

    pub(super) fn fail(&self, times: usize) {
        self.inner.lock().unwrap().failures = times;
    }

    pub(super) fn polls(&self) -> Vec<(Option<String>, Value)> {
        self.inner.lock().unwrap().polls.clone()
    }

    /// What was said of every token, in the order in which it was said.
    pub(super) fn said(&self) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for (_, poll) in self.polls() {
            for id in poll["ack"].as_array().into_iter().flatten() {
                said.push((id.as_str().unwrap().to_owned(), "ack".to_owned()));
            }
            for (id, error) in poll["setErrs"].as_object().into_iter().flatten() {
                said.push((id.clone(), error["err"].as_str().unwrap().to_owned()));
            }
        }
        said
    }

    /// Waits until so many tokens were spoken of.
    pub(super) async fn has_heard(&self, number: usize) -> Vec<(String, String)> {
        for _ in 0..200 {
            let said = self.said();
            if said.len() >= number {
                return said;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("only {:?} was said", self.said());
    }
}

async fn keys(State(transmitter): State<Transmitter>) -> Result<Json<Value>, StatusCode> {
    let mut inner = transmitter.inner.lock().unwrap();
    inner.keys_asked += 1;
    if inner.keys_are_away { Err(StatusCode::BAD_GATEWAY) } else { Ok(Json(inner.issuer.jwks())) }
}

async fn discovery(State(transmitter): State<Transmitter>) -> Json<Value> {
    Json(transmitter.inner.lock().unwrap().issuer.discovery())
}

/// Answers with what waits, or after a while with nothing.
async fn poll(
    State(transmitter): State<Transmitter>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    {
        let mut inner = transmitter.inner.lock().unwrap();
        inner.polls.push((token, request.clone()));
        if inner.failures > 0 {
            inner.failures -= 1;
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        for id in request["ack"].as_array().into_iter().flatten() {
            inner.waiting.remove(id.as_str().unwrap());
        }
        for id in request["setErrs"].as_object().into_iter().flatten().map(|(id, _)| id) {
            inner.waiting.remove(id);
        }
    }
    let most = usize::try_from(request["maxEvents"].as_u64().unwrap()).unwrap();
    for _ in 0..20 {
        let (sets, more): (BTreeMap<_, _>, _) = {
            let inner = transmitter.inner.lock().unwrap();
            (inner.waiting.clone().into_iter().take(most).collect(), inner.waiting.len() > most)
        };
        if !sets.is_empty() || request["returnImmediately"] == true {
            return Ok(Json(json!({"sets": sets, "moreAvailable": more})));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Json(json!({"sets": {}})))
}

pub(super) fn iss_sub(sub: &str) -> Value {
    json!({"format": "iss_sub", "iss": ISSUER, "sub": sub})
}

pub(super) fn id() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("event-{}", MADE.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
