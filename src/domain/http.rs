//! HTTP as data: what a client asked, what we ask an upstream, what came back, what we answer.

use super::Timestamp;
use http::{HeaderName, HeaderValue, Method};
use std::time::Duration;

/// What is to be done to a request's headers before it goes on. Names are lower case; `:path` is one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Every header of this name goes.
    Remove(String),
    /// This value takes the place of every header of this name.
    Set(String, Vec<u8>),
}

/// Names a request that waits. The shell chooses it (the proxy's stream id) and gets it back with the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u32);

/// Names a call until its reply has been concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// A request of ours to an upstream, to be made through one of the proxy's clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The proxy's name for where the upstream is.
    pub cluster: String,
    /// The HTTP method.
    pub method: Method,
    /// The `:authority` (host and port) the upstream is asked under.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Headers beside the pseudo-headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
    /// The proxy gives up after this long.
    pub timeout: Duration,
    /// How the workers of a process make it once for all of them; `None` if each makes its own.
    pub shared: Option<Shared>,
}

/// A [`Call`] that may be made by any worker of the process for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// What is asked for, in words of the configuration alone: what is remembered under them is never removed.
    pub name: String,
    /// An answer that came after this will do, and so will a failure.
    pub after: Timestamp,
}

/// What came of a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer with a status; the proxy's own 502, 503 and 504 for an unreachable upstream are answers too.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers without pseudo-headers; names lower case.
        headers: Vec<(String, Vec<u8>)>,
        /// The body, whole.
        body: Vec<u8>,
    },
    /// No answer at all.
    Failed(Failure),
}

impl Reply {
    /// The first value of header `name` (lower case), if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Answer { headers, .. } => headers
                .iter()
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| std::str::from_utf8(value).ok()),
            Self::Failed(_) => None,
        }
    }
}

/// Why a [`Call`] has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The proxy would not make it: no such cluster, no endpoint, a full circuit breaker.
    Refused,
    /// It was made, and its stream died before the answer was whole.
    Broken,
}

/// What a client of the gateway is answered instead of the application's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: Vec<u8>,
}
