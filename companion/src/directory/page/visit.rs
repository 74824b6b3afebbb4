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
}

impl Visit {
    pub(super) async fn begin(store: &Store, session: Session) -> Result<Self, sqlx::Error> {
        Ok(Self { session, pending: find::count(store, State::Pending).await? })
    }

    /// Whether they may change anything.
    pub(super) fn may_act(&self) -> bool {
        self.session.caller.has_any(&[Scope::Admin])
    }
}
