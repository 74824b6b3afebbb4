//! The requests that wait, each with the same patience.

use super::KeyName;
use crate::domain::{Identity, Ticket, Timestamp};
use crate::route::Chosen;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What a request waits for.
pub enum Want {
    /// The keys of an issuer (by its place in the policy), to check this bearer token with.
    Keys {
        /// Whose keys.
        issuer: usize,
        /// The token, unverified.
        token: Box<[u8]>,
        /// The key it names, if the issuer has keys but not that one.
        unknown: Option<KeyName>,
        /// The rule the request is under.
        route: Chosen,
    },
    /// The directory's word on a subject.
    Account {
        /// Who it goes on as if the answer is yes.
        identity: Arc<Identity>,
        /// The rule the request is under.
        route: Chosen,
    },
}

impl Want {
    /// The key that is waited for, if it is one that the issuer may not have at all.
    pub fn unknown_key(&self) -> Option<KeyName> {
        match self {
            Self::Keys { unknown, .. } => *unknown,
            Self::Account { .. } => None,
        }
    }
}

/// The requests that wait. At most `limit`, none longer than `hold`; for keys that are unknown at most a quarter, as
/// anybody can make up a token that names one.
pub struct Waiting {
    limit: usize,
    hold: Duration,
    wants: HashMap<Ticket, Want>,
    /// How many of them wait for a key that is unknown.
    for_unknown_keys: usize,
    /// In the order of their deadlines, as all have the same patience. Tickets that left are skipped when their turn comes.
    deadlines: VecDeque<(Timestamp, Ticket)>,
}

impl Waiting {
    /// Nobody waits yet.
    pub fn new(limit: usize, hold: Duration) -> Self {
        Self { limit, hold, wants: HashMap::new(), for_unknown_keys: 0, deadlines: VecDeque::new() }
    }

    /// Whether this request may wait: there is room, or it waits already.
    pub fn has_room_for(&self, ticket: Ticket) -> bool {
        self.wants.len() < self.limit || self.wants.contains_key(&ticket)
    }

    /// Whether one more may wait for a key that is unknown.
    pub fn has_room_for_unknown_keys(&self) -> bool {
        self.for_unknown_keys < (self.limit / 4).max(1)
    }

    /// Lets a request wait. One that waits already waits for something else now; its deadline stays.
    pub fn enter(&mut self, ticket: Ticket, want: Want, now: Timestamp) {
        self.for_unknown_keys += usize::from(want.unknown_key().is_some());
        match self.wants.insert(ticket, want) {
            None => self.deadlines.push_back((now.after(self.hold), ticket)),
            Some(before) => self.uncount(&before),
        }
    }

    /// The requests that wait for this issuer's keys.
    pub fn for_keys_of(&self, issuer: usize) -> Vec<Ticket> {
        let waits = |want: &Want| matches!(want, Want::Keys { issuer: other, .. } if *other == issuer);
        let mut tickets: Vec<_> =
            self.wants.iter().filter(|(_, want)| waits(want)).map(|(ticket, _)| *ticket).collect();
        tickets.sort_unstable();
        tickets
    }

    /// What a request waits for, if it does.
    pub fn want(&self, ticket: Ticket) -> Option<&Want> {
        self.wants.get(&ticket)
    }

    /// Takes out a request, if it still waits.
    pub fn leave(&mut self, ticket: Ticket) -> Option<Want> {
        let want = self.remove(ticket);
        // Clients that come and go must not let the queue outgrow the limit.
        if self.deadlines.len() > self.limit.max(self.wants.len()).saturating_mul(2) {
            self.deadlines.retain(|(_, ticket)| self.wants.contains_key(ticket));
        }
        want
    }

    /// Takes out the next request whose patience has ended.
    pub fn overdue(&mut self, now: Timestamp) -> Option<(Ticket, Want)> {
        while let Some((deadline, ticket)) = self.deadlines.front().copied() {
            if now < deadline && self.wants.contains_key(&ticket) {
                return None;
            }
            self.deadlines.pop_front();
            if let Some(want) = self.remove(ticket) {
                return Some((ticket, want));
            }
        }
        None
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Want> {
        let want = self.wants.remove(&ticket)?;
        self.uncount(&want);
        Some(want)
    }

    fn uncount(&mut self, want: &Want) {
        self.for_unknown_keys -= usize::from(want.unknown_key().is_some());
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.deadlines.iter_mut().for_each(|(deadline, _)| *deadline = deadline.before(span));
    }

    /// When the next patience ends, at the earliest.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.front().map(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Access;

    fn want() -> Want {
        keys(None)
    }

    fn unknown() -> Want {
        keys(Some(KeyName::of(None)))
    }

    fn keys(unknown: Option<KeyName>) -> Want {
        let route = Chosen { index: 0, access: Access::Required };
        Want::Keys { issuer: 0, token: Box::new([]), unknown, route }
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_request_is_overdue_at_its_deadline_and_once() {
        let mut waiting = Waiting::new(10, Duration::from_secs(5));
        waiting.enter(Ticket(1), want(), at(0));
        waiting.enter(Ticket(2), want(), at(1));
        waiting.enter(Ticket(1), want(), at(3));
        assert!(waiting.overdue(at(4)).is_none());
        assert_eq!(waiting.overdue(at(5)).map(|(ticket, _)| ticket), Some(Ticket(1)));
        assert!(waiting.overdue(at(5)).is_none());
        assert_eq!(waiting.next_deadline(), Some(at(6)));
    }

    #[test]
    fn a_request_that_left_is_never_overdue() {
        let mut waiting = Waiting::new(10, Duration::from_secs(5));
        waiting.enter(Ticket(1), want(), at(0));
        assert!(waiting.leave(Ticket(1)).is_some());
        assert!(waiting.leave(Ticket(1)).is_none());
        assert!(waiting.overdue(at(9)).is_none());
        assert_eq!(waiting.next_deadline(), None);
    }

    #[test]
    fn clients_that_come_and_go_leave_nothing_behind() {
        let mut waiting = Waiting::new(4, Duration::from_secs(5));
        waiting.enter(Ticket(0), want(), at(0));
        for ticket in 1..1000 {
            waiting.enter(Ticket(ticket), want(), at(0));
            waiting.leave(Ticket(ticket));
        }
        assert!(waiting.deadlines.len() <= 9);
        assert_eq!(waiting.overdue(at(5)).map(|(ticket, _)| ticket), Some(Ticket(0)));
    }

    #[test]
    fn no_more_than_a_quarter_waits_for_unknown_keys_whatever_becomes_of_them() {
        let mut waiting = Waiting::new(8, Duration::from_secs(5));
        for round in 0..3 {
            assert!(waiting.has_room_for_unknown_keys());
            waiting.enter(Ticket(round), unknown(), at(0));
            waiting.enter(Ticket(round), unknown(), at(0));
            assert!(waiting.has_room_for_unknown_keys());
            waiting.enter(Ticket(10), unknown(), at(0));
            assert!(!waiting.has_room_for_unknown_keys());
            waiting.enter(Ticket(round), want(), at(0));
            assert!(waiting.has_room_for_unknown_keys());
            waiting.leave(Ticket(10));
        }
        waiting.enter(Ticket(20), unknown(), at(0));
        waiting.enter(Ticket(21), unknown(), at(0));
        while waiting.overdue(at(5)).is_some() {}
        assert_eq!(waiting.for_unknown_keys, 0);
    }
}
