//! Amounts as they are written: spans of time, ranges of them, counts. Each within bounds that a proxy and a clock can keep.

use crate::domain::Backoff;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::time::Duration;

/// A span of time such as `100ms`, `30s`, `10m`, `12h` or `1h 30m`, within bounds given in milliseconds: a proxy cuts
/// shorter or longer ones off, and a time-out of nothing is none.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Span<const LEAST: u64, const MOST: u64>(pub(in crate::config) Duration);

/// How often something is done, or how long something holds: 100 ms to a year.
pub(in crate::config) type Period = Span<100, 31_557_600_000>;
/// How long something may take: 1 ms to an hour.
pub(in crate::config) type Patience = Span<1, 3_600_000>;
/// How far clocks may be apart: 1 ms to ten minutes.
pub(in crate::config) type Skew = Span<1, 600_000>;

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Span<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<const LEAST: u64, const MOST: u64> Span<LEAST, MOST> {
    /// The shortest and the longest.
    pub(in crate::config) const BOUNDS: [Duration; 2] =
        [Duration::from_millis(LEAST), Duration::from_millis(MOST)];

    fn parse(text: &str) -> Result<Self, String> {
        let span = humantime::parse_duration(text)
            .map_err(|_| format!("`{text}` is no span of time such as \"30s\" or \"12h\""))?;
        let [least, most] = Self::BOUNDS;
        if (least..=most).contains(&span) {
            return Ok(Self(span));
        }
        let [least, most] = Self::BOUNDS.map(humantime::format_duration);
        Err(format!("`{text}` is not within {least} and {most}"))
    }
}

/// From a pause to the longest one that it grows to: `100ms..2s`, each as in [`Patience`].
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Range(pub(in crate::config) Backoff);

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (shortest, longest) = text.split_once("..").ok_or_else(|| {
            D::Error::custom(format!("`{text}` is no range of pauses such as \"100ms..2s\""))
        })?;
        let Span(shortest) = Patience::parse(shortest).map_err(D::Error::custom)?;
        let Span(longest) = Patience::parse(longest).map_err(D::Error::custom)?;
        if shortest > longest {
            return Err(D::Error::custom(format!("`{text}` begins with the longer pause")));
        }
        Ok(Self(Backoff { shortest, longest }))
    }
}

/// A number of things, at least one. Istio renders every number of a plugin's configuration as a double, so `100.0` is
/// 100.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Count(pub(in crate::config) usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let whole = number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
        if whole { Ok(Self(number as usize)) } else { Err(D::Error::custom(format!("{number} is no count"))) }
    }
}

/// The span that was written, or `default`.
pub(in crate::config) fn span<const LEAST: u64, const MOST: u64>(
    written: Option<Span<LEAST, MOST>>,
    default: Duration,
) -> Duration {
    written.map_or(default, |Span(span)| span)
}

/// The count that was written, or `default`.
pub(in crate::config) fn count(written: Option<Count>, default: usize) -> usize {
    written.map_or(default, |Count(count)| count)
}

/// The range that was written, or `default`.
pub(in crate::config) fn range(written: Option<Range>, default: Backoff) -> Backoff {
    written.map_or(default, |Range(backoff)| backoff)
}
