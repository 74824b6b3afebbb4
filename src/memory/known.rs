//! What is known of a subject, and what a worker asks the others of its process before it asks the directory. Knows
//! neither who asks for what reason, nor where it is kept.

use crate::domain::{Account, Fingerprint, Identity, Reason, Refusal, SubjectKey, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How a subject stands with the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has an account, which is there if the directory told it.
    Present(Option<Arc<Account>>),
    /// It is not served: waiting for approval, denied, departed, or with attributes that the directory does not take.
    /// Few are refused, so this takes no room in what is known of all others.
    Refused(Box<Refusal>),
}

/// Which attributes the directory was told, and how new they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Of the attributes.
    pub fingerprint: Fingerprint,
    /// When the token that they are from was issued.
    pub issued_at: Timestamp,
}

impl Told {
    /// What the directory is told of somebody, if anything of them is kept in step. A token of unknown age tells nothing:
    /// nobody could say whether it is news.
    pub fn by(identity: &Identity) -> Option<Self> {
        let (fingerprint, issued_at) = identity.fingerprint.zip(identity.issued_at)?;
        Some(Self { fingerprint, issued_at })
    }

    /// The newer one.
    pub fn newest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).max_by_key(|told| told.issued_at)
    }
}

/// What is remembered of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// How it stands.
    pub standing: Standing,
    /// Before this, that may be relied on.
    pub until: Timestamp,
    /// What the directory was told, if anything is kept in step.
    pub told: Option<Told>,
    /// When the directory answered last.
    pub asked_at: Timestamp,
}

impl Known {
    /// Whether its standing may still be relied on.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether this makes it needless to ask the directory.
    pub fn answers(&self, query: &Query, now: Timestamp) -> bool {
        let is_needless = !(self.lacks(query.told) && self.has_rested(query.rest, now));
        self.is_fresh(now) && self.asked_at >= query.since && is_needless
    }

    /// Whether it was left alone for so long since the directory answered.
    fn has_rested(&self, rest: Duration, now: Timestamp) -> bool {
        now >= self.asked_at.after(rest)
    }

    /// Whether the directory was told other attributes than these, from an older token.
    fn lacks(&self, wanted: Option<Told>) -> bool {
        let is_in_step = |told: Told, wanted: Told| {
            told.fingerprint == wanted.fingerprint || told.issued_at >= wanted.issued_at
        };
        wanted.is_some_and(|wanted| self.told.is_none_or(|told| !is_in_step(told, wanted)))
    }

    /// Whether it has an account.
    pub fn is_present(&self) -> bool {
        matches!(self.standing, Standing::Present(_))
    }

    /// Whether it has an account whose attributes are others by now: in a newer token than the directory was told of, as
    /// two that are in use side by side must not change it to and fro. It is left alone for a `rest` after each answer.
    pub fn has_drifted(&self, identity: &Identity, rest: Duration, now: Timestamp) -> bool {
        self.is_present() && self.has_rested(rest, now) && self.lacks(Told::by(identity))
    }

    /// Whether it had an account that was closed.
    pub fn is_departed(&self) -> bool {
        matches!(&self.standing, Standing::Refused(refusal) if refusal.reason == Reason::AccountDeparted)
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        self.until = self.until.before(span);
        self.asked_at = self.asked_at.before(span);
    }
}

/// What a worker wants to know before it asks the directory itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Of whom.
    pub key: SubjectKey,
    /// For a drift, what the directory is to be told: it is needless if it was told just this, or something as new.
    pub told: Option<Told>,
    /// For so long after each answer a drift is needless, too.
    pub rest: Duration,
    /// What the directory said before this is no answer any more.
    pub since: Timestamp,
}

/// What the process has for a worker's [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The answer, or whose turn it is to ask the directory.
    pub claim: Claim,
    /// What is remembered of the subject though it is no answer: it is too old, or in step with older attributes.
    pub besides: Option<Known>,
}

/// What becomes of a worker's [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// This is known already.
    Known(Known),
    /// Another worker is asking, or trying whether the directory is back: it is worth looking again soon.
    Elsewhere,
    /// The directory fails too often to be asked.
    Shut {
        /// It is asked again from then on.
        until: Timestamp,
    },
    /// This worker may ask, and holds the lease.
    Granted,
    /// Nobody is asking, and neither may this worker.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn told(fingerprint: u64, secs: u64) -> Told {
        Told { fingerprint: Fingerprint(fingerprint), issued_at: Timestamp::from_secs(secs) }
    }

    fn known(told: Option<Told>) -> Known {
        let (until, asked_at) = (Timestamp::from_secs(10), Timestamp::from_secs(1));
        Known { standing: Standing::Present(None), until, told, asked_at }
    }

    fn answers(known: &Known, told: Option<Told>, secs: u64) -> bool {
        let key = crate::memory::test_key("jane");
        let query = Query { key, told, rest: Duration::from_secs(3), since: Timestamp::from_secs(1) };
        known.answers(&query, Timestamp::from_secs(secs))
    }

    #[test]
    fn a_standing_is_relied_on_until_its_time() {
        assert!(known(None).is_fresh(Timestamp::from_secs(9)));
        assert!(!known(None).is_fresh(Timestamp::from_secs(10)));
        assert!(answers(&known(None), None, 9) && !answers(&known(None), None, 10));
    }

    #[test]
    fn what_the_directory_said_before_somebody_returned_is_no_answer() {
        let query = |secs| Query {
            key: crate::memory::test_key("jane"),
            told: None,
            rest: Duration::ZERO,
            since: Timestamp::from_secs(secs),
        };
        let answers = |secs| known(None).answers(&query(secs), Timestamp::from_secs(9));
        assert_eq!((answers(0), answers(1), answers(2)), (true, true, false));
    }

    #[test]
    fn a_drift_is_answered_by_the_same_attributes_or_newer_ones() {
        assert!(answers(&known(Some(told(7, 5))), Some(told(7, 6)), 9), "the same");
        assert!(answers(&known(Some(told(8, 6))), Some(told(7, 6)), 9), "as new");
        assert!(!answers(&known(Some(told(8, 5))), Some(told(7, 6)), 9), "older");
        assert!(!answers(&known(None), Some(told(7, 6)), 9), "nothing was told");
        assert!(answers(&known(None), Some(told(7, 6)), 3), "it is left alone");
        assert!(!answers(&known(Some(told(7, 5))), Some(told(7, 5)), 10), "too old to rely on");
    }

    #[test]
    fn what_is_known_of_everybody_is_small() {
        let words = size_of::<Known>() / size_of::<usize>();
        assert!(words <= 8, "{words} words");
    }
}
