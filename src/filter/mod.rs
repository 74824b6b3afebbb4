//! The shell: drives a Gate over any Host. It decides first, lets go of its state, and only then performs, so that a host
//! may do with a call what it likes.
//!
//! A call is made at once, in the context of the request that needs it: no tick is waited for. The SDK drops its reply if
//! that request ends first; then the worker's next tick makes the call once more, in its own name ([`Filter::on_end`]).

mod calls;
mod host;
mod shared;

pub use host::{CallToken, Host, Level, SharedData};

use crate::config::Policy;
use crate::domain::{
    Call, CallId, Edit, Failure, Headers, Passage, REASON_KEY, Reason, Refusal, Reply, Ticket, Timestamp,
    Verdict,
};
use crate::gate::{Event, Gate, Output, Step, Tone};
use crate::memory::Query;
use crate::wire::{Dialect, Refusals};
use calls::Calls;
use shared::{Commons, Feed, Look, Subjects, Told};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

/// The shortest period a proxy's timer has.
const SHORTEST_TICK: Duration = Duration::from_millis(1);
/// The longest sleep: a wall clock that was set back must not keep a gate asleep.
const LONGEST_TICK: Duration = Duration::from_secs(10);

/// A line that may come with every subject is written once in this time.
const SAME_LINE: Duration = Duration::from_secs(60);

/// One worker's filter.
pub struct Filter<H: Host> {
    host: H,
    gate: RefCell<Gate>,
    calls: RefCell<Calls>,
    refusals: Refusals,
    commons: RefCell<Commons>,
    subjects: Subjects,
    feed: Feed,
    /// What the process is to be asked at the next tick.
    parked: RefCell<Vec<Query>>,
    /// Lines that are not written again for a while: one for each kind of trouble.
    written: RefCell<HashMap<String, Timestamp>>,
    /// When the timer that was asked for fires next.
    next_tick: Cell<Option<Timestamp>>,
    removing: Cell<bool>,
}

/// How a request goes on after its header phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// To the next filter.
    Continue,
    /// Nowhere: it is held, or answered here.
    Pause,
}

/// What the proxy is told when it removes the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Nothing is left to do.
    Done,
    /// Sightings are on their way; [`Host::removed`] follows.
    Flushing,
}

impl<H: Host> Filter<H> {
    /// A filter that has seen nobody. `nonce` is a random number that no other worker has.
    pub fn new(host: H, policy: Policy, nonce: [u8; 16]) -> Self {
        Self {
            host,
            refusals: Refusals::under(policy.challenge.clone()),
            subjects: Subjects::new(&policy, nonce),
            feed: Feed::new(&policy, nonce),
            gate: RefCell::new(Gate::new(policy, nonce)),
            calls: RefCell::default(),
            commons: RefCell::new(Commons::new(nonce)),
            parked: RefCell::default(),
            written: RefCell::default(),
            next_tick: Cell::new(None),
            removing: Cell::new(false),
        }
    }

    /// The plugin is configured. Calls wait for the first tick: a proxy also configures copies that it throws away.
    pub fn on_start(&self) {
        let now = self.host.now();
        let gate = self.gate.borrow();
        gate.filter_state_keys().chain([REASON_KEY]).for_each(|key| self.host.declare_filter_state(key));
        drop(gate);
        self.tick_at(now, now);
    }

    /// A request's headers are there, and it is the one selected.
    pub fn on_request(&self, stream: Ticket) -> Flow {
        let now = self.host.now();
        let headers = self.host.request_headers();
        if headers.is_empty() {
            // What was not seen cannot be removed: whatever the mode and the route, this request goes nowhere.
            self.apply(&Verdict::Refuse(Refusal::of(Reason::RequestUnreadable)), || Dialect::Http);
            return Flow::Pause;
        }
        let (step, edits) = {
            let mut gate = self.gate.borrow_mut();
            (gate.admit(stream, &headers, now), gate.clean(&headers))
        };
        for edit in edits {
            match edit {
                Edit::Remove(name) => self.host.remove_request_header(&name),
                Edit::Set(name, value) => self.host.set_request_header(&name, &value),
            }
        }
        let settled_meanwhile = self.perform(None, Some(stream), now);
        let verdict = match step {
            Step::Settle(verdict) => Some(verdict),
            Step::Wait => settled_meanwhile,
        };
        let Some(verdict) = verdict else { return Flow::Pause };
        self.apply(&verdict, || dialect(&headers));
        match verdict {
            Verdict::Forward(_) | Verdict::Pass(_) => Flow::Continue,
            Verdict::Refuse(_) => Flow::Pause,
        }
    }

    /// A request's trailers are there: who reads them into its headers must not find ours among them.
    pub fn on_request_trailers(&self) {
        let trailers = self.host.request_trailers();
        let managed: Vec<_> = {
            let gate = self.gate.borrow();
            trailers.iter().filter(|name| gate.manages(name)).collect()
        };
        for name in managed {
            self.host.remove_request_trailer(name);
        }
    }

    /// A call's reply. `active` is the request in whose context the proxy delivers it; `None` for the worker's own.
    pub fn on_reply(&self, active: Option<Ticket>, token: CallToken, reply: &Reply) {
        let now = self.host.now();
        let call = self.calls.borrow_mut().replied(token);
        if let Some((id, call)) = call {
            self.conclude(id, &call, reply, now);
            if active.is_none() {
                self.gate.borrow_mut().proceed(now);
            }
            self.perform(active, None, now);
        }
        self.finish_removal();
    }

    /// The timer fired.
    pub fn on_tick(&self) {
        let now = self.host.now();
        self.next_tick.set(None);
        let orphans = self.calls.borrow_mut().take_orphans();
        for (id, call) in orphans {
            self.make(id, call, None, now, now);
        }
        let waiting = self.commons.borrow_mut().take_waiting();
        for (id, call, since) in waiting {
            self.make(id, call, None, since, now);
        }
        for query in self.parked.take() {
            self.claim(&query, true, now);
        }
        self.gate.borrow_mut().tick(now);
        self.perform(None, None, now);
        let gate = self.gate.borrow();
        for (metric, age) in [
            ("firstsight.keys.age_seconds", gate.age_of_keys(now)),
            ("firstsight.departures.lag_seconds", gate.lag_of_departures(now)),
        ] {
            if let Some(age) = age {
                self.host.gauge(metric, age.as_secs());
            }
        }
        self.finish_removal();
    }

    /// A request is over: answered, aborted, whatever.
    pub fn on_end(&self, stream: Ticket) {
        self.gate.borrow_mut().abandon(stream);
        let orphaned = self.calls.borrow_mut().orphan(stream);
        if orphaned {
            let now = self.host.now();
            self.tick_at(now, now);
        }
    }

    /// The plugin is about to be removed.
    pub fn on_removal(&self) -> Removal {
        let now = self.host.now();
        for call in self.calls.borrow().under_way() {
            self.commons.borrow().let_go(&self.host, call, now);
        }
        self.feed.let_go(&self.host, now);
        self.gate.borrow_mut().flush(now);
        self.perform(None, None, now);
        if self.gate.borrow().is_flushed() {
            return Removal::Done;
        }
        self.removing.set(true);
        Removal::Flushing
    }

    /// What is left may be told with a reply, or given up at a tick.
    fn finish_removal(&self) {
        if self.removing.get() && self.gate.borrow().is_flushed() {
            self.removing.set(false);
            self.host.removed();
        }
    }

    /// Does what the gate wants done. `active` is the request whose context calls are made in. `current` is the request in
    /// its header phase: its verdict is not carried out but returned, and it is the one selected afterwards.
    fn perform(&self, active: Option<Ticket>, current: Option<Ticket>, now: Timestamp) -> Option<Verdict> {
        let mut verdict = None;
        let mut others_selected = false;
        loop {
            let outputs = self.gate.borrow_mut().drain();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                match output {
                    Output::Call(id, call) => self.make(id, call, active.or(current), now, now),
                    Output::Settle(ticket, settled) if Some(ticket) == current => verdict = Some(settled),
                    Output::Settle(ticket, settled) => {
                        others_selected = true;
                        self.release(ticket, &settled);
                    }
                    // The reply to another request's call brought this up; a call made here would be lost with it.
                    Output::Claim { query, .. } if active.is_some() => self.parked.borrow_mut().push(query),
                    Output::Claim { query, may_ask } => self.claim(&query, may_ask, now),
                    Output::Learnt(key, known) => {
                        self.subjects.answered(&self.host);
                        self.subjects.settle(&self.host, key, Some(&known), now);
                    }
                    Output::Missed { key, retry_after } => {
                        self.subjects.failed(&self.host, retry_after, now);
                        self.subjects.settle(&self.host, key, None, now);
                    }
                    Output::LetGo(key) => self.subjects.settle(&self.host, key, None, now),
                    Output::Follow { after, asks } => {
                        let followed = self.feed.follow(&self.host, after, asks, now);
                        self.gate.borrow_mut().followed(followed, now);
                    }
                    Output::Tell { after, changes, cursor, heard } => {
                        let mut gate = self.gate.borrow_mut();
                        let (changes, cursor) = (changes.as_slice(), cursor.as_str());
                        let told = Told { changes, cursor, heard, known: gate.known_departures() };
                        let position = self.feed.tell(&self.host, after, &told, now);
                        gate.told_departures(position, now);
                    }
                    Output::Report(event) => self.report(&event, now),
                }
            }
        }
        if let Some(current) = current.filter(|_| others_selected) {
            self.host.select(current);
        }
        if !self.parked.borrow().is_empty() {
            self.tick_at(now, now);
        }
        let next = self.gate.borrow().next_tick();
        let look = self.commons.borrow().next_look(now);
        self.tick_at(look.map_or(next, |look| look.min(next)), now);
        verdict
    }

    /// Puts a question about a subject to the process.
    fn claim(&self, query: &Query, may_ask: bool, now: Timestamp) {
        let may_ask = may_ask && self.gate.borrow().may_ask();
        let found = self.subjects.claim(&self.host, query, may_ask, now);
        self.gate.borrow_mut().claimed(query.key, found, now);
    }

    /// Makes a call that is wanted since `since`. One that another worker has the answer to, or that the proxy will not
    /// make, is concluded on the spot; one that another is making waits for that.
    fn make(&self, id: CallId, call: Call, owner: Option<Ticket>, since: Timestamp, now: Timestamp) {
        let look = self.commons.borrow().look(&self.host, &call, since, now);
        match look {
            Look::Answer(reply, at) => self.gate.borrow_mut().adopt(id, &reply, at, now),
            Look::Wait => self.commons.borrow_mut().wait(id, call, since),
            Look::Make => match self.host.call(&call) {
                Some(token) => self.calls.borrow_mut().made(token, id, call, owner),
                None => self.conclude(id, &call, &Reply::Failed(Failure::Refused), now),
            },
        }
    }

    /// Concludes a call that was made here, and tells those who share it.
    fn conclude(&self, id: CallId, call: &Call, reply: &Reply, now: Timestamp) {
        let is_good = self.gate.borrow_mut().conclude(id, reply, now);
        self.commons.borrow().tell(&self.host, call, reply, is_good, now);
    }

    /// Carries out the verdict on a request that was held.
    fn release(&self, ticket: Ticket, verdict: &Verdict) {
        if self.host.select(ticket) {
            self.apply(verdict, || dialect(&self.host.request_headers()));
            if !matches!(verdict, Verdict::Refuse(_)) {
                self.host.resume_request();
            }
        }
    }

    /// Carries out the verdict on the selected request, but for letting it go on. What its client speaks matters to a
    /// refusal only.
    fn apply(&self, verdict: &Verdict, dialect: impl FnOnce() -> Dialect) {
        self.host.count(verdict.metric(), 1);
        match verdict {
            Verdict::Forward(forwarded) => {
                // What a client sent under these names is gone: they need not be looked for again.
                for (name, value) in forwarded.headers() {
                    self.host.add_request_header(name, value);
                }
                for (key, value) in forwarded.filter_state() {
                    self.host.set_filter_state(key, value);
                }
            }
            Verdict::Pass(Passage::Reported(reason)) => self.tell(*reason),
            Verdict::Pass(_) => {}
            Verdict::Refuse(refusal) => {
                self.tell(refusal.reason);
                self.host.respond(&self.refusals.response(refusal, dialect()));
            }
        }
    }

    /// The proxy's log has no other way to the reason.
    fn tell(&self, reason: Reason) {
        self.host.set_filter_state(REASON_KEY, reason.slug().as_bytes());
    }

    /// Writes a line that was not written for a while.
    fn log_now_and_then(&self, line: &str, now: Timestamp) {
        let mut written = self.written.borrow_mut();
        written.retain(|_, at| now.since(*at) < SAME_LINE && *at <= now);
        if !written.contains_key(line) {
            self.host.log(Level::Warn, line);
            written.insert(line.to_owned(), now);
        }
    }

    fn report(&self, event: &Event, now: Timestamp) {
        if let Some((metric, by)) = event.metric().filter(|(_, by)| *by > 0) {
            self.host.count(metric, by);
        }
        match event.log() {
            Some(Tone::Fine) => self.host.log(Level::Info, &event.to_string()),
            Some(Tone::Trouble) => self.host.log(Level::Warn, &event.to_string()),
            Some(Tone::SameTrouble) => self.log_now_and_then(&event.to_string(), now),
            None => {}
        }
    }

    /// Sees to it that the timer fires at `at`, or before.
    fn tick_at(&self, at: Timestamp, now: Timestamp) {
        let span = at.since(now).clamp(SHORTEST_TICK, LONGEST_TICK);
        let at = now.after(span);
        if self.next_tick.get().is_none_or(|next| at < next) {
            self.next_tick.set(Some(at));
            self.host.tick_every(span);
        }
    }
}

fn dialect(headers: &Headers) -> Dialect {
    Dialect::of(headers.all("content-type").next())
}
