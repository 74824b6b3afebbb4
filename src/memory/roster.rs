//! Which subjects are known, and how they stand.

use crate::domain::{Account, Refusal, SubjectKey, Timestamp};
use lru::LruCache;
use std::sync::Arc;
use std::time::Duration;

/// How a subject stands with the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has an account, whose id is there if the directory told it.
    Present(Option<Arc<Account>>),
    /// It is not served: waiting for approval, denied, departed, or with attributes that the directory does not take.
    Refused(Refusal),
}

/// The subjects that were sighted lately. The one sighted longest ago makes room for a new one.
pub struct Roster {
    limit: usize,
    subjects: LruCache<SubjectKey, (Standing, Timestamp)>,
}

impl Roster {
    /// A roster of at most `limit` subjects.
    pub fn new(limit: usize) -> Self {
        Self { limit, subjects: LruCache::unbounded() }
    }

    /// How the subject stands, and whether that may still be relied on; `None` for one that is not known.
    pub fn standing(&mut self, key: SubjectKey, now: Timestamp) -> Option<(&Standing, bool)> {
        self.subjects.get(&key).map(|(standing, until)| (standing, now < *until))
    }

    /// Remembers how a subject stands, to be relied on before `until`.
    pub fn remember(&mut self, key: SubjectKey, standing: Standing, until: Timestamp) {
        self.subjects.put(key, (standing, until));
        // The cache could hold the limit itself, but would then take the memory for all at once, before there is anybody.
        if self.subjects.len() > self.limit {
            self.subjects.pop_lru();
        }
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.subjects.iter_mut().for_each(|(_, (_, until))| *until = until.before(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Issuer, Subject, SubjectId};

    fn key(id: &str) -> SubjectKey {
        Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() }.key()
    }

    #[test]
    fn a_standing_is_relied_on_until_its_time_and_remembered_beyond() {
        let mut roster = Roster::new(2);
        let present = Standing::Present(Some(Arc::new(Account { id: "a1".into(), header: None })));
        roster.remember(key("jane"), present.clone(), Timestamp::from_secs(10));
        assert_eq!(roster.standing(key("jane"), Timestamp::from_secs(9)), Some((&present, true)));
        assert_eq!(roster.standing(key("jane"), Timestamp::from_secs(10)), Some((&present, false)));
        assert_eq!(roster.standing(key("john"), Timestamp::from_secs(9)), None);
    }

    #[test]
    fn the_subject_sighted_longest_ago_makes_room() {
        let (mut roster, now) = (Roster::new(2), Timestamp::from_secs(0));
        for id in ["a", "b"] {
            roster.remember(key(id), Standing::Present(None), Timestamp::from_secs(1));
        }
        assert!(roster.standing(key("a"), now).is_some());
        roster.remember(key("c"), Standing::Present(None), Timestamp::from_secs(1));
        assert!(roster.standing(key("b"), now).is_none());
        assert!(roster.standing(key("a"), now).is_some());
    }
}
