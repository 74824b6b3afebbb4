//! How somebody stands: what an answer of the directory's means, and what is relied on while there is none.

use super::{Gate, RETRY_SOON};
use crate::config::Posture;
use crate::domain::{Identity, Reason, Refusal, SubjectKey, Timestamp};
use crate::memory::{Known, Standing, Told};
use crate::wire::{ArrivalAnswer, Cause};
use std::sync::Arc;
use std::time::Duration;

/// How long a refusal of the directory's is remembered: short, as somebody may just be approving the account, and long
/// enough that a client that keeps asking costs the directory next to nothing.
const REFUSAL_REMEMBERED: Duration = Duration::from_secs(30);

impl Gate {
    /// How somebody whose token holds stands, where that may be relied on; and why the directory has to be asked, if it
    /// has. An account that drifted is served as it is, and told behind.
    pub(super) fn standing_of(
        &mut self,
        identity: &Identity,
        now: Timestamp,
    ) -> (Option<Standing>, Option<Cause>) {
        let rest = self.policy.provisioning.drift_every;
        let since = self.relied_on_since(identity.key, now);
        let (roster, flights) = (&mut self.roster, &self.flights);
        match roster.get(identity.key) {
            Some(known) if known.is_fresh(now) && known.asked_at >= since => {
                let drifted = known.has_drifted(identity, rest, now) && !flights.contains(identity.key);
                (Some(known.standing.clone()), drifted.then_some(Cause::Drift))
            }
            Some(Known { standing: Standing::Present(_), .. }) => (None, Some(Cause::Refresh)),
            Some(_) | None => (None, Some(Cause::Arrival)),
        }
    }

    /// What is known of a subject once the directory has answered; `None` if nobody asked, or the answer says nothing of
    /// how somebody stands who was forgotten meanwhile. Unavailable is no answer.
    pub(super) fn known_after(
        &mut self,
        key: SubjectKey,
        answer: ArrivalAnswer,
        now: Timestamp,
    ) -> Option<Known> {
        let errand = &self.flights.get(key)?.errand;
        let (cause, told) = (errand.cause, Told::by(&errand.identity));
        let before = self.roster.get(key).cloned();
        let told = Told::newest(before.as_ref().and_then(|known| known.told), told);
        let refused =
            |reason, message| Standing::Refused(Box::new(Refusal { message, ..Refusal::of(reason) }));
        let account_before = match &before {
            Some(Known { standing: Standing::Present(account), .. }) => account.clone(),
            _ => None,
        };
        let (standing, until) = match answer {
            ArrivalAnswer::Active { account, valid_for, .. } => {
                let span = valid_for.unwrap_or(self.policy.provisioning.refresh);
                // Who arrived together does not come to be asked about again together.
                let span = span.saturating_sub(self.dice.up_to(span / 10));
                (Standing::Present(account.map(Arc::new).or(account_before)), now.after(span))
            }
            ArrivalAnswer::Pending(message) => {
                (refused(Reason::AccountPending, message), now.after(REFUSAL_REMEMBERED))
            }
            ArrivalAnswer::Denied(message) => {
                (refused(Reason::AccountDenied, message), now.after(REFUSAL_REMEMBERED))
            }
            ArrivalAnswer::Departed => {
                (refused(Reason::AccountDeparted, None), now.after(REFUSAL_REMEMBERED))
            }
            // The attributes are wrong, not the account: it stands as it stood.
            ArrivalAnswer::Invalid if cause == Cause::Drift => {
                let known = before?;
                (known.standing, known.until)
            }
            ArrivalAnswer::Invalid => (refused(Reason::AccountInvalid, None), now.after(REFUSAL_REMEMBERED)),
            ArrivalAnswer::Unavailable(_) => return None,
        };
        Some(Known { standing, until, told, asked_at: now })
    }

    /// How somebody stands while the directory cannot be asked. Whom it turned away when it last answered stays away; on
    /// everybody else the posture decides, and an account that was known keeps its id. Who goes on unconfirmed is owed to
    /// the directory.
    pub(super) fn standing_without_answer(
        &mut self,
        key: SubjectKey,
        posture: Posture,
        wait: Option<Duration>,
    ) -> Standing {
        let known = self.roster.get(key).map(|known| known.standing.clone());
        match (known, posture) {
            (Some(Standing::Refused(refusal)), _) => Standing::Refused(refusal),
            (Some(present), Posture::Allow | Posture::AllowKnown) => present,
            (None, Posture::Allow) => {
                self.owe(key);
                Standing::Present(None)
            }
            (None, Posture::AllowKnown) | (_, Posture::Deny) => {
                let wait = wait.unwrap_or_default().max(RETRY_SOON);
                Standing::Refused(Box::new(Refusal::for_now(Reason::DirectoryUnavailable, wait)))
            }
        }
    }
}
