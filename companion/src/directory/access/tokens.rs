//! The tokens of the API in the database: how they come, are replaced, and go. Each of that is a record of the audit.

use super::scope::{Name, Scope};
use super::secret::{self, Digest};
use crate::clock;
use crate::directory::audit::{self, TokenNote};
use crate::directory::store::Write;
use firstsight::domain::Timestamp;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};
use std::time::Duration;
use uuid::Uuid;

/// A token, without the text that opens something.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// To the hour.
    pub(super) last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// What a new token is to be.
pub(super) struct Wish {
    pub(super) name: Name,
    pub(super) scopes: Vec<Scope>,
    pub(super) lifetime: Option<Duration>,
}

/// A new token with its text, which is told this once.
pub(super) struct Made {
    pub(super) text: String,
    pub(super) token: Token,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("there is a token of this name; rotate or revoke it")]
    Taken,
    #[error("there is no token of this name that works")]
    Unknown,
    #[error("there is no randomness: {0}")]
    Random(#[from] std::io::Error),
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
}

impl Token {
    /// Whether it opens anything at this time.
    pub(super) fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }

    /// What the API and the command tell of it.
    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "scopes": self.scopes,
            "created_at": self.created_at.rfc3339(),
            "expires_at": self.expires_at.map(Timestamp::rfc3339),
            "last_used_at": self.last_used_at.map(Timestamp::rfc3339),
            "revoked_at": self.revoked_at.map(Timestamp::rfc3339),
        })
    }

    /// Name, scopes, state, and when it was made, expires and was used last, for people.
    pub(super) fn columns(&self, now: Timestamp) -> [String; 6] {
        let state = match (self.revoked_at, self.works(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "works",
            (None, false) => "expired",
        };
        let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), Timestamp::rfc3339);
        let created = self.created_at.rfc3339();
        let (expires, used) = (time(self.expires_at), time(self.last_used_at));
        [self.name.clone(), Scope::write(&self.scopes), state.to_owned(), created, expires, used]
    }

    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let time = |column: &str| -> Result<Option<Timestamp>, sqlx::Error> {
            let millis: Option<i64> = row.try_get(column)?;
            Ok(millis.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis))
        };
        let scopes: String = row.try_get("scopes")?;
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            scopes: Scope::read(&scopes),
            created_at: time("created_at")?.unwrap_or(Timestamp::from_millis(0)),
            expires_at: time("expires_at")?,
            last_used_at: time("last_used_at")?,
            revoked_at: time("revoked_at")?,
        })
    }

    fn note(&self) -> TokenNote {
        let (id, name) = (self.id.clone(), self.name.clone());
        let scopes = self.scopes.iter().map(|scope| scope.word().to_owned()).collect();
        TokenNote { id, name, scopes, expires_at: self.expires_at.map(Timestamp::rfc3339) }
    }
}

impl Made {
    /// The same, with the text.
    pub(super) fn told(&self) -> Value {
        let mut told = self.token.told();
        told["token"] = json!(self.text);
        told
    }
}

/// All there ever were, oldest first.
pub(super) async fn all(database: impl AnyExecutor<'_>) -> Result<Vec<Token>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM tokens ORDER BY created_at, id").fetch_all(database).await?;
    rows.iter().map(Token::read).collect()
}

/// Those that were not revoked, by their digests.
pub(super) async fn unrevoked(database: impl AnyExecutor<'_>) -> Result<Vec<(Digest, Token)>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM tokens WHERE revoked_at IS NULL").fetch_all(database).await?;
    let read = |row: &AnyRow| -> Result<_, sqlx::Error> {
        let hash: String = row.try_get("hash")?;
        let digest = Digest::parse(&hash).ok_or_else(|| sqlx::Error::Decode("no digest".into()))?;
        Ok((digest, Token::read(row)?))
    };
    rows.iter().map(read).collect()
}

/// Makes one, as part of a change that is to be committed.
pub(super) async fn make(write: &mut Write, wish: &Wish, actor: &str) -> Result<Made, Failure> {
    let now = clock::now();
    if working(write, &wish.name, now).await?.is_empty() {
        return add(write, wish, now, "token-made", actor).await;
    }
    Err(Failure::Taken)
}

/// Makes another of the same name and scopes. Those before it work for the `overlap`, if they would have; the new one lives
/// as long as the one before was to, unless a `lifetime` is given.
pub(super) async fn rotate(
    write: &mut Write,
    name: &Name,
    overlap: Duration,
    lifetime: Option<Duration>,
    actor: &str,
) -> Result<Made, Failure> {
    let now = clock::now();
    let before = working(write, name, now).await?;
    let latest = before.last().ok_or(Failure::Unknown)?;
    let planned = latest.expires_at.map(|expires| expires.since(latest.created_at));
    let wish = Wish { name: name.clone(), scopes: latest.scopes.clone(), lifetime: lifetime.or(planned) };
    let end = now.after(overlap);
    for token in &before {
        sqlx::query("UPDATE tokens SET expires_at = $1 WHERE id = $2")
            .bind(millis(token.expires_at.map_or(end, |expires| expires.min(end))))
            .bind(&token.id)
            .execute(&mut **write)
            .await?;
    }
    add(write, &wish, now, "token-rotated", actor).await
}

/// Ends all of this name, at once.
pub(super) async fn revoke(write: &mut Write, name: &Name, actor: &str) -> Result<(), Failure> {
    let now = clock::now();
    let working = working(write, name, now).await?;
    if working.is_empty() {
        return Err(Failure::Unknown);
    }
    for token in working {
        sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE id = $2")
            .bind(millis(now))
            .bind(&token.id)
            .execute(&mut **write)
            .await?;
        audit::append_about_token(write, now, "token-revoked", actor, &token.note()).await?;
    }
    Ok(())
}

/// Notes that one was used.
pub(super) async fn note_use(write: &mut Write, id: &str, at: Timestamp) -> Result<(), sqlx::Error> {
    let noted = sqlx::query("UPDATE tokens SET last_used_at = $1 WHERE id = $2").bind(millis(at)).bind(id);
    noted.execute(&mut **write).await.map(drop)
}

/// Those of this name that work, oldest first.
async fn working(write: &mut Write, name: &Name, now: Timestamp) -> Result<Vec<Token>, sqlx::Error> {
    let named = sqlx::query("SELECT * FROM tokens WHERE name = $1 ORDER BY created_at, id");
    let rows = named.bind(name.as_str()).fetch_all(&mut **write).await?;
    let tokens = rows.iter().map(Token::read).collect::<Result<Vec<_>, _>>()?;
    Ok(tokens.into_iter().filter(|token| token.works(now)).collect())
}

async fn add(
    write: &mut Write,
    wish: &Wish,
    now: Timestamp,
    event: &'static str,
    actor: &str,
) -> Result<Made, Failure> {
    let text = secret::make()?;
    let made = sqlx::query(
        "INSERT INTO tokens (id, name, scopes, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING *",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(wish.name.as_str())
    .bind(Scope::write(&wish.scopes))
    .bind(Digest::of(&text).text())
    .bind(millis(now))
    .bind(wish.lifetime.map(|lifetime| millis(now.after(lifetime))))
    .fetch_one(&mut **write)
    .await?;
    let token = Token::read(&made)?;
    audit::append_about_token(write, now, event, actor, &token.note()).await?;
    Ok(Made { text, token })
}

fn millis(at: Timestamp) -> i64 {
    at.as_millis().try_into().unwrap_or(i64::MAX)
}
