//! `GET /v1/accounts`: who has an account, and when they were last seen.

use super::problem::Problem;
use super::store::Store;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use firstsight::domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The most accounts on one page.
const LARGEST_PAGE: i64 = 1000;

/// Which accounts are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only those after this account's id.
    after: Option<String>,
    /// How many at the most.
    limit: Option<i64>,
    /// Only those of this issuer.
    issuer: Option<String>,
    /// Only the one with this `sub`, at this issuer.
    id: Option<String>,
}

/// One page of accounts.
#[derive(Serialize)]
pub(super) struct Page {
    accounts: Vec<Value>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
}

/// Accounts in the order in which they were made, page by page.
pub(super) async fn list(
    State(store): State<Store>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(which) = which.map_err(|_| Problem::query("after, limit, issuer and id are known"))?;
    let limit = which.limit.unwrap_or(100);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::query("limit is 1 to 1000"));
    }
    // Spelled out for each case, so that each finds its index.
    let sql = match (&which.issuer, &which.id) {
        (None, None) => "SELECT * FROM accounts WHERE id > $1 ORDER BY id LIMIT $2",
        (Some(_), None) => "SELECT * FROM accounts WHERE id > $1 AND issuer = $3 ORDER BY id LIMIT $2",
        (Some(_), Some(_)) => {
            "SELECT * FROM accounts WHERE id > $1 AND issuer = $3 AND subject = $4 LIMIT $2"
        }
        (None, Some(_)) => return Err(Problem::query("id is unique within an issuer: name the issuer too")),
    };
    let mut query = sqlx::query(sql).bind(which.after.unwrap_or_default()).bind(limit + 1);
    for value in [which.issuer, which.id].into_iter().flatten() {
        query = query.bind(value);
    }
    let rows = query.fetch_all(store.pool()).await?;
    let more_follow = rows.len() as i64 > limit;
    let accounts = rows.iter().take(limit as usize).map(account).collect::<Result<Vec<_>, _>>()?;
    let last = accounts.last().and_then(|account| account["id"].as_str()).map(str::to_owned);
    Ok(Json(Page { accounts, next: last.filter(|_| more_follow) }))
}

/// One account by its id.
pub(super) async fn show(State(store): State<Store>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let found =
        sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id).fetch_optional(store.pool()).await?;
    Ok(Json(account(&found.ok_or_else(Problem::no_such_account)?)?))
}

fn account(row: &AnyRow) -> Result<Value, sqlx::Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let time = |column: &str| -> Result<Option<String>, sqlx::Error> {
        let millis: Option<i64> = row.try_get(column)?;
        Ok(millis
            .and_then(|millis| u64::try_from(millis).ok())
            .map(|millis| Timestamp::from_millis(millis).rfc3339()))
    };
    Ok(json!({
        "id": text("id")?,
        "subject": {"issuer": text("issuer")?, "id": text("subject")?, "key": text("subject_key")?},
        "kind": text("kind")?,
        "attributes": serde_json::from_str::<Value>(&text("attributes")?).unwrap_or_default(),
        "attributes_issued_at": time("attributes_issued_at")?,
        "mapping": text("mapping")?,
        "gateway": text("gateway")?,
        "created_at": time("created_at")?,
        "updated_at": time("updated_at")?,
        "first_seen": time("first_seen")?,
        "last_seen": time("last_seen")?,
        "sightings": row.try_get::<i64, _>("sightings")?,
    }))
}
