//! One transmitter that is listened to: its terms and keys, and whether a token of its holds.

use super::keys::{Keys, Unreachable};
use super::poll::Polled;
use crate::clock;
use firstsight::domain::{Issuer, Subject};
use firstsight::token::{Crypto, EventRefusal, EventToken, Jws, Keyring, Transmitter};
use firstsight::wire::signals::{Alias, Identifiers};
use reqwest::Client;

/// One transmitter.
pub(super) struct Source {
    /// Who is behind what it brings about, in the audit.
    pub(super) name: String,
    pub(super) terms: Transmitter,
    pub(super) keys: Keys,
    pub(super) client: Client,
    /// Whose subjects it may speak of; at least one.
    pub(super) subjects: Vec<Issuer>,
    /// What else is the `sub` of a subject of the first of them.
    pub(super) aliases: Vec<Alias>,
    /// What of a subject must be understood.
    pub(super) critical: Vec<String>,
    pub(super) push: bool,
    pub(super) bearer: bool,
    pub(super) logout: bool,
    pub(super) polled: Option<Polled>,
}

/// Which kind of token is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Events,
    Logout,
}

/// Why nothing came of a token.
#[derive(Debug)]
pub(super) enum Declined {
    /// It will never be taken: a registered code (RFC 8935 §2.4), and what is wrong.
    Refused(&'static str, String),
    /// It may be taken later: the transmitter's keys or the database cannot be reached right now.
    Later,
}

impl From<EventRefusal> for Declined {
    fn from(refusal: EventRefusal) -> Self {
        Self::Refused(refusal.code(), refusal.to_string())
    }
}

impl From<sqlx::Error> for Declined {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!("the database: {error}");
        Self::Later
    }
}

impl Source {
    /// The token, if it holds. Keys are fetched again if it names one that is not known; as long as nobody can tell whether
    /// there is such a key, the token is neither taken nor refused.
    pub(super) async fn verify(&self, kind: Kind, text: &str) -> Result<EventToken, Declined> {
        let later = |unreachable: Unreachable| {
            tracing::warn!(source = self.name, "its keys: {unreachable}");
            Declined::Later
        };
        let keys = self.keys.known(&self.client).await.map_err(later)?;
        let mut outcome = self.check(kind, text, &keys.body);
        if matches!(outcome, Err(Some(EventRefusal::KeyUnknown))) {
            let newer = self.keys.newer_than(&self.client, &keys).await.map_err(later)?;
            outcome = self.check(kind, text, &newer.body);
        }
        outcome.map_err(|refusal| refusal.map_or(Declined::Later, Declined::from))
    }

    /// `None` if the keys are no keys: that is nothing that the token can be blamed for.
    fn check(&self, kind: Kind, text: &str, keys: &[u8]) -> Result<EventToken, Option<EventRefusal>> {
        let keys = Keyring::read(keys, Crypto::pure()).map_err(|_| None)?;
        let verify = |jws| match kind {
            Kind::Events => self.terms.verify(jws, &keys, clock::now()),
            Kind::Logout => self.terms.verify_logout(jws, &keys, clock::now()),
        };
        kind.parse(text).and_then(verify).map_err(Some)
    }

    /// The subjects that are meant, and whether there are others of which it may not speak.
    pub(super) fn subjects_of(&self, named: &Identifiers) -> (Vec<Subject>, bool) {
        let Some(own) = self.subjects.first() else { return (Vec::new(), false) };
        let meant = named.subjects(&self.aliases, own);
        let (may, may_not): (Vec<_>, Vec<_>) =
            meant.into_iter().partition(|subject| self.subjects.contains(&subject.issuer));
        (may, !may_not.is_empty())
    }
}

/// The `iss` of a token that nobody has checked; empty if there is none.
pub(super) fn claimed_issuer(kind: Kind, text: &str) -> Result<String, EventRefusal> {
    let jws = kind.parse(text)?;
    Ok(jws.claimed_issuer().unwrap_or_default().to_owned())
}

impl Kind {
    fn parse(self, text: &str) -> Result<Jws<'_>, EventRefusal> {
        let parsed = match self {
            Self::Events => Jws::parse_events(text),
            Self::Logout => Jws::parse_logout(text),
        };
        parsed.map_err(EventRefusal::from)
    }
}
