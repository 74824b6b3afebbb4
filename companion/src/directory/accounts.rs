//! `GET /v1/accounts`: who has an account, how it stands, and when they were last seen.

use super::Directory;
use super::audit::{self, Record};
use super::dormancy::{self, Dormancy};
use super::lifecycle;
use super::problem::Problem;
use super::store::Store;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use firstsight::domain::Timestamp;
use firstsight::wire::ArrivalSubject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

/// An account as it is told.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) id: String,
    /// Nothing as long as only a SCIM client told of it.
    pub(super) subject: Option<ArrivalSubject>,
    pub(super) state: lifecycle::State,
    /// RFC 3339, UTC, as all times here.
    pub(super) state_since: Option<String>,
    pub(super) kind: String,
    pub(super) attributes: Value,
    pub(super) attributes_issued_at: Option<String>,
    /// The digest of the mapping that the attributes are from; nothing if no gateway told of it.
    pub(super) mapping: Option<String>,
    /// Which gateway told of it last.
    pub(super) gateway: Option<String>,
    /// What a SCIM client calls it by.
    #[serde(skip)]
    pub(super) external_id: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    pub(super) first_seen: Option<String>,
    pub(super) last_seen: Option<String>,
    /// Null if it is not marked.
    pub(super) dormancy: Option<Dormancy>,
    pub(super) sightings: i64,
}

/// An account and what became of it.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    account: Account,
    story: Vec<Record>,
}

/// One page of accounts.
#[derive(Serialize)]
struct Page {
    accounts: Vec<Account>,
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
    let accounts = rows.iter().take(limit as usize).map(Account::read).collect::<Result<Vec<_>, _>>()?;
    let last = accounts.last().map(|account| account.id.clone());
    Ok(Json(Page { accounts, next: last.filter(|_| more_follow) }))
}

/// One account by its id, with its story.
async fn show(State(store): State<Store>, Path(id): Path<String>) -> Result<Json<Told>, Problem> {
    let account = one(&store, &id).await?;
    let story = audit::story(store.pool(), &id, audit::LARGEST_PAGE).await?;
    Ok(Json(Told { account, story }))
}

/// The account with this id.
///
/// # Errors
/// 404 if there is none.
pub(super) async fn one(store: &Store, id: &str) -> Result<Account, Problem> {
    find(store, id).await?.ok_or_else(Problem::no_such_account)
}

/// The account with this id, if there is one.
pub(super) async fn find(store: &Store, id: &str) -> Result<Option<Account>, sqlx::Error> {
    let found = sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id);
    found.fetch_optional(store.pool()).await?.as_ref().map(Account::read).transpose()
}

impl Account {
    /// The account of a whole row.
    pub(super) fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let text = |column: &str| row.try_get::<String, _>(column);
        let perhaps = |column: &str| row.try_get::<Option<String>, _>(column);
        let time = |column: &str| -> Result<Option<String>, sqlx::Error> {
            let millis: Option<i64> = row.try_get(column)?;
            Ok(millis
                .and_then(|millis| u64::try_from(millis).ok())
                .map(|millis| Timestamp::from_millis(millis).rfc3339()))
        };
        Ok(Self {
            id: text("id")?,
            subject: match perhaps("subject_key")? {
                Some(key) => Some(ArrivalSubject { issuer: text("issuer")?, id: text("subject")?, key }),
                None => None,
            },
            state: lifecycle::State::of(row)?,
            state_since: time("state_since")?,
            kind: text("kind")?,
            attributes: serde_json::from_str(&text("attributes")?).unwrap_or_default(),
            attributes_issued_at: time("attributes_issued_at")?,
            mapping: perhaps("mapping")?,
            gateway: perhaps("gateway")?,
            external_id: perhaps("external_id")?,
            created_at: time("created_at")?,
            updated_at: time("updated_at")?,
            first_seen: time("first_seen")?,
            last_seen: time("last_seen")?,
            dormancy: dormancy::told(row)?,
            sightings: row.try_get("sightings")?,
        })
    }
}
