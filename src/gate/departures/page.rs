//! One page of the directory's feed: how it is asked for, and what its answer is worth.

use crate::config::Upstream;
use crate::domain::{Call, Reply};
use crate::gate::get;
use crate::memory::Change;
use crate::wire::Departures;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// The longest cursor, in bytes: all workers read it at every look.
const LONGEST_CURSOR: usize = 1000;

/// What stands in a query as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the directory told.
pub(super) struct Page {
    pub(super) cursor: String,
    /// Whether there is more already.
    pub(super) more: bool,
    /// In the order in which it happened.
    pub(super) changes: Vec<Change>,
}

/// Why the feed could not be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedFailure {
    /// The directory does not know the cursor, or not any more.
    #[error("the cursor is unknown there")]
    Gone,
    /// It, or the proxy in its place, answered something else.
    #[error("status {0}")]
    Status(u16),
    /// There was no answer.
    #[error("no answer; does the cluster exist and have an endpoint?")]
    NoAnswer,
    /// What it says cannot be read.
    #[error("its answer is no page of departures")]
    Malformed,
    /// It says that there is more, and where it said it before.
    #[error("its pages do not end")]
    Circular,
}

impl Page {
    /// Reads a reply. Of a page that cannot be read throughout nothing is: whoever departed must not be passed over.
    pub(super) fn read(reply: &Reply) -> Result<Self, FeedFailure> {
        let body = match reply {
            Reply::Answer { status: 200, body, .. } => body,
            // A cursor that is of another database may be none that is understood.
            Reply::Answer { status: 400 | 410, .. } => return Err(FeedFailure::Gone),
            Reply::Answer { status, .. } => return Err(FeedFailure::Status(*status)),
            Reply::Failed(_) => return Err(FeedFailure::NoAnswer),
        };
        let page: Departures = serde_json::from_slice(body).map_err(|_| FeedFailure::Malformed)?;
        let changes = page.departures.iter().map(Change::read).collect::<Option<_>>();
        let is_sound = (1..=LONGEST_CURSOR).contains(&page.cursor.len());
        let changes = changes.filter(|_| is_sound).ok_or(FeedFailure::Malformed)?;
        Ok(Self { cursor: page.cursor, more: page.more, changes })
    }
}

/// The call for what comes after a cursor, or for the feed from its beginning; the directory may `wait` for news.
pub(super) fn call(at: &Upstream, after: Option<&str>, wait: Option<Duration>) -> Call {
    let after = after.map(|cursor| format!("after={}", utf8_percent_encode(cursor, ESCAPED)));
    let wait = wait.map(|wait| match wait.subsec_millis() {
        0 => format!("wait={}s", wait.as_secs()),
        _ => format!("wait={}ms", wait.as_millis()),
    });
    let query: Vec<_> = after.into_iter().chain(wait).collect();
    let joint = if at.path.contains('?') { '&' } else { '?' };
    let path = match query.is_empty() {
        true => at.path.clone(),
        false => format!("{}{joint}{}", at.path, query.join("&")),
    };
    get(&Upstream { path, ..at.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Failure;

    fn read(status: u16, body: &str) -> Result<(String, bool, usize), FeedFailure> {
        let page = Page::read(&Reply::Answer { status, headers: vec![], body: body.into() })?;
        Ok((page.cursor, page.more, page.changes.len()))
    }

    fn departure(key: &str, state: &str, at: &str) -> String {
        format!(
            r#"{{"cursor":"c","more":true,"departures":[
                {{"issuer":"https://idp","id":"jane","key":"{key}","state":"{state}","at":"{at}","reason":"left"}}]}}"#
        )
    }

    #[test]
    fn a_page_is_read_throughout_or_not_at_all() {
        let (key, at) = ("ab".repeat(32), "2026-11-23T18:29:00Z");
        assert_eq!(read(200, &departure(&key, "departed", at)), Ok(("c".into(), true, 1)));
        assert_eq!(read(200, r#"{"cursor":"c","more":false,"departures":[]}"#), Ok(("c".into(), false, 0)));
        let long = format!(r#"{{"cursor":"{}","more":false,"departures":[]}}"#, "x".repeat(1001));
        for odd in [
            "",
            "{}",
            r#"{"cursor":"","more":false,"departures":[]}"#,
            &long,
            &departure("ab", "departed", at),
            &departure(&key, "asleep", at),
            &departure(&key, "departed", "yesterday"),
        ] {
            assert_eq!(read(200, odd), Err(FeedFailure::Malformed), "{odd}");
        }
    }

    #[test]
    fn each_failure_is_told_apart() {
        assert_eq!(read(410, ""), Err(FeedFailure::Gone));
        assert_eq!(read(503, ""), Err(FeedFailure::Status(503)));
        assert_eq!(read(204, ""), Err(FeedFailure::Status(204)));
        let failed = Page::read(&Reply::Failed(Failure::Broken)).err();
        assert_eq!(failed, Some(FeedFailure::NoAnswer));
    }

    #[test]
    fn a_cursor_is_sent_as_a_text_that_needs_no_escape() {
        let at = |path: &str| Upstream {
            cluster: "directory".into(),
            authority: "directory".into(),
            path: path.into(),
            authorization: None,
            timeout: Duration::from_secs(1),
        };
        let path = |base, after, wait| call(&at(base), after, wait).path;
        assert_eq!(path("/v1/departures", None, None), "/v1/departures");
        let wait = Some(Duration::from_secs(20));
        assert_eq!(path("/v1/departures", Some("a1-b"), wait), "/v1/departures?after=a1-b&wait=20s");
        assert_eq!(path("/d?x=1", Some("a+/="), None), "/d?x=1&after=a%2B%2F%3D");
        assert_eq!(path("/d", None, Some(Duration::from_millis(1500))), "/d?wait=1500ms");
    }
}
