//! How often a token may be used, and how often an address may come with none that works. Knows no token, only names.

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// After how many failures those that are long over are forgotten.
const SWEEP: u32 = 1000;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// What was used up of the limits.
pub(super) struct Rates {
    requests: Limiter<String>,
    failures: Limiter<IpAddr>,
    failed: AtomicU32,
}

impl Rates {
    pub(super) fn new(requests_per_second: NonZeroU32, failures_per_minute: NonZeroU32) -> Self {
        Self {
            requests: RateLimiter::hashmap(Quota::per_second(requests_per_second)),
            failures: RateLimiter::hashmap(Quota::per_minute(failures_per_minute)),
            failed: AtomicU32::new(0),
        }
    }

    /// Counts a request with the token of this name.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(super) fn request(&self, name: &String) -> Result<(), Duration> {
        check(&self.requests, name)
    }

    /// Counts a request without a token that works.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(super) fn failure(&self, address: IpAddr) -> Result<(), Duration> {
        if self.failed.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.failures.retain_recent();
        }
        check(&self.failures, &network(address))
    }
}

fn check<K: Hash + Eq + Clone>(limiter: &Limiter<K>, key: &K) -> Result<(), Duration> {
    limiter.check_key(key).map_err(|until| until.wait_time_from(DefaultClock::default().now()))
}

/// Whoever has an IPv6 address has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_and_each_network_has_a_limit_of_its_own() {
        let two = NonZeroU32::new(2).unwrap();
        let rates = Rates::new(two, two);
        let requests = ["a", "a", "a", "b"].map(|name| rates.request(&name.to_owned()).is_ok());
        assert_eq!(requests, [true, true, false, true]);
        let addresses =
            ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3"];
        let failures = addresses.map(|address| rates.failure(address.parse().unwrap()).is_ok());
        assert_eq!(failures, [true, true, false, true, true, false]);
        let wait = rates.failure("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(wait > Duration::from_secs(1) && wait <= Duration::from_secs(30), "{wait:?}");
    }
}
