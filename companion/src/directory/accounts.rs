//! `GET /v1/accounts`: who has an account, how it stands, and when they were last seen.

use super::lifecycle;
use super::problem::Problem;
use super::store::Store;
use super::{Directory, audit};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use firstsight::domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The most accounts on one page.
const LARGEST_PAGE: i64 = 1000;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/accounts", get(list)).route("/accounts/{id}", get(show))
}

/// Which accounts are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only those after this account's id.
    after: Option<String>,
    /// How many at the most.
    limit: Option<i64>,
    /// Only those of this issuer.
    issuer: Option<String>,
    /// Only the one with this `sub`, at this issuer.
    id: Option<String>,
    /// Only those in this state, of whatever issuer.
    state: Option<lifecycle::State>,
}

/// One page of accounts.
#[derive(Serialize)]
struct Page {
    accounts: Vec<Value>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
}

/// Accounts in the order in which they were made, page by page.
async fn list(
    State(store): State<Store>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(which) = which.map_err(|_| Problem::query("after, limit, issuer, id and state are known"))?;
    let limit = which.limit.unwrap_or(100);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::query("limit is 1 to 1000"));
    }
    // Spelled out for each case, so that each finds its index.
    let state = which.state.map(lifecycle::State::word);
    let sql = match (&which.issuer, &which.id, state) {
        (None, None, None) => "SELECT * FROM accounts WHERE id > $1 ORDER BY id LIMIT $2",
        (None, None, Some(_)) => "SELECT * FROM accounts WHERE id > $1 AND state = $3 ORDER BY id LIMIT $2",
        (Some(_), None, None) => "SELECT * FROM accounts WHERE id > $1 AND issuer = $3 ORDER BY id LIMIT $2",
        (Some(_), Some(_), None) => {
            "SELECT * FROM accounts WHERE id > $1 AND issuer = $3 AND subject = $4 LIMIT $2"
        }
        (None, Some(_), _) => {
            return Err(Problem::query("id is unique within an issuer: name the issuer too"));
        }
        (Some(_), _, Some(_)) => return Err(Problem::query("state goes without issuer and id")),
    };
    let mut query = sqlx::query(sql).bind(which.after.unwrap_or_default()).bind(limit + 1);
    for value in [state.map(str::to_owned), which.issuer, which.id].into_iter().flatten() {
        query = query.bind(value);
    }
    let rows = query.fetch_all(store.pool()).await?;
    let more_follow = rows.len() as i64 > limit;
    let accounts = rows.iter().take(limit as usize).map(account).collect::<Result<Vec<_>, _>>()?;
    let last = accounts.last().and_then(|account| account["id"].as_str()).map(str::to_owned);
    Ok(Json(Page { accounts, next: last.filter(|_| more_follow) }))
}

/// One account by its id, with its story.
async fn show(State(store): State<Store>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let mut account = one(&store, &id).await?;
    let key = account["subject"]["key"].as_str();
    let story = audit::records(store.pool(), key, 0, audit::LARGEST_PAGE).await?;
    account["story"] = json!(story);
    Ok(Json(account))
}

/// The account with this id.
///
/// # Errors
/// 404 if there is none.
pub(super) async fn one(store: &Store, id: &str) -> Result<Value, Problem> {
    let found = sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id);
    let found = found.fetch_optional(store.pool()).await?;
    Ok(account(&found.ok_or_else(Problem::no_such_account)?)?)
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
        "state": lifecycle::State::of(row)?,
        "state_since": time("state_since")?,
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
