//! A transmitter's keys: fetched when they are needed, kept as long as they are fresh, and for a day if they cannot be
//! fetched again; asked for because of a key that is not known at most every few seconds, whatever comes in.

use super::settings::DiscoveryKind;
use super::web;
use firstsight::domain::{Issuer, Reply};
use firstsight::token::{Crypto, Keyring};
use firstsight::wire::{Discovery, discovery_path, fresh_for};
use http::Uri;
use reqwest::{Client, Url};
use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long keys are fresh if their answer does not say, and at the least and at the most if it does.
const USUALLY_FRESH: Duration = Duration::from_secs(600);
const SHORTEST_FRESH: Duration = Duration::from_secs(10);
const LONGEST_FRESH: Duration = Duration::from_secs(24 * 3600);
/// How long keys serve that cannot be fetched again.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// How long after a fetch there is none because of a key that is not known, and none after one that failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Where keys are, and those that are known.
pub(super) struct Keys {
    place: Place,
    cached: Mutex<Cached>,
}

/// A key set as it was published.
#[derive(Clone)]
pub(super) struct KeySet {
    pub(super) body: Arc<[u8]>,
    fetched: Instant,
}

/// Nobody can tell now which keys there are.
#[derive(Debug)]
pub(super) struct Unreachable(&'static str);

enum Place {
    /// Nobody asks again.
    File,
    At(Url),
    Discovered(Issuer, DiscoveryKind),
}

#[derive(Default)]
struct Cached {
    set: Option<KeySet>,
    fresh_until: Option<Instant>,
    tried: Option<Instant>,
}

impl Keys {
    /// # Errors
    /// If there are none in it.
    pub(super) fn in_file(path: &Path) -> Result<Self, String> {
        let body = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
        Keyring::read(&body, Crypto::pure()).map_err(|error| error.to_string())?;
        let set = KeySet { body: body.into(), fetched: Instant::now() };
        Ok(Self { place: Place::File, cached: Mutex::new(Cached { set: Some(set), ..Cached::default() }) })
    }

    pub(super) fn at(url: Url) -> Self {
        Self { place: Place::At(url), cached: Mutex::default() }
    }

    pub(super) fn discovered(issuer: Issuer, kind: DiscoveryKind) -> Self {
        Self { place: Place::Discovered(issuer, kind), cached: Mutex::default() }
    }

    /// The keys, fresh ones if possible.
    ///
    /// # Errors
    /// If there are none, or none that are young enough.
    pub(super) async fn known(&self, client: &Client) -> Result<KeySet, Unreachable> {
        let mut cached = self.cached.lock().await;
        let now = Instant::now();
        let is_due =
            !matches!(self.place, Place::File) && cached.fresh_until.is_none_or(|until| now >= until);
        let failed = match is_due && cached.may_try(now) {
            true => self.fetch(client, &mut cached).await.err(),
            false => None,
        };
        let serves = |set: &&KeySet| matches!(self.place, Place::File) || now < set.fetched + STALE;
        let set = cached.set.as_ref().filter(serves).cloned();
        set.ok_or_else(|| failed.unwrap_or(Unreachable("they could not be fetched a moment ago")))
    }

    /// Keys that were fetched after these, as these lack one.
    ///
    /// # Errors
    /// If they were fetched only a moment ago, or cannot be: whether there is such a key is not known then.
    pub(super) async fn newer_than(&self, client: &Client, old: &KeySet) -> Result<KeySet, Unreachable> {
        if matches!(self.place, Place::File) {
            return Ok(old.clone());
        }
        let mut cached = self.cached.lock().await;
        match &cached.set {
            Some(set) if set.fetched > old.fetched => return Ok(set.clone()),
            _ if !cached.may_try(Instant::now()) => {
                return Err(Unreachable("one is not known, and they were asked for a moment ago"));
            }
            _ => self.fetch(client, &mut cached).await?,
        }
        cached.set.clone().ok_or(Unreachable("there are none"))
    }

    async fn fetch(&self, client: &Client, cached: &mut Cached) -> Result<(), Unreachable> {
        cached.tried = Some(Instant::now());
        let url = match &self.place {
            Place::File => return Ok(()),
            Place::At(url) => url.clone(),
            Place::Discovered(issuer, kind) => discover(client, issuer, *kind).await.map_err(Unreachable)?,
        };
        let (fresh, body) = get(client, url).await.map_err(Unreachable)?;
        Keyring::read(&body, Crypto::pure()).map_err(|_| Unreachable("what is published is no key set"))?;
        let now = Instant::now();
        let fresh = fresh.unwrap_or(USUALLY_FRESH).clamp(SHORTEST_FRESH, LONGEST_FRESH);
        cached.set = Some(KeySet { body: body.into(), fetched: now });
        cached.fresh_until = Some(now + fresh);
        Ok(())
    }
}

impl Cached {
    fn may_try(&self, now: Instant) -> bool {
        self.tried.is_none_or(|tried| now >= tried + PAUSE)
    }
}

impl Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where an issuer says that its keys are; no less protected than the issuer's own name.
async fn discover(client: &Client, issuer: &Issuer, kind: DiscoveryKind) -> Result<Url, &'static str> {
    let uri: Uri = issuer.as_str().parse().map_err(|_| "the issuer is no URL")?;
    let mut url: Url = issuer.as_str().parse().map_err(|_| "the issuer is no URL")?;
    url.set_path(&match kind {
        DiscoveryKind::Openid => discovery_path(&uri),
        DiscoveryKind::Ssf => {
            format!("/.well-known/ssf-configuration{}", uri.path().trim_end_matches('/'))
        }
    });
    let (_, document) = get(client, url).await?;
    let found = Discovery::read(&document, issuer).map_err(|_| "its discovery document cannot be used")?;
    web::protected(&found.jwks_uri.to_string())
}

async fn get(client: &Client, url: Url) -> Result<(Option<Duration>, Vec<u8>), &'static str> {
    let reply = web::ask(client.get(url)).await?;
    let fresh = fresh_for(&reply);
    match reply {
        Reply::Answer { status: 200, body, .. } => Ok((fresh, body)),
        _ => Err("it did not answer with 200"),
    }
}
