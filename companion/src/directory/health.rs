//! `GET /healthz`: the process lives. `GET /readyz`: it can do what it is for. Both for anybody, and without a reason: whoever
//! may know it reads the log.

use super::store::Store;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long an answer is good for: whoever asks all the time does not keep the database busy.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether requests should come here; clones are the same.
#[derive(Clone)]
pub(super) struct Readiness(Arc<Inside>);

struct Inside {
    store: Store,
    leaves: AtomicBool,
    /// What was found last, and when.
    found: Mutex<Option<(bool, Instant)>>,
}

impl Readiness {
    pub(super) fn new(store: Store) -> Self {
        Self(Arc::new(Inside { store, leaves: AtomicBool::new(false), found: Mutex::new(None) }))
    }

    /// From now on requests should go elsewhere.
    pub(super) fn leave(&self) {
        self.0.leaves.store(true, Ordering::Relaxed);
    }

    pub(super) fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let ready = get(ready).with_state(self.clone());
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", ready)
    }

    async fn holds(&self) -> bool {
        let Inside { store, leaves, found } = &*self.0;
        if leaves.load(Ordering::Relaxed) {
            return false;
        }
        let mut found = found.lock().await;
        if let Some((holds, at)) = *found
            && at.elapsed() < GOOD_FOR
        {
            return holds;
        }
        let holds = match timeout(PATIENCE, store.is_ready()).await {
            Ok(Ok(true)) => true,
            Ok(Ok(false)) => refuse("its schema is another"),
            Ok(Err(error)) => refuse(&error.to_string()),
            Err(_) => refuse("it takes too long"),
        };
        *found = Some((holds, Instant::now()));
        holds
    }
}

fn refuse(why: &str) -> bool {
    tracing::warn!("not ready: the database: {why}");
    false
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    match readiness.holds().await {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
