//! What stands in the shared data about one question: a line of JSON, and the body of the last good answer. Whatever else
//! is found there counts as nothing.

use crate::domain::{Failure, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A longer answer is not shared: the proxy copies all of it at every look.
const LARGEST_BODY: usize = 256 * 1024;
/// A failure is news to others for this long.
const FAILURE_HOLDS: Duration = Duration::from_secs(30);
/// No lease is longer than this; one that is was not written by us, or not by this clock.
const LONGEST_LEASE: Duration = Duration::from_secs(60);
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

/// Somebody is asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) holder: String,
    pub(super) until: u64,
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
        let ends = now.after(LONGEST_LEASE);
        record.good = record.good.filter(|good| is_past(good.at));
        record.failed = record.failed.filter(|failed| is_past(failed.at));
        record.lease =
            record.lease.filter(|lease| (now..ends).contains(&Timestamp::from_millis(lease.until)));
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
    pub(super) fn is_leased_to_another(&self, me: &str, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.holder != me && lease.until > now.as_millis())
    }

    /// Notes what was answered.
    pub(super) fn take_in(&mut self, reply: &Reply, now: Timestamp) {
        let at = now.as_millis();
        match reply {
            Reply::Answer { status: 200, headers, body } if body.len() <= LARGEST_BODY => {
                let text = |(name, value): &(String, Vec<u8>)| {
                    Some((name.clone(), String::from_utf8(value.clone()).ok()?))
                };
                let kept = headers.iter().filter(|(name, _)| HEADERS.contains(&name.as_str()));
                self.good = Some(Good { at, headers: kept.filter_map(text).collect() });
                self.body.clone_from(body);
                self.failed = None;
            }
            // It is good, but nothing that can be handed on.
            Reply::Answer { status: 200, .. } => {}
            Reply::Answer { status, .. } => self.failed = Some(Failed { at, status: Some(*status) }),
            Reply::Failed(_) => self.failed = Some(Failed { at, status: None }),
        }
    }
}
