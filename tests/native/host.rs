//! A fake proxy, as strict as a real one: what would make the SDK panic, or be lost, in Envoy fails the test or is lost
//! here as well.

use crate::peculiarities::{LATENCY, headers_of, local_reply, ours, outcome, value};
use crate::support::behaviour::{Behaviour, Heard, Upstream as _};
use crate::support::message::{Answer, Request, Seen};
use crate::support::world::Upstreams;
use firstsight::domain::{Call, Headers, Reply, Response, Ticket, Timestamp};
use firstsight::filter::{CallToken, Host, Level, SharedData};
use http::{HeaderName, HeaderValue};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// A handle to the proxy; the filter has one, the world another.
#[derive(Clone)]
pub(crate) struct FakeProxy(pub(crate) Rc<RefCell<Proxy>>);

/// One worker of it.
pub(crate) struct Proxy {
    pub(crate) now: Timestamp,
    /// Counters and gauges.
    pub(crate) counters: BTreeMap<&'static str, u64>,
    pub(crate) log: String,
    pub(crate) removed: bool,
    /// The names of the selected request's trailers.
    pub(crate) trailers: Vec<String>,
    /// The proxy gives no headers.
    pub(crate) unreadable: bool,
    upstreams: Upstreams,
    streams: BTreeMap<Ticket, Stream>,
    next_stream: u32,
    /// The context that the filter is being called in; `None` for the root, or while it is not.
    active: Option<Ticket>,
    /// The stream that header calls act on.
    selected: Option<Ticket>,
    calls: Vec<Flight>,
    next_call: u32,
    shared: Values,
    /// Whether it has shared data at all.
    pub(crate) shares: bool,
    /// Period and next time.
    timer: Option<(Duration, Timestamp)>,
}

/// What the workers of one process share: values with their versions.
pub(crate) type Values = Rc<RefCell<BTreeMap<String, (Vec<u8>, u32)>>>;

/// A request in the proxy.
struct Stream {
    headers: Vec<(String, Vec<u8>)>,
    filter_state: BTreeMap<String, Vec<u8>>,
    body: Vec<u8>,
    phase: Phase,
}

enum Phase {
    /// The filter is looking at its headers, or holds it.
    Open,
    Forwarded,
    Answered(Response),
}

/// A call under way.
pub(crate) struct Flight {
    pub(crate) token: CallToken,
    pub(crate) owner: Option<Ticket>,
    pub(crate) reply: Reply,
    due: Timestamp,
}

/// What happens next.
pub(crate) enum Event {
    Reply(Flight),
    Tick,
}

impl FakeProxy {
    pub(crate) fn new(upstreams: Upstreams, now: Timestamp) -> Self {
        Self(Rc::new(RefCell::new(Proxy {
            now,
            counters: BTreeMap::new(),
            log: String::new(),
            removed: false,
            trailers: vec![],
            unreadable: false,
            upstreams,
            streams: BTreeMap::new(),
            next_stream: 2,
            active: None,
            selected: None,
            calls: vec![],
            next_call: 1,
            shared: Values::default(),
            shares: true,
            timer: None,
        })))
    }

    /// The same in the process of another worker.
    pub(crate) fn beside(self, other: &Self) -> Self {
        self.0.borrow_mut().shared = other.shared_data();
        self
    }

    pub(crate) fn shared_data(&self) -> Values {
        self.0.borrow().shared.clone()
    }

    /// Runs a call into the filter in a context, as the SDK does: that context is selected, and nothing is afterwards.
    pub(crate) fn within<T>(&self, context: Option<Ticket>, call: impl FnOnce() -> T) -> T {
        {
            let mut proxy = self.0.borrow_mut();
            (proxy.active, proxy.selected) = (context, context);
        }
        let result = call();
        let mut proxy = self.0.borrow_mut();
        (proxy.active, proxy.selected) = (None, None);
        result
    }
}

impl Proxy {
    /// A client's request arrives.
    pub(crate) fn accept(&mut self, request: &Request) -> Ticket {
        let stream = Ticket(self.next_stream);
        self.next_stream += 1;
        let headers = headers_of(request);
        self.streams.insert(
            stream,
            Stream { headers, filter_state: BTreeMap::new(), body: request.body.clone(), phase: Phase::Open },
        );
        stream
    }

    /// The filter said `Continue`; if it answered the request as well, the answer stands.
    pub(crate) fn go_on(&mut self, stream: Ticket) {
        if let Some(Stream { phase: phase @ Phase::Open, .. }) = self.streams.get_mut(&stream) {
            *phase = Phase::Forwarded;
        }
    }

    pub(crate) fn is_alive(&self, stream: Ticket) -> bool {
        self.streams.contains_key(&stream)
    }

    /// Takes out the next request that is forwarded or answered, with its answer.
    pub(crate) fn take_finished(&mut self) -> Option<(Ticket, Answer)> {
        let over = |stream: &Stream| !matches!(stream.phase, Phase::Open);
        let (ticket, stream) = self.streams.iter().find(|(_, stream)| over(stream))?;
        let answer = match &stream.phase {
            Phase::Answered(response) => local_reply(response, &stream.headers),
            _ => {
                let value = |name: &str| value(&stream.headers, name).map(String::from_utf8_lossy);
                // The route writes a piece of filter state into a header.
                let routed =
                    stream.filter_state.get("user").map(|user| ("x-filter-state".to_owned(), user.clone()));
                let seen = Seen {
                    method: value(":method").unwrap_or_default().into_owned(),
                    target: value(":path").unwrap_or_default().into_owned(),
                    headers: stream.headers.iter().cloned().chain(routed).collect(),
                    body: stream.body.clone(),
                };
                Answer { status: 200, headers: vec![], body: vec![], seen: Some(seen) }
            }
        };
        Some((*ticket, answer))
    }

    /// The stream is over; replies to its calls have nobody left to go to.
    pub(crate) fn end(&mut self, stream: Ticket) {
        self.streams.remove(&stream);
    }

    /// The timer fires after `span` of a clock that was set.
    pub(crate) fn rings_in(&mut self, span: Duration) {
        self.timer = Some((span, self.now.after(span)));
    }

    /// When something happens next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let calls = self.calls.iter().map(|flight| flight.due);
        calls.chain(self.timer.map(|(_, next)| next)).min()
    }

    /// Moves the clock to what happens next, if it does until `limit`.
    pub(crate) fn next_event(&mut self, limit: Timestamp) -> Option<Event> {
        let call = (0..self.calls.len()).min_by_key(|index| self.calls[*index].due);
        let call_due = call.map(|index| self.calls[index].due);
        let tick_due = self.timer.map(|(_, next)| next);
        let due = call_due.into_iter().chain(tick_due).min().filter(|due| *due <= limit)?;
        self.now = self.now.max(due);
        match (call, &mut self.timer) {
            (Some(index), _) if call_due == Some(due) => Some(Event::Reply(self.calls.remove(index))),
            (_, Some((period, next))) => {
                *next = due.after(*period);
                Some(Event::Tick)
            }
            _ => None,
        }
    }

    /// The selected stream while its headers may be touched. At any other time the SDK panics, and the worker is lost.
    fn headers(&mut self) -> &mut Stream {
        let selected = self.selected.expect("headers are touched while no request is selected");
        let stream = self.streams.get_mut(&selected).expect("headers of a request that is gone are touched");
        assert!(matches!(stream.phase, Phase::Open), "headers are touched after the request went on");
        stream
    }

    fn ask(&self, call: &Call) -> Option<(Duration, Reply)> {
        let name_and_value =
            |(name, value): &(HeaderName, HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
        let mut headers: Vec<_> = call.headers.iter().map(name_and_value).collect();
        headers.push(("host".to_owned(), call.authority.clone().into_bytes()));
        let method = call.method.as_str().to_owned();
        let heard = Heard { method, path: call.path.clone(), headers, body: call.body.clone() };
        let (is_up, behaviour): (bool, &dyn Fn() -> Behaviour) = match call.cluster.as_str() {
            "idp" => (self.upstreams.issuer.switch().is_on(), &|| self.upstreams.issuer.hear(&heard)),
            "directory" => {
                (self.upstreams.directory.switch().is_on(), &|| self.upstreams.directory.hear(&heard))
            }
            _ => return None,
        };
        Some(if is_up {
            outcome(behaviour(), call.timeout)
        } else {
            (LATENCY, ours(503, "upstream connect error"))
        })
    }
}

impl SharedData for FakeProxy {
    fn shared_get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let found = self.shared_data().borrow().get(key).cloned();
        found.filter(|_| self.0.borrow().shares)
    }

    /// As Envoy does it: the version is compared only if there is something.
    fn shared_set(&self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        assert!(key.starts_with("firstsight/"), "{key} is not ours");
        if !self.0.borrow().shares {
            return false;
        }
        let shared = self.shared_data();
        let mut shared = shared.borrow_mut();
        let known = shared.get(key).map(|(_, version)| *version);
        if version.is_some() && known.is_some() && version != known {
            return false;
        }
        let next = shared.values().map(|(_, version)| *version).max().unwrap_or(0) + 1;
        shared.insert(key.to_owned(), (value.to_vec(), next));
        true
    }
}

impl Host for FakeProxy {
    fn now(&self) -> Timestamp {
        self.0.borrow().now
    }

    fn request_headers(&self) -> Headers {
        if self.0.borrow().unreadable {
            return Headers::default();
        }
        self.0.borrow_mut().headers().headers.iter().cloned().collect()
    }

    fn select(&self, stream: Ticket) -> bool {
        let mut proxy = self.0.borrow_mut();
        let alive = proxy.is_alive(stream);
        if alive {
            proxy.selected = Some(stream);
        }
        alive
    }

    fn remove_request_header(&self, name: &str) {
        self.0.borrow_mut().headers().headers.retain(|(key, _)| key != name);
    }

    fn set_request_header(&self, name: &str, value: &[u8]) {
        self.remove_request_header(name);
        let header = (name.to_owned(), value.to_vec());
        self.0.borrow_mut().headers().headers.push(header);
    }

    fn add_request_header(&self, name: &HeaderName, value: &[u8]) {
        let mut proxy = self.0.borrow_mut();
        let headers = &mut proxy.headers().headers;
        assert!(headers.iter().all(|(known, _)| known != name.as_str()), "{name} would be there twice");
        headers.push((name.as_str().to_owned(), value.to_vec()));
    }

    fn declare_filter_state(&self, _key: &str) {}

    fn set_filter_state(&self, key: &str, value: &[u8]) {
        let mut proxy = self.0.borrow_mut();
        proxy.headers().filter_state.insert(key.to_owned(), value.to_vec());
    }

    fn request_trailers(&self) -> Vec<String> {
        self.0.borrow().trailers.clone()
    }

    fn remove_request_trailer(&self, name: &str) {
        self.0.borrow_mut().trailers.retain(|key| key != name);
    }

    fn resume_request(&self) {
        self.0.borrow_mut().headers().phase = Phase::Forwarded;
    }

    fn respond(&self, response: &Response) {
        self.0.borrow_mut().headers().phase = Phase::Answered(response.clone());
    }

    fn call(&self, call: &Call) -> Option<CallToken> {
        let mut proxy = self.0.borrow_mut();
        let (delay, reply) = proxy.ask(call)?;
        let token = CallToken(proxy.next_call);
        proxy.next_call += 1;
        let (due, owner) = (proxy.now.after(delay), proxy.active);
        proxy.calls.push(Flight { token, owner, reply, due });
        Some(token)
    }

    fn tick_every(&self, span: Duration) {
        let mut proxy = self.0.borrow_mut();
        assert!(span >= Duration::from_millis(1), "the timer has no shorter period, and 0 turns it off");
        proxy.timer = Some((span, proxy.now.after(span)));
    }

    fn count(&self, metric: &'static str, by: u64) {
        assert!(by > 0, "a proxy refuses to add nothing");
        *self.0.borrow_mut().counters.entry(metric).or_default() += by;
    }

    fn gauge(&self, metric: &'static str, value: u64) {
        self.0.borrow_mut().counters.insert(metric, value);
    }

    fn log(&self, level: Level, line: &str) {
        let mut proxy = self.0.borrow_mut();
        proxy.log += &format!("[{level:?}] {line}\n");
    }

    fn removed(&self) {
        self.0.borrow_mut().removed = true;
    }
}
