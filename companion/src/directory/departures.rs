//! `GET /v1/departures`: who may not get in any more, and who may again, told to gateways as it happens.
//!
//! An account's place in the feed is the record of its latest departure, return or revocation: the latter is told like a
//! return, as tokens of before it do not work. So the feed is compacted by itself: it has one place for each account that
//! was ever told of, in order, and whoever begins at the beginning gets a snapshot. One without a subject is in it from when
//! it has one.

use super::lifecycle;
use super::problem::Problem;
use super::store::Store;
use super::{Directory, audit};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use firstsight::domain::Timestamp;
use firstsight::wire::{Departure, DepartureState, Departures};
use serde::Deserialize;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that anybody may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How much of a record's hash is in a cursor: enough to tell whether the record is the same.
const MARK: usize = 16;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/departures", get(tell))
}

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only what happened after this cursor.
    after: Option<String>,
    /// How long to wait if nothing has, such as `20s`.
    wait: Option<String>,
    /// How many at the most.
    limit: Option<i64>,
}

/// A place in the feed: a record's sequence and the beginning of its hash. After another database took the place of this
/// one, a restored backup for example, the record is another one or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    sequence: i64,
    mark: String,
}

/// What happened after the cursor; if nothing did, whatever happens within the wait.
async fn tell(
    State(store): State<Store>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Departures>, Problem> {
    let Query(which) = which.map_err(|_| Problem::query("after, wait and limit are known"))?;
    let limit = which.limit.unwrap_or(audit::LARGEST_PAGE);
    if !(1..=audit::LARGEST_PAGE).contains(&limit) {
        return Err(Problem::query("limit is 1 to 1000"));
    }
    let wait = which.wait.map_or(Ok(Duration::ZERO), |wait| humantime::parse_duration(&wait));
    let wait = wait.map_err(|_| Problem::query("wait is a time such as 20s"))?.min(LONGEST_WAIT);
    let cursor = match which.after {
        None => Cursor::beginning(),
        Some(text) => Cursor::parse(&text).ok_or_else(Problem::cursor_unknown)?,
    };
    let until = Instant::now() + wait;
    // From before the first look, so that nothing falls between it and the wait.
    let mut ear = store.bell().listen();
    loop {
        let page = page(store.pool(), &cursor, limit).await?;
        if !page.departures.is_empty() || until <= Instant::now() {
            return Ok(Json(page));
        }
        match timeout_at(until, ear.hear()).await {
            Ok(true) => {}
            // No page: a gateway that gets one early takes its time before it asks again, and hears late of a departure
            // that is told to the process after this one.
            Ok(false) => return Err(Problem::stopping()),
            Err(_) => return Ok(Json(page)),
        }
    }
}

async fn page(database: &AnyPool, after: &Cursor, limit: i64) -> Result<Departures, Problem> {
    if !after.is_known(database).await? {
        return Err(Problem::cursor_unknown());
    }
    let rows = sqlx::query(
        "SELECT accounts.issuer, accounts.subject, accounts.subject_key, accounts.state,
                audit.sequence, audit.hash, audit.at, audit.reason
         FROM accounts JOIN audit ON audit.sequence = accounts.departure_record
         WHERE accounts.departure_record > $1 AND accounts.subject_key IS NOT NULL
         ORDER BY accounts.departure_record LIMIT $2",
    )
    .bind(after.sequence)
    .bind(limit + 1)
    .fetch_all(database)
    .await?;
    let told = &rows[..rows.len().min(limit as usize)];
    let cursor = told.last().map(Cursor::of).transpose()?.unwrap_or_else(|| after.clone());
    Ok(Departures {
        cursor: cursor.text(),
        more: rows.len() > told.len(),
        departures: told.iter().map(departure).collect::<Result<_, _>>()?,
    })
}

fn departure(row: &AnyRow) -> Result<Departure, sqlx::Error> {
    let at: i64 = row.try_get("at")?;
    let shut = lifecycle::State::of(row)?.is_shut();
    Ok(Departure {
        issuer: row.try_get("issuer")?,
        id: row.try_get("subject")?,
        key: row.try_get("subject_key")?,
        state: if shut { DepartureState::Departed } else { DepartureState::Returned },
        at: Timestamp::from_millis(u64::try_from(at).unwrap_or_default()).rfc3339(),
        reason: row.try_get("reason")?,
    })
}

impl Cursor {
    /// Before everything, in whatever database.
    fn beginning() -> Self {
        Self { sequence: 0, mark: "0".repeat(MARK) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (sequence, mark) = text.split_once('-')?;
        let fits = mark.len() == MARK && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self { sequence: sequence.parse().ok()?, mark: mark.to_owned() }).filter(|_| fits)
    }

    fn of(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let mut mark: String = row.try_get("hash")?;
        mark.truncate(MARK);
        Ok(Self { sequence: row.try_get("sequence")?, mark })
    }

    fn text(&self) -> String {
        format!("{}-{}", self.sequence, self.mark)
    }

    async fn is_known(&self, database: &AnyPool) -> Result<bool, sqlx::Error> {
        if *self == Self::beginning() {
            return Ok(true);
        }
        let record = sqlx::query("SELECT sequence, hash FROM audit WHERE sequence = $1").bind(self.sequence);
        let record = record.fetch_optional(database).await?;
        Ok(record.as_ref().map(Self::of).transpose()?.as_ref() == Some(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        let cursor = Cursor { sequence: 7, mark: "0123456789abcdef".into() };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in [
            "",
            "7",
            "7-",
            "-0123456789abcdef",
            "7-0123456789abcde",
            "7-0123456789abcdeg",
            "x-0123456789abcdef",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
