//! A transmitter of shared signals as a source (RFC 8936): it is polled for events, each a token of its own kind, and told
//! which were taken once all workers can know of them. It tells nothing twice, so there is no beginning to read from.

use super::question::{FeedFailure, Page};
use crate::config::{Policy, Upstream};
use crate::domain::{Call, Reply, Timestamp};
use crate::gate::keys::IssuerKeys;
use crate::gate::{RETRY_SOON, post};
use crate::memory::{Change, Fate, Taken};
use crate::token::{EventRefusal, EventToken, Jws};
use crate::wire::signals::{self, Meaning, PollAnswer, PollRequest, SetError, Signal, signals};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is written where another source has a cursor.
pub(super) const CURSOR: &str = "events";
/// Whoever has nothing to tell, and says so sooner, does not wait for events.
const HASTY: Duration = Duration::from_millis(250);
/// The most events that are asked for at a time.
const MOST: u32 = 100;

/// One poll.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    pub(super) receipts: Receipts,
    /// The pause between polls; `None` if the transmitter waits for events.
    pub(super) every: Option<Duration>,
    pub(super) asked: Timestamp,
}

/// What became of events, as the transmitter is to be told with the next poll.
#[derive(Debug, Clone, Default)]
pub(super) struct Receipts {
    /// Those that were taken.
    pub(super) taken: Vec<String>,
    refused: BTreeMap<String, SetError>,
}

/// What events are judged by.
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: Option<&'a IssuerKeys>,
    pub(super) taken: &'a Taken,
}

/// What was told, beside the page.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) receipts: Receipts,
    /// Events whose key is not there yet.
    pub(super) waiting: Vec<String>,
    /// Why events were refused for good.
    pub(super) refusals: Vec<EventRefusal>,
}

enum Judged {
    /// It was taken before.
    Known,
    Taken(Vec<Change>),
    Waits,
    Refused(EventRefusal),
}

impl Poll {
    pub(super) fn call(&self, at: &Upstream) -> Call {
        let request = PollRequest {
            max_events: Some(MOST),
            return_immediately: self.every.is_some(),
            ack: self.receipts.taken.clone(),
            set_errs: self.receipts.refused.clone(),
        };
        // Texts and lists always serialise.
        post(at, "application/json", serde_json::to_vec(&request).unwrap_or_default())
    }

    pub(super) fn hear(self, reply: &Reply, judge: &Judge<'_>, now: Timestamp) -> Result<Page, FeedFailure> {
        let body = match reply {
            Reply::Answer { status: 200, body, .. } => body,
            Reply::Answer { status, .. } => return Err(FeedFailure::Status(*status)),
            Reply::Failed(_) => return Err(FeedFailure::NoAnswer),
        };
        let answer: PollAnswer = serde_json::from_slice(body).map_err(|_| FeedFailure::Malformed)?;
        let (mut changes, mut aside, mut has_news) = (Vec::new(), Aside::default(), false);
        for (name, text) in answer.sets {
            match judge.judge(&name, &text, now) {
                Judged::Known => aside.receipts.taken.push(name),
                Judged::Taken(news) => {
                    has_news = true;
                    changes.extend(news);
                    aside.receipts.taken.push(name);
                }
                Judged::Waits => aside.waiting.push(name),
                Judged::Refused(why) => {
                    aside.refusals.push(why);
                    aside.receipts.refused.insert(name, SetError::new(why.code(), &why.to_string()));
                }
            }
        }
        // Events come in no order. Of two at the same moment the worse one counts.
        changes.sort_by_key(|change: &Change| (change.at, change.fate == Fate::Departed));
        // One that brings the same again and again, or does not wait, is not asked in haste.
        let rest = match (has_news, self.every) {
            (true, _) => Duration::ZERO,
            (false, Some(every)) => every,
            (false, None) if now.since(self.asked) < HASTY || !aside.waiting.is_empty() => RETRY_SOON,
            (false, None) => Duration::ZERO,
        };
        let complete = (!answer.more_available).then_some(now);
        Ok(Page { cursor: CURSOR.to_owned(), changes, next: None, complete, rest, aside })
    }
}

impl Judge<'_> {
    fn judge(&self, name: &str, text: &str, now: Timestamp) -> Judged {
        if self.taken.has(name) {
            return Judged::Known;
        }
        match self.verify(text, now) {
            Ok(token) if token.id() == name => Judged::Taken(self.changes(&token)),
            Ok(_) => Judged::Refused(EventRefusal::Malformed),
            Err(EventRefusal::KeyUnknown) if self.may_wait(name) => Judged::Waits,
            Err(why) => Judged::Refused(why),
        }
    }

    fn verify(&self, text: &str, now: Timestamp) -> Result<EventToken, EventRefusal> {
        let jws = Jws::parse_events(text)?;
        let transmitter = self.policy.transmitter.as_ref().ok_or(EventRefusal::IssuerUnknown)?;
        let ring = self.keys.and_then(|keys| keys.ring(now)).ok_or(EventRefusal::KeyUnknown)?;
        transmitter.terms.verify(jws, ring, now)
    }

    /// Whether its key may be newer than those that are here.
    fn may_wait(&self, name: &str) -> bool {
        self.keys.is_some_and(|keys| keys.may_bring(self.taken.waits_since(name)))
    }

    /// What is said of subjects whose tokens are accepted here. An address names nobody.
    fn changes(&self, token: &EventToken) -> Vec<Change> {
        let fate = |signal: &Signal| match signal.meaning {
            Meaning::Change(signals::Change::Disable | signals::Change::Depart) => Some(Fate::Departed),
            Meaning::Change(signals::Change::Enable) => Some(Fate::Returned),
            Meaning::Change(signals::Change::Revoke) => Some(Fate::Revoked),
            _ => None,
        };
        let mut changes = Vec::new();
        for signal in signals(token.members(), &[]) {
            let Some((fate, about)) = fate(&signal).zip(signal.about.as_ref()) else { continue };
            let at = happened(token, &signal.event);
            let accepted = about.subjects.iter().filter(|subject| self.accepts(subject.issuer.as_str()));
            changes.extend(accepted.map(|subject| Change { key: subject.key(), fate, at }));
        }
        changes
    }

    fn accepts(&self, issuer: &str) -> bool {
        self.policy.issuers.iter().any(|own| own.trust.recognise(issuer).is_some())
    }
}

/// When an event happened: as it says itself (CAEP §2, `event_timestamp`; RFC 8417 §2.2, `toe`), but no later than it was told.
fn happened(token: &EventToken, event: &str) -> Timestamp {
    let claims = token.members();
    let own = claims.get("events").and_then(|events| events.get(event)?.get("event_timestamp"));
    let seconds = own.or_else(|| claims.get("toe")).and_then(Value::as_u64);
    let told = token.issued_at();
    seconds.map_or(told, |seconds| Timestamp::from_secs(seconds).min(told))
}
