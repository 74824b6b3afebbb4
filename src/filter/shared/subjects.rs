//! The subjects that the workers of one process remember together, and the breaker that they have in common. One worker
//! asks the directory about a subject, and a VM that starts anew has forgotten nobody. Knows no requests.

#[cfg(test)]
pub(super) mod tests;

use super::super::SharedData;
use super::{GRACE, Value, digest, number, replace};
use crate::config::{Policy, Protocol};
use crate::domain::{BreakerTerms, Dice, SubjectKey, Timestamp};
use crate::memory::{Breaker, Bucket, Claim, Found, Known, Lease, Permit, Place, Query};
use std::time::Duration;

/// So many subjects share a bucket, which has room for a few more: 128 bytes for each.
const SUBJECTS_PER_BUCKET: u64 = 32;
/// A bucket changes between looking and writing only as often as workers learn of others in it at the same moment.
const TRIES: usize = 16;

/// One worker's part in what is remembered.
pub(in crate::filter) struct Subjects {
    /// This worker, among all that share.
    holder: u64,
    /// The directory and what it is told: whoever has another believes nothing of this.
    realm: String,
    buckets: u64,
    /// Where the breaker is: that of the directory, whatever it is told.
    breaker: String,
    terms: BreakerTerms,
    /// How long it may take to ask about a subject.
    lease: Duration,
}

impl Subjects {
    /// `nonce` is a random number that no other worker has.
    pub(in crate::filter) fn new(policy: &Policy, nonce: [u8; 16]) -> Self {
        let at = &policy.provisioning.at;
        let authorization = at.authorization.as_ref().map_or(b"".as_slice(), |value| value.as_bytes());
        let protocol = format!("{:?}", policy.provisioning.protocol);
        let told = [at.path.as_bytes(), authorization, policy.mapping.digest.as_bytes(), protocol.as_bytes()];
        let told = told.into_iter().chain(policy.account_headers.iter().map(|name| name.as_bytes()));
        let directory = [at.cluster.as_bytes(), at.authority.as_bytes()];
        // What SCIM usually takes: what the directory can do, who is there, and a change.
        let calls = match &policy.provisioning.protocol {
            Protocol::Firstsight => 1,
            Protocol::Scim { .. } => 3,
        };
        Self {
            holder: number(nonce),
            realm: digest(directory.into_iter().chain(told)),
            buckets: (policy.limits.subjects as u64 / SUBJECTS_PER_BUCKET).max(1),
            breaker: format!("firstsight/1/breaker/{}", digest(directory)),
            terms: policy.provisioning.breaker,
            lease: at.timeout.saturating_mul(calls).saturating_add(GRACE).min(Lease::LONGEST),
        }
    }

    /// Looks whether the process knows a subject, or another worker is asking about it; if neither, this worker `may_ask`
    /// and the directory is not to be spared, takes it upon this one.
    pub(in crate::filter) fn claim(
        &self,
        host: &impl SharedData,
        query: &Query,
        may_ask: bool,
        now: Timestamp,
    ) -> Found {
        let lease = Lease { holder: self.holder, until: now.after(self.lease) };
        let place = Place::of(&self.realm, query.key);
        let found = (0..TRIES).find_map(|_| self.try_to_claim(host, query, place, may_ask, lease, now));
        // This proxy shares nothing, or not for long enough to get a word in.
        found.unwrap_or(Found { claim: Claim::Granted, besides: None })
    }

    /// Writes down what was learnt of a subject, if anything was, and that this worker is not asking about it any more.
    pub(in crate::filter) fn settle(
        &self,
        host: &impl SharedData,
        key: SubjectKey,
        known: Option<&Known>,
        now: Timestamp,
    ) {
        self.let_go(host, Place::of(&self.realm, key), known, now);
    }

    /// Notes that the directory gave no usable answer.
    pub(in crate::filter) fn failed(
        &self,
        host: &impl SharedData,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) {
        let mut dice = Dice::new(self.holder.wrapping_add(now.as_millis()));
        change(host, &self.breaker, |bytes| {
            let mut breaker = Breaker::read(self.terms, bytes);
            breaker.failed(retry_after, &mut dice, now);
            Some(breaker.bytes())
        });
    }

    /// Notes that it did. Most of the time everybody thought so.
    pub(in crate::filter) fn answered(&self, host: &impl SharedData) {
        change(host, &self.breaker, |bytes| {
            let mut breaker = Breaker::read(self.terms, bytes);
            breaker.answered().then(|| breaker.bytes())
        });
    }

    /// `None` if somebody else wrote at the same moment.
    fn try_to_claim(
        &self,
        host: &impl SharedData,
        query: &Query,
        place: Place,
        may_ask: bool,
        lease: Lease,
        now: Timestamp,
    ) -> Option<Found> {
        let at = self.bucket(place);
        let found = host.shared_get(&at);
        let bucket = Bucket::read(bytes(&found));
        let mut besides = bucket.known(place, now);
        let claim = match besides.take_if(|known| known.answers(query, now)) {
            Some(known) => Claim::Known(known),
            None if bucket.lease(place, now).is_some_and(|lease| lease.holder != self.holder) => {
                Claim::Elsewhere
            }
            None if may_ask => self.take(host, place, lease, bucket, &found, now)?,
            None => Claim::Unknown,
        };
        Some(Found { claim, besides })
    }

    /// Takes the lease on a subject, unless the directory is to be spared.
    fn take(
        &self,
        host: &impl SharedData,
        place: Place,
        lease: Lease,
        mut bucket: Bucket<'_>,
        found: &Value,
        now: Timestamp,
    ) -> Option<Claim> {
        let before = host.shared_get(&self.breaker);
        let mut breaker = Breaker::read(self.terms, bytes(&before));
        match breaker.permit(lease, now) {
            Permit::Go => {}
            Permit::Probing => return Some(Claim::Elsewhere),
            Permit::Shut { until } => return Some(Claim::Shut { until }),
        }
        // A bucket in which everybody is asked about has no room for one more: then nobody is told.
        if bucket.let_to(place, lease, now) && !replace(host, &self.bucket(place), &bucket.bytes(), found) {
            return None;
        }
        let permit = breaker.bytes();
        if permit != bytes(&before) && !replace(host, &self.breaker, &permit, &before) {
            // Somebody else tries whether the directory is back.
            self.let_go(host, place, None, now);
            return Some(Claim::Elsewhere);
        }
        Some(Claim::Granted)
    }

    fn let_go(&self, host: &impl SharedData, place: Place, known: Option<&Known>, now: Timestamp) {
        change(host, &self.bucket(place), |bytes| {
            let mut bucket = Bucket::read(bytes);
            bucket.settle(place, self.holder, known, now).then(|| bucket.bytes())
        });
    }

    fn bucket(&self, place: Place) -> String {
        format!("firstsight/1/subjects/{}", place.bucket(self.buckets))
    }
}

pub(super) fn bytes(found: &Value) -> &[u8] {
    found.as_ref().map(|(bytes, _)| bytes.as_slice()).unwrap_or_default()
}

/// Changes what stands there, unless it is well as it is.
fn change(host: &impl SharedData, key: &str, mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>) {
    for _ in 0..TRIES {
        let found = host.shared_get(key);
        let Some(changed) = change(bytes(&found)) else { return };
        if replace(host, key, &changed, &found) {
            return;
        }
    }
}
