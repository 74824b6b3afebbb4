//! What the workers of a process remember of subjects together, in bytes: buckets of a bounded size that anybody may have
//! written to. Knows neither where they are kept nor when anybody is asked about.

mod packed;

use super::{Known, Lease};
use crate::domain::{SubjectKey, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::time::Duration;

/// The most that one bucket takes, in bytes: a worker copies all of it at every look. A proxy keeps it as a text with an
/// end, in 4096.
const MOST_BYTES: usize = 4080;
/// Workers read the clock at different moments. What lies further in the future was written before it was set back.
const MOMENT: Duration = Duration::from_secs(1);

/// Where a subject is kept: half a SHA-256 of its realm and its key. What one realm is told is nothing to another: it has
/// another directory, or tells it something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(#[serde(with = "postcard::fixint::le")] u128);

impl Place {
    /// That of a subject. All realms are as long as each other.
    pub fn of(realm: &str, key: SubjectKey) -> Self {
        let digest = Sha256::new().chain_update(realm).chain_update(key.as_bytes()).finalize();
        Self(digest.first_chunk().map_or(0, |half| u128::from_le_bytes(*half)))
    }

    /// Which of so many buckets it is in.
    pub fn bucket(self, buckets: u64) -> u64 {
        (self.0 as u64) % buckets.max(1)
    }
}

/// Some of the subjects that a process remembers, those written longest ago first: they make room for others.
#[derive(Debug, Default)]
pub struct Bucket<'a>(Vec<Entry<'a>>);

/// One subject, as it was read and as it is written.
#[derive(Debug)]
struct Entry<'a> {
    place: Place,
    lease: Option<Lease>,
    /// The whole [`Row`].
    bytes: Cow<'a, [u8]>,
}

/// One subject, taken apart no further than is needed to pass over it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row<'a> {
    place: Place,
    lease: Option<Lease>,
    /// What is known of it, packed, or nothing.
    known: &'a [u8],
}

impl<'a> Bucket<'a> {
    /// Reads a bucket. One that is not sound throughout is empty.
    pub fn read(bytes: &'a [u8]) -> Self {
        let fits = bytes.len() <= MOST_BYTES;
        Self(fits.then(|| Self::entries(bytes)).flatten().unwrap_or_default())
    }

    fn entries(mut rest: &'a [u8]) -> Option<Vec<Entry<'a>>> {
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (Row { place, lease, .. }, after) = postcard::take_from_bytes(rest).ok()?;
            let (bytes, _) = rest.split_at_checked(rest.len() - after.len())?;
            entries.push(Entry { place, lease, bytes: bytes.into() });
            rest = after;
        }
        Some(entries)
    }

    /// The bucket as it is written.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| entry.bytes.iter().copied()).collect()
    }

    /// What is known of a subject, unless the clock says that it cannot be.
    pub fn known(&self, place: Place, now: Timestamp) -> Option<Known> {
        let known = packed::read(self.entry(place)?.row()?.known)?;
        Some(known).filter(|known| known.asked_at <= now.after(MOMENT))
    }

    /// Who is asking about a subject.
    pub fn lease(&self, place: Place, now: Timestamp) -> Option<Lease> {
        self.entry(place)?.lease.filter(|lease| lease.is_live(now))
    }

    /// Notes that somebody is asking about a subject. `false` if all room is taken by subjects that others are asking
    /// about: then this is of no more use.
    #[must_use]
    pub fn let_to(&mut self, place: Place, lease: Lease, now: Timestamp) -> bool {
        let known = self.known_bytes(place);
        self.put(&Row { place, lease: Some(lease), known: &known }, now)
    }

    /// Notes what `holder` learnt of a subject, if it did, and that it is not asking any more. Returns whether there is
    /// anything to be written.
    #[must_use]
    pub fn settle(&mut self, place: Place, holder: u64, known: Option<&Known>, now: Timestamp) -> bool {
        let lease = self.lease(place, now).filter(|lease| lease.holder != holder);
        let before = self.entry(place).and_then(|entry| entry.lease);
        if known.is_none() && before == lease {
            return false;
        }
        let known = known.map_or_else(|| self.known_bytes(place), packed::bytes);
        let is_kept =
            (lease.is_some() || !known.is_empty()) && self.put(&Row { place, lease, known: &known }, now);
        if !is_kept && lease.is_none() {
            self.0.retain(|entry| entry.place != place);
        }
        is_kept || lease.is_none()
    }

    /// Writes about a subject. Those written about longest ago make room, unless somebody is asking about them.
    fn put(&mut self, row: &Row<'_>, now: Timestamp) -> bool {
        let entry = Entry::of(row);
        // Nobody makes room for what does not fit into a bucket of its own.
        if entry.bytes.len() > MOST_BYTES {
            return false;
        }
        self.0.retain(|entry| entry.place != row.place);
        self.0.push(entry);
        let mut excess =
            self.0.iter().map(|entry| entry.bytes.len()).sum::<usize>().saturating_sub(MOST_BYTES);
        self.0.retain(|entry| {
            let stays = entry.place == row.place || entry.lease.is_some_and(|lease| lease.is_live(now));
            if excess > 0 && !stays {
                excess = excess.saturating_sub(entry.bytes.len());
                return false;
            }
            true
        });
        excess == 0
    }

    fn entry(&self, place: Place) -> Option<&Entry<'a>> {
        self.0.iter().find(|entry| entry.place == place)
    }

    fn known_bytes(&self, place: Place) -> Vec<u8> {
        self.entry(place).and_then(Entry::row).map(|row| row.known.to_vec()).unwrap_or_default()
    }
}

impl Entry<'_> {
    fn of(row: &Row<'_>) -> Self {
        // Numbers and bytes always serialise.
        let bytes = postcard::to_extend(row, Vec::new()).unwrap_or_default();
        Self { place: row.place, lease: row.lease, bytes: bytes.into() }
    }

    fn row(&self) -> Option<Row<'_>> {
        postcard::from_bytes(&self.bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Account, Fingerprint, Reason, Refusal};
    use crate::memory::{Standing, Told, test_key};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);

    fn place(id: &str) -> Place {
        Place::of("realm", test_key(id))
    }

    fn lease(holder: u64, secs: u64) -> Lease {
        Lease { holder, until: NOW.after(Duration::from_secs(secs)) }
    }

    fn present() -> Known {
        let id = Some("0193f5a1-7f2e-7cc3-98c5-4d8a2b1e6f70".into());
        let standing = Standing::Present(Some(Arc::new(Account { id, headers: Box::new([]) })));
        let told = Told { fingerprint: Fingerprint(u64::MAX), issued_at: NOW };
        Known { standing, until: NOW.after(Duration::from_secs(3600)), told: Some(told), asked_at: NOW }
    }

    fn refused(length: usize) -> Known {
        let refusal = Refusal { message: Some("x".repeat(length)), ..Refusal::of(Reason::AccountDenied) };
        Known { standing: Standing::Refused(Box::new(refusal)), ..present() }
    }

    fn learn(bucket: &mut Bucket<'_>, id: &str, known: &Known) -> bool {
        bucket.settle(place(id), 1, Some(known), NOW)
    }

    /// What a bucket in which so many subjects are known is written as.
    fn full_of(count: usize) -> Vec<u8> {
        let mut bucket = Bucket::default();
        assert!((0..count).all(|number| learn(&mut bucket, &number.to_string(), &present())));
        bucket.bytes()
    }

    #[test]
    fn a_bucket_has_room_for_more_subjects_than_are_to_be_in_it() {
        assert!((82..=86).contains(&full_of(1).len()), "{} bytes", full_of(1).len());
        assert!(full_of(47).len() <= MOST_BYTES, "{} bytes", full_of(47).len());
    }

    #[test]
    fn two_realms_know_nothing_of_each_other() {
        let mut bucket = Bucket::default();
        assert!(bucket.settle(Place::of("one", test_key("jane")), 1, Some(&present()), NOW));
        assert_eq!(bucket.known(Place::of("two", test_key("jane")), NOW), None);
        assert_eq!(bucket.known(Place::of("one", test_key("john")), NOW), None);
        assert_eq!(bucket.known(Place::of("one", test_key("jane")), NOW), Some(present()));
    }

    #[test]
    fn a_subject_that_is_too_large_is_not_known_and_pushes_nobody_out() {
        let bytes = full_of(20);
        let mut bucket = Bucket::read(&bytes);
        let headers = (0..20).map(|_| Some("x".repeat(250).into_boxed_str())).collect();
        let account = Account { id: None, headers };
        let large = Known { standing: Standing::Present(Some(Arc::new(account))), ..present() };
        assert!(learn(&mut bucket, "large", &present()) && learn(&mut bucket, "large", &large));
        assert_eq!(bucket.known(place("large"), NOW), None, "what was known of it holds no longer");
        assert!((0..20).all(|number| bucket.known(place(&number.to_string()), NOW).is_some()));
    }

    #[test]
    fn the_subject_written_about_longest_ago_makes_room() {
        let bytes = full_of(40);
        let mut bucket = Bucket::read(&bytes);
        assert!(learn(&mut bucket, "0", &refused(10)));
        assert!((40..60).all(|number| learn(&mut bucket, &number.to_string(), &present())));
        let bytes = bucket.bytes();
        let is_known = |id: &str| Bucket::read(&bytes).known(place(id), NOW).is_some();
        assert!(bytes.len() <= MOST_BYTES && is_known("0") && is_known("59") && !is_known("1"));
    }

    #[test]
    fn somebody_who_is_asked_about_stays_until_the_lease_ends() {
        let mut bucket = Bucket::default();
        let all: Vec<_> = (0..200).map(|number| place(&number.to_string())).collect();
        let fits = |place: &&Place| bucket.let_to(**place, lease(7, 5), NOW);
        let asked = all.iter().take_while(fits).count();
        assert!((100..200).contains(&asked), "{asked}");
        let mut bucket = Bucket::default();
        assert!(all[..asked].iter().all(|place| bucket.let_to(*place, lease(7, 5), NOW)));
        let bytes = bucket.bytes();
        let mut bucket = Bucket::read(&bytes);
        assert!(all[..asked].iter().all(|place| bucket.lease(*place, NOW) == Some(lease(7, 5))));
        let later = NOW.after(Duration::from_secs(5));
        assert_eq!(bucket.lease(all[0], later), None);
        assert!(bucket.settle(place("jane"), 1, Some(&present()), later), "dead leases make room");
        assert!(bucket.bytes().len() <= MOST_BYTES);
    }

    #[test]
    fn whoever_asked_lets_go_and_nobody_else_does() {
        let mut bucket = Bucket::default();
        assert!(bucket.let_to(place("jane"), lease(7, 5), NOW));
        assert!(!bucket.settle(place("jane"), 8, None, NOW), "another has nothing to say");
        assert!(bucket.settle(place("jane"), 8, Some(&present()), NOW));
        assert_eq!(bucket.lease(place("jane"), NOW), Some(lease(7, 5)));
        assert!(bucket.settle(place("jane"), 7, None, NOW));
        assert_eq!((bucket.lease(place("jane"), NOW), bucket.0.len()), (None, 1));
        assert!(bucket.let_to(place("john"), lease(7, 5), NOW));
        assert!(bucket.settle(place("john"), 7, None, NOW));
        assert_eq!(bucket.0.len(), 1, "nothing is left of him of whom nothing was learnt");
    }

    #[test]
    fn what_is_known_stays_while_it_is_asked_about_again() {
        let bytes = full_of(1);
        let mut bucket = Bucket::read(&bytes);
        assert!(bucket.let_to(place("0"), lease(u64::MAX, 5), NOW));
        let bytes = bucket.bytes();
        let bucket = Bucket::read(&bytes);
        assert_eq!(bucket.known(place("0"), NOW), Some(present()));
        assert_eq!(bucket.lease(place("0"), NOW), Some(lease(u64::MAX, 5)));
    }

    #[test]
    fn what_was_learnt_in_the_future_is_nothing() {
        let bytes = full_of(1);
        let known = |secs| Bucket::read(&bytes).known(place("0"), NOW.before(Duration::from_secs(secs)));
        assert_eq!((known(1), known(2)), (Some(present()), None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_stands_there_can_be_read_and_written_over(
            odd in vec(any::<u8>(), 0..5000), cut in 0..90_usize, flip: u8
        ) {
            let mut spoiled = full_of(3);
            spoiled.truncate(spoiled.len() - cut);
            spoiled[cut] ^= flip;
            for bytes in [odd, spoiled] {
                let mut bucket = Bucket::read(&bytes);
                for id in ["0", "1", "2"] {
                    let _ = (bucket.known(place(id), NOW), bucket.lease(place(id), NOW));
                }
                prop_assert!(learn(&mut bucket, "jane", &present()));
                let bytes = bucket.bytes();
                prop_assert!(bytes.len() <= MOST_BYTES);
                prop_assert_eq!(Bucket::read(&bytes).known(place("jane"), NOW), Some(present()));
            }
        }

        #[test]
        fn no_bucket_outgrows_its_bound_and_nobody_who_is_asked_about_is_lost(
            writes in vec((0..150_u8, 0..8_usize), 0..250)
        ) {
            let (mut bytes, mut asked) = (Vec::new(), BTreeSet::new());
            let learnt = [present(), refused(300), refused(600), refused(0)];
            for (number, what) in writes {
                let (mut bucket, at) = (Bucket::read(&bytes), place(&number.to_string()));
                let known = learnt.get(what);
                let is_written = match known {
                    Some(_) => bucket.settle(at, 7, known, NOW),
                    None => bucket.let_to(at, lease(7, 5), NOW),
                };
                if is_written {
                    bytes = bucket.bytes();
                    if known.is_none() { asked.insert(number) } else { asked.remove(&number) };
                }
                prop_assert!(bytes.len() <= MOST_BYTES);
                let bucket = Bucket::read(&bytes);
                let is_asked = |number: &u8| bucket.lease(place(&number.to_string()), NOW).is_some();
                prop_assert!(asked.iter().all(is_asked));
            }
        }
    }
}
