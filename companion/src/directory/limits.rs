//! What one client can take from the others: the `[limits]` of the settings. A body's size is limited where it is read.

use super::problem::Problem;
use crate::server::Terms;
use crate::server::tls::Tls;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::num::NonZeroU32;
use std::time::Duration;

/// The limits, with room for a handful of busy gateways.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    /// How many connections there are at a time; more wait to be accepted. One has one request at a time.
    connections: NonZeroU32,
    /// How long a client may take for the head of a request. It is counted from when the connection was free, so this
    /// is also how long one may idle: longer than clients keep idle ones is friendlier.
    #[serde(deserialize_with = "span")]
    header_timeout: Duration,
    /// How long it may take from the head of a request to its answer, its body included. Whoever waits for departures
    /// may wait as long as that takes.
    #[serde(deserialize_with = "span")]
    request_timeout: Duration,
    /// How many requests a token has in a second, all together.
    pub(super) requests_per_second: NonZeroU32,
    /// How many requests in a minute with no token that works an address is told of; the others are told to wait.
    pub(super) failures_per_minute: NonZeroU32,
    /// How long the directory takes requests after it was asked to stop, and says that it is not ready any more.
    #[serde(deserialize_with = "span")]
    drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let Terms { connections, header_timeout, drain, .. } = Terms::default();
        Self {
            connections,
            header_timeout,
            request_timeout: Duration::from_secs(30),
            requests_per_second: NonZeroU32::MIN.saturating_add(9_999),
            failures_per_minute: NonZeroU32::MIN.saturating_add(59),
            drain,
        }
    }
}

impl Limits {
    /// These routes, each request in its time.
    pub(super) fn timed<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.layer(middleware::from_fn_with_state(self.request_timeout, in_time))
    }

    /// What of it concerns connections.
    pub(super) fn terms(&self, tls: Option<Tls>) -> Terms {
        let Self { connections, header_timeout, drain, .. } = *self;
        Terms { connections, header_timeout, drain, tls }
    }
}

async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(limit, next.run(request)).await;
    answered.unwrap_or_else(|_| Problem::timed_out().into_response())
}

fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text).map_err(|_| D::Error::custom("a time such as 30s is wanted"))
}
