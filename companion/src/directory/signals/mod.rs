//! Security events that transmitters tell of: pushed (RFC 8935), polled (RFC 8936), or logout tokens (OpenID Connect
//! Back-Channel Logout). Each is verified, taken once, and becomes a change of an account or nothing.

mod attributes;
mod keys;
mod logout;
mod poll;
mod push;
mod settings;
mod source;
mod take;
mod web;

use super::Directory;
use super::lifecycle::State;
use super::settings::Settings;
use super::store::Store;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::post;
use source::{Declined, Kind, Source};
use std::error::Error;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// The largest token, in bytes: one may hold a whole SCIM resource.
const LIMIT: usize = 256 * 1024;

/// The transmitters that are configured.
pub(super) struct Sources(Vec<Source>);

/// The transmitters that are listened to; clones are the same ones.
#[derive(Clone)]
pub(super) struct Signals {
    store: Store,
    sources: Arc<[Source]>,
    new_accounts: State,
}

/// Polls for as long as it is there.
pub(super) struct Polling(Vec<AbortHandle>);

/// Where tokens are handed in. Their signatures say who they are from, so no API token is needed, unless a transmitter is
/// to have one too.
pub(super) fn routes() -> Router<Directory> {
    Router::new()
        .route("/signals", post(push::post))
        .route("/signals/logout", post(logout::post))
        .layer(DefaultBodyLimit::max(LIMIT))
}

impl Sources {
    /// Reads the sections `[[signals]]`.
    ///
    /// # Errors
    /// If nobody can be asked over HTTPS; what is wrong in the sections is told by `settings`.
    pub(super) fn read(settings: &mut Settings) -> Result<Self, Box<dyn Error>> {
        Ok(Self(settings::read(settings)?))
    }
}

impl FromRef<Directory> for Signals {
    fn from_ref(directory: &Directory) -> Self {
        directory.signals.clone()
    }
}

impl Signals {
    /// Accounts of whoever arrives are made in the state `new_accounts`.
    pub(super) fn open(Sources(sources): Sources, store: Store, new_accounts: State) -> Self {
        Self { store, sources: sources.into(), new_accounts }
    }

    /// Begins to poll.
    pub(super) fn poll(&self) -> Polling {
        let polled = (0..self.sources.len()).filter(|index| self.sources[*index].polled.is_some());
        let begin = |index| tokio::spawn(poll::follow(self.clone(), index)).abort_handle();
        Polling(polled.map(begin).collect())
    }

    /// Who the token claims to be from: good for choosing whose terms to check it against, and for nothing else.
    fn claimed(&self, kind: Kind, text: &str) -> Result<&Source, Declined> {
        let issuer = source::claimed_issuer(kind, text)?;
        let source = self.sources.iter().find(|source| source.terms.issuer.as_str() == issuer);
        let unknown = || Declined::Refused("invalid_issuer", "its iss is no transmitter's here".to_owned());
        source.ok_or_else(unknown)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}
