//! Where a scenario takes place: a proxy with the filter, an issuer, a directory, an application, and a clock. One world
//! is a fake in this process with a virtual clock, the other a real Envoy with two workers.

use super::behaviour::Behaviour;
use super::config::{Config, DIRECTORY_TOKEN};
use super::directory::Directory;
use super::issuer::Issuer;
use super::message::{Answer, Request, get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::domain::Timestamp;
use firstsight_testkit::Algorithm;
use serde_json::{Value, json};
use std::time::Duration;

/// The scripted upstreams, before and while a world uses them.
#[derive(Clone)]
pub(crate) struct Upstreams {
    pub(crate) issuer: Issuer,
    pub(crate) directory: Directory,
}

impl Default for Upstreams {
    fn default() -> Self {
        Self { issuer: Issuer::signing_with(Algorithm::ES256), directory: Directory::default() }
    }
}

/// A running proxy and what surrounds it. When it is dropped, it checks what must hold after every scenario
/// ([`last_checks`]).
pub(crate) trait World: Sized {
    /// A request under way.
    type Open;

    /// How many workers serve requests; each has its own memory, so "once" means at most this often.
    const WORKERS: usize;

    /// How many copies of the module do what is done without requests; a proxy has one in its main thread, too.
    const VMS: usize;

    /// Starts a proxy with this plugin configuration.
    ///
    /// # Errors
    /// What the proxy logged, if it refuses the configuration.
    fn start(upstreams: Upstreams, config: &Config) -> Result<Self, String>;

    /// Replaces the plugin's configuration.
    ///
    /// # Errors
    /// What the proxy logged, if it refuses the new one and keeps the old.
    fn update(&mut self, config: &Config) -> Result<(), String>;

    /// Removes the plugin, and returns when it is gone.
    fn remove_plugin(&mut self);

    fn upstreams(&self) -> &Upstreams;

    /// The proxy's clock.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    fn pass(&mut self, span: Duration);

    /// Waits until something has come about; fails if it never does.
    #[track_caller]
    fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool);

    /// Sends a request, without waiting for its answer.
    fn open(&mut self, request: Request) -> Self::Open;

    /// Waits for the answer.
    #[track_caller]
    fn answer(&mut self, open: Self::Open) -> Answer;

    /// The client disconnects.
    fn abort(&mut self, open: Self::Open);

    /// A counter of the plugin's, over all workers; or a gauge.
    fn counter(&self, name: &str) -> u64;

    /// Everything the proxy logged.
    fn log(&self) -> String;

    /// Sends requests until every worker has answered one; none may be answered otherwise than by the plugin.
    #[track_caller]
    fn every_worker_serves(&mut self);

    fn usual(config: &Config) -> Self {
        Self::start(Upstreams::default(), config).unwrap_or_else(|log| panic!("it does not start: {log}"))
    }

    fn issuer(&self) -> Issuer {
        self.upstreams().issuer.clone()
    }

    fn directory(&self) -> Directory {
        self.upstreams().directory.clone()
    }

    /// A token of `sub`, valid now.
    fn token(&self, sub: &str) -> String {
        self.token_with(sub, &json!({}))
    }

    /// The same with other claims; `null` takes one out.
    fn token_with(&self, sub: &str, extra: &Value) -> String {
        self.issuer().token(sub, self.now(), extra)
    }

    #[track_caller]
    fn send(&mut self, request: Request) -> Answer {
        let open = self.open(request);
        self.answer(open)
    }

    /// Sends all at once; their answers are in the same order.
    #[track_caller]
    fn send_all(&mut self, requests: Vec<Request>) -> Vec<Answer> {
        let open: Vec<_> = requests.into_iter().map(|request| self.open(request)).collect();
        open.into_iter().map(|open| self.answer(open)).collect()
    }

    /// The usual request of `sub`, with a new token.
    #[track_caller]
    fn visit(&mut self, sub: &str) -> Answer {
        let token = self.token(sub);
        self.send(get("/orders").bearer(&token))
    }

    /// The same, `count` times at once.
    #[track_caller]
    fn visits(&mut self, sub: &str, count: usize) -> Vec<Answer> {
        let token = self.token(sub);
        self.send_all((0..count).map(|_| get("/orders").bearer(&token)).collect())
    }
}

/// Checks that a request without a token was answered by the plugin.
#[track_caller]
pub(crate) fn answered_by_plugin(answer: Answer, only_reports: bool) {
    if only_reports {
        answer.forwarded();
    } else {
        answer.refused(401, "token-missing");
    }
}

/// What must hold after every scenario: every worker still serves, and nothing that belongs to a client or an operator
/// was logged.
#[track_caller]
pub(crate) fn last_checks(world: &mut impl World) {
    world.every_worker_serves();
    nothing_secret_is_logged(world);
}

/// Neither a token (its signature, its payload) nor a claim's value nor the directory's credentials.
#[track_caller]
pub(crate) fn nothing_secret_is_logged(world: &impl World) {
    let log = world.log();
    assert!(!log.contains(DIRECTORY_TOKEN), "the directory's token is in the log:\n{log}");
    for token in world.issuer().tokens() {
        let parts: Vec<_> = token.split('.').collect();
        for part in parts.iter().skip(1).filter(|part| part.len() > 12) {
            assert!(!log.contains(&part[..12]), "a token is in the log:\n{log}");
        }
        let payload = parts.get(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
        for (name, value) in claims.as_object().into_iter().flatten() {
            let told = value.as_str().filter(|text| text.len() > 6 && !matches!(&**name, "iss" | "aud"));
            assert!(told.is_none_or(|text| !log.contains(text)), "`{name}` is in the log:\n{log}");
        }
    }
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The answer of a directory that is there, but not able.
pub(crate) fn unavailable() -> Behaviour {
    Behaviour::text(503, "try later").with_header("retry-after", b"7")
}
