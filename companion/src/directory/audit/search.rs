//! Finding records, newest first. A search is by an index or within a stretch of the chain, so that none takes long however
//! long the chain is.

use super::Record;
use firstsight::domain::Timestamp;
use sqlx::{AnyPool, Row};
use std::time::Duration;

/// How many records are looked through at once.
const STRETCH: i64 = 50_000;
/// How far the clocks of processes over one database may differ, so that records are not in the order of their times.
const SKEW: Duration = Duration::from_secs(60);

/// What is searched for; what is empty is not asked.
#[derive(Debug, Default)]
pub(in crate::directory) struct Search {
    /// The id of an account.
    pub(in crate::directory) account: String,
    pub(in crate::directory) event: String,
    pub(in crate::directory) cause: String,
    pub(in crate::directory) actor: String,
    pub(in crate::directory) gateway: String,
    /// At this time or later.
    pub(in crate::directory) from: Option<Timestamp>,
    /// Before this time.
    pub(in crate::directory) until: Option<Timestamp>,
    /// Only those before this sequence.
    pub(in crate::directory) before: Option<i64>,
}

/// Some of what was found.
pub(in crate::directory) struct Found {
    /// Each with the `sub` of its account.
    pub(in crate::directory) records: Vec<(Record, Option<String>)>,
    /// The `before` of what follows; nothing if nothing does.
    pub(in crate::directory) next: Option<i64>,
    /// Whether there may be more although the page is not full: the search has not come to the end of the chain.
    pub(in crate::directory) goes_on: bool,
}

/// The last record's sequence and hash.
pub(in crate::directory) async fn head(database: &AnyPool) -> Result<(i64, String), sqlx::Error> {
    let head = sqlx::query("SELECT sequence, hash FROM audit_head").fetch_one(database).await?;
    Ok((head.try_get("sequence")?, head.try_get("hash")?))
}

impl Search {
    /// The newest `limit` records.
    pub(in crate::directory) async fn run(
        &self,
        database: &AnyPool,
        limit: i64,
    ) -> Result<Found, sqlx::Error> {
        let before = self.before.unwrap_or(i64::MAX);
        let (before, end) = match (self.until, self.from) {
            (None, None) => (before, 0),
            _ => (before.min(self.ceiling(database).await?), self.floor(database).await?),
        };
        // An account's records have an index of their own.
        let all = !self.account.is_empty();
        let before = if all { before } else { before.min(head(database).await?.0 + 1) };
        let reach = if all { end } else { end.max(before.saturating_sub(STRETCH)) };
        let found = sqlx::query(if all {
            "SELECT audit.*, accounts.subject FROM audit LEFT JOIN accounts ON accounts.id = audit.account
             WHERE audit.account = $10 AND sequence < $1 AND sequence >= $2 AND at >= $3 AND at < $4
               AND ($5 = '' OR event = $5) AND ($6 = '' OR cause = $6) AND ($7 = '' OR actor = $7)
               AND ($8 = '' OR audit.gateway = $8)
             ORDER BY sequence DESC LIMIT $9"
        } else {
            "SELECT audit.*, accounts.subject FROM audit LEFT JOIN accounts ON accounts.id = audit.account
             WHERE sequence < $1 AND sequence >= $2 AND at >= $3 AND at < $4
               AND ($5 = '' OR event = $5) AND ($6 = '' OR cause = $6) AND ($7 = '' OR actor = $7)
               AND ($8 = '' OR audit.gateway = $8)
             ORDER BY sequence DESC LIMIT $9"
        })
        .bind(before)
        .bind(reach)
        .bind(self.from.map_or(0, |from| from.as_millis() as i64))
        .bind(self.until.map_or(i64::MAX, |until| until.as_millis() as i64))
        .bind(&self.event)
        .bind(&self.cause)
        .bind(&self.actor)
        .bind(&self.gateway)
        .bind(limit + 1);
        let found = if all { found.bind(&self.account) } else { found };
        let rows = found.fetch_all(database).await?;
        let read = |row| Ok((Record::read(row)?, row.try_get("subject")?));
        let shown = rows.iter().take(limit as usize);
        let records: Vec<(Record, Option<String>)> = shown.map(read).collect::<Result<_, sqlx::Error>>()?;
        let last = records.last().map(|(record, _)| record.sequence);
        let full = rows.len() > records.len();
        let goes_on = !full && reach > end.max(1);
        Ok(Found { records, next: if full { last } else { Some(reach).filter(|_| goes_on) }, goes_on })
    }

    /// A sequence that all records before `until` are below.
    async fn ceiling(&self, database: &AnyPool) -> Result<i64, sqlx::Error> {
        let Some(until) = self.until else { return Ok(i64::MAX) };
        let last =
            sqlx::query("SELECT sequence FROM audit WHERE at < $1 ORDER BY at DESC, sequence DESC LIMIT 1");
        let last = last.bind(until.after(SKEW).as_millis() as i64).fetch_optional(database).await?;
        last.map_or(Ok(0), |row| Ok(row.try_get::<i64, _>("sequence")? + 1))
    }

    /// A sequence that no record from `from` on is below.
    async fn floor(&self, database: &AnyPool) -> Result<i64, sqlx::Error> {
        let Some(from) = self.from else { return Ok(0) };
        let first = sqlx::query("SELECT sequence FROM audit WHERE at >= $1 ORDER BY at, sequence LIMIT 1");
        let first = first.bind(from.before(SKEW).as_millis() as i64).fetch_optional(database).await?;
        first.map_or(Ok(i64::MAX), |row| row.try_get("sequence"))
    }
}
