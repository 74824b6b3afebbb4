//! Events that were taken, by their names: a transmitter may bring one twice. Knows nothing of what they say.

use crate::domain::Timestamp;
use lru::LruCache;
use std::time::Duration;

/// The most that are remembered: the one that was taken first makes room.
const MOST: usize = 10_000;
/// The most that wait for a key.
const MOST_WAITING: usize = 1000;

/// The names (`jti`) of events: those that were taken, and those whose key is not there yet.
pub struct Taken {
    taken: LruCache<Box<str>, ()>,
    /// Since when.
    waiting: LruCache<Box<str>, Timestamp>,
}

impl Default for Taken {
    fn default() -> Self {
        Self { taken: LruCache::unbounded(), waiting: LruCache::unbounded() }
    }
}

impl Taken {
    /// Whether it was taken.
    pub fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// It was taken.
    pub fn take(&mut self, name: &str) {
        self.waiting.pop(name);
        self.taken.put(name.into(), ());
        if self.taken.len() > MOST {
            self.taken.pop_lru();
        }
    }

    /// Since when it waits for its key.
    pub fn waits_since(&self, name: &str) -> Option<Timestamp> {
        self.waiting.peek(name).copied()
    }

    /// Its key is not there yet.
    pub fn wait(&mut self, name: &str, now: Timestamp) {
        if self.waits_since(name).is_none() {
            self.waiting.put(name.into(), now);
            if self.waiting.len() > MOST_WAITING {
                self.waiting.pop_lru();
            }
        }
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.waiting.iter_mut().for_each(|(_, since)| *since = since.before(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_remembered_until_so_many_were_taken_after_it() {
        let mut taken = Taken::default();
        (0..=MOST).for_each(|number| taken.take(&number.to_string()));
        assert_eq!(["0", "1", "10000"].map(|name| taken.has(name)), [false, true, true]);
    }

    #[test]
    fn an_event_waits_for_its_key_since_it_came_first_and_until_it_is_taken() {
        let (mut taken, at) = (Taken::default(), Timestamp::from_secs);
        taken.wait("a", at(100));
        taken.wait("a", at(200));
        assert_eq!(taken.waits_since("a"), Some(at(100)));
        taken.move_back(Duration::from_secs(60));
        assert_eq!(taken.waits_since("a"), Some(at(40)));
        taken.take("a");
        assert_eq!(taken.waits_since("a"), None);
    }
}
