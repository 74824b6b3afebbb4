//! The tokens that work, in memory: read anew from the database every two seconds while they are asked for. So a token that
//! is revoked opens nothing two seconds later, in every process, and a lookup costs no query.

use super::Caller;
use super::secret::Digest;
use super::tokens::{self, Token};
use crate::clock;
use crate::directory::store::Store;
use firstsight::domain::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long what was read is relied on.
const TRUSTED: Duration = Duration::from_secs(2);
/// Before somebody is turned away it is read anew, so that whoever comes with a token that was made a moment ago gets in;
/// but no more often than this, however many come with none that works.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a look into the database may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is noted that a token is used.
const NOTED: Duration = Duration::from_secs(60 * 60);

/// What a process knows of the tokens.
pub(super) struct Register {
    store: Store,
    known: RwLock<Option<Known>>,
    /// Held by who reads; when that failed last.
    reading: Mutex<Option<Instant>>,
}

/// What was read, and when that was begun.
struct Known {
    begun: Instant,
    tokens: Arc<Tokens>,
}

type Tokens = HashMap<Digest, Entry>;

struct Entry {
    token: Token,
    /// When it was used last, as far as that is noted; milliseconds since the epoch.
    noted: AtomicU64,
}

impl Register {
    pub(super) fn new(store: Store) -> Self {
        Self { store, known: RwLock::new(None), reading: Mutex::new(None) }
    }

    /// Whether any token works.
    pub(super) async fn is_of_use(&self) -> Result<bool, sqlx::Error> {
        let now = clock::now();
        Ok(self.tokens(TRUSTED).await?.values().any(|entry| entry.token.works(now)))
    }

    /// Whose token this is, if it works.
    pub(super) async fn find(&self, digest: Digest) -> Result<Option<Caller>, sqlx::Error> {
        for age in [TRUSTED, Duration::ZERO] {
            if let Some(entry) = self.tokens(age).await?.get(&digest) {
                let now = clock::now();
                return Ok(entry.token.works(now).then(|| {
                    self.note_use(entry, now);
                    Caller { name: entry.token.name.clone(), scopes: entry.token.scopes.clone() }
                }));
            }
        }
        Ok(None)
    }

    /// Has it read anew, as this process changed something.
    pub(super) fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is known, no older than this when it was asked for.
    async fn tokens(&self, age: Duration) -> Result<Arc<Tokens>, sqlx::Error> {
        let asked = Instant::now();
        if let Some(tokens) = self.known(asked, age) {
            return Ok(tokens);
        }
        let mut failed = self.reading.lock().await;
        // Whoever waited takes what came of it for whoever read, so that nobody waits for more than two looks.
        if let Some(tokens) = self.known(asked, age) {
            return Ok(tokens);
        }
        if failed.is_some_and(|failed| failed > asked) {
            return Err(sqlx::Error::PoolTimedOut);
        }
        if let Some(begun) = self.begun() {
            tokio::time::sleep((begun + PAUSE).saturating_duration_since(Instant::now())).await;
        }
        let begun = Instant::now();
        let read = tokio::time::timeout(PATIENCE, tokens::unrevoked(self.store.pool())).await;
        let read = read.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        *failed = read.is_err().then(Instant::now);
        let entry = |token: Token| {
            let noted = AtomicU64::new(token.last_used_at.map_or(0, Timestamp::as_millis));
            Entry { token, noted }
        };
        let tokens: Arc<Tokens> =
            Arc::new(read?.into_iter().map(|(digest, token)| (digest, entry(token))).collect());
        let known = Known { begun, tokens: tokens.clone() };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(tokens)
    }

    fn known(&self, asked: Instant, age: Duration) -> Option<Arc<Tokens>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| asked.saturating_duration_since(known.begun) <= age)?;
        Some(known.tokens.clone())
    }

    fn begun(&self) -> Option<Instant> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|known| known.begun)
    }

    /// Behind the request's back: it does not wait for the disk.
    fn note_use(&self, entry: &Entry, now: Timestamp) {
        let noted = entry.noted.load(Ordering::Relaxed);
        let is_due = now.since(Timestamp::from_millis(noted)) >= NOTED;
        let swap =
            || entry.noted.compare_exchange(noted, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed);
        if !is_due || swap().is_err() {
            return;
        }
        let (store, id) = (self.store.clone(), entry.token.id.clone());
        tokio::spawn(async move {
            let noted = async {
                let mut write = store.write().await?;
                tokens::note_use(&mut write, &id, now).await?;
                write.commit().await
            };
            if let Err(error) = noted.await {
                tracing::debug!("it is not noted that a token was used: {error}");
            }
        });
    }
}
