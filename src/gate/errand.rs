//! What the directory is to be told of one subject, and in which words. The same errand is always told in the same words,
//! however often it has to be tried.

use super::{post, request};
use crate::config::{Policy, Protocol, Upstream};
use crate::domain::{Call, Identity, Reply, SubjectKey, Timestamp};
use crate::memory::{Known, Query, Told};
use crate::token::Claims;
use crate::wire::scim::{self, Capabilities, Newcomer, ScimRequest, Snag};
use crate::wire::{Arrival, ArrivalAnswer, ArrivalSubject, Cause};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Somebody was sighted whom the directory has to be asked about.
pub(super) struct Errand {
    pub(super) identity: Arc<Identity>,
    pub(super) cause: Cause,
    attributes: Map<String, Value>,
    sighted_at: Timestamp,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl Errand {
    pub(super) fn of(
        identity: Arc<Identity>,
        claims: &Claims,
        cause: Cause,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        Self { identity, cause, attributes: policy.mapping.attributes(claims), sighted_at: now }
    }

    pub(super) fn key(&self) -> SubjectKey {
        self.identity.key
    }

    /// What has to be known, from `since` or later, so that the directory need not be asked. An account that drifts is left
    /// alone for a `rest`.
    pub(super) fn query(&self, rest: Duration, since: Timestamp) -> Query {
        let told = Told::by(&self.identity).filter(|_| self.cause == Cause::Drift);
        Query { key: self.key(), told, rest, since }
    }

    /// Takes over what another errand for the same subject says, if that is newer. What this one was sent for still holds:
    /// an account that is not there yet is not made by a drift.
    pub(super) fn take_over(&mut self, other: Self) {
        if other.identity.issued_at > self.identity.issued_at {
            *self = Self { cause: self.cause, ..other };
        }
    }

    /// What the process knows of the subject is too old to be relied on.
    pub(super) fn is_about(&mut self, known: &Known) {
        if self.cause == Cause::Arrival && known.is_present() {
            self.cause = Cause::Refresh;
        }
    }

    /// Whether the directory was told what a newer token says; one of unknown age is no news to it.
    fn is_older_than(&self, told: Told) -> bool {
        self.identity.issued_at.is_none_or(|issued_at| issued_at < told.issued_at)
    }

    /// The same for a subject that turned out to be known.
    pub(super) fn into_drift(self) -> Self {
        Self { cause: Cause::Drift, ..self }
    }

    fn message(&self, policy: &Policy) -> Arrival {
        let identity = &self.identity;
        Arrival {
            subject: ArrivalSubject::of(&identity.subject, identity.key),
            kind: identity.kind,
            cause: self.cause,
            attributes: self.attributes.clone(),
            initial: policy.mapping.initial().to_vec(),
            issued_at: identity.issued_at.map(Timestamp::rfc3339),
            mapping: policy.mapping.digest.clone(),
            sighted_at: self.sighted_at.rfc3339(),
            gateway: policy.gateway.clone(),
        }
    }
}

/// What has been said about an errand so far, in the protocol that the directory speaks.
pub(super) enum Conversation {
    /// Nothing but the one question.
    Arrival,
    /// Several, one after the other.
    Scim(Box<scim::Conversation>),
}

/// How a conversation goes on.
pub(super) enum Move {
    Ask(Call),
    Done(ArrivalAnswer),
}

impl Conversation {
    /// Opens one, with its first call. What the directory was told of the subject may be remembered, and what a SCIM
    /// directory can do may be known from another.
    pub(super) fn about(
        errand: &Errand,
        policy: &Policy,
        told: Option<Told>,
        known: Option<Capabilities>,
    ) -> (Self, Call) {
        let at = &policy.provisioning.at;
        match &policy.provisioning.protocol {
            Protocol::Firstsight => {
                let arrival = errand.message(policy);
                // Strings, numbers and maps with string keys always serialise.
                let body = serde_json::to_vec(&arrival).unwrap_or_default();
                let mut call = post(at, "application/json", body);
                let once = HeaderValue::try_from(arrival.idempotency_key()).ok();
                call.headers.extend(once.map(|value| (IDEMPOTENCY_KEY, value)));
                (Self::Arrival, call)
            }
            Protocol::Scim { terms, external_id } => {
                // SCIM has no word for the age of what it is told: an older token changes no account back.
                let initial = match told.is_some_and(|told| errand.is_older_than(told)) {
                    true => policy.mapping.written().collect(),
                    false => policy.mapping.initial().to_vec(),
                };
                let newcomer = Newcomer {
                    external_id: external_id.of(&errand.identity.subject),
                    attributes: errand.attributes.clone(),
                    initial,
                };
                let (conversation, first) = scim::Conversation::begin(terms, &newcomer, known);
                (Self::Scim(Box::new(conversation)), call(at, first))
            }
        }
    }

    /// Goes on with the reply to the last call.
    pub(super) fn hear(&mut self, reply: &Reply, policy: &Policy) -> Move {
        match self {
            Self::Arrival => Move::Done(ArrivalAnswer::read(reply, &policy.account_headers)),
            Self::Scim(conversation) => match conversation.hear(reply) {
                scim::Move::Ask(request) => Move::Ask(call(&policy.provisioning.at, request)),
                scim::Move::Done(answer) => Move::Done(answer),
            },
        }
    }

    /// What was found out about the directory on the way.
    pub(super) fn learned(&self) -> Option<Capabilities> {
        match self {
            Self::Arrival => None,
            Self::Scim(conversation) => conversation.learned(),
        }
    }

    /// What an operator should know of it.
    pub(super) fn snags(&self) -> &[Snag] {
        match self {
            Self::Arrival => &[],
            Self::Scim(conversation) => conversation.snags(),
        }
    }
}

/// What conversations found out about a SCIM directory, and until when that is believed.
#[derive(Default)]
pub(super) struct Learned(Option<(Capabilities, Timestamp)>);

/// What a SCIM directory says it can do is believed for so long, however often it is made use of.
const CAPABILITIES_HOLD: Duration = Duration::from_secs(60 * 60);

impl Learned {
    pub(super) fn at(&self, now: Timestamp) -> Option<Capabilities> {
        self.0.filter(|(_, until)| now < *until).map(|(known, _)| known)
    }

    /// Takes in what one more found out. That PATCH was tried in vain says more than another's promise of it.
    pub(super) fn add(&mut self, new: Capabilities, now: Timestamp) {
        let held = self.0.filter(|(_, until)| now < *until);
        self.0 = Some(match held {
            Some((known, until)) => (Capabilities { patch: known.patch && new.patch, ..new }, until),
            None => (new, now.after(CAPABILITIES_HOLD)),
        });
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        self.0.iter_mut().for_each(|(_, until)| *until = until.before(span));
    }
}

/// A request of a SCIM conversation, as a call.
pub(super) fn call(at: &Upstream, said: ScimRequest) -> Call {
    let at = Upstream { path: said.path, ..at.clone() };
    request(&at, said.method, said.headers, said.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(12 * 3600);

    fn minutes(count: u64) -> Timestamp {
        NOON.after(Duration::from_secs(60 * count))
    }

    #[test]
    fn what_is_learned_of_a_directory_holds_for_an_hour_however_often_it_is_learned() {
        let mut learned = Learned::default();
        assert_eq!(learned.at(NOON), None);
        for minute in [0, 30, 59] {
            learned.add(Capabilities::default(), minutes(minute));
        }
        assert_eq!(learned.at(minutes(59)), Some(Capabilities::default()));
        assert_eq!(learned.at(minutes(60)), None);
        learned.add(Capabilities::default(), minutes(60));
        learned.move_back(Duration::from_secs(60 * 60));
        assert_eq!((learned.at(minutes(59)).is_some(), learned.at(minutes(60))), (true, None));
    }

    #[test]
    fn what_was_tried_in_vain_is_not_promised_back_within_that_time() {
        let (promised, tried) =
            (Capabilities::default(), Capabilities { patch: false, ..Default::default() });
        let mut learned = Learned::default();
        for (new, minute) in [(promised, 0), (tried, 1), (promised, 2)] {
            learned.add(new, minutes(minute));
        }
        assert_eq!(learned.at(minutes(2)), Some(tried));
        learned.add(promised, minutes(60));
        assert_eq!(learned.at(minutes(61)), Some(promised));
    }
}
