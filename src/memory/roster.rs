//! The subjects that a worker has in mind.

use super::Known;
use crate::domain::SubjectKey;
use lru::LruCache;
use std::time::Duration;

/// The subjects that were sighted lately. The one sighted longest ago makes room for a new one.
pub struct Roster {
    limit: usize,
    subjects: LruCache<SubjectKey, Known>,
}

/// A worker has at least so many subjects in mind, if the process remembers as many.
const FEWEST: usize = 1000;
/// Of so many that the process remembers, a worker has one in mind: those that come often.
const SHARE: usize = 16;

impl Roster {
    /// The roster of a worker whose process remembers `subjects`.
    pub fn of_a_worker(subjects: usize) -> Self {
        Self::new((subjects / SHARE).max(FEWEST).min(subjects))
    }

    fn new(limit: usize) -> Self {
        Self { limit, subjects: LruCache::unbounded() }
    }

    /// What is known of a subject.
    pub fn get(&mut self, key: SubjectKey) -> Option<&Known> {
        self.subjects.get(&key)
    }

    /// Remembers what is known of a subject.
    pub fn remember(&mut self, key: SubjectKey, known: Known) {
        self.subjects.put(key, known);
        // The cache could hold the limit itself, but would then take the memory for all at once, before there is anybody.
        if self.subjects.len() > self.limit {
            self.subjects.pop_lru();
        }
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.subjects.iter_mut().for_each(|(_, known)| known.move_back(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::memory::{Standing, test_key as key};

    fn known(secs: u64) -> Known {
        let until = Timestamp::from_secs(secs);
        Known { standing: Standing::Present(None), until, told: None, asked_at: Timestamp::from_secs(1) }
    }

    #[test]
    fn a_subject_is_known_as_it_was_remembered_last() {
        let mut roster = Roster::new(2);
        roster.remember(key("jane"), known(9));
        roster.remember(key("jane"), known(10));
        assert_eq!(roster.get(key("jane")), Some(&known(10)));
        assert_eq!(roster.get(key("john")), None);
    }

    #[test]
    fn the_subject_sighted_longest_ago_makes_room() {
        let mut roster = Roster::new(2);
        for id in ["a", "b"] {
            roster.remember(key(id), known(1));
        }
        assert!(roster.get(key("a")).is_some());
        roster.remember(key("c"), known(1));
        assert!(roster.get(key("b")).is_none());
        assert!(roster.get(key("a")).is_some());
    }

    #[test]
    fn a_worker_has_those_in_mind_that_come_often() {
        let limits = [1, 1000, 10_000, 200_000].map(|subjects| Roster::of_a_worker(subjects).limit);
        assert_eq!(limits, [1, 1000, 1000, 12_500]);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_everything_along() {
        let mut roster = Roster::new(2);
        roster.remember(key("jane"), known(10));
        roster.move_back(Duration::from_secs(1));
        let moved = Known { asked_at: Timestamp::from_secs(0), ..known(9) };
        assert_eq!(roster.get(key("jane")), Some(&moved));
    }
}
