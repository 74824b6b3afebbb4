//! Pauses between tries that fail: each twice as long as the one before, and none at the same moment everywhere.

use super::Dice;
use std::time::Duration;

/// From the first pause to the longest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub shortest: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after so many failures in a row (from 1). Half of it is left to chance.
    pub fn after(&self, failures: u32, dice: &mut Dice) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let half = self.shortest.saturating_mul(doubled).min(self.longest) / 2;
        half + dice.up_to(half)
    }
}

/// When something that fails is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerTerms {
    /// After so many failures in a row; at least 1.
    pub failures: u32,
    /// For how long, until one call tries whether it is back.
    pub pause: Backoff,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_half_of_each_is_chance() {
        let (millis, mut dice) = (Duration::from_millis, Dice::new(1));
        let backoff = Backoff { shortest: millis(100), longest: millis(900) };
        for (failures, whole) in [(0, 100), (1, 100), (2, 200), (3, 400), (4, 800), (5, 900), (u32::MAX, 900)]
        {
            let pauses: Vec<_> = (0..100).map(|_| backoff.after(failures, &mut dice)).collect();
            assert!(
                pauses.iter().all(|pause| (millis(whole / 2)..=millis(whole)).contains(pause)),
                "{pauses:?}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
