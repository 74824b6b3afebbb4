//! A point in time, always given from outside.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds since the Unix epoch (UTC), as the proxy's wall clock tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The point `secs` seconds after the Unix epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, with the fraction: the unit of a JWT's NumericDate (RFC 7519 §2).
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_millis(self.0).as_secs_f64()
    }

    /// The point `span` later; the end of time instead of an overflow.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The point `span` earlier; the epoch instead of an underflow.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long ago `earlier` was; zero if it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Reads RFC 3339 text in UTC (`Z`); `None` for anything else, and for what was before the epoch.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = humantime::parse_rfc3339(text).ok()?;
        at.duration_since(std::time::UNIX_EPOCH).ok().map(|since| Self(millis(since)))
    }

    /// RFC 3339 text in UTC with milliseconds, e.g. `2026-11-23T18:29:00.000Z`.
    pub fn rfc3339(self) -> String {
        // humantime panics after the year 9999; a proxy's clock that says so is answered with that year's last second.
        let at = Duration::from_millis(self.0).min(Duration::from_secs(253_402_300_799));
        humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + at).to_string()
    }
}

fn millis(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1000).saturating_add(u64::from(span.subsec_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_in_rfc_3339() {
        assert_eq!(Timestamp::from_secs(1_795_458_540).rfc3339(), "2026-11-23T18:29:00.000Z");
        assert_eq!(Timestamp::from_millis(u64::MAX).rfc3339(), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn what_is_written_in_rfc_3339_is_read_again() {
        let at = Timestamp::from_millis(1_795_458_540_007);
        assert_eq!(Timestamp::parse_rfc3339(&at.rfc3339()), Some(at));
        assert_eq!(
            Timestamp::parse_rfc3339("2026-11-23T18:29:00Z"),
            Some(Timestamp::from_secs(1_795_458_540))
        );
        for odd in ["", "1969-12-31T23:59:59Z", "2026-11-23", "2026-11-23T18:29:00+02:00", "tomorrow"] {
            assert_eq!(Timestamp::parse_rfc3339(odd), None, "{odd}");
        }
    }

    #[test]
    fn time_saturates_instead_of_wrapping() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(Timestamp::from_secs(1).since(end), Duration::ZERO);
    }
}
