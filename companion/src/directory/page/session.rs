//! Sessions: who is logged in. A session's id is a secret that the browser alone has; the database has its hash, and can
//! make neither the id nor the token of it.

use crate::clock;
use crate::directory::access::{Access, Caller, Digest, random};
use crate::directory::store::{Store, Write};
use firstsight::domain::Timestamp;
use sqlx::Row;
use std::time::Duration;

/// How long a session lasts at the most.
pub(super) const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long one lasts that nobody uses.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// How exactly it is known when one was used: not every page writes.
const EXACTNESS: Duration = Duration::from_secs(60);

/// The secret id of a session.
#[derive(Clone)]
pub(super) struct Id(String);

/// A session that lasts.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: Id,
    /// Whose it is, as their token is now.
    pub(super) caller: Caller,
    /// What became of what they did last; told once.
    pub(super) notice: Option<String>,
}

impl Id {
    fn new() -> std::io::Result<Self> {
        random().map(Self)
    }

    /// An id as a browser sends it.
    pub(super) fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// What every form of the session carries: nobody makes it without the id.
    pub(super) fn form(&self) -> String {
        self.derive("form").text()
    }

    fn hash(&self) -> String {
        self.derive("session").text()
    }

    /// Seals the digest of a token, or opens it again.
    fn seal(&self, digest: Digest) -> Digest {
        digest.under(self.derive("token"))
    }

    fn derive(&self, purpose: &str) -> Digest {
        Digest::of(&format!("{purpose}:{}", self.0))
    }
}

/// Opens a session for whoever has this token; clears away those that are over.
pub(super) async fn open(store: &Store, token: &str) -> Result<Id, sqlx::Error> {
    let id = Id::new().map_err(sqlx::Error::Io)?;
    let now = clock::now();
    let mut write = store.write().await?;
    sqlx::query("DELETE FROM sessions WHERE opened_at < $1 OR used_at < $2")
        .bind(millis(now.before(LONGEST)))
        .bind(millis(now.before(IDLE)))
        .execute(&mut *write)
        .await?;
    sqlx::query("INSERT INTO sessions (hash, token, opened_at, used_at) VALUES ($1, $2, $3, $3)")
        .bind(id.hash())
        .bind(id.seal(Digest::of(token)).text())
        .bind(millis(now))
        .execute(&mut *write)
        .await?;
    write.commit().await?;
    Ok(id)
}

/// The session with this id, if it lasts and its token is still known.
pub(super) async fn find(store: &Store, access: &Access, id: Id) -> Result<Option<Session>, sqlx::Error> {
    let now = clock::now();
    let found = sqlx::query(
        "SELECT token, used_at, notice FROM sessions WHERE hash = $1 AND opened_at >= $2 AND used_at >= $3",
    )
    .bind(id.hash())
    .bind(millis(now.before(LONGEST)))
    .bind(millis(now.before(IDLE)))
    .fetch_optional(store.pool())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let sealed: String = found.try_get("token")?;
    let Some(sealed) = Digest::parse(&sealed) else { return Ok(None) };
    let Some(caller) = access.caller_of(id.seal(sealed)).await? else { return Ok(None) };
    let (used_at, notice): (i64, Option<String>) = (found.try_get("used_at")?, found.try_get("notice")?);
    if notice.is_some() || used_at < millis(now.before(EXACTNESS)) {
        let mut write = store.write().await?;
        let used = sqlx::query("UPDATE sessions SET used_at = $1, notice = NULL WHERE hash = $2");
        used.bind(millis(now)).bind(id.hash()).execute(&mut *write).await?;
        write.commit().await?;
    }
    Ok(Some(Session { id, caller, notice }))
}

/// Leaves word of what was done for the next page, as part of a change.
pub(super) async fn leave_notice(write: &mut Write, id: &Id, notice: &str) -> Result<(), sqlx::Error> {
    let leave = sqlx::query("UPDATE sessions SET notice = $1 WHERE hash = $2");
    leave.bind(notice).bind(id.hash()).execute(&mut **write).await.map(drop)
}

/// Ends a session.
pub(super) async fn close(store: &Store, id: &Id) -> Result<(), sqlx::Error> {
    let mut write = store.write().await?;
    let close = sqlx::query("DELETE FROM sessions WHERE hash = $1");
    close.bind(id.hash()).execute(&mut *write).await?;
    write.commit().await
}

fn millis(time: Timestamp) -> i64 {
    time.as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_opened_with_the_id_it_was_sealed_under_and_no_other() {
        let (id, other) = (Id::sent("one"), Id::sent("other"));
        let token = Digest::of("token");
        let kept = Digest::parse(&id.seal(token).text()).unwrap();
        assert_ne!(kept, token);
        assert_eq!(id.seal(kept), token);
        assert_ne!(other.seal(kept), token);
    }

    #[test]
    fn what_is_kept_of_an_id_and_what_is_in_forms_differ() {
        let id = Id::new().unwrap();
        assert_ne!(id.form(), id.hash());
        assert_ne!(id.form(), Id::new().unwrap().form());
    }
}
