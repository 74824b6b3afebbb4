//! The way of a request: bearer, token, issuer's keys, claims, identity, standing, verdict.

use super::{Gate, RETRY_SOON, Step};
use crate::domain::{
    HeaderSource, Identity, Reason, Refusal, Request, SubjectKey, Ticket, Timestamp, Verdict,
};
use crate::mapping::header_value;
use crate::memory::{Standing, Want};
use crate::token::{Bearer, Jws};
use crate::wire::Cause;
use std::sync::Arc;

/// How far a token got.
enum Examined {
    Identified(Identity),
    /// This issuer's keys are not there, or lack the one that the token names and may be fetched again.
    NeedsKeys(usize),
}

impl Gate {
    /// Decides about a request, or lets it wait. Its managed headers are gone already ([`Gate::manages`]).
    pub fn admit(&mut self, ticket: Ticket, request: &Request<'_>, now: Timestamp) -> Step {
        match Bearer::find(request, self.policy.limits.token_bytes) {
            Ok(bearer) => self.advance(ticket, bearer.as_str(), true, now),
            Err(reason) => refuse(reason),
        }
    }

    /// Takes up a request that waited for keys, now that they were fetched.
    pub(super) fn readmit(&mut self, ticket: Ticket, now: Timestamp) {
        let Some(Want::Keys { bearer, .. }) = self.waiting.want(ticket) else { return };
        let bearer = bearer.clone();
        if let Step::Settle(verdict) = self.advance(ticket, &bearer, false, now) {
            self.waiting.leave(ticket);
            self.settle(ticket, verdict);
        }
    }

    fn advance(&mut self, ticket: Ticket, bearer: &str, may_refetch: bool, now: Timestamp) -> Step {
        match self.examine(bearer, may_refetch, now) {
            Ok(Examined::Identified(identity)) => self.receive(ticket, identity, now),
            Ok(Examined::NeedsKeys(_)) if !self.waiting.has_room_for(ticket) => {
                refuse_for_now(Reason::Overloaded)
            }
            Ok(Examined::NeedsKeys(issuer)) => {
                if let Some(pause) = self.keys_out_of_reach(issuer, now) {
                    return Step::Settle(Verdict::Refuse(Refusal::for_now(Reason::KeysUnavailable, pause)));
                }
                self.waiting.enter(ticket, Want::Keys { issuer, bearer: bearer.to_owned() }, now);
                self.hurry_keys(issuer, now);
                Step::Wait
            }
            Err(reason) => refuse(reason),
        }
    }

    fn examine(&mut self, bearer: &str, may_refetch: bool, now: Timestamp) -> Result<Examined, Reason> {
        let jws = Jws::parse(bearer)?;
        let issuer = jws.claimed_issuer().ok_or(Reason::IssuerUnknown)?;
        let mut known = self.policy.issuers.iter().zip(&self.keys).enumerate();
        let (index, (policy, keys)) = known
            .find(|(_, (policy, _))| policy.trust.issuer.as_str() == issuer)
            .ok_or(Reason::IssuerUnknown)?;
        let Some(ring) = keys.ring(now) else { return Ok(Examined::NeedsKeys(index)) };
        match policy.trust.verify(jws, ring, now) {
            Ok(claims) => self.policy.mapping.identify(&claims, payload_of(bearer)).map(Examined::Identified),
            Err(Reason::KeyUnknown) if may_refetch && keys.may_refetch(now) => Ok(Examined::NeedsKeys(index)),
            Err(reason) => Err(reason),
        }
    }

    /// What becomes of somebody whose token holds.
    fn receive(&mut self, ticket: Ticket, identity: Identity, now: Timestamp) -> Step {
        let key = identity.subject.key();
        let cause = match self.roster.standing(key, now) {
            Some((standing, true)) => {
                let standing = standing.clone();
                return Step::Settle(self.verdict_on(&identity, key, &standing, now));
            }
            Some((Standing::Present(_), false)) => Cause::Refresh,
            Some((Standing::Refused(_), false)) | None => Cause::Arrival,
        };
        if !self.waiting.has_room_for(ticket) || !self.may_ask_about(key) {
            return refuse_for_now(Reason::Overloaded);
        }
        self.await_arrival(ticket, key, &identity, cause, now);
        self.waiting.enter(ticket, Want::Account { key, identity }, now);
        Step::Wait
    }

    /// What becomes of somebody who stands like this.
    pub(super) fn verdict_on(
        &mut self,
        identity: &Identity,
        key: SubjectKey,
        standing: &Standing,
        now: Timestamp,
    ) -> Verdict {
        match standing {
            Standing::Present(account) => self.forward(identity, key, account.as_ref(), now),
            Standing::Refused(refusal) => Verdict::Refuse(refusal.clone()),
        }
    }

    /// Lets somebody through, and notes the sighting.
    fn forward(
        &mut self,
        identity: &Identity,
        key: SubjectKey,
        account: Option<&Arc<str>>,
        now: Timestamp,
    ) -> Verdict {
        self.sight(key, &identity.subject, account, now);
        let value = |source: &HeaderSource| match source {
            HeaderSource::Claim(value) => Some(value.clone()),
            // An id that cannot be a header is none: the directory is believed, not trusted with bytes.
            HeaderSource::AccountId => account.and_then(|id| header_value(id)),
        };
        let headers = identity.headers.iter();
        Verdict::Forward(headers.filter_map(|(name, source)| Some((name.clone(), value(source)?))).collect())
    }
}

/// The second part of a token, as it stands there.
fn payload_of(bearer: &str) -> &str {
    bearer.split('.').nth(1).unwrap_or_default()
}

fn refuse(reason: Reason) -> Step {
    Step::Settle(Verdict::Refuse(Refusal::of(reason)))
}

fn refuse_for_now(reason: Reason) -> Step {
    Step::Settle(Verdict::Refuse(Refusal::for_now(reason, RETRY_SOON)))
}
