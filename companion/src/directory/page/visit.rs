//! A visit: somebody who is logged in asks for a page.

use super::find::{self, Count};
use super::session::Session;
use crate::directory::access::Scope;
use crate::directory::lifecycle::State;
use crate::directory::store::Store;

/// Scopes whose tokens open the console.
pub(super) const READERS: &[Scope] = &[Scope::Admin, Scope::Auditor];

/// Every request for a page behind the login carries one in its extensions.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) session: Session,
    /// How many wait for approval.
    pub(super) pending: Count,
    /// How many are dormant, were disabled for it, or are back.
    pub(super) dormant: Count,
}

impl Visit {
    pub(super) async fn begin(store: &Store, session: Session) -> Result<Self, sqlx::Error> {
        let (pending, dormant) =
            (find::count(store, State::Pending).await?, find::count_marked(store).await?);
        Ok(Self { session, pending, dormant })
    }

    /// Whether they may change anything.
    pub(super) fn may_act(&self) -> bool {
        self.session.caller.has_any(&[Scope::Admin])
    }
}
