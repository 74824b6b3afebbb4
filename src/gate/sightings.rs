//! Last seen: sightings are collected over a window and told to the directory in batches, until they have arrived.

use super::{Event, Gate, Purpose, post};
use crate::config::LastSeen;
use crate::domain::{Account, Identity, Reply, Timestamp};
use crate::memory::{Batch, Ledger};
use crate::wire::SIGHTINGS_CONTENT_TYPE;
use std::sync::Arc;
use std::time::Duration;

/// The longest pause before a batch that did not arrive is sent again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The ledger, and when it is told. One batch is under way at a time, so that the directory sets the pace.
pub(super) struct Sightings {
    ledger: Ledger,
    under_way: Option<Batch>,
    /// When the window closes; unset while nobody was seen in it.
    window_ends: Option<Timestamp>,
    /// When the next batch may be sent; unset while none waits.
    send_from: Option<Timestamp>,
}

impl Sightings {
    pub(super) fn new(policy: Option<&LastSeen>, nonce: [u8; 16]) -> Self {
        let ledger = Ledger::new(policy.map_or(0, |policy| policy.buffer), nonce);
        Self { ledger, under_way: None, window_ends: None, send_from: None }
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        let due = self.window_ends.iter_mut().chain(&mut self.send_from);
        due.for_each(|due| *due = due.before(span));
    }

    /// When [`Gate::tell_sightings`] has something to do.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let send_from = self.send_from.filter(|_| self.under_way.is_none());
        self.window_ends.into_iter().chain(send_from).min()
    }
}

impl Gate {
    /// Notes that a subject was served, if anybody wants to know.
    pub(super) fn sight(&mut self, who: &Identity, account: Option<&Arc<Account>>, now: Timestamp) {
        let Some(every) = self.policy.last_seen.as_ref().map(|policy| policy.every) else { return };
        if !self.sightings.ledger.sight(who.key, &who.subject, account, now) {
            self.report(Event::SightingsDropped(1));
        }
        self.sightings.window_ends.get_or_insert(now.after(every));
    }

    /// Closes the window when its time has come, and sends the next batch.
    pub(super) fn tell_sightings(&mut self, now: Timestamp) {
        if self.sightings.window_ends.is_some_and(|end| end <= now) {
            self.sightings.window_ends = None;
            self.sightings.ledger.close_window();
            self.sightings.send_from.get_or_insert(now);
        }
        if self.sightings.send_from.is_some_and(|from| from <= now) {
            self.send_batch();
        }
    }

    /// Tells all that is left.
    pub(super) fn flush_sightings(&mut self, now: Timestamp) {
        self.sightings.window_ends = Some(now);
        self.sightings.send_from = Some(now);
        self.tell_sightings(now);
    }

    pub(super) fn has_sightings(&self) -> bool {
        self.sightings.under_way.is_some() || !self.sightings.ledger.is_empty()
    }

    fn send_batch(&mut self) {
        if self.sightings.under_way.is_some() {
            return;
        }
        let Some(policy) = &self.policy.last_seen else { return };
        let Some(batch) = self.sightings.ledger.take_batch(policy.batch) else {
            self.sightings.send_from = None;
            return;
        };
        let events = self.sightings.ledger.events(&batch, &self.policy.gateway);
        // Strings and numbers always serialise.
        let body = serde_json::to_vec(&events).unwrap_or_default();
        let call = post(&policy.at, SIGHTINGS_CONTENT_TYPE, body);
        self.sightings.under_way = Some(batch);
        self.call(Purpose::Sightings, call);
    }

    /// A batch that the directory refuses for good would be refused for ever and hold up all others: it is dropped. Any
    /// other failure may pass, a wrong token included, so the batch is kept.
    pub(super) fn conclude_sightings(&mut self, reply: &Reply, now: Timestamp) {
        let Some(batch) = self.sightings.under_way.take() else { return };
        let count = batch.len() as u64;
        match reply {
            Reply::Answer { status: 200..=299, .. } => self.report(Event::SightingsSent(count)),
            Reply::Answer { status: 400 | 413 | 415 | 422, .. } => {
                self.report(Event::SightingsRefused(count))
            }
            _ if self.last_try => self.report(Event::SightingsDropped(count)),
            _ => {
                self.report(Event::SightingsFailed(count));
                let lost = self.sightings.ledger.put_back(batch) as u64;
                if lost > 0 {
                    self.report(Event::SightingsDropped(lost));
                }
                let every = self.policy.last_seen.as_ref().map_or(LONGEST_PAUSE, |policy| policy.every);
                let pause = every.min(LONGEST_PAUSE);
                self.sightings.send_from = Some(now.after(pause));
                return;
            }
        }
        self.send_batch();
    }
}
