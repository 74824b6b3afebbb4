//! Whether the directory is to be spared, in bytes that all workers of a process read and write. Knows neither why a call
//! failed nor what becomes of requests meanwhile.

use super::Lease;
use crate::domain::{BreakerTerms, Dice, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Counts failures in a row, and opens when there were too many: nobody asks then. When its time is over one worker tries
/// whether the directory is back, and the others wait for what comes of that.
#[derive(Debug, Clone)]
pub struct Breaker {
    terms: BreakerTerms,
    state: State,
}

/// Nothing in it is what a breaker starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// In a row.
    failures: u32,
    /// Set once there were too many.
    open_until: Option<Timestamp>,
    /// Somebody tries whether the directory is back.
    probe: Option<Lease>,
}

/// Whether the directory may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Go,
    /// Somebody is trying whether it is back.
    Probing,
    /// It is spared.
    Shut {
        /// It may be asked from then on.
        until: Timestamp,
    },
}

impl Breaker {
    /// The breaker that was written down as `bytes`; anything else is a breaker that nothing happened to.
    pub fn read(terms: BreakerTerms, bytes: &[u8]) -> Self {
        let state = postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty());
        Self { terms, state: state.map(|(state, _)| state).unwrap_or_default() }
    }

    /// The breaker as it is written; nothing while there is nothing to tell.
    pub fn bytes(&self) -> Vec<u8> {
        let is_untouched = self.state == State::default();
        // Numbers always serialise.
        let written = (!is_untouched).then(|| postcard::to_extend(&self.state, Vec::new()).ok());
        written.flatten().unwrap_or_default()
    }

    /// Whether somebody may ask who would do so under this lease. The first to ask after the breaker was open has the try
    /// until its lease ends, and asks for nothing else meanwhile.
    pub fn permit(&mut self, lease: Lease, now: Timestamp) -> Permit {
        if let Some(until) = self.shut_until(now) {
            return Permit::Shut { until };
        }
        if self.state.open_until.is_some() {
            if self.state.probe.is_some_and(|probe| probe.is_live(now)) {
                return Permit::Probing;
            }
            self.state.probe = Some(lease);
        }
        Permit::Go
    }

    /// A call failed. It opens the breaker, if it is one too many, for a time that is nowhere quite the same, and at least
    /// for as long as the directory asks for.
    pub fn failed(&mut self, retry_after: Option<Duration>, dice: &mut Dice, now: Timestamp) {
        let BreakerTerms { failures, pause } = self.terms;
        let wanted = now.after(retry_after.unwrap_or_default().min(pause.longest));
        if let Some(until) = self.shut_until(now) {
            // This call was made before the breaker opened. It is no reason to stay away for twice as long.
            self.state.open_until = Some(until.max(wanted));
            return;
        }
        self.state.failures = self.state.failures.saturating_add(1);
        self.state.probe = None;
        if let Some(tries) = self.state.failures.checked_sub(failures) {
            let pause = pause.after(tries.saturating_add(1), dice);
            self.state.open_until = Some(now.after(pause).max(wanted));
        }
    }

    /// The directory answered. Returns whether the breaker did not know.
    pub fn answered(&mut self) -> bool {
        std::mem::take(&mut self.state) != State::default()
    }

    /// Until when it is open. A time further away than the longest is one of a clock that was set back since.
    fn shut_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.state.open_until.filter(|until| now < *until && *until <= now.after(self.terms.pause.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Backoff;

    const PAUSE: Backoff = Backoff { shortest: Duration::from_secs(1), longest: Duration::from_secs(8) };
    const TERMS: BreakerTerms = BreakerTerms { failures: 3, pause: PAUSE };
    const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);
    const LEASE: Duration = Duration::from_secs(3);

    fn untouched() -> Breaker {
        Breaker::read(TERMS, b"")
    }

    /// After so many failures in a row, all at this moment.
    fn failing(times: u32) -> Breaker {
        let mut breaker = untouched();
        (0..times).for_each(|_| breaker.failed(None, &mut Dice::new(7), NOW));
        Breaker::read(TERMS, &breaker.bytes())
    }

    fn lease(holder: u64, now: Timestamp) -> Lease {
        Lease { holder, until: now.after(LEASE) }
    }

    fn after(millis: u64) -> Timestamp {
        NOW.after(Duration::from_millis(millis))
    }

    /// For how long it is open, in milliseconds.
    fn pause(breaker: &Breaker, now: Timestamp) -> Option<u64> {
        let pause = breaker.shut_until(now)?.since(now);
        u64::try_from(pause.as_millis()).ok()
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row_and_no_sooner() {
        assert_eq!(failing(2).permit(lease(1, NOW), NOW), Permit::Go);
        assert!(matches!(failing(3).permit(lease(1, NOW), NOW), Permit::Shut { until } if until > NOW));
        let mut between = failing(2);
        assert!(between.answered());
        between.failed(None, &mut Dice::new(7), NOW);
        assert_eq!(between.permit(lease(1, NOW), NOW), Permit::Go);
    }

    #[test]
    fn when_its_time_is_over_one_tries_and_the_others_wait_for_that() {
        let mut breaker = failing(3);
        let over = after(1200);
        assert_eq!(breaker.permit(lease(1, over), over), Permit::Go);
        let mut breaker = Breaker::read(TERMS, &breaker.bytes());
        assert_eq!(breaker.permit(lease(2, over), over), Permit::Probing);
        assert_eq!(breaker.permit(lease(1, over), over), Permit::Probing, "for another subject");
        let lost = over.after(LEASE);
        assert_eq!(breaker.permit(lease(2, lost), lost), Permit::Go, "whoever tried is gone");
        assert_eq!(breaker.permit(lease(1, lost), lost), Permit::Probing);
        assert!(breaker.answered());
        assert_eq!(breaker.permit(lease(1, lost), lost), Permit::Go);
        assert_eq!(breaker.permit(lease(2, lost), lost), Permit::Go);
        assert!(breaker.bytes().is_empty() && !breaker.answered());
    }

    #[test]
    fn it_stays_open_twice_as_long_after_each_try_that_fails_up_to_a_limit() {
        let (mut breaker, mut now) = (failing(2), NOW);
        for longest in [1000, 2000, 4000, 8000, 8000, 8000] {
            breaker.failed(None, &mut Dice::new(now.as_millis()), now);
            let pause = pause(&breaker, now).unwrap();
            let range = longest / 2..=longest;
            assert!(range.contains(&pause), "{pause} ms");
            now = now.after(Duration::from_millis(pause));
            assert_eq!(breaker.permit(lease(1, now), now), Permit::Go);
        }
    }

    #[test]
    fn calls_that_were_under_way_when_it_opened_do_not_keep_it_open() {
        let mut breaker = failing(3);
        let until = breaker.shut_until(NOW);
        (0..50).for_each(|_| breaker.failed(None, &mut Dice::new(7), NOW));
        assert_eq!((breaker.shut_until(NOW), breaker.state.failures), (until, 3));
    }

    #[test]
    fn the_directory_says_how_long_it_wants_to_be_left_alone_within_reason() {
        for (wanted, granted) in [(5, 5000), (3600, 8000)] {
            let mut breaker = failing(2);
            breaker.failed(Some(Duration::from_secs(wanted)), &mut Dice::new(7), NOW);
            assert_eq!(pause(&breaker, NOW), Some(granted));
            let mut open = failing(3);
            open.failed(Some(Duration::from_secs(wanted)), &mut Dice::new(7), NOW);
            assert_eq!(pause(&open, NOW), Some(granted), "though it is open already");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let earlier = NOW.before(Duration::from_secs(3600));
        assert_eq!(failing(3).permit(lease(1, earlier), earlier), Permit::Go);
    }

    #[test]
    fn what_is_no_breaker_is_one_that_nothing_happened_to() {
        let mut longer = failing(3).bytes();
        longer.push(0);
        for bytes in [b"".as_slice(), b"{}", b"\xff\xff\xff\xff\xff\xff", &longer] {
            assert_eq!(Breaker::read(TERMS, bytes).state, State::default(), "{bytes:?}");
        }
    }
}
