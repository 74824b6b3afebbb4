//! First sight, and what follows from it: one flight per subject asks the directory, once for all workers of the process,
//! and however many requests wait, all are answered from what it brings home.
//!
//! ```text
//! join ──────► Output::Claim ──► claimed ─┬─ known to the process ───────────────► land
//! send_behind ──┘  ▲                      ├─ another worker asks: look again ──┐
//!                  │                      ├─ too many are asked about: queue ──┤
//!                  │                      └─ granted: Output::Call, reply ─────┼─ an answer ─► land
//!                  └──────────── its turn, or its time, comes ◄────────────────┴─ none ─► miss: rest, or give up
//! ```

use super::errand::{Conversation, Errand, Move};
use super::flights::{Flight, Stage};
use super::{ArrivalOutcome, Event, Gate, Output, Purpose};
use crate::config::{Pace, Posture, Provisioning};
use crate::domain::{Backoff, Identity, Reply, SubjectKey, Ticket, Timestamp};
use crate::memory::{Claim, Found, Known, Want};
use crate::route::Chosen;
use crate::wire::{ArrivalAnswer, Cause};
use std::sync::Arc;
use std::time::Duration;

/// A subject that another worker asks about is looked at again after an eighth of the time that it takes already, within
/// these, so that whoever waits here is answered hardly later than there.
const GLANCE: Duration = Duration::from_millis(1);
const SLOWEST_GLANCE: Duration = Duration::from_millis(5);
/// A glance costs a few microseconds. While many are looked at, each is looked at less often.
const GLANCE_EACH: Duration = Duration::from_micros(20);

impl Gate {
    /// Whether somebody may wait for word of one more subject. Clients that leave end their requests, not the calls that
    /// are made for them.
    pub(super) fn may_ask_about(&self, key: SubjectKey) -> bool {
        self.flights.not_owed() < self.policy.limits.waiting || self.flights.contains(key)
    }

    /// Lets a request wait for the directory's word on its subject. The call is made in its context, so it has to be one
    /// that stays until the reply; where it does not, the worker's own context makes the call ([`Gate::proceed`]).
    pub(super) fn join(&mut self, ticket: Ticket, errand: Errand, pace: Pace, now: Timestamp) {
        let (key, hold) = (errand.key(), self.policy.limits.hold);
        let is_new = self.take_up(errand, now);
        let Some(flight) = self.flights.get(key) else { return };
        let somebody_waits = flight.is_awaited(&self.waiting);
        flight.waiting.push(ticket);
        // Clients that come and go must not let the list outgrow the limit.
        if flight.waiting.len() > self.policy.limits.waiting.saturating_mul(2) {
            flight.waiting.retain(|other| *other == ticket || self.waiting.want(*other).is_some());
        }
        if !somebody_waits {
            flight.deadline = now.after(hold);
        }
        match (pace, flight.stage) {
            (Pace::Background, _) if is_new => self.claim(key, false),
            // The process has a word to say first.
            (Pace::Background, Stage::Claiming) => {}
            (Pace::Background, Stage::Asking | Stage::Queued(_)) => self.let_go_ahead(key, now),
            // Another worker may have learnt of it meanwhile.
            (Pace::Background, _) => self.claim(key, false),
            // What rests because nobody waits for it need not rest now.
            (Pace::Hold, Stage::Resting(_)) if !somebody_waits => {
                flight.failures = 0;
                self.claim(key, true);
            }
            (Pace::Hold, _) if is_new => self.claim(key, true),
            (Pace::Hold, Stage::Queued(turn)) if turn.is_behind => self.flights.queue(key),
            (Pace::Hold, _) => {}
        }
    }

    /// Sees to it that the directory learns of an errand that nobody waits for.
    pub(super) fn send_behind(&mut self, errand: Errand, now: Timestamp) {
        let key = errand.key();
        if self.take_up(errand, now) {
            self.owe(key);
            self.queue(key);
        }
    }

    /// Begins a flight, or has one that has not asked yet tell what is newer. Returns whether it is a new one.
    fn take_up(&mut self, errand: Errand, now: Timestamp) -> bool {
        let key = errand.key();
        match self.flights.get(key) {
            Some(flight) => {
                if flight.stage != Stage::Asking {
                    flight.errand.take_over(errand);
                }
                false
            }
            None => {
                self.flights.begin(key, errand, now);
                true
            }
        }
    }

    /// Notes that a flight has to bring its errand home, whoever waits: its subject goes on unconfirmed. Beyond the limit
    /// it may get lost, which is counted.
    pub(super) fn owe(&mut self, key: SubjectKey) {
        match self.flights.owe(key, self.policy.limits.owed) {
            Some(true) => self.report(Event::ArrivalOwed),
            Some(false) => self.report(Event::ArrivalsDropped(1)),
            None => {}
        }
    }

    /// Lets a flight wait for its turn, if it is of use to anybody.
    fn queue(&mut self, key: SubjectKey) {
        match self.flights.get(key) {
            Some(flight) if flight.is_wanted(&self.waiting) => self.flights.queue(key),
            _ => {
                self.flights.end(key);
            }
        }
    }

    /// Asks what the process knows; and, where this worker `may_ask` the directory, whether it is to.
    fn claim(&mut self, key: SubjectKey, may_ask: bool) {
        let since = self.relied_on_since(key, self.latest);
        let Some(flight) = self.flights.get(key) else { return };
        if flight.is_wanted(&self.waiting) {
            let query = flight.errand.query(self.policy.provisioning.drift_every, since);
            if may_ask {
                flight.rests_until = self.latest;
            }
            self.flights.enter(key, Stage::Claiming);
            self.outputs.push(Output::Claim { query, may_ask });
        } else {
            self.flights.end(key);
        }
    }

    /// Whether this worker may ask about one more subject.
    pub fn may_ask(&self) -> bool {
        self.flights.asking() < self.policy.limits.calls
    }

    /// The process's word on an [`Output::Claim`].
    pub fn claimed(&mut self, key: SubjectKey, found: Found, now: Timestamp) {
        // What is no answer, being too old, is still worth knowing while the directory cannot be asked.
        if let Some(known) = found.besides {
            self.remember_besides(key, known);
        }
        if !matches!(found.claim, Claim::Known(_)) {
            self.let_go_ahead(key, now);
        }
        match found.claim {
            Claim::Known(known) => {
                self.report(Event::ArrivalShared);
                let errand = self.land(key, known.clone(), now);
                // What this worker had to say may be news to the directory all the same.
                let rest = self.policy.provisioning.drift_every;
                let news = errand.filter(|errand| known.has_drifted(&errand.identity, rest, now));
                news.into_iter().for_each(|errand| self.send_behind(errand.into_drift(), now));
            }
            Claim::Granted => self.ask(key),
            Claim::Elsewhere => self.wait_elsewhere(key, now),
            Claim::Shut { until } => self.miss(key, Some(until.since(now)), true, now),
            Claim::Unknown => self.rest_on(key, now),
        }
    }

    /// Nobody knows, and nobody is to ask now: a flight that rests goes on resting, others wait for their turn.
    fn rest_on(&mut self, key: SubjectKey, now: Timestamp) {
        match self.flights.get(key).map(|flight| flight.rests_until) {
            Some(until) if until > now => self.flights.enter(key, Stage::Resting(until)),
            _ => self.queue(key),
        }
    }

    /// Another worker knew this of a subject.
    fn remember_besides(&mut self, key: SubjectKey, known: Known) {
        if let Some(flight) = self.flights.get(key) {
            flight.errand.is_about(&known);
        }
        if self.roster.get(key).is_none_or(|own| own.asked_at < known.asked_at) {
            self.roster.remember(key, known);
        }
    }

    fn ask(&mut self, key: SubjectKey) {
        let Some(flight) = self.flights.get(key) else { return };
        let told = self.roster.get(key).and_then(|known| known.told);
        let known = self.learned.at(self.latest);
        let (conversation, call) = Conversation::about(&flight.errand, &self.policy, told, known);
        flight.conversation = Some(conversation);
        self.flights.enter(key, Stage::Asking);
        self.call(Purpose::Arrival(key), call);
    }

    fn wait_elsewhere(&mut self, key: SubjectKey, now: Timestamp) {
        let many = GLANCE_EACH.saturating_mul(u32::try_from(self.flights.looking()).unwrap_or(u32::MAX));
        let Some(flight) = self.flights.get(key) else { return };
        let (awaited, waited) = (flight.is_awaited(&self.waiting), now.since(flight.since));
        if awaited {
            let glance = (waited / 8).clamp(GLANCE, SLOWEST_GLANCE).max(many);
            self.flights.enter(key, Stage::Elsewhere(now.after(glance)));
        } else if flight.is_owed() && !self.last_try {
            // What nobody waits for can wait for whoever asks, and need not look.
            self.flights.enter(key, Stage::Resting(now.after(self.policy.provisioning.at.timeout)));
        } else {
            self.give_up(key);
        }
    }

    pub(super) fn conclude_arrival(&mut self, key: SubjectKey, reply: &Reply, now: Timestamp) {
        let Some(flight) = self.flights.get(key) else { return };
        let Some(conversation) = &mut flight.conversation else { return };
        let next = conversation.hear(reply, &self.policy);
        conversation.learned().into_iter().for_each(|learned| self.learned.add(learned, now));
        match next {
            Move::Ask(call) => self.call(Purpose::Arrival(key), call),
            Move::Done(answer) => {
                let snags = conversation.snags().to_vec();
                snags.into_iter().for_each(|snag| self.report(Event::Snag(snag)));
                self.conclude_errand(key, answer, now);
            }
        }
    }

    fn conclude_errand(&mut self, key: SubjectKey, answer: ArrivalAnswer, now: Timestamp) {
        self.report_answer(&answer);
        if let ArrivalAnswer::Unavailable(retry_after) = answer {
            self.outputs.push(Output::Missed { key, retry_after });
            return self.miss(key, retry_after, false, now);
        }
        let Some(known) = self.known_after(key, answer, now) else { return self.start_over(key) };
        self.outputs.push(Output::Learnt(key, known.clone()));
        self.land(key, known, now);
    }

    /// A drift is not taken, and how its subject stood was forgotten meanwhile: it is somebody new again, of whom the process
    /// may know more.
    fn start_over(&mut self, key: SubjectKey) {
        let Some(flight) = self.flights.get(key) else { return };
        flight.errand.cause = Cause::Arrival;
        self.outputs.push(Output::LetGo(key));
        self.flights.queue(key);
    }

    /// What is known of a subject now answers everybody who waits for it. Returns what the flight was to tell.
    fn land(&mut self, key: SubjectKey, known: Known, now: Timestamp) -> Option<Errand> {
        if known.is_departed() {
            self.tokens.forget_subject(key);
        }
        let standing = known.standing.clone();
        self.roster.remember(key, known);
        let Flight { errand, waiting, .. } = self.flights.end(key)?;
        for ticket in waiting {
            if let Some(Want::Account { identity, route }) = self.waiting.leave(ticket) {
                let verdict = self.verdict_on(identity, &standing, now);
                self.settle(ticket, route, verdict);
            }
        }
        Some(errand)
    }

    /// The directory could not be asked. Whoever waits is tried for again, unless that would take too long or the
    /// directory is left alone; then the posture decides about them, and only what is owed is tried on, behind.
    fn miss(&mut self, key: SubjectKey, wait: Option<Duration>, is_shut: bool, now: Timestamp) {
        let provisioning = &self.policy.provisioning;
        let (attempts, backoff) = (provisioning.attempts, provisioning.backoff);
        let Some(flight) = self.flights.get(key) else { return };
        flight.failures = flight.failures.saturating_add(1);
        let failures = flight.failures;
        let at_least = wait.unwrap_or_default();
        let soon = now.after(backoff.after(failures, &mut self.dice).max(at_least));
        let may_try = !is_shut && failures < attempts && soon < flight.deadline;
        if may_try && flight.is_awaited(&self.waiting) {
            self.report(Event::ArrivalRetried);
            return self.flights.rest(key, soon);
        }
        for ticket in std::mem::take(&mut flight.waiting) {
            self.settle_without_answer(ticket, wait, now);
        }
        if !self.flights.is_owed(key) || self.last_try {
            self.give_up(key);
        } else {
            let rarely = Backoff { longest: Provisioning::RARELY, ..backoff };
            let pause = rarely.after(failures, &mut self.dice).max(at_least.min(10 * Provisioning::RARELY));
            self.flights.rest(key, now.after(pause));
        }
    }

    /// Ends a flight that brought nothing home. What was owed is lost, as there is no other try; or somebody else tells it,
    /// which nobody here will know.
    fn give_up(&mut self, key: SubjectKey) {
        if self.flights.end(key).is_some_and(|flight| flight.is_owed()) {
            self.report(Event::ArrivalsDropped(1));
        }
    }

    /// Requests on routes that do not wait for the directory go on, and it is told behind them.
    fn let_go_ahead(&mut self, key: SubjectKey, now: Timestamp) {
        let Some(flight) = self.flights.get(key) else { return };
        let in_no_hurry = |ticket: &Ticket| match self.waiting.want(*ticket) {
            Some(Want::Account { route, .. }) => {
                self.policy.paces.get(route.index) != Some(&Pace::Background)
            }
            _ => true,
        };
        let (held, ahead) = flight.waiting.drain(..).partition(in_no_hurry);
        flight.waiting = held;
        let ahead: Vec<Ticket> = ahead;
        if !ahead.is_empty() {
            self.owe(key);
        }
        ahead.into_iter().for_each(|ticket| self.settle_without_answer(ticket, None, now));
    }

    /// Decides about a request that can wait no longer.
    fn settle_without_answer(&mut self, ticket: Ticket, wait: Option<Duration>, now: Timestamp) {
        if let Some(Want::Account { identity, route }) = self.waiting.leave(ticket) {
            self.decide_without_answer(ticket, identity, route, wait, now);
        }
    }

    /// The same of one that waits no longer.
    pub(super) fn decide_without_answer(
        &mut self,
        ticket: Ticket,
        identity: Arc<Identity>,
        route: Chosen,
        wait: Option<Duration>,
        now: Timestamp,
    ) {
        let posture = match self.policy.paces.get(route.index) {
            Some(Pace::Background) => Posture::Allow,
            _ => self.policy.provisioning.when_unavailable,
        };
        let standing = self.standing_without_answer(identity.key, posture, wait);
        let verdict = self.verdict_on(identity, &standing, now);
        self.settle(ticket, route, verdict);
    }

    /// Takes up what waits for its turn. To be called in the worker's own context: a call in a request's would be lost
    /// with it.
    pub fn proceed(&mut self, now: Timestamp) {
        while let Some((key, stage)) = self.flights.next_due(now) {
            match stage {
                // Many may have rested; they take turns.
                Stage::Resting(_) => self.flights.queue(key),
                _ => self.claim(key, true),
            }
        }
        let room = self.policy.limits.calls.saturating_sub(self.flights.asking());
        for _ in 0..room {
            let Some(key) = self.flights.next_queued() else { break };
            self.claim(key, true);
        }
    }

    /// When [`Gate::proceed`] has something to do.
    pub(super) fn next_arrival(&self) -> Option<Timestamp> {
        let queued = self.flights.has_queued() && self.may_ask();
        queued.then_some(self.latest).into_iter().chain(self.flights.next_due_at()).min()
    }

    /// The last chance to tell what is owed, as the plugin is about to be removed.
    pub(super) fn flush_arrivals(&mut self, now: Timestamp) {
        for key in self.flights.keys() {
            let Some(flight) = self.flights.get(key) else { continue };
            match (flight.is_owed(), flight.stage) {
                (true, Stage::Resting(_) | Stage::Elsewhere(_)) => self.flights.queue(key),
                (false, Stage::Asking) => self.outputs.push(Output::LetGo(key)),
                _ => {}
            }
        }
        self.proceed(now);
    }

    fn report_answer(&mut self, answer: &ArrivalAnswer) {
        let outcome = ArrivalOutcome::of(answer);
        self.report(Event::Arrival(outcome));
        let lost = outcome == ArrivalOutcome::Unavailable;
        if lost != self.directory_lost {
            self.directory_lost = lost;
            self.report(if lost { Event::DirectoryLost } else { Event::DirectoryBack });
            if !lost {
                self.flights.wake();
            }
        }
    }
}
