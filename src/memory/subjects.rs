//! What the workers of a process remember of subjects together, in bytes: buckets of a bounded size that anybody may have
//! written to. Knows neither where they are kept nor when anybody is asked about.

use super::{Known, Lease, Standing, Told};
use crate::domain::{Account, Fingerprint, Reason, Refusal, SubjectKey, Timestamp};
use crate::mapping::is_clean;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// The most that one bucket takes, in bytes: a worker copies all of it at every look.
const MOST_BYTES: usize = 4096;
/// A longer message to a person is not handed on, in bytes.
const LONGEST_MESSAGE: usize = 600;
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
    /// A [`Packed`], or nothing.
    known: &'a [u8],
}

/// What is known of a subject.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    until: Timestamp,
    asked_at: Timestamp,
    told: Option<([u8; 8], Timestamp)>,
    #[serde(borrow)]
    standing: PackedStanding<'a>,
}

#[derive(Serialize, Deserialize)]
enum PackedStanding<'a> {
    Present(Option<Cow<'a, Account>>),
    Refused { slug: &'a str, message: Option<&'a str>, retry_after: Option<Duration> },
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
        let known = unpacked(self.entry(place)?.row()?.known)?;
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
        let known = known.map_or_else(|| self.known_bytes(place), packed);
        let is_kept =
            (lease.is_some() || !known.is_empty()) && self.put(&Row { place, lease, known: &known }, now);
        if !is_kept && lease.is_none() {
            self.0.retain(|entry| entry.place != place);
        }
        is_kept || lease.is_none()
    }

    /// Writes about a subject. Those written about longest ago make room, unless somebody is asking about them.
    fn put(&mut self, row: &Row<'_>, now: Timestamp) -> bool {
        self.0.retain(|entry| entry.place != row.place);
        self.0.push(Entry::of(row));
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

fn packed(known: &Known) -> Vec<u8> {
    let standing = match &known.standing {
        Standing::Present(account) => PackedStanding::Present(account.as_deref().map(Cow::Borrowed)),
        Standing::Refused(refusal) => PackedStanding::Refused {
            slug: refusal.reason.slug(),
            message: refusal.message.as_deref().filter(|message| message.len() <= LONGEST_MESSAGE),
            retry_after: refusal.retry_after,
        },
    };
    let Known { until, asked_at, told, .. } = *known;
    let told = told.map(|told| (told.fingerprint.0.to_le_bytes(), told.issued_at));
    // Numbers and texts always serialise.
    postcard::to_extend(&Packed { until, asked_at, told, standing }, Vec::new()).unwrap_or_default()
}

/// Nothing here is believed to be ours: what would be no header is no account.
fn unpacked(bytes: &[u8]) -> Option<Known> {
    let Packed { until, asked_at, told, standing } = postcard::from_bytes(bytes).ok()?;
    let standing = match standing {
        PackedStanding::Present(account) => {
            let is_sound = account.iter().flat_map(|account| account.texts()).all(is_clean);
            Standing::Present(is_sound.then_some(account)?.map(|account| Arc::new(account.into_owned())))
        }
        PackedStanding::Refused { slug, message, retry_after } => {
            let reason = *Reason::ALL.iter().find(|reason| reason.slug() == slug)?;
            let message = message.map(str::to_owned);
            Standing::Refused(Box::new(Refusal { message, retry_after, ..Refusal::of(reason) }))
        }
    };
    let told = told.map(|(fingerprint, issued_at)| {
        let fingerprint = Fingerprint(u64::from_le_bytes(fingerprint));
        Told { fingerprint, issued_at }
    });
    Some(Known { standing, until, told, asked_at })
}
