//! The proxy's host calls. The SDK panics on a status it does not expect, and a panic is an outage: every call here is
//! made only where the ABI allows it, and header values are always bytes, as a client may send what is no text.

use super::callbacks::Callbacks;
use crate::domain::{Call, Failure, Headers, Reply, Response, Ticket, Timestamp};
use crate::filter::{CallToken, Host, Level, SharedData};
use http::HeaderName;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

/// The most of an upstream's answer that is read: no key set and no account is larger.
const LARGEST_BODY: usize = 1024 * 1024;

/// The proxy that this module runs in.
#[derive(Default)]
pub(super) struct Proxy {
    /// Ids of the counters and gauges that were used, by name: so few that looking along them is the quickest way.
    metrics: RefCell<Vec<(&'static str, u32)>>,
    callbacks: Rc<Callbacks>,
}

impl SharedData for Proxy {
    fn shared_get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let (value, version) = hostcalls::get_shared_data(key).ok()?;
        Some((value.unwrap_or_default(), version?))
    }

    fn shared_set(&self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        hostcalls::set_shared_data(key, Some(value), version).is_ok()
    }
}

impl Host for Proxy {
    fn now(&self) -> Timestamp {
        now()
    }

    fn request_headers(&self) -> Headers {
        Headers::read(firstsight_abi::request_headers()).unwrap_or_default()
    }

    fn select(&self, stream: Ticket) -> bool {
        hostcalls::set_effective_context(stream.0).is_ok()
    }

    fn remove_request_header(&self, name: &str) {
        // The SDK reports nothing that could be acted on; the header is gone or the request is.
        let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
    }

    fn set_request_header(&self, name: &str, value: &[u8]) {
        let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value));
    }

    fn add_request_header(&self, name: &HeaderName, value: &[u8]) {
        let _ = hostcalls::add_map_value_bytes(MapType::HttpRequestHeaders, name.as_str(), value);
    }

    fn declare_filter_state(&self, key: &str) {
        // A proxy that cannot keeps values as bytes; one that was told before keeps what it was told.
        let _ = hostcalls::call_foreign_function("declare_property", Some(&text_property(key)));
    }

    fn set_filter_state(&self, key: &str, value: &[u8]) {
        let _ = hostcalls::set_property(vec![key], Some(value));
    }

    fn request_trailers(&self) -> Vec<String> {
        let trailers = hostcalls::get_map_bytes(MapType::HttpRequestTrailers).unwrap_or_default();
        trailers.into_iter().map(|(name, _)| name).collect()
    }

    fn remove_request_trailer(&self, name: &str) {
        let _ = hostcalls::remove_map_value(MapType::HttpRequestTrailers, name);
    }

    fn resume_request(&self) {
        let _ = hostcalls::resume_http_request();
    }

    fn respond(&self, response: &Response) {
        let headers =
            response.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let _ = hostcalls::send_http_response(
            u32::from(response.status),
            headers.collect(),
            Some(response.body.as_slice()),
        );
    }

    fn call(&self, call: &Call) -> Option<CallToken> {
        let mut headers =
            vec![(":method", call.method.as_str()), (":path", &call.path), (":authority", &call.authority)];
        // Ours are visible ASCII throughout; the configuration takes no other token.
        headers.extend(
            call.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))),
        );
        let body = (!call.body.is_empty()).then_some(call.body.as_slice());
        let token =
            hostcalls::dispatch_http_call(&call.cluster, headers, body, Vec::new(), call.timeout).ok()?;
        self.callbacks.calls(call.timeout);
        Some(CallToken(token))
    }

    fn tick_every(&self, span: Duration) {
        let _ = hostcalls::set_tick_period(span);
    }

    fn count(&self, metric: &'static str, by: u64) {
        if let (Some(id), Ok(by)) = (self.metric(MetricType::Counter, metric), i64::try_from(by)) {
            let _ = hostcalls::increment_metric(id, by);
        }
    }

    fn gauge(&self, metric: &'static str, value: u64) {
        if let Some(id) = self.metric(MetricType::Gauge, metric) {
            let _ = hostcalls::record_metric(id, value);
        }
    }

    fn log(&self, level: Level, line: &str) {
        log(level, line);
    }

    fn removed(&self) {
        let _ = hostcalls::done();
    }
}

impl Proxy {
    /// The same, where it is noticed what callbacks it withholds.
    pub(super) fn watching(callbacks: &Rc<Callbacks>) -> Self {
        Self { callbacks: callbacks.clone(), ..Self::default() }
    }

    fn metric(&self, kind: MetricType, name: &'static str) -> Option<u32> {
        let known =
            self.metrics.borrow().iter().find(|(known, _)| std::ptr::eq(*known, name)).map(|(_, id)| *id);
        known.or_else(|| {
            let id = hostcalls::define_metric(kind, name).ok()?;
            self.metrics.borrow_mut().push((name, id));
            Some(id)
        })
    }
}

/// The wall clock.
pub(super) fn now() -> Timestamp {
    let since_epoch = hostcalls::get_current_time().ok().and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    Timestamp::from_millis(0).after(since_epoch.unwrap_or_default())
}

/// Envoy's `DeclarePropertyArguments { name = 1, type = 3: String, span = 5: DownstreamRequest }`; names are short.
fn text_property(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(0) & 0x7f;
    [&[0x0a, length], name.as_bytes(), &[0x18, 0x01, 0x28, 0x01]].concat()
}

/// Writes a line to the proxy's log, saying whose it is.
pub(super) fn log(level: Level, line: &str) {
    let level = match level {
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    };
    let _ = hostcalls::log(level, &format!("firstsight: {line}"));
}

/// The reply that is being delivered. Too large a body is no answer.
pub(super) fn reply(headers: usize, body: usize) -> Reply {
    if headers == 0 || body > LARGEST_BODY {
        return Reply::Failed(Failure::Broken);
    }
    let mut headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
    let status = headers.iter().find(|(name, _)| name == ":status");
    let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
    let Some(status) = status else { return Reply::Failed(Failure::Broken) };
    headers.retain(|(name, _)| !name.starts_with(':'));
    Reply::Answer { status, headers, body: buffer(BufferType::HttpCallResponseBody, body) }
}

/// The first `size` bytes of a buffer; an absent one is empty.
pub(super) fn buffer(kind: BufferType, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    hostcalls::get_buffer(kind, 0, size).ok().flatten().unwrap_or_default()
}

/// A variable of the plugin's environment.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn property(path: Vec<&str>) -> Option<Vec<u8>> {
    hostcalls::get_property(path).ok().flatten().filter(|value| !value.is_empty())
}

/// Whether the active request has been sent to an upstream.
pub(super) fn was_forwarded() -> bool {
    property(vec!["upstream", "address"]).is_some()
}

/// Whether the active request has been answered, or given up by its client.
pub(super) fn is_over() -> bool {
    property(vec!["response", "code"]).is_some() || property(vec!["request", "duration"]).is_some()
}

/// The proxy's own name, where it has one.
pub(super) fn node() -> String {
    // Envoy before 1.33 has it under its bare name.
    let id = property(vec!["xds", "node", "id"]).or_else(|| property(vec!["node", "id"]));
    id.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A number that no other worker has: it tells this worker's sightings from all others. The hasher's keys are random, on
/// this target by `random_get` of WASI.
pub(super) fn nonce() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(0u8).to_be_bytes();
    let (first, second) = (half(), half());
    let mut nonce = [0; 16];
    for (place, byte) in nonce.iter_mut().zip(first.into_iter().chain(second)) {
        *place = byte;
    }
    nonce
}

/// The answer of a plugin that has no configuration, or sees no headers: it lets nobody through.
pub(super) fn respond_unusable() {
    let _ = hostcalls::send_http_response(503, vec![("cache-control", "no-store")], None);
}
