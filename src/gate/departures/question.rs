//! What a source of departures is asked, whatever it speaks: one question leads to a page, and a page may lead to the next
//! question. Knows neither who asks nor for whom.

use super::firstsight::Poll;
use super::scim::Pass;
use super::signals::{self, Aside, Judge, Receipts};
use crate::config::{DeparturesFeed, FeedProtocol};
use crate::domain::{Call, Reply, Timestamp};
use crate::memory::Change;
use std::time::Duration;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Question {
    Firstsight(Poll),
    Scim(Pass),
    Ssf(signals::Poll),
}

/// What was told.
#[derive(Debug)]
pub(super) struct Page {
    /// Up to where everything is known with it, for whoever goes on from there.
    pub(super) cursor: String,
    /// In the order in which they happened.
    pub(super) changes: Vec<Change>,
    /// What is left to be asked at once.
    pub(super) next: Option<Question>,
    /// Everything is known that happened until then; `None` if there is more to be told.
    pub(super) complete: Option<Timestamp>,
    /// For so long there is nothing new to be asked.
    pub(super) rest: Duration,
    /// What is to be seen to, of events.
    pub(super) aside: Aside,
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
    /// Its pages do not fit each other.
    #[error("its list was shifted while it was read")]
    Shifted,
}

impl Question {
    /// What comes after `cursor`; without one, everything. With `wait`, the source may take its time.
    pub(super) fn about(
        feed: &DeparturesFeed,
        cursor: Option<&str>,
        wait: bool,
        receipts: &Receipts,
        now: Timestamp,
    ) -> Self {
        match &feed.protocol {
            FeedProtocol::Firstsight { wait: patience } => {
                let wait = wait.then_some(*patience);
                Self::Firstsight(Poll { after: cursor.map(str::to_owned), wait, asked: now })
            }
            FeedProtocol::Scim(_) => Self::Scim(Pass::begin(cursor, now)),
            FeedProtocol::Ssf { every } => {
                Self::Ssf(signals::Poll { receipts: receipts.clone(), every: *every, asked: now })
            }
        }
    }

    /// How it is asked.
    pub(super) fn call(&self, feed: &DeparturesFeed) -> Call {
        match self {
            Self::Firstsight(poll) => poll.call(&feed.at),
            Self::Scim(pass) => pass.call(&feed.at),
            Self::Ssf(poll) => poll.call(&feed.at),
        }
    }

    /// Whether the next one is told the same again: what changed lately is listed for a while.
    pub(super) const fn repeats_itself(&self) -> bool {
        matches!(self, Self::Scim(_))
    }

    /// Reads the answer.
    pub(super) fn hear(
        self,
        reply: &Reply,
        feed: &DeparturesFeed,
        judge: &Judge<'_>,
        now: Timestamp,
    ) -> Result<Page, FeedFailure> {
        match (self, &feed.protocol) {
            (Self::Firstsight(poll), _) => poll.hear(reply, now),
            (Self::Scim(pass), FeedProtocol::Scim(terms)) => pass.hear(reply, terms, now),
            (Self::Ssf(poll), _) => poll.hear(reply, judge, now),
            (Self::Scim(_), _) => Err(FeedFailure::Malformed),
        }
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        match self {
            Self::Firstsight(poll) => poll.asked = poll.asked.before(span),
            Self::Scim(pass) => pass.move_back(span),
            Self::Ssf(poll) => poll.asked = poll.asked.before(span),
        }
    }
}
