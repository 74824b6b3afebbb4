//! Chance for what must not happen everywhere at once: pauses and refreshes. No use for secrets, and the same seed rolls
//! the same numbers.

use std::time::Duration;

/// A small generator (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that roll what follows from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A span from nothing up to `span`, every millisecond as likely as any other.
    pub fn up_to(&mut self, span: Duration) -> Duration {
        let sides = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_millis(self.roll() % sides)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_within_its_bounds_and_reaches_both() {
        let mut dice = Dice::new(7);
        let spans: Vec<_> = (0..200).map(|_| dice.up_to(Duration::from_millis(3)).as_millis()).collect();
        assert!(
            (0..=3).all(|span| spans.contains(&span)) && spans.iter().all(|span| *span <= 3),
            "{spans:?}"
        );
        assert_eq!(dice.up_to(Duration::ZERO), Duration::ZERO);
        assert!(dice.up_to(Duration::MAX) > Duration::from_secs(1));
    }

    #[test]
    fn the_same_seed_rolls_the_same_and_another_does_not() {
        let roll = |seed| Dice::new(seed).up_to(Duration::from_secs(1_000_000));
        assert_eq!(roll(1), roll(1));
        assert_ne!(roll(1), roll(2));
    }
}
