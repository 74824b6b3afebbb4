//! The right to ask something for a whole process, which ends by itself.

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Somebody is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who, by a number that no other worker has.
    pub holder: u64,
    /// Then it ends, whatever became of its holder.
    pub until: Timestamp,
}

impl Lease {
    /// No lease is longer than this; one that is was not written by us, or not by this clock.
    pub const LONGEST: Duration = Duration::from_secs(60);

    /// Whether it holds.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.until && self.until <= now.after(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_until_its_time_and_none_for_more_than_a_minute() {
        let lives =
            |until| Lease { holder: 1, until: Timestamp::from_secs(until) }.is_live(Timestamp::from_secs(10));
        assert_eq!([9, 10, 11, 70, 71].map(lives), [false, false, true, true, false]);
    }
}
