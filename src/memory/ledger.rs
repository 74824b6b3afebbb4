//! Who was seen, not yet told to the directory.

use crate::domain::{Account, Subject, SubjectKey, Timestamp};
use crate::wire::{Sighting, SightingEvent};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Sightings of the current window, and those of earlier windows that wait to be told. Together never more than `limit`.
pub struct Ledger {
    limit: usize,
    /// Makes event ids unique to this worker's life.
    nonce: String,
    next_id: u64,
    window: HashMap<SubjectKey, Seen>,
    closed: VecDeque<(u64, SubjectKey, Seen)>,
}

/// One subject in one window.
struct Seen {
    subject: Subject,
    account: Option<Arc<Account>>,
    first: Timestamp,
    last: Timestamp,
    count: u64,
}

/// Sightings on their way to the directory. They keep their ids until they have arrived.
pub struct Batch(Vec<(u64, SubjectKey, Seen)>);

impl Batch {
    /// How many sightings it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds none; a batch that was taken holds one at least.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ledger {
    /// An empty ledger. `nonce` is a random number of the worker's.
    pub fn new(limit: usize, nonce: [u8; 16]) -> Self {
        let nonce = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { limit, nonce, next_id: 0, window: HashMap::new(), closed: VecDeque::new() }
    }

    /// Notes that a subject was served. `false` if there is no room for it: the sighting is lost, and to be counted.
    #[must_use]
    pub fn sight(
        &mut self,
        key: SubjectKey,
        subject: &Subject,
        account: Option<&Arc<Account>>,
        now: Timestamp,
    ) -> bool {
        if let Some(seen) = self.window.get_mut(&key) {
            seen.last = seen.last.max(now);
            seen.count += 1;
            seen.account = account.cloned().or(seen.account.take());
            return true;
        }
        if self.window.len() + self.closed.len() >= self.limit {
            return false;
        }
        let seen =
            Seen { subject: subject.clone(), account: account.cloned(), first: now, last: now, count: 1 };
        self.window.insert(key, seen);
        true
    }

    /// Ends the window: what was seen in it waits to be told.
    pub fn close_window(&mut self) {
        for (key, seen) in self.window.drain() {
            self.closed.push_back((self.next_id, key, seen));
            self.next_id += 1;
        }
    }

    /// Takes out the oldest sightings that wait, at most `most`; `None` if none does.
    pub fn take_batch(&mut self, most: usize) -> Option<Batch> {
        let taken: Vec<_> = self.closed.drain(..most.min(self.closed.len())).collect();
        (!taken.is_empty()).then_some(Batch(taken))
    }

    /// Puts a batch that did not arrive back to the front. Returns how many sightings there was no more room for.
    #[must_use]
    pub fn put_back(&mut self, batch: Batch) -> usize {
        let room = self.limit.saturating_sub(self.window.len() + self.closed.len());
        let lost = batch.len().saturating_sub(room);
        for item in batch.0.into_iter().skip(lost).rev() {
            self.closed.push_front(item);
        }
        lost
    }

    /// Whether nothing is left to tell.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty() && self.closed.is_empty()
    }

    /// The events that a batch is sent as.
    pub fn events(&self, batch: &Batch, gateway: &str) -> Vec<SightingEvent> {
        let event = |(id, key, seen): &(u64, SubjectKey, Seen)| {
            let data = Sighting {
                issuer: seen.subject.issuer.as_str().to_owned(),
                id: seen.subject.id.as_str().to_owned(),
                account: seen.account.as_ref().and_then(|account| account.id.clone()).map(String::from),
                first_seen: seen.first.rfc3339(),
                last_seen: seen.last.rfc3339(),
                count: seen.count,
            };
            SightingEvent::new(format!("{}-{id}", self.nonce), gateway, key.to_string(), seen.last, data)
        };
        batch.0.iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Issuer, SubjectId};

    fn subject(id: &str) -> Subject {
        Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() }
    }

    fn sight(ledger: &mut Ledger, id: &str, secs: u64) -> bool {
        let subject = subject(id);
        ledger.sight(subject.key(), &subject, None, Timestamp::from_secs(secs))
    }

    #[test]
    fn a_subject_is_told_once_per_window_with_its_last_time_and_count() {
        let mut ledger = Ledger::new(10, [0; 16]);
        assert!(
            sight(&mut ledger, "jane", 5) && sight(&mut ledger, "jane", 9) && sight(&mut ledger, "jane", 7)
        );
        ledger.close_window();
        let batch = ledger.take_batch(10).unwrap();
        let events = ledger.events(&batch, "edge-1");
        assert_eq!(events.len(), 1);
        let seen = &events[0].data;
        assert_eq!((seen.first_seen.as_str(), seen.count), ("1970-01-01T00:00:05.000Z", 3));
        assert_eq!(seen.last_seen, "1970-01-01T00:00:09.000Z");
        assert_eq!(events[0].source, "/gateways/edge-1");
        assert!(ledger.is_empty());
    }

    #[test]
    fn a_batch_that_comes_back_keeps_its_ids_and_its_place() {
        let mut ledger = Ledger::new(10, [7; 16]);
        assert!(sight(&mut ledger, "jane", 1));
        ledger.close_window();
        assert!(sight(&mut ledger, "jane", 2));
        ledger.close_window();
        let batch = ledger.take_batch(1).unwrap();
        let first = ledger.events(&batch, "e");
        assert_eq!(ledger.put_back(batch), 0);
        let again = ledger.take_batch(2).unwrap();
        let again = ledger.events(&again, "e");
        assert_eq!(first[0], again[0]);
        assert_ne!(again[0].id, again[1].id);
    }

    #[test]
    fn a_full_ledger_loses_new_subjects_and_says_so() {
        let mut ledger = Ledger::new(2, [0; 16]);
        assert!(sight(&mut ledger, "a", 1) && sight(&mut ledger, "b", 1));
        assert!(!sight(&mut ledger, "c", 1));
        assert!(sight(&mut ledger, "a", 2));
        ledger.close_window();
        let batch = ledger.take_batch(2).unwrap();
        assert!(sight(&mut ledger, "d", 3));
        assert_eq!(ledger.put_back(batch), 1);
    }
}
