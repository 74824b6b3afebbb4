//! First sight: one call per subject, however many requests wait for its answer.

use super::{ArrivalOutcome, Event, Gate, Purpose, RETRY_SOON, post};
use crate::config::Posture;
use crate::domain::{Account, Identity, Reason, Refusal, Reply, SubjectKey, Ticket, Timestamp};
use crate::mapping::is_clean;
use crate::memory::{Known, Standing, Want};
use crate::token::Claims;
use crate::wire::{Arrival, ArrivalAnswer, ArrivalSubject, Cause};
use http::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;

/// An arrival under way, and who waits for it.
pub(super) struct Flight {
    waiting: Vec<Ticket>,
}

#[cfg(test)]
impl Flight {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// How long a refusal of the directory's is remembered: short, as somebody may just be approving the account, and long
/// enough that a client that keeps asking costs the directory next to nothing.
const REFUSAL_REMEMBERED: Duration = Duration::from_secs(30);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

fn account_of(id: String) -> Account {
    Account { id: is_clean(&id).then(|| id.into()), headers: Box::new([]) }
}

impl Gate {
    /// Whether one more subject may be asked about. Clients that leave end their requests, not the calls made for them.
    pub(super) fn may_ask_about(&self, key: SubjectKey) -> bool {
        self.flights.len() < self.policy.limits.waiting || self.flights.contains_key(&key)
    }

    /// Lets a request wait for the directory's word on its subject; asks, unless somebody waits for it already.
    pub(super) fn await_arrival(
        &mut self,
        ticket: Ticket,
        key: SubjectKey,
        identity: &Identity,
        claims: &Claims,
        cause: Cause,
        now: Timestamp,
    ) {
        if let Some(flight) = self.flights.get_mut(&key) {
            flight.waiting.push(ticket);
            // Clients that come and go must not let the list outgrow the limit.
            if flight.waiting.len() > self.policy.limits.waiting.saturating_mul(2) {
                flight.waiting.retain(|other| *other == ticket || self.waiting.want(*other).is_some());
            }
            return;
        }
        self.flights.insert(key, Flight { waiting: vec![ticket] });
        let arrival = Arrival {
            subject: ArrivalSubject::of(&identity.subject, key),
            kind: identity.kind,
            cause,
            attributes: self.policy.mapping.attributes(claims),
            initial: Vec::new(),
            issued_at: identity.issued_at.map(Timestamp::rfc3339),
            mapping: self.policy.mapping.digest.clone(),
            sighted_at: now.rfc3339(),
            gateway: self.policy.gateway.clone(),
        };
        // Strings, numbers and maps with string keys always serialise.
        let body = serde_json::to_vec(&arrival).unwrap_or_default();
        let mut call = post(&self.policy.provisioning.at, "application/json", body);
        let once = HeaderValue::try_from(arrival.idempotency_key()).ok();
        call.headers.extend(once.map(|value| (IDEMPOTENCY_KEY, value)));
        self.call(Purpose::Arrival(key), call);
    }

    pub(super) fn conclude_arrival(&mut self, key: SubjectKey, reply: &Reply, now: Timestamp) {
        let answer = ArrivalAnswer::read(reply);
        self.report_arrival(&answer);
        let waiting = self.flights.remove(&key).map(|flight| flight.waiting).unwrap_or_default();
        let standing = self.standing_after(key, answer, now);
        for ticket in waiting {
            if let Some(Want::Account { identity, route, .. }) = self.waiting.leave(ticket) {
                let verdict = self.verdict_on(identity, &standing, now);
                self.settle(ticket, route, verdict);
            }
        }
    }

    /// What an answer means for everybody who waits for it, and how long it is remembered. That the directory cannot be
    /// reached says nothing about a subject, so it is not remembered at all.
    fn standing_after(&mut self, key: SubjectKey, answer: ArrivalAnswer, now: Timestamp) -> Standing {
        let refused =
            |reason, message| Standing::Refused(Box::new(Refusal { message, ..Refusal::of(reason) }));
        let (standing, remembered) = match answer {
            ArrivalAnswer::Active { account, valid_for } => {
                let account = account.map(|account| Arc::new(account_of(account.id)));
                (Standing::Present(account), valid_for.unwrap_or(self.policy.provisioning.refresh))
            }
            ArrivalAnswer::Pending(message) => (refused(Reason::AccountPending, message), REFUSAL_REMEMBERED),
            ArrivalAnswer::Denied(message) => (refused(Reason::AccountDenied, message), REFUSAL_REMEMBERED),
            ArrivalAnswer::Departed => {
                self.tokens.forget_subject(key);
                (refused(Reason::AccountDeparted, None), REFUSAL_REMEMBERED)
            }
            ArrivalAnswer::Invalid => (refused(Reason::AccountInvalid, None), REFUSAL_REMEMBERED),
            ArrivalAnswer::Unavailable(wait) => return self.standing_without_answer(key, wait),
        };
        let known =
            Known { standing: standing.clone(), until: now.after(remembered), told: None, asked_at: now };
        self.roster.remember(key, known);
        standing
    }

    /// How somebody stands while the directory cannot be asked. Whom it turned away when it last answered stays away; on
    /// everybody else the posture decides, and an account that was known keeps its id.
    pub(super) fn standing_without_answer(&mut self, key: SubjectKey, wait: Option<Duration>) -> Standing {
        let known = self.roster.get(key).map(|known| known.standing.clone());
        match (known, self.policy.provisioning.when_unavailable) {
            (Some(Standing::Refused(refusal)), _) => Standing::Refused(refusal),
            (Some(Standing::Present(account)), Posture::Allow) => Standing::Present(account),
            (None, Posture::Allow) => Standing::Present(None),
            (_, Posture::Deny) => {
                let wait = wait.unwrap_or(RETRY_SOON);
                Standing::Refused(Box::new(Refusal::for_now(Reason::DirectoryUnavailable, wait)))
            }
        }
    }

    fn report_arrival(&mut self, answer: &ArrivalAnswer) {
        let outcome = match answer {
            ArrivalAnswer::Active { .. } => ArrivalOutcome::Active,
            ArrivalAnswer::Pending(_) => ArrivalOutcome::Pending,
            ArrivalAnswer::Denied(_) => ArrivalOutcome::Denied,
            ArrivalAnswer::Departed => ArrivalOutcome::Departed,
            ArrivalAnswer::Invalid => ArrivalOutcome::Invalid,
            ArrivalAnswer::Unavailable(_) => ArrivalOutcome::Unavailable,
        };
        self.report(Event::Arrival(outcome));
        let lost = outcome == ArrivalOutcome::Unavailable;
        if lost != self.directory_lost {
            self.directory_lost = lost;
            self.report(if lost { Event::DirectoryLost } else { Event::DirectoryBack });
        }
    }
}
