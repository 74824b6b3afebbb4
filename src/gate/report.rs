//! Report mode in the log: what would have been refused, told for each reason once in a while.

use super::{Event, Gate};
use crate::domain::{Reason, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// A reason is told no more often.
const EVERY: Duration = Duration::from_secs(60);

/// The requests that would have been refused, by reason: there are only so many.
#[derive(Default)]
pub(super) struct Reported(BTreeMap<Reason, Untold>);

struct Untold {
    /// Requests since the last line.
    count: u64,
    /// When the next line may be written; the first one at once.
    from: Timestamp,
}

impl Reported {
    /// Notes a request that would have been refused.
    pub(super) fn note(&mut self, reason: Reason) {
        let nothing = Untold { count: 0, from: Timestamp::from_millis(0) };
        self.0.entry(reason).or_insert(nothing).count += 1;
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        self.0.values_mut().for_each(|untold| untold.from = untold.from.before(span));
    }

    /// When [`Gate::tell_reported`] has something to do.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.0.values().filter(|untold| untold.count > 0).map(|untold| untold.from).min()
    }

    /// Takes the reasons out that may be told, with their counts.
    fn take_due(&mut self, now: Timestamp) -> Vec<(Reason, u64)> {
        let due = self.0.iter_mut().filter(|(_, untold)| untold.count > 0 && untold.from <= now);
        let told = due.map(|(reason, untold)| {
            untold.from = now.after(EVERY);
            (*reason, std::mem::take(&mut untold.count))
        });
        told.collect()
    }
}

impl Gate {
    /// Tells what would have been refused and was not told yet, where a line may be written again.
    pub(super) fn tell_reported(&mut self, now: Timestamp) {
        for (reason, count) in self.reported.take_due(now) {
            self.report(Event::Reported { reason, count });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_at_once_and_then_once_a_minute_with_what_came_between() {
        let at = Timestamp::from_secs;
        let mut reported = Reported::default();
        assert_eq!(reported.next_due(), None);
        reported.note(Reason::TokenExpired);
        assert!(reported.next_due() <= Some(at(100)));
        assert_eq!(reported.take_due(at(100)), [(Reason::TokenExpired, 1)]);
        assert_eq!(reported.next_due(), None);
        for _ in 0..5 {
            reported.note(Reason::TokenExpired);
        }
        reported.note(Reason::TokenMissing);
        assert_eq!(reported.take_due(at(159)), [(Reason::TokenMissing, 1)]);
        assert_eq!(reported.next_due(), Some(at(160)));
        reported.move_back(Duration::from_secs(40));
        assert_eq!(reported.take_due(at(120)), [(Reason::TokenExpired, 5)]);
        assert_eq!(reported.take_due(at(999)), []);
    }
}
