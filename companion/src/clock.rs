//! The companion's clock, in the core's terms.

use firstsight::domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// Reads an RFC 3339 time in UTC, as the gateway writes it.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let since_epoch = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_millis()).ok().map(Timestamp::from_millis)
}
