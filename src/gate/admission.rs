//! The way of a request: rule, bearer, token, issuer's keys, claims, identity, standing, verdict.

use super::{Gate, RETRY_SOON, Step};
use crate::domain::{HeaderSource, Identity, Passage, Reason, Refusal, Request, Ticket, Timestamp, Verdict};
use crate::mapping::header_value;
use crate::memory::{KeyName, Standing, Verified, Want};
use crate::route::{Access, Chosen};
use crate::token::{Bearer, Jws};
use crate::wire::Cause;
use std::sync::Arc;

/// How far a token got.
enum Examined {
    Identified(Arc<Identity>),
    /// This issuer's keys are not there; or they lack the one that the token names, which is unknown, and may be fetched
    /// again.
    NeedsKeys {
        issuer: usize,
        unknown: Option<KeyName>,
    },
}

impl Gate {
    /// Decides about a request, or lets it wait. What [`Gate::clean`] says has to be done to it in any case.
    pub fn admit(&mut self, ticket: Ticket, request: &Request<'_>, now: Timestamp) -> Step {
        if self.policy.routes.lets_preflight_pass(request) {
            return Step::Settle(Verdict::Pass(Passage::Preflight));
        }
        let route = match self.policy.routes.choose(request) {
            Ok(route) => route,
            Err(reason) => return Step::Settle(self.enforce(Access::Required, refuse(reason))),
        };
        if route.access == Access::Public {
            return Step::Settle(Verdict::Pass(Passage::Public));
        }
        let limit = self.policy.limits.token_bytes;
        let step = match Bearer::find(request, &self.policy.credentials, limit) {
            Ok(bearer) => self.advance(ticket, route, bearer.as_str(), true, now),
            Err(Reason::TokenMissing) if route.access == Access::Optional => {
                Step::Settle(Verdict::Pass(Passage::Anonymous))
            }
            Err(reason) => Step::Settle(refuse(reason)),
        };
        match step {
            Step::Settle(verdict) => Step::Settle(self.enforce(route.access, verdict)),
            Step::Wait => Step::Wait,
        }
    }

    /// Takes up a request that waited for keys, now that they were fetched.
    pub(super) fn readmit(&mut self, ticket: Ticket, now: Timestamp) {
        let Some(Want::Keys { bearer, route, .. }) = self.waiting.want(ticket) else { return };
        let (bearer, route) = (bearer.clone(), *route);
        if let Step::Settle(verdict) = self.advance(ticket, route, &bearer, false, now) {
            self.waiting.leave(ticket);
            self.settle(ticket, route, verdict);
        }
    }

    fn advance(
        &mut self,
        ticket: Ticket,
        route: Chosen,
        bearer: &str,
        may_refetch: bool,
        now: Timestamp,
    ) -> Step {
        match self.examine(route, bearer, may_refetch, now) {
            Ok(Examined::Identified(identity)) => self.receive(ticket, route, identity, now),
            Ok(Examined::NeedsKeys { .. }) if !self.waiting.has_room_for(ticket) => {
                Step::Settle(refuse_for_now(Reason::Overloaded))
            }
            Ok(Examined::NeedsKeys { unknown: Some(_), .. }) if !self.waiting.has_room_for_unknown_keys() => {
                Step::Settle(refuse_for_now(Reason::KeysUnavailable))
            }
            Ok(Examined::NeedsKeys { issuer, unknown }) => {
                if let Some(pause) = self.keys_out_of_reach(issuer, now) {
                    return Step::Settle(Verdict::Refuse(Refusal::for_now(Reason::KeysUnavailable, pause)));
                }
                let want = Want::Keys { issuer, bearer: bearer.to_owned(), unknown, route };
                self.waiting.enter(ticket, want, now);
                self.hurry_keys(issuer, now);
                Step::Wait
            }
            Err(refusal) => Step::Settle(Verdict::Refuse(refusal)),
        }
    }

    fn examine(
        &mut self,
        route: Chosen,
        bearer: &str,
        may_refetch: bool,
        now: Timestamp,
    ) -> Result<Examined, Refusal> {
        if let Some(known) = self.tokens.get(bearer) {
            match self.keys.get(known.issuer).and_then(|keys| keys.ring(now)) {
                Some(ring) if ring.holds(known.key) => {
                    known.validity.check(now).map_err(Refusal::of)?;
                    let (issuer, outcome) = (known.issuer, known.on(route.index));
                    return self.outcome(issuer, route, outcome);
                }
                // Its key was withdrawn, or all are too old: it is a token like any other that was never seen.
                _ => self.tokens.forget(bearer),
            }
        }
        let jws = Jws::parse(bearer).map_err(Refusal::of)?;
        let unknown = || Refusal::of(Reason::IssuerUnknown);
        let iss = jws.claimed_issuer().ok_or_else(unknown)?;
        let mut issuers = self.policy.issuers.iter().zip(&self.keys).enumerate();
        let (issuer, (policy, keys)) =
            issuers.find(|(_, (policy, _))| policy.trust.recognise(iss).is_some()).ok_or_else(unknown)?;
        let Some(ring) = keys.ring(now) else { return Ok(Examined::NeedsKeys { issuer, unknown: None }) };
        let claims = match policy.trust.verify(jws, ring, now) {
            Ok(claims) => claims,
            Err(Reason::KeyUnknown) if may_refetch => {
                let name = KeyName::of(bearer);
                return match keys.may_refetch(name, now) {
                    true => Ok(Examined::NeedsKeys { issuer, unknown: Some(name) }),
                    false => Err(Refusal::of(Reason::KeyUnknown)),
                };
            }
            Err(reason) => return Err(Refusal::of(reason)),
        };
        let demands = self.policy.demands.iter();
        let verified = Verified {
            issuer,
            key: claims.key(),
            validity: claims.validity(),
            by_route: demands.map(|demand| policy.trust.meets(demand, &claims).err()).collect(),
            identity: self.policy.mapping.identify(&claims, payload_of(bearer)).map(Arc::new),
        };
        let outcome = verified.on(route.index);
        self.tokens.remember(bearer, verified);
        self.outcome(issuer, route, outcome)
    }

    /// Whoever lacks a scope is told which are needed.
    fn outcome(
        &self,
        issuer: usize,
        route: Chosen,
        outcome: Result<Arc<Identity>, Reason>,
    ) -> Result<Examined, Refusal> {
        outcome.map(Examined::Identified).map_err(|reason| {
            let terms = self.policy.issuers.get(issuer).zip(self.policy.demands.get(route.index));
            match (reason, terms) {
                (Reason::ScopeInsufficient, Some((policy, demand))) => {
                    Refusal::for_want_of(policy.trust.scopes(demand).join(" ").into())
                }
                (reason, _) => Refusal::of(reason),
            }
        })
    }

    /// What becomes of somebody whose token holds.
    fn receive(&mut self, ticket: Ticket, route: Chosen, identity: Arc<Identity>, now: Timestamp) -> Step {
        let key = identity.key;
        let cause = match self.roster.standing(key, now) {
            Some((standing, true)) => {
                let standing = standing.clone();
                return Step::Settle(self.verdict_on(&identity, &standing, now));
            }
            Some((Standing::Present(_), false)) => Cause::Refresh,
            Some((Standing::Refused(_), false)) | None => Cause::Arrival,
        };
        if !self.waiting.has_room_for(ticket) || !self.may_ask_about(key) {
            return Step::Settle(refuse_for_now(Reason::Overloaded));
        }
        self.await_arrival(ticket, key, &identity, cause, now);
        self.waiting.enter(ticket, Want::Account { key, identity, route }, now);
        Step::Wait
    }

    /// What becomes of somebody who stands like this.
    pub(super) fn verdict_on(&mut self, identity: &Identity, standing: &Standing, now: Timestamp) -> Verdict {
        match standing {
            Standing::Present(account) => self.forward(identity, account.as_ref(), now),
            Standing::Refused(refusal) => Verdict::Refuse(refusal.clone()),
        }
    }

    /// Lets somebody through, and notes the sighting.
    fn forward(&mut self, identity: &Identity, account: Option<&Arc<str>>, now: Timestamp) -> Verdict {
        self.sight(identity.key, &identity.subject, account, now);
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

fn refuse(reason: Reason) -> Verdict {
    Verdict::Refuse(Refusal::of(reason))
}

fn refuse_for_now(reason: Reason) -> Verdict {
    Verdict::Refuse(Refusal::for_now(reason, RETRY_SOON))
}
