//! Who departed and who returned since, as the directory tells it. Bounded: whoever has to be forgotten gets in no easier
//! for that. Knows neither how it is told nor requests.

use crate::domain::{Reason, SubjectKey, Timestamp};
use crate::wire::{Departure, DepartureState};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// The latest word on one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// On whom.
    pub key: SubjectKey,
    /// What became of it.
    pub fate: Fate,
    /// When, by the source's clock.
    pub at: Timestamp,
}

/// What becomes of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It may not get in, whatever token it holds.
    Departed,
    /// It may get in again, with a token that was issued later.
    Returned,
    /// It stays as it is, but no token works that was issued until then.
    Revoked,
    /// It may get in: if it was departed, it has returned; else there is nothing new.
    Present,
}

impl Change {
    /// What the directory told; `None` if its key or its time cannot be read.
    pub fn read(told: &Departure) -> Option<Self> {
        let (key, at) = (SubjectKey::parse(&told.key)?, Timestamp::parse_rfc3339(&told.at)?);
        let fate = match told.state {
            DepartureState::Departed => Fate::Departed,
            DepartureState::Returned => Fate::Returned,
        };
        Some(Self { key, fate, at })
    }
}

/// The subjects that departed, and those that returned, whose older tokens are dead for ever. Whoever returned longest
/// ago makes room first: from then on no token is accepted that is as old as that, whosesoever it is. Then those make room
/// who departed longest ago: the directory knows them, but has to be asked about everybody from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departures {
    limit: usize,
    subjects: HashMap<SubjectKey, Entry>,
    /// No token that was issued until then is accepted.
    outdated_until: Option<Timestamp>,
    is_whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    is_departed: bool,
    at: Timestamp,
    /// By the gateway's clock.
    heard: Timestamp,
}

/// Of so many that are remembered, one makes room at a time, so that looking for them is seldom.
const SHARE: usize = 16;

impl Departures {
    /// Nobody departed, as far as is known. At most `limit` are remembered.
    pub fn new(limit: usize) -> Self {
        Self { limit, subjects: HashMap::new(), outdated_until: None, is_whole: true }
    }

    /// Takes in what was heard. Returns how many that are departed had to be forgotten for it.
    ///
    /// What is told twice changes nothing, and a return that is older than the departure is none. Only a return lifts a
    /// departure.
    pub fn take(&mut self, change: &Change, heard: Timestamp) -> usize {
        if !self.is_news(change) {
            return 0;
        }
        let before = self.subjects.get(&change.key);
        let was_departed = before.is_some_and(|before| before.is_departed);
        let is_departed = change.fate == Fate::Departed || change.fate == Fate::Revoked && was_departed;
        let at = before.map_or(change.at, |before| before.at.max(change.at));
        self.subjects.insert(change.key, Entry { is_departed, at, heard });
        if self.subjects.len() > self.limit { self.make_room() } else { 0 }
    }

    /// Whether that is not known.
    pub fn is_news(&self, change: &Change) -> bool {
        let Some(before) = self.subjects.get(&change.key) else { return change.fate != Fate::Present };
        let is_later = change.at > before.at;
        match (change.fate, before.is_departed) {
            (Fate::Departed, false) => true,
            (Fate::Departed | Fate::Revoked, _) | (Fate::Returned, false) => is_later,
            (Fate::Returned | Fate::Present, true) => change.at >= before.at,
            (Fate::Present, false) => false,
        }
    }

    /// Takes in what another worker knows.
    pub fn join(&mut self, other: &Self) -> usize {
        self.outdated_until = self.outdated_until.max(other.outdated_until);
        self.is_whole &= other.is_whole;
        let told = other.subjects.iter().map(|(key, entry)| {
            let fate = if entry.is_departed { Fate::Departed } else { Fate::Returned };
            self.take(&Change { key: *key, fate, at: entry.at }, entry.heard)
        });
        told.sum()
    }

    /// Some may be departed that were never told of here.
    pub fn doubt(&mut self) {
        self.is_whole = false;
    }

    /// Takes over what was known `before` the directory told everything anew, `now`. Whoever is not departed any more, and
    /// not told of, has returned; nobody's older tokens come back to life.
    pub fn inherit(&mut self, before: &Self, now: Timestamp) -> usize {
        self.outdated_until = self.outdated_until.max(before.outdated_until);
        let untold = before.subjects.iter().filter(|(key, _)| !self.subjects.contains_key(key));
        let returned = untold.map(|(key, entry)| match entry.is_departed {
            false => (*key, *entry),
            true => (*key, Entry { is_departed: false, at: entry.at.max(now), heard: now }),
        });
        let returned: Vec<_> = returned.collect();
        self.subjects.extend(returned);
        if self.subjects.len() > self.limit { self.make_room() } else { 0 }
    }

    /// Why a token of this subject that was issued at this time, if it says when, is refused.
    pub fn refuses(&self, key: SubjectKey, issued_at: Option<Timestamp>) -> Option<Reason> {
        let is_from = |at: Timestamp| issued_at.is_none_or(|issued_at| issued_at <= at);
        match self.subjects.get(&key) {
            Some(Entry { is_departed: true, .. }) => Some(Reason::AccountDeparted),
            Some(entry) if is_from(entry.at) => Some(Reason::TokenOutdated),
            _ => self.outdated_until.is_some_and(is_from).then_some(Reason::TokenOutdated),
        }
    }

    /// When it was heard that a subject returned: what the directory said of it before is of no use.
    pub fn returned(&self, key: SubjectKey) -> Option<Timestamp> {
        let entry = self.subjects.get(&key)?;
        (!entry.is_departed).then_some(entry.heard)
    }

    /// Whether everybody is remembered who is departed.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.subjects.values_mut().for_each(|entry| entry.heard = entry.heard.before(span));
    }

    /// Forgets some. Returns how many of them are departed.
    fn make_room(&mut self) -> usize {
        let excess = self.subjects.len().saturating_sub(self.limit).max(self.limit / SHARE);
        let mut oldest: Vec<_> = self.subjects.iter().map(|(key, entry)| (*entry, *key)).collect();
        oldest.sort_unstable_by_key(|(entry, _)| (entry.is_departed, entry.at));
        let mut departed = 0;
        for (entry, key) in oldest.into_iter().take(excess) {
            self.subjects.remove(&key);
            match entry.is_departed {
                false => self.outdated_until = self.outdated_until.max(Some(entry.at)),
                true => departed += 1,
            }
        }
        self.is_whole &= departed == 0;
        departed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::test_key;
    use Fate::{Departed, Present, Returned, Revoked};
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn change(id: &str, fate: Fate, secs: u64) -> Change {
        Change { key: test_key(id), fate, at: at(secs) }
    }

    fn after(limit: usize, changes: &[Change]) -> Departures {
        let mut departures = Departures::new(limit);
        for change in changes {
            departures.take(change, at(1000));
        }
        departures
    }

    fn refuses(departures: &Departures, id: &str, issued: u64) -> Option<Reason> {
        departures.refuses(test_key(id), Some(at(issued)))
    }

    #[test]
    fn whoever_departed_is_refused_whatever_the_token() {
        let departures = after(10, &[change("jane", Departed, 10)]);
        for issued in [0, 10, 99] {
            assert_eq!(refuses(&departures, "jane", issued), Some(Reason::AccountDeparted));
        }
        assert_eq!(departures.refuses(test_key("jane"), None), Some(Reason::AccountDeparted));
        assert_eq!(departures.refuses(test_key("john"), None), None);
    }

    #[test]
    fn whoever_returned_needs_a_token_that_is_newer_than_that() {
        let departures = after(10, &[change("jane", Departed, 10), change("jane", Returned, 20)]);
        let told = [0, 19, 20, 21].map(|issued| refuses(&departures, "jane", issued));
        assert_eq!(
            told,
            [Some(Reason::TokenOutdated), Some(Reason::TokenOutdated), Some(Reason::TokenOutdated), None]
        );
        assert_eq!(departures.refuses(test_key("jane"), None), Some(Reason::TokenOutdated));
        assert_eq!(departures.returned(test_key("jane")), Some(at(1000)));
    }

    #[test]
    fn a_return_that_is_older_than_the_departure_is_none_and_what_is_told_twice_is_no_news() {
        let mut departures = after(10, &[change("jane", Departed, 10), change("jane", Returned, 9)]);
        assert_eq!(refuses(&departures, "jane", 99), Some(Reason::AccountDeparted));
        departures.take(&change("jane", Returned, 20), at(1001));
        departures.take(&change("jane", Returned, 20), at(1002));
        assert_eq!(departures.returned(test_key("jane")), Some(at(1001)));
        departures.take(&change("jane", Departed, 5), at(1003));
        assert_eq!(refuses(&departures, "jane", 99), Some(Reason::AccountDeparted), "a clock was set back");
        departures.take(&change("jane", Returned, 20), at(1004));
        assert_eq!(refuses(&departures, "jane", 21), None);
    }

    #[test]
    fn who_is_not_told_of_any_more_has_returned() {
        let before = after(
            10,
            &[change("jane", Departed, 10), change("john", Departed, 10), change("josh", Returned, 5)],
        );
        let mut anew = after(10, &[change("john", Departed, 10)]);
        assert_eq!(anew.inherit(&before, at(50)), 0);
        assert_eq!(refuses(&anew, "jane", 50), Some(Reason::TokenOutdated));
        assert_eq!(refuses(&anew, "jane", 51), None);
        assert_eq!(refuses(&anew, "john", 51), Some(Reason::AccountDeparted));
        assert_eq!(
            (refuses(&anew, "josh", 5), refuses(&anew, "josh", 6)),
            (Some(Reason::TokenOutdated), None)
        );
    }

    #[test]
    fn those_who_returned_make_room_first_and_tokens_as_old_as_that_die_with_them() {
        let changes = [change("a", Returned, 10), change("b", Returned, 20), change("c", Departed, 5)];
        let mut departures = after(3, &changes);
        assert_eq!(departures.take(&change("d", Departed, 30), at(1000)), 0);
        assert!(departures.is_whole());
        assert_eq!(
            (refuses(&departures, "a", 10), refuses(&departures, "a", 11)),
            (Some(Reason::TokenOutdated), None)
        );
        assert_eq!(refuses(&departures, "anybody", 10), Some(Reason::TokenOutdated));
        assert_eq!(refuses(&departures, "c", 99), Some(Reason::AccountDeparted));
        assert_eq!(departures.take(&change("e", Departed, 31), at(1000)), 0);
        assert_eq!(departures.take(&change("f", Departed, 32), at(1000)), 1);
        assert!(!departures.is_whole());
    }

    #[test]
    fn tokens_that_were_revoked_never_work_again_and_that_lifts_no_departure() {
        let mut departures = after(10, &[change("jane", Revoked, 10), change("john", Departed, 10)]);
        let told = [9, 10, 11].map(|issued| refuses(&departures, "jane", issued));
        assert_eq!(told, [Some(Reason::TokenOutdated), Some(Reason::TokenOutdated), None]);
        departures.take(&change("jane", Revoked, 5), at(1001));
        assert_eq!(refuses(&departures, "jane", 11), None);
        departures.take(&change("john", Revoked, 20), at(1001));
        assert_eq!(refuses(&departures, "john", 99), Some(Reason::AccountDeparted));
        departures.take(&change("john", Returned, 15), at(1002));
        assert_eq!(refuses(&departures, "john", 99), Some(Reason::AccountDeparted), "it is an older return");
        departures.take(&change("john", Returned, 30), at(1002));
        assert_eq!(refuses(&departures, "john", 31), None);
    }

    #[test]
    fn whoever_is_present_has_returned_if_it_was_departed_and_else_stays_unknown() {
        let mut departures = after(10, &[change("jane", Present, 10), change("john", Departed, 10)]);
        assert_eq!(departures.subjects.len(), 1);
        departures.take(&change("john", Present, 9), at(1001));
        assert_eq!(refuses(&departures, "john", 99), Some(Reason::AccountDeparted), "that was before");
        departures.take(&change("john", Present, 20), at(1002));
        departures.take(&change("john", Present, 30), at(1003));
        let told = [20, 21].map(|issued| refuses(&departures, "john", issued));
        assert_eq!(
            (told, departures.returned(test_key("john"))),
            ([Some(Reason::TokenOutdated), None], Some(at(1002)))
        );
    }

    #[test]
    fn what_another_knows_is_known_as_well() {
        let other =
            after(2, &[change("a", Returned, 10), change("b", Departed, 5), change("c", Departed, 6)]);
        let mut own = after(10, &[change("d", Departed, 7)]);
        own.join(&other);
        let told = ["b", "c", "d"].map(|id| refuses(&own, id, 99));
        assert_eq!(told, [Some(Reason::AccountDeparted); 3]);
        assert_eq!((refuses(&own, "anybody", 10), own.is_whole()), (Some(Reason::TokenOutdated), true));
        own.doubt();
        assert!(!own.is_whole());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn however_many_come_and_go_the_bound_holds_and_no_old_token_works_again(
            limit in 1..20_usize, told in vec((0..60_u8, any::<bool>()), 0..200)
        ) {
            let mut departures = Departures::new(limit);
            let mut last = std::collections::BTreeMap::new();
            for ((number, departs), secs) in told.into_iter().zip(1..) {
                let fate = if departs { Departed } else { Returned };
                departures.take(&change(&number.to_string(), fate, secs), at(secs));
                last.insert(number, (departs, secs));
                prop_assert!(departures.subjects.len() <= limit);
                for (number, (departs, secs)) in &last {
                    let id = number.to_string();
                    if *departs {
                        let is_refused = refuses(&departures, &id, 999) == Some(Reason::AccountDeparted);
                        prop_assert!(is_refused || !departures.is_whole(), "{} is let in", id);
                    } else {
                        prop_assert!(refuses(&departures, &id, *secs).is_some(), "an old token of {}", id);
                    }
                }
            }
        }
    }
}
