//! The decision: a pure state machine. Requests, replies and the time come in as arguments; verdicts, calls and events
//! leave as values. It has no clock, performs nothing, and cannot fail.
//!
//! ```text
//!            admit ──► Step::Settle(verdict)          decided at once
//!              │
//!              └─────► Step::Wait                      for keys, or for the directory
//! conclude, tick ────► Output::Settle(ticket, verdict) decided later
//!                      Output::Call(id, call)          to be made; its reply goes to `conclude`
//!                      Output::Claim                   to be put to the process; its word goes to `claimed`
//!                      Output::Learnt, Missed, LetGo   what became of a claim that was granted
//!                      Output::Follow                  to be put to the process; its word goes to `followed`
//!                      Output::Tell                    what the directory told for all; how far goes to `told_departures`
//!                      Output::Report(event)           to be counted and logged
//! ```

mod admission;
mod arrival;
mod departures;
mod errand;
mod event;
mod flights;
mod keys;
mod report;
mod sightings;
mod standing;
#[cfg(test)]
mod tests;

pub use departures::FeedFailure;
pub use event::{ArrivalOutcome, Event, KeysFailure, Tone};

use crate::config::{Mode, Policy, Upstream};
use crate::domain::{
    Call, CallId, Dice, Edit, Headers, Passage, Reason, Refusal, Reply, SubjectKey, Ticket, Timestamp,
    Verdict,
};
use crate::memory::{Change, Known, Position, Query, Roster, Tokens, Waiting, Want};
use crate::route::{Access, Chosen};
use crate::token::KnownHeaders;
use departures::Follower;
use errand::Learned;
use flights::Flights;
use http::{HeaderName, HeaderValue, Method, header};
use keys::IssuerKeys;
use report::Reported;
use sightings::Sightings;
use std::collections::HashMap;
use std::time::Duration;

/// Decides about every request of one worker.
pub struct Gate {
    policy: Policy,
    /// In the order of the policy's issuers; then the transmitter's, which nobody's token is checked with.
    keys: Vec<IssuerKeys>,
    known_headers: KnownHeaders,
    tokens: Tokens,
    roster: Roster,
    waiting: Waiting,
    flights: Flights,
    learned: Learned,
    dice: Dice,
    follower: Follower,
    sightings: Sightings,
    reported: Reported,
    directory_lost: bool,
    /// When the last tick was.
    latest: Timestamp,
    /// Set when the plugin is removed: what does not arrive now never will.
    last_try: bool,
    calls: HashMap<CallId, Purpose>,
    next_call: u64,
    outputs: Vec<Output>,
}

/// What becomes of a request right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is decided.
    Settle(Verdict),
    /// It waits; an [`Output::Settle`] with its ticket follows, unless it is abandoned.
    Wait,
}

/// What the gate wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Make this call and bring its reply.
    Call(CallId, Call),
    /// A request that waited is decided.
    Settle(Ticket, Verdict),
    /// Look what the process knows of a subject, and whether this worker is to ask the directory; the word goes to
    /// [`Gate::claimed`].
    Claim {
        /// What is to be known.
        query: Query,
        /// Whether it may be this worker, if its gate has room ([`Gate::may_ask`]).
        may_ask: bool,
    },
    /// A claim that was granted brought this: all workers may know.
    Learnt(SubjectKey, Known),
    /// A claim that was granted brought nothing: the directory did not answer, and may have said when it will.
    Missed {
        /// Of whom.
        key: SubjectKey,
        /// The wait that it asked for.
        retry_after: Option<Duration>,
    },
    /// A claim that was granted is given up.
    LetGo(SubjectKey),
    /// Look what the process heard of departures, and whether this worker is to ask the directory; the word goes to
    /// [`Gate::followed`].
    Follow {
        /// Since when.
        after: Option<Position>,
        /// Whether it is this worker who asks for all, and goes on doing so.
        asks: bool,
    },
    /// This worker, which asks for all, was told this: all may know. What becomes of it goes to
    /// [`Gate::told_departures`].
    Tell {
        /// Since when it is news; `None` if everything was told anew, as everybody has to be.
        after: Option<Position>,
        /// What is new.
        changes: Vec<Change>,
        /// The source's word for how far that is.
        cursor: String,
        /// Everything is known that happened until then; `None` if there is more to be told.
        heard: Option<Timestamp>,
    },
    /// Something to count, and perhaps to log.
    Report(Event),
}

/// Whose reply a call brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Keys(usize),
    Arrival(SubjectKey),
    Departures,
    Sightings,
}

impl Gate {
    /// A gate that has seen nobody. `nonce` is a random number that no other worker has.
    pub fn new(policy: Policy, nonce: [u8; 16]) -> Self {
        let limits = policy.limits;
        let seed = u128::from_be_bytes(nonce) as u64;
        let dice = (0..).map(|index| Dice::new(seed.wrapping_add(index)));
        let issuers = policy.issuers.iter().map(|own| (&own.trust.issuer, &own.keys, own.crypto));
        let transmitter = policy.transmitter.iter().map(|own| (&own.terms.issuer, &own.keys, own.crypto));
        let keys = issuers.chain(transmitter).zip(dice);
        Self {
            dice: Dice::new(seed.wrapping_sub(1)),
            keys: keys
                .map(|((issuer, source, crypto), dice)| IssuerKeys::new(issuer, source, crypto, dice))
                .collect(),
            known_headers: KnownHeaders::default(),
            tokens: Tokens::new(limits.tokens, limits.tokens_bytes),
            roster: Roster::of_a_worker(limits.subjects),
            waiting: Waiting::new(limits.waiting, limits.hold),
            flights: Flights::default(),
            learned: Learned::default(),
            follower: Follower::new(limits.departures),
            sightings: Sightings::new(policy.last_seen.as_ref(), nonce),
            reported: Reported::default(),
            directory_lost: false,
            latest: Timestamp::from_millis(0),
            last_try: false,
            calls: HashMap::new(),
            next_call: 0,
            outputs: Vec::new(),
            policy,
        }
    }

    /// Whether a client's header of this name belongs to the filter and has to go, on every path.
    pub fn manages(&self, header: &str) -> bool {
        self.policy.managed.owns(header.as_bytes())
    }

    /// The keys under which the proxy's other filters are told of somebody.
    pub fn filter_state_keys(&self) -> impl Iterator<Item = &str> {
        self.policy.mapping.filter_state.iter().map(|rule| &*rule.key)
    }

    /// What has to be done to a request on every path: headers that belong to the filter go, and so does the token where
    /// the application is not to see it.
    pub fn clean(&self, request: &Headers) -> Vec<Edit> {
        let managed = request.iter().map(|(name, _)| name).filter(|name| self.policy.managed.owns(name));
        let remove = |name: &[u8]| Edit::Remove(String::from_utf8_lossy(name).into_owned());
        let mut edits: Vec<_> = managed.map(remove).collect();
        edits.extend(self.policy.credentials.strip(request));
        edits
    }

    /// Concludes a call with its reply. Returns whether that, if the call is shared, is worth sharing.
    pub fn conclude(&mut self, call: CallId, reply: &Reply, now: Timestamp) -> bool {
        match self.calls.remove(&call) {
            Some(Purpose::Keys(issuer)) => return self.conclude_keys(issuer, reply, None, now),
            Some(Purpose::Arrival(key)) => self.conclude_arrival(key, reply, now),
            Some(Purpose::Departures) => self.conclude_departures(reply, now),
            Some(Purpose::Sightings) => self.conclude_sightings(reply, now),
            None => {}
        }
        false
    }

    /// Concludes a shared call with the reply that another worker of the process got to the same one at `at`.
    pub fn adopt(&mut self, call: CallId, reply: &Reply, at: Timestamp, now: Timestamp) {
        // Only keys are shared.
        if let Some(Purpose::Keys(issuer)) = self.calls.remove(&call) {
            self.conclude_keys(issuer, reply, Some(at), now);
        }
    }

    /// Forgets a request that waited: its client is gone.
    pub fn abandon(&mut self, ticket: Ticket) {
        self.waiting.leave(ticket);
    }

    /// Does what is due: keys that need fetching, requests that waited long enough, sightings to be told.
    pub fn tick(&mut self, now: Timestamp) {
        self.follow_clock(now);
        self.fetch_due_keys(now);
        self.follow_departures(now);
        while let Some((ticket, want)) = self.waiting.overdue(now) {
            match want {
                Want::Keys { route, .. } => {
                    let refusal = Refusal::for_now(Reason::KeysUnavailable, RETRY_SOON);
                    self.settle(ticket, route, Verdict::Refuse(refusal));
                }
                Want::Account { identity, route } => {
                    self.decide_without_answer(ticket, identity, route, None, now);
                }
            }
        }
        self.proceed(now);
        self.tell_sightings(now);
        self.tell_reported(now);
    }

    /// A clock that was set back would put everything that is due far into the future: it is all moved along. A clock that
    /// was set forward makes things due early, which does no harm.
    fn follow_clock(&mut self, now: Timestamp) {
        let back = self.latest.since(now);
        self.latest = now;
        if back < CLOCK_SET_BACK {
            return;
        }
        self.keys.iter_mut().for_each(|keys| keys.move_back(back));
        self.roster.move_back(back);
        self.flights.move_back(back);
        self.learned.move_back(back);
        self.follower.move_back(back);
        self.waiting.move_back(back);
        self.sightings.move_back(back);
        self.reported.move_back(back);
    }

    /// When [`Gate::tick`] has something to do next.
    pub fn next_tick(&self) -> Timestamp {
        let keys = self.keys.iter().filter_map(IssuerKeys::next_fetch);
        let due = keys.chain(self.waiting.next_deadline()).chain(self.sightings.next_due());
        let due = due.chain(self.reported.next_due()).chain(self.next_arrival()).chain(self.next_look());
        due.min().unwrap_or(Timestamp::from_millis(u64::MAX))
    }

    /// Tells the directory everything that is left, as the plugin is about to be removed. What does not arrive now is
    /// lost, and counted.
    pub fn flush(&mut self, now: Timestamp) {
        self.last_try = true;
        self.flush_arrivals(now);
        self.flush_sightings(now);
        // All that is left, as there will be no other line.
        self.tell_reported(Timestamp::from_millis(u64::MAX));
    }

    /// Whether nothing is left to tell.
    pub fn is_flushed(&self) -> bool {
        self.flights.owed() == 0 && !self.has_sightings()
    }

    /// What is to be done, in order; empty most of the time.
    pub fn drain(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn settle(&mut self, ticket: Ticket, route: Chosen, verdict: Verdict) {
        let verdict = self.enforce(route.access, verdict);
        self.outputs.push(Output::Settle(ticket, verdict));
    }

    /// What really becomes of a request: where nobody is refused, a refusal is a request without an identity.
    fn enforce(&mut self, access: Access, verdict: Verdict) -> Verdict {
        match (verdict, access, self.policy.mode) {
            (Verdict::Refuse(_), Access::Lenient, _) => Verdict::Pass(Passage::Anonymous),
            (Verdict::Refuse(refusal), _, Mode::Report) => {
                self.reported.note(refusal.reason);
                Verdict::Pass(Passage::Reported(refusal.reason))
            }
            (verdict, _, _) => verdict,
        }
    }

    fn report(&mut self, event: Event) {
        self.outputs.push(Output::Report(event));
    }

    fn call(&mut self, purpose: Purpose, call: Call) {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.calls.insert(id, purpose);
        self.outputs.push(Output::Call(id, call));
    }
}

/// Smaller steps back are a clock's being put right, and cost nobody more than that.
const CLOCK_SET_BACK: Duration = Duration::from_secs(1);

/// What a client is told to wait when nobody knows better.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// A GET of what `at` names.
fn get(at: &Upstream) -> Call {
    request(at, Method::GET, vec![(header::ACCEPT, HeaderValue::from_static("application/json"))], Vec::new())
}

/// A POST of `body` to what `at` names.
fn post(at: &Upstream, content_type: &'static str, body: Vec<u8>) -> Call {
    request(at, Method::POST, vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body)
}

fn request(
    at: &Upstream,
    method: Method,
    mut headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
) -> Call {
    headers.push((
        header::USER_AGENT,
        HeaderValue::from_static(concat!("firstsight/", env!("CARGO_PKG_VERSION"))),
    ));
    headers.extend(at.authorization.clone().map(|value| (header::AUTHORIZATION, value)));
    Call {
        cluster: at.cluster.clone(),
        method,
        authority: at.authority.clone(),
        path: at.path.clone(),
        headers,
        body,
        timeout: at.timeout,
        shared: None,
    }
}
