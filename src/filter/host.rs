//! What the shell needs of a proxy. One implementation talks to a real one (`envoy`), one is a fake in the tests.

use crate::domain::{Call, Headers, Response, Ticket, Timestamp};
use http::HeaderName;
use std::time::Duration;

/// The data that all workers of a proxy's process share, other plugins included. Nothing there is ever removed.
pub trait SharedData {
    /// What stands under `key`, and its version.
    fn shared_get(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Writes there; with `version` only if it is still that one, or nothing is there. `false` if it was not written.
    fn shared_set(&self, key: &str, value: &[u8], version: Option<u32>) -> bool;
}

/// A proxy's worker, as the shell sees it. No method may panic, and none calls back into the filter before it returns.
pub trait Host: SharedData {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Every header of the selected request, in order, names in lower case. Only while that request is held or in its
    /// header phase.
    fn request_headers(&self) -> Headers;

    /// Makes `stream` the one that the request methods act on. `false` if it is gone.
    fn select(&self, stream: Ticket) -> bool;

    /// Removes every header of that name from the selected request.
    fn remove_request_header(&self, name: &str);

    /// Replaces every header of that name on the selected request by one.
    fn set_request_header(&self, name: &str, value: &[u8]);

    /// Adds a header to the selected request, which has none of that name.
    fn add_request_header(&self, name: &HeaderName, value: &[u8]);

    /// Says that values of this key are texts that other filters compare. To be called while the plugin is configured.
    fn declare_filter_state(&self, key: &str);

    /// Tells the proxy's other filters and its log something about the selected request.
    fn set_filter_state(&self, key: &str, value: &[u8]);

    /// The names of the selected request's trailers, in lower case. Only in their phase.
    fn request_trailers(&self) -> Vec<String>;

    /// Removes every trailer of that name. Only in their phase.
    fn remove_request_trailer(&self, name: &str);

    /// Lets the selected request, held until now, go on. Its headers must not be touched afterwards.
    fn resume_request(&self);

    /// Answers the selected request here. To HEAD the proxy sends no body; a gRPC client gets trailers only, the body as
    /// their message.
    fn respond(&self, response: &Response);

    /// Starts a call. Its reply arrives only as long as the context that is active now lives. `None`: the proxy will
    /// not make it, and no reply follows.
    fn call(&self, call: &Call) -> Option<CallToken>;

    /// Asks for a tick after `span` and every `span` from then on; replaces what was asked before.
    fn tick_every(&self, span: Duration);

    /// Adds to a counter.
    fn count(&self, metric: &'static str, by: u64);

    /// Sets a gauge. All workers set the same one.
    fn gauge(&self, metric: &'static str, value: u64);

    /// Writes a line to the proxy's log.
    fn log(&self, level: Level, line: &str);

    /// Tells the proxy that a removal answered with [`Removal::Flushing`](super::Removal) is finished.
    fn removed(&self);
}

/// The proxy's name for a call that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallToken(pub u32);

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As expected, and rare.
    Info,
    /// Somebody should look.
    Warn,
    /// The plugin does not work.
    Error,
}
