//! Times as SCIM writes them (`xsd:dateTime`, RFC 7643 §2.3.5): with any offset.

use crate::clock;
use firstsight::domain::Timestamp;
use std::time::Duration;

/// Reads a time; one without an offset is taken for UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (local, offset) = match text.split_at_checked(text.len().checked_sub(6)?) {
        Some((local, offset)) if offset.starts_with(['+', '-']) && offset.get(3..4) == Some(":") => {
            (local, offset)
        }
        _ => (text.strip_suffix('Z').unwrap_or(text), "+00:00"),
    };
    let local = clock::parse(&format!("{local}Z"))?;
    let (hours, minutes): (u64, u64) = (offset.get(1..3)?.parse().ok()?, offset.get(4..6)?.parse().ok()?);
    let apart = Duration::from_secs((hours * 60 + minutes) * 60);
    match offset.starts_with('-') {
        true => Some(local.after(apart)),
        false => local.as_millis().checked_sub(apart.as_millis() as u64).map(Timestamp::from_millis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_same_with_any_offset() {
        let noon = clock::parse("2026-11-23T12:00:00Z");
        for text in [
            "2026-11-23T12:00:00Z",
            "2026-11-23T12:00:00.000Z",
            "2026-11-23T12:00:00",
            "2026-11-23T13:30:00+01:30",
            "2026-11-23T04:00:00-08:00",
        ] {
            assert_eq!(parse(text), noon, "{text}");
        }
        for text in ["", "Z", "noon", "2026-11-23", "2026-11-23T12:00:00+1:00", "2026-11-23T12:00:00+0100"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
