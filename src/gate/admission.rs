//! The way of a request: rule, bearer, token, issuer's keys, claims, identity, standing, verdict.

use super::errand::Errand;
use super::{Event, Gate, RETRY_SOON, Step};
use crate::config::Pace;
use crate::domain::{Forwarded, Headers, Identity, Passage, Reason, Refusal, Ticket, Timestamp, Verdict};
use crate::mapping::Treatment;
use crate::memory::{KeyName, Standing, Verified, Want};
use crate::route::{Access, Chosen};
use crate::token::{Claims, Jws};
use std::sync::Arc;

/// How far a token got.
enum Examined {
    /// Its claims are there if it was verified just now.
    Identified(Arc<Identity>, Option<Claims>),
    /// This issuer's keys are not there; or they lack the one that the token names, which is unknown, and may be fetched
    /// again.
    NeedsKeys { issuer: usize, unknown: Option<KeyName> },
}

impl Gate {
    /// Decides about a request, or lets it wait. What [`Gate::clean`] says has to be done to it in any case.
    pub fn admit(&mut self, ticket: Ticket, request: &Headers, now: Timestamp) -> Step {
        self.follow_clock(now);
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
        let step = match self.policy.credentials.find(request) {
            Ok(token) => self.advance(ticket, route, token, true, now),
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
        let Some(Want::Keys { token, route, unknown, .. }) = self.waiting.want(ticket) else { return };
        // Who waited for the first keys may ask for newer ones: another worker may have fetched these long ago.
        let (token, route, may_refetch) = (token.clone(), *route, unknown.is_none());
        if let Step::Settle(verdict) = self.advance(ticket, route, &token, may_refetch, now) {
            self.waiting.leave(ticket);
            self.settle(ticket, route, verdict);
        }
    }

    fn advance(
        &mut self,
        ticket: Ticket,
        route: Chosen,
        token: &[u8],
        may_refetch: bool,
        now: Timestamp,
    ) -> Step {
        let examined = self.examine(route, token, may_refetch, now);
        if let Ok(Examined::Identified(identity, _)) = &examined
            && let Some(refusal) = self.departed(identity, now)
        {
            return Step::Settle(Verdict::Refuse(refusal));
        }
        match examined {
            Ok(Examined::Identified(identity, _))
                if self.policy.mapping.kinds.treatment(identity.kind) == Treatment::Count =>
            {
                self.report(Event::Counted(identity.kind));
                Step::Settle(self.verdict_on(identity, &Standing::Present(None), now))
            }
            Ok(Examined::Identified(identity, claims)) => {
                let (standing, cause) = self.standing_of(&identity, now);
                match (cause, claims) {
                    (None, _) => {}
                    (Some(cause), Some(claims)) => {
                        let errand = Errand::of(identity.clone(), &claims, cause, &self.policy, now);
                        if standing.is_none() {
                            return self.ask_about(ticket, route, errand, now);
                        }
                        self.send_behind(errand, now);
                    }
                    // The directory wants to know more of a token than is remembered of it: it is verified again.
                    (Some(_), None) => {
                        self.tokens.forget(token);
                        return self.advance(ticket, route, token, may_refetch, now);
                    }
                }
                let Some(standing) = standing else {
                    return Step::Settle(refuse_for_now(Reason::Overloaded));
                };
                Step::Settle(self.verdict_on(identity, &standing, now))
            }
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
                let want = Want::Keys { issuer, token: token.into(), unknown, route };
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
        token: &[u8],
        may_refetch: bool,
        now: Timestamp,
    ) -> Result<Examined, Refusal> {
        if let Some(known) = self.tokens.get(token) {
            match self.keys.get(known.issuer).and_then(|keys| keys.ring(now)) {
                Some(ring) if ring.holds(known.key) => {
                    known.validity.check(now).map_err(Refusal::of)?;
                    let (issuer, outcome) = (known.issuer, known.on(route.index));
                    return self.outcome(issuer, route, outcome, None);
                }
                // Its key was withdrawn, or all are too old: it is a token like any other that was never seen.
                _ => self.tokens.forget(token),
            }
        }
        let limit = self.policy.limits.token_bytes;
        let jws = Jws::read(token, limit, &self.known_headers).map_err(Refusal::of)?;
        let unknown = || Refusal::of(Reason::IssuerUnknown);
        let iss = jws.claimed_issuer().ok_or_else(unknown)?;
        let mut issuers = self.policy.issuers.iter().zip(&self.keys).enumerate();
        let (issuer, (policy, keys)) =
            issuers.find(|(_, (policy, _))| policy.trust.recognise(iss).is_some()).ok_or_else(unknown)?;
        let Some(ring) = keys.ring(now) else { return Ok(Examined::NeedsKeys { issuer, unknown: None }) };
        let (header_part, header) = jws.header();
        let (header, payload) = (header.clone(), jws.payload_part());
        let claims = match policy.trust.verify(jws, ring, now) {
            Ok(claims) => claims,
            Err(Reason::KeyUnknown) if may_refetch => {
                let name = KeyName::of(header.kid());
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
            identity: self.policy.mapping.identify(&claims, payload).map(Arc::new),
        };
        self.known_headers.learn(header_part, &header);
        let outcome = verified.on(route.index);
        self.tokens.remember(token, verified);
        self.outcome(issuer, route, outcome, Some(claims))
    }

    /// Whoever lacks a scope is told which are needed.
    fn outcome(
        &self,
        issuer: usize,
        route: Chosen,
        outcome: Result<Arc<Identity>, Reason>,
        claims: Option<Claims>,
    ) -> Result<Examined, Refusal> {
        outcome.map(|identity| Examined::Identified(identity, claims)).map_err(|reason| {
            let terms = self.policy.issuers.get(issuer).zip(self.policy.demands.get(route.index));
            match (reason, terms) {
                (Reason::ScopeInsufficient, Some((policy, demand))) => {
                    Refusal::for_want_of(policy.trust.scopes(demand).join(" ").into())
                }
                (reason, _) => Refusal::of(reason),
            }
        })
    }

    /// Lets a request wait for the directory's word.
    fn ask_about(&mut self, ticket: Ticket, route: Chosen, errand: Errand, now: Timestamp) -> Step {
        let (key, identity) = (errand.key(), errand.identity.clone());
        let pace = self.policy.paces.get(route.index).copied().unwrap_or(Pace::Hold);
        // Who goes on at once takes nobody's room.
        let has_room = self.waiting.has_room_for(ticket) && self.may_ask_about(key);
        if pace == Pace::Hold && !has_room {
            return Step::Settle(refuse_for_now(Reason::Overloaded));
        }
        self.waiting.enter(ticket, Want::Account { identity, route }, now);
        self.join(ticket, errand, pace, now);
        Step::Wait
    }

    /// What becomes of somebody who stands like this. Whoever is let through was sighted.
    pub(super) fn verdict_on(
        &mut self,
        identity: Arc<Identity>,
        standing: &Standing,
        now: Timestamp,
    ) -> Verdict {
        match standing {
            Standing::Present(account) => {
                self.sight(&identity, account.as_ref(), now);
                Verdict::Forward(Forwarded { identity, account: account.clone() })
            }
            Standing::Refused(refusal) => Verdict::Refuse(Refusal::clone(refusal)),
        }
    }
}

fn refuse(reason: Reason) -> Verdict {
    Verdict::Refuse(Refusal::of(reason))
}

fn refuse_for_now(reason: Reason) -> Verdict {
    Verdict::Refuse(Refusal::for_now(reason, RETRY_SOON))
}
