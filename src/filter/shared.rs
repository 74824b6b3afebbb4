//! Calls that the workers of one process make once for all of them. What was answered, and who is asking, stands in the
//! proxy's shared data: any worker may read and write there, and so may every other plugin, so nothing in it can fail.

mod feed;
mod record;
mod subjects;

use super::SharedData;
use crate::domain::{Call, CallId, Reply, Timestamp};
use crate::memory::Lease;
pub(super) use feed::{Feed, Told};
use record::Record;
use sha2::{Digest, Sha256};
use std::time::Duration;
pub(super) use subjects::Subjects;

/// A call that waits for another worker's is looked at again after an eighth of the time it has waited, within these.
const GLANCE: Duration = Duration::from_millis(10);
const SLOWEST_GLANCE: Duration = Duration::from_millis(100);
/// How much longer than its call a lease lasts. A worker that died with one keeps the others waiting no longer.
const GRACE: Duration = Duration::from_secs(1);
/// A record changes between looking and writing only as often as there are workers that ask at the same moment.
const TRIES: usize = 4;

/// One worker's part in what is shared.
pub(super) struct Commons {
    /// This worker, among all that share.
    me: u64,
    /// Calls that wait for another worker's, and since when.
    waiting: Vec<(CallId, Call, Timestamp)>,
}

/// What is to become of a call that may be shared.
pub(super) enum Look {
    /// It was answered like this, at that time.
    Answer(Reply, Timestamp),
    /// Another worker is making it.
    Wait,
    /// It is to be made here.
    Make,
}

impl Commons {
    /// `nonce` is a random number that no other worker has.
    pub(super) fn new(nonce: [u8; 16]) -> Self {
        Self { me: number(nonce), waiting: Vec::new() }
    }

    /// Looks whether another worker has the answer to a call or is asking for it, and takes it upon this one if not. One
    /// that waits since `since` waits for no more than two leases, whatever stands there.
    pub(super) fn look(&self, host: &impl SharedData, call: &Call, since: Timestamp, now: Timestamp) -> Look {
        let lease = call.timeout.saturating_add(GRACE);
        let Some(shared) = call.shared.as_ref().filter(|_| now.since(since) <= lease.saturating_mul(2))
        else {
            return Look::Make;
        };
        let (key, question) = (key(&shared.name), question(call));
        for _ in 0..TRIES {
            let found = host.shared_get(&key);
            let mut record = Record::about(&question, found.as_ref(), now);
            if let Some((reply, at)) = record.news_after(shared.after, now) {
                return Look::Answer(reply, at);
            }
            if record.is_leased_to_another(self.me, now) {
                return Look::Wait;
            }
            record.lease = Some(Lease { holder: self.me, until: now.after(lease) });
            if replace(host, &key, &record.bytes(), &found) {
                return Look::Make;
            }
        }
        // This proxy shares nothing, or not for long enough to get a word in.
        Look::Make
    }

    /// Writes down what came of a call that was made here, and that nobody is making it now.
    pub(super) fn tell(
        &self,
        host: &impl SharedData,
        call: &Call,
        reply: &Reply,
        is_good: bool,
        now: Timestamp,
    ) {
        self.change(host, call, now, |record| record.take_in(reply, is_good, now));
    }

    /// Somebody else may make a call that was made here: its reply will not come.
    pub(super) fn let_go(&self, host: &impl SharedData, call: &Call, now: Timestamp) {
        self.change(host, call, now, |_| ());
    }

    fn change(&self, host: &impl SharedData, call: &Call, now: Timestamp, change: impl Fn(&mut Record)) {
        let Some(shared) = &call.shared else { return };
        let (key, question) = (key(&shared.name), question(call));
        for _ in 0..TRIES {
            let found = host.shared_get(&key);
            let mut record = Record::about(&question, found.as_ref(), now);
            change(&mut record);
            record.lease = record.lease.filter(|lease| lease.holder != self.me);
            if replace(host, &key, &record.bytes(), &found) {
                return;
            }
        }
    }

    /// Lets a call wait for another worker's; since `since`, if it does already.
    pub(super) fn wait(&mut self, id: CallId, call: Call, since: Timestamp) {
        self.waiting.push((id, call, since));
    }

    /// Takes out the calls that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<(CallId, Call, Timestamp)> {
        std::mem::take(&mut self.waiting)
    }

    /// When the calls that wait are to be looked at again.
    pub(super) fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let waited = self.waiting.iter().map(|(_, _, since)| now.since(*since)).min()?;
        Some(now.after((waited / 8).clamp(GLANCE, SLOWEST_GLANCE)))
    }
}

/// This worker, as one that holds leases.
fn number(nonce: [u8; 16]) -> u64 {
    u128::from_be_bytes(nonce) as u64
}

/// What was found under a key, and its version.
type Value = Option<(Vec<u8>, u32)>;

/// A version that nothing has: as a proxy compares versions only where there is something, what is written with it is
/// written only where there is nothing.
const NOTHING: u32 = u32::MAX;

/// Writes `value` if nobody wrote since that was `found`.
fn replace(host: &impl SharedData, key: &str, value: &[u8], found: &Value) -> bool {
    host.shared_set(key, value, Some(found.as_ref().map_or(NOTHING, |(_, version)| *version)))
}

/// Where a record stands. Other plugins have keys beside ours, and the next release may write other records.
fn key(name: &str) -> String {
    format!("firstsight/1/{}", digest([name.as_bytes()]))
}

/// What is asked, whole: the answer to another question is none, whoever wrote it.
fn question(call: &Call) -> String {
    let head = [call.cluster.as_str(), call.method.as_str(), call.authority.as_str(), call.path.as_str()];
    let headers = call.headers.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
    digest(head.map(str::as_bytes).into_iter().chain([call.body.as_slice()]).chain(headers))
}

/// Half a SHA-256 of all parts, each preceded by its length.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(hash.finalize().get(..16).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
