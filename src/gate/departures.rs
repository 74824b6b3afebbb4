//! Departures: their source is followed, by one worker for its process, and whoever departed is refused at once, with every
//! token that was issued before.
//!
//! ```text
//! tick, reply ──► Output::Follow ──► followed ─┬─ what others heard ───────────────► whoever departed is refused
//!                      ▲                       ├─ its turn: Output::Call, a long poll ─► the same, and Output::Tell
//!                      │                       └─ too far behind: Output::Call, the feed as a whole
//!                      └─────────── told, or rested
//! ```

mod firstsight;
mod follower;
mod question;
mod scim;
mod signals;

pub(super) use follower::Follower;
pub use question::FeedFailure;

use super::keys::IssuerKeys;
use super::{Event, Gate, Output, Purpose, RETRY_SOON};
use crate::config::{FeedProtocol, WhenStale};
use crate::domain::{Backoff, Identity, Reason, Refusal, Reply, SubjectKey, Timestamp, Verdict};
use crate::memory::{Change, Departures, Followed, Position, Turn, Want};
use crate::wire::retry_after;
use follower::{Reading, Stage};
use question::{Page, Question};
use signals::{Aside, Judge, Receipts};
use std::time::Duration;

/// How often a worker looks at what the others heard.
const GLANCE: Duration = Duration::from_millis(250);
/// One that has not read the feed yet looks more often: whoever departed is not known to it.
const EAGER_GLANCE: Duration = Duration::from_millis(20);
/// The pauses between tries while the feed cannot be had: one worker tries, and access ends when it succeeds.
const BACKOFF: Backoff = Backoff { shortest: GLANCE, longest: RETRY_SOON };
/// A directory that asks to be left alone is, for so long.
const LONGEST_REST: Duration = Duration::from_secs(10);
/// While it may not be known who departed, the directory's word on a subject is relied on for so long.
const RELIED_ON: Duration = Duration::from_secs(30);

impl Gate {
    /// Why somebody whose token holds is refused all the same: departed, or not known not to be.
    pub(super) fn departed(&self, identity: &Identity, now: Timestamp) -> Option<Refusal> {
        let feed = self.policy.departures.as_ref()?;
        let refused = self.follower.known.refuses(identity.key, identity.issued_at).map(Refusal::of);
        let is_stale =
            |since: Option<Timestamp>| since.is_some_and(|since| now.since(since) > feed.stale_for);
        let unknown =
            feed.when_stale == WhenStale::Deny && is_stale(self.follower.heard.or(self.follower.began));
        refused.or_else(|| unknown.then(|| Refusal::for_now(Reason::DeparturesUnknown, RETRY_SOON)))
    }

    /// What the directory said of a subject before this is not relied on.
    pub(super) fn relied_on_since(&self, key: SubjectKey, now: Timestamp) -> Timestamp {
        let Some(feed) = &self.policy.departures else { return Timestamp::from_millis(0) };
        let is_heard = self.follower.heard.is_some_and(|heard| now.since(heard) <= feed.stale_for);
        let knows_all = (is_heard || feed.when_stale == WhenStale::Allow) && self.follower.known.is_whole();
        // What other workers knew before this one began may be of before a departure that it has not heard of.
        let unheard = self.follower.heard.is_none().then_some(self.follower.began.unwrap_or(now));
        let asked = now.before(RELIED_ON).max(unheard.unwrap_or(Timestamp::from_millis(0)));
        let since = if knows_all { Timestamp::from_millis(0) } else { asked };
        self.follower.known.returned(key).map_or(since, |returned| returned.max(since))
    }

    /// How long ago the feed was heard; if never, how long it has been tried.
    pub fn lag_of_departures(&self, now: Timestamp) -> Option<Duration> {
        self.follower.heard.or(self.follower.began).map(|at| now.since(at))
    }

    /// Who departed, as far as this worker knows.
    pub fn known_departures(&self) -> &Departures {
        &self.follower.known
    }

    /// When [`Gate::follow_departures`] has something to do.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        (self.policy.departures.is_some() && !self.last_try).then_some(self.follower.look_from)
    }

    /// Looks at what the others heard, once in a while.
    pub(super) fn follow_departures(&mut self, now: Timestamp) {
        if self.next_look().is_some_and(|from| from <= now) {
            self.follower.began.get_or_insert(now);
            self.look_at_departures(now);
        }
    }

    fn look_at_departures(&mut self, now: Timestamp) {
        let glance = if self.follower.heard.is_some() { GLANCE } else { EAGER_GLANCE };
        self.follower.look_from = now.after(glance);
        let (after, asks) = (self.follower.position, self.follower.leads());
        self.outputs.push(Output::Follow { after, asks });
    }

    /// The process's word on an [`Output::Follow`]. To be told in the worker's own context, as the directory may be asked.
    pub fn followed(&mut self, followed: Followed, now: Timestamp) {
        let Followed { progress, missed, book, turn } = followed;
        let (position, cursor) = progress.as_ref().map(|told| (told.position, told.cursor.clone())).unzip();
        let is_behind = missed.is_none();
        if let Some(book) = book {
            let forgotten = self.follower.known.join(&book);
            self.report(Event::DeparturesForgotten(forgotten as u64));
            self.flights.keys().into_iter().for_each(|key| self.refuse_departed(key, now));
        }
        if let (Some(changes), Some(told)) = (missed, progress) {
            self.follower.position = Some(told.position);
            self.follower.cursor = Some(told.cursor);
            self.follower.hears(told.heard);
            self.depart(&changes, now);
        }
        if !matches!(self.follower.stage, Stage::Idle) || now < self.follower.rests_until {
            return;
        }
        let cursor = if turn == Turn::Alone { self.follower.cursor.clone() } else { cursor };
        let tells_once = self.tells_once();
        match (turn, cursor) {
            // What the others were told is lost: whoever departed may be unknown from now on.
            (Turn::Mine, Some(_)) if tells_once && is_behind => self.begin_without(false, now),
            (Turn::Mine | Turn::Alone, None) if tells_once => self.begin_without(true, now),
            (Turn::Elsewhere, _) if tells_once => {}
            (Turn::Mine | Turn::Alone, Some(after)) => self.poll(&after, now),
            (Turn::Mine | Turn::Alone, None) => self.read_departures(None, true, now),
            (Turn::Elsewhere, Some(_)) if is_behind => self.read_departures(position, false, now),
            (Turn::Elsewhere, _) => {}
        }
    }

    /// What became of an [`Output::Tell`]: how far the others can follow.
    pub fn told_departures(&mut self, position: Option<Position>, now: Timestamp) {
        self.follower.position = position.or(self.follower.position);
        match position {
            Some(_) => self.follower.receipts.taken.iter().for_each(|name| self.follower.taken.take(name)),
            // Somebody else asks by now, and is brought the same again.
            None => {
                self.follower.receipts = Receipts::default();
                self.follower.recent.clear();
            }
        }
        if now >= self.follower.rests_until {
            self.look_at_departures(now);
        }
    }

    /// Whether the source has no beginning that could be read.
    fn tells_once(&self) -> bool {
        matches!(self.policy.departures.as_ref().map(|feed| &feed.protocol), Some(FeedProtocol::Ssf { .. }))
    }

    fn transmitter_keys(&self) -> Option<&IssuerKeys> {
        self.keys.get(self.policy.issuers.len())
    }

    /// Begins to ask for all with what is known here; if that is `all` that was told to the process, or who knows.
    fn begin_without(&mut self, all: bool, now: Timestamp) {
        if !all {
            self.follower.known.doubt();
        }
        self.follower.cursor = Some(signals::CURSOR.to_owned());
        self.follower.rests_until = now.after(GLANCE);
        let heard = self.follower.heard.or(self.follower.began);
        let (changes, cursor) = (Vec::new(), signals::CURSOR.to_owned());
        self.outputs.push(Output::Tell { after: None, changes, cursor, heard });
    }

    fn poll(&mut self, after: &str, now: Timestamp) {
        let Some(feed) = &self.policy.departures else { return };
        // An event that cannot be checked yet would be asked for in vain.
        if self.tells_once() && self.transmitter_keys().is_none_or(|keys| keys.ring(now).is_none()) {
            return;
        }
        let question = Question::about(feed, Some(after), true, &self.follower.receipts, now);
        self.ask_for_departures(&question);
        self.follower.stage = Stage::Polling(question);
    }

    /// Reads what came after all that is known here; if nothing is, from the beginning.
    fn read_departures(&mut self, position: Option<Position>, leads: bool, now: Timestamp) {
        let Some(feed) = &self.policy.departures else { return };
        let cursor = self.follower.cursor.as_deref();
        let question = Question::about(feed, cursor, false, &self.follower.receipts, now);
        let anew = cursor.is_none().then(|| Departures::new(self.policy.limits.departures));
        self.ask_for_departures(&question);
        self.follower.stage = Stage::Reading(question, Reading { anew, position, leads });
    }

    fn ask_for_departures(&mut self, question: &Question) {
        let Some(feed) = &self.policy.departures else { return };
        let call = question.call(feed);
        self.call(Purpose::Departures, call);
    }

    pub(super) fn conclude_departures(&mut self, reply: &Reply, now: Timestamp) {
        let stage = std::mem::replace(&mut self.follower.stage, Stage::Idle);
        let Some(feed) = self.policy.departures.as_ref().filter(|_| !self.last_try) else { return };
        let (policy, keys, taken) = (&self.policy, self.transmitter_keys(), &self.follower.taken);
        let judge = Judge { policy, keys, taken };
        match stage {
            Stage::Idle => {}
            Stage::Polling(question) => {
                let repeats = question.repeats_itself();
                match question.hear(reply, feed, &judge, now) {
                    Ok(page) => self.hear_news(page, repeats, now),
                    Err(FeedFailure::Gone) => self.begin_anew(None, true, now),
                    Err(why) => self.miss_departures(why, retry_after(reply), now),
                }
            }
            Stage::Reading(question, reading) => match question.hear(reply, feed, &judge, now) {
                Ok(page) => self.read_on(reading, page, now),
                Err(FeedFailure::Gone) if reading.anew.is_none() => {
                    self.begin_anew(reading.position, reading.leads, now);
                }
                Err(why) => self.miss_departures(why, retry_after(reply), now),
            },
        }
    }

    /// The source does not know any more what was told until then.
    fn begin_anew(&mut self, position: Option<Position>, leads: bool, now: Timestamp) {
        self.follower.cursor = None;
        self.read_departures(position, leads, now);
    }

    /// Takes in a page of news, and tells the others. What is news to them is not judged by what is known here: each may
    /// have read, for itself, what no other has.
    fn hear_news(&mut self, mut page: Page, repeats: bool, now: Timestamp) {
        if repeats {
            page.changes.retain(|change| self.follower.recent.is_news(change));
        }
        if page.complete.is_some() {
            self.follower.recent.turn();
        }
        self.hear_departures(&page, now);
        self.see_to_events(page.aside, now);
        let heard = page.complete;
        heard.into_iter().for_each(|at| self.follower.hears(at));
        let news = self.depart(&page.changes, now);
        self.report(Event::DeparturesHeard(news));
        self.follower.cursor = Some(page.cursor.clone());
        if let Some(question) = page.next {
            self.ask_for_departures(&question);
            self.follower.stage = Stage::Polling(question);
        }
        let after = self.follower.position;
        self.outputs.push(Output::Tell { after, changes: page.changes, cursor: page.cursor, heard });
    }

    /// Keeps what the transmitter is to be told once the others know, and has keys fetched that are not there.
    fn see_to_events(&mut self, aside: Aside, now: Timestamp) {
        self.follower.receipts = aside.receipts;
        aside.refusals.into_iter().for_each(|why| self.report(Event::DeparturesInvalid(why)));
        aside.waiting.iter().for_each(|name| self.follower.taken.wait(name, now));
        if !aside.waiting.is_empty() {
            self.hurry_keys(self.policy.issuers.len(), now);
        }
    }

    fn hear_departures(&mut self, page: &Page, now: Timestamp) {
        if std::mem::take(&mut self.follower.failures) > 0 {
            self.report(Event::DeparturesBack);
        }
        self.follower.rests_until = now.after(page.rest);
    }

    fn miss_departures(&mut self, why: FeedFailure, wait: Option<Duration>, now: Timestamp) {
        let is_first = self.follower.failures == 0;
        self.follower.failures = self.follower.failures.saturating_add(1);
        let pause = BACKOFF.after(self.follower.failures, &mut self.dice);
        let pause = pause.max(wait.unwrap_or_default().min(LONGEST_REST));
        self.follower.rests_until = now.after(pause);
        self.follower.look_from = self.follower.look_from.min(now.after(pause));
        self.report(Event::DeparturesFailed { why, is_first });
    }

    /// Takes in a page of what the ring does not have. What is told from the beginning takes the place of what was known,
    /// with its last page.
    fn read_on(&mut self, mut reading: Reading, page: Page, now: Timestamp) {
        self.hear_departures(&page, now);
        match &mut reading.anew {
            Some(known) => {
                let (heard, forgotten) = take(known, &page.changes, now);
                self.report(Event::DeparturesHeard(heard));
                self.report(Event::DeparturesForgotten(forgotten));
            }
            None => {
                let heard = self.depart(&page.changes, now);
                self.report(Event::DeparturesHeard(heard));
            }
        }
        if let Some(question) = page.next {
            self.ask_for_departures(&question);
            self.follower.stage = Stage::Reading(question, reading);
            return;
        }
        if let Some(mut known) = reading.anew {
            let forgotten = known.inherit(&self.follower.known, now);
            self.report(Event::DeparturesForgotten(forgotten as u64));
            self.follower.known = known;
            self.flights.keys().into_iter().for_each(|key| self.refuse_departed(key, now));
        }
        self.follower.position = reading.position;
        self.follower.cursor = Some(page.cursor.clone());
        page.complete.into_iter().for_each(|at| self.follower.hears(at));
        if reading.leads {
            let (changes, heard) = (Vec::new(), page.complete);
            self.outputs.push(Output::Tell { after: None, changes, cursor: page.cursor, heard });
        } else {
            self.look_at_departures(now);
        }
    }

    /// Whoever departed is refused from now on, and those of their requests that wait are at once. Returns how much of it is
    /// news.
    fn depart(&mut self, changes: &[Change], now: Timestamp) -> u64 {
        let (heard, forgotten) = take(&mut self.follower.known, changes, now);
        self.report(Event::DeparturesForgotten(forgotten));
        changes.iter().for_each(|change| self.refuse_departed(change.key, now));
        heard
    }

    fn refuse_departed(&mut self, key: SubjectKey, now: Timestamp) {
        let Some(flight) = self.flights.get(key) else { return };
        for ticket in std::mem::take(&mut flight.waiting) {
            let Some(Want::Account { identity, route }) = self.waiting.want(ticket) else { continue };
            let (refusal, route) = (self.departed(identity, now), *route);
            if let Some(refusal) = refusal {
                self.waiting.leave(ticket);
                self.settle(ticket, route, Verdict::Refuse(refusal));
            } else if let Some(flight) = self.flights.get(key) {
                flight.waiting.push(ticket);
            }
        }
    }
}

/// Takes changes in. Returns how many of them are news, and how many that are departed had to be forgotten.
fn take(known: &mut Departures, changes: &[Change], now: Timestamp) -> (u64, u64) {
    let (mut heard, mut forgotten) = (0, 0);
    for change in changes {
        heard += u64::from(known.is_news(change));
        forgotten += known.take(change, now) as u64;
    }
    (heard, forgotten)
}
