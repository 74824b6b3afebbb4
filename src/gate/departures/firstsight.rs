//! The directory's own feed: a long poll with its cursor. How a page is asked for, and what its answer is worth.

use super::question::{FeedFailure, Page, Question};
use super::signals::Aside;
use crate::config::Upstream;
use crate::domain::{Call, Reply, Timestamp};
use crate::gate::{RETRY_SOON, get};
use crate::memory::Change;
use crate::wire::Departures;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// The longest cursor, in bytes: all workers read it at every look.
const LONGEST_CURSOR: usize = 1000;

/// What stands in a query as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What came after a cursor, or the feed from its beginning.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    /// The cursor.
    pub(super) after: Option<String>,
    /// How long the directory may wait for news.
    pub(super) wait: Option<Duration>,
    /// When it is asked.
    pub(super) asked: Timestamp,
}

impl Poll {
    pub(super) fn call(&self, at: &Upstream) -> Call {
        let after =
            self.after.as_ref().map(|cursor| format!("after={}", utf8_percent_encode(cursor, ESCAPED)));
        let wait = self.wait.map(|wait| match wait.subsec_millis() {
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

    /// Reads a reply. Of a page that cannot be read throughout nothing is: whoever departed must not be passed over.
    pub(super) fn hear(self, reply: &Reply, now: Timestamp) -> Result<Page, FeedFailure> {
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
        let is_same = self.after.as_ref() == Some(&page.cursor);
        if page.more && is_same {
            return Err(FeedFailure::Circular);
        }
        let rest = if is_same && self.is_hasty(now) { RETRY_SOON } else { Duration::ZERO };
        let next = Self { after: Some(page.cursor.clone()), wait: None, asked: now };
        let next = page.more.then_some(Question::Firstsight(next));
        let complete = next.is_none().then_some(now);
        Ok(Page { cursor: page.cursor, changes, next, complete, rest, aside: Aside::default() })
    }

    /// A directory that has nothing to tell, and says so sooner, does not wait for news: it is not asked again and again.
    fn is_hasty(&self, now: Timestamp) -> bool {
        self.wait.is_some_and(|wait| now.since(self.asked) < (wait / 2).min(RETRY_SOON))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Failure;

    const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);

    fn poll(after: Option<&str>, wait: Option<Duration>) -> Poll {
        Poll { after: after.map(str::to_owned), wait, asked: NOW }
    }

    fn read(status: u16, body: &str) -> Result<(String, bool, usize), FeedFailure> {
        let reply = Reply::Answer { status, headers: vec![], body: body.into() };
        let page = poll(None, None).hear(&reply, NOW)?;
        Ok((page.cursor, page.next.is_some(), page.changes.len()))
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
        let failed = poll(None, None).hear(&Reply::Failed(Failure::Broken), NOW).err();
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
        let path = |base, after, wait| poll(after, wait).call(&at(base)).path;
        assert_eq!(path("/v1/departures", None, None), "/v1/departures");
        let wait = Some(Duration::from_secs(20));
        assert_eq!(path("/v1/departures", Some("a1-b"), wait), "/v1/departures?after=a1-b&wait=20s");
        assert_eq!(path("/d?x=1", Some("a+/="), None), "/d?x=1&after=a%2B%2F%3D");
        assert_eq!(path("/d", None, Some(Duration::from_millis(1500))), "/d?wait=1500ms");
    }

    #[test]
    fn one_that_neither_has_news_nor_waits_for_them_is_left_alone_for_a_while() {
        let seconds = Duration::from_secs;
        let rest = |cursor, more, took| {
            let body = format!(r#"{{"cursor":"{cursor}","more":{more},"departures":[]}}"#);
            let reply = Reply::Answer { status: 200, headers: vec![], body: body.into() };
            poll(Some("c"), Some(seconds(20))).hear(&reply, NOW.after(took)).map(|page| page.rest)
        };
        assert_eq!(rest("c", false, Duration::ZERO).ok(), Some(RETRY_SOON));
        assert_eq!(rest("c", false, seconds(20)).ok(), Some(Duration::ZERO));
        assert_eq!(rest("d", false, Duration::ZERO).ok(), Some(Duration::ZERO));
        assert_eq!(rest("c", true, Duration::ZERO).err(), Some(FeedFailure::Circular));
    }
}
