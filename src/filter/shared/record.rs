//! What stands in the shared data about one question: a line of JSON, and the body of the last good answer. Whatever else
//! is found there counts as nothing.

use crate::domain::{Failure, Reply, Timestamp};
use crate::memory::Lease;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A longer answer is not shared: the proxy copies all of it at every look.
const LARGEST_BODY: usize = 256 * 1024;
/// A failure is news to others for this long.
const FAILURE_HOLDS: Duration = Duration::from_secs(30);
/// Workers read the clock at different moments. What lies further in the future was written before it was set back.
const MOMENT: Duration = Duration::from_secs(1);
/// The headers of an answer that its reader reads.
const HEADERS: &[&str] = &["age", "cache-control"];

/// What is known of a question.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Which one, by its digest.
    question: String,
    pub(super) lease: Option<Lease>,
    /// The last good answer outlives later failures: a worker that starts anew has it while the upstream is away.
    good: Option<Good>,
    failed: Option<Failed>,
    #[serde(skip)]
    body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Good {
    at: u64,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failed {
    at: u64,
    /// `None`: there was no answer at all.
    status: Option<u16>,
}

impl Record {
    /// What was `found` about `question`, without what the clock says cannot be.
    pub(super) fn about(question: &str, found: Option<&(Vec<u8>, u32)>, now: Timestamp) -> Self {
        let record =
            found.and_then(|(bytes, _)| Self::read(bytes)).filter(|record| record.question == question);
        let mut record = record.unwrap_or_else(|| Self { question: question.to_owned(), ..Self::default() });
        let is_past = |at: u64| Timestamp::from_millis(at) <= now.after(MOMENT);
        record.good = record.good.filter(|good| is_past(good.at));
        record.failed = record.failed.filter(|failed| is_past(failed.at));
        record.lease = record.lease.filter(|lease| lease.is_live(now));
        record
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, body) = bytes.split_at_checked(end)?;
        let record: Self = serde_json::from_slice(head).ok()?;
        Some(Self { body: body.get(1..)?.to_vec(), ..record })
    }

    /// The record as it is written.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        if self.good.is_some() {
            bytes.extend(&self.body);
        }
        bytes
    }

    /// An answer that came after `after`, with its time; or a failure, if there is no answer.
    pub(super) fn news_after(&self, after: Timestamp, now: Timestamp) -> Option<(Reply, Timestamp)> {
        let is_news = |at: u64| Some(Timestamp::from_millis(at)).filter(|at| *at > after);
        let good = self.good.as_ref().and_then(|good| Some((good, is_news(good.at)?)));
        let failed = self.failed.as_ref().and_then(|failed| Some((failed, is_news(failed.at)?)));
        match (good, failed) {
            (Some((good, at)), _) => {
                let header = |(name, value): &(String, String)| (name.clone(), value.clone().into_bytes());
                let headers = good.headers.iter().map(header).collect();
                Some((Reply::Answer { status: 200, headers, body: self.body.clone() }, at))
            }
            (None, Some((failed, at))) if now.since(at) <= FAILURE_HOLDS => {
                let empty = |status| Reply::Answer { status, headers: Vec::new(), body: Vec::new() };
                Some((failed.status.map_or(Reply::Failed(Failure::Broken), empty), at))
            }
            _ => None,
        }
    }

    /// Whether somebody else than `me` is asking.
    pub(super) fn is_leased_to_another(&self, me: u64, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| lease.holder != me && lease.is_live(now))
    }

    /// Notes what was answered. What `is_good` for nothing never takes the place of what was.
    pub(super) fn take_in(&mut self, reply: &Reply, is_good: bool, now: Timestamp) {
        let at = now.as_millis();
        match reply {
            Reply::Answer { headers, body, .. } if is_good => {
                // One that is too long to be handed on is no failure either.
                if body.len() > LARGEST_BODY {
                    return;
                }
                let text = |(name, value): &(String, Vec<u8>)| {
                    Some((name.clone(), String::from_utf8(value.clone()).ok()?))
                };
                let kept = headers.iter().filter(|(name, _)| HEADERS.contains(&name.as_str()));
                self.good = Some(Good { at, headers: kept.filter_map(text).collect() });
                self.body.clone_from(body);
                self.failed = None;
            }
            Reply::Answer { status, .. } => self.failed = Some(Failed { at, status: Some(*status) }),
            Reply::Failed(_) => self.failed = Some(Failed { at, status: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);

    fn answer(status: u16, body: &[u8]) -> Reply {
        let header = |name: &str| (name.to_owned(), b"7".to_vec());
        Reply::Answer { status, headers: vec![header("age"), header("set-cookie")], body: body.to_vec() }
    }

    fn is_good(reply: &Reply) -> bool {
        matches!(reply, Reply::Answer { status: 200, body, .. } if body != b"<html>")
    }

    /// A record of `question` that took in these replies, a second apart, after it was written and read again.
    fn after(replies: &[Reply], question: &str) -> Record {
        let mut record = Record::about("a", None, NOW);
        for (reply, secs) in replies.iter().zip(0..) {
            record.take_in(reply, is_good(reply), NOW.after(Duration::from_secs(secs)));
        }
        Record::about(question, Some(&(record.bytes(), 1)), NOW.after(Duration::from_secs(2)))
    }

    fn news(record: &Record) -> Option<(Reply, Timestamp)> {
        record.news_after(NOW.before(Duration::from_secs(1)), NOW.after(Duration::from_secs(2)))
    }

    #[test]
    fn an_answer_is_handed_on_with_what_its_reader_reads() {
        let (reply, at) = news(&after(&[answer(200, b"{\n\n}")], "a")).unwrap();
        let Reply::Answer { status: 200, headers, body } = reply else { panic!("{reply:?}") };
        assert_eq!((headers, body, at), (vec![("age".to_owned(), b"7".to_vec())], b"{\n\n}".to_vec(), NOW));
    }

    #[test]
    fn the_answer_to_another_question_is_none() {
        assert_eq!(after(&[answer(200, b"{}")], "b"), Record::about("b", None, NOW));
    }

    #[test]
    fn a_good_answer_outlives_a_failure_and_a_failure_does_not_outlive_an_answer() {
        let both = after(&[answer(200, b"{}"), answer(503, b"")], "a");
        assert!(matches!(news(&both), Some((Reply::Answer { status: 200, .. }, NOW))));
        let failed = both.news_after(NOW, NOW.after(Duration::from_secs(2)));
        assert!(matches!(failed, Some((Reply::Answer { status: 503, .. }, _))));
        let of_no_use = after(&[answer(200, b"{}"), answer(200, b"<html>")], "a");
        assert!(matches!(news(&of_no_use), Some((Reply::Answer { body, .. }, NOW)) if body == b"{}"));
        let mended = after(&[Reply::Failed(Failure::Broken), answer(200, b"{}")], "a");
        assert_eq!(mended.failed, None);
    }

    #[test]
    fn what_is_too_long_is_not_handed_on() {
        assert_eq!(news(&after(&[answer(200, &vec![b' '; LARGEST_BODY + 1])], "a")), None);
    }
}
