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

    /// What has to be known, from `since` or later, so that the directory need not be asked.
    pub(super) fn query(&self, since: Timestamp) -> Query {
        let told = Told::by(&self.identity).filter(|_| self.cause == Cause::Drift);
        Query { key: self.key(), told, since }
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
    /// Opens one, with its first call. What a SCIM directory can do may be known from another.
    pub(super) fn about(errand: &Errand, policy: &Policy, known: Option<Capabilities>) -> (Self, Call) {
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
                let newcomer = Newcomer {
                    external_id: external_id.of(&errand.identity.subject),
                    attributes: errand.attributes.clone(),
                    initial: policy.mapping.initial().to_vec(),
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

    /// What became known of the directory on the way.
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

fn call(at: &Upstream, said: ScimRequest) -> Call {
    let at = Upstream { path: said.path, ..at.clone() };
    request(&at, said.method, said.headers, said.body)
}
