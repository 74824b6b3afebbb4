//! `GET /v1/dormancy`: who is marked. `POST /v1/dormancy/sweep`: a sweep now, or what it would do. `POST
//! /v1/accounts/{id}/keep`: somebody looked at an account, and it stays as it is.

use super::mark::{self, Mark};
use super::rule::Usage;
use super::sweep::{self, Order};
use super::walk::word;
use crate::clock;
use crate::directory::Directory;
use crate::directory::access::Caller;
use crate::directory::accounts::{self, Account};
use crate::directory::actions::{self, Reason};
use crate::directory::audit::{self, Entry};
use crate::directory::lifecycle::{Cause, Event};
use crate::directory::problem::Problem;
use crate::directory::store::{Store, Write};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use firstsight::domain::{Kind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Row;

/// The most accounts on one page, or in one report.
const LARGEST_PAGE: i64 = 1000;

/// What only reads.
pub(in crate::directory) fn reading() -> Router<Directory> {
    Router::new().route("/dormancy", get(list))
}

/// What changes something.
pub(in crate::directory) fn deciding() -> Router<Directory> {
    let routes = Router::new().route("/dormancy/sweep", post(order)).route("/accounts/{id}/keep", post(keep));
    routes.layer(DefaultBodyLimit::max(actions::LIMIT))
}

/// Which accounts are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only those after this account's id.
    after: Option<String>,
    /// How many at the most.
    limit: Option<i64>,
    /// Only those with this mark.
    mark: Option<Mark>,
    /// Only those of this kind.
    kind: Option<Kind>,
}

/// One page of accounts that are marked.
#[derive(Serialize)]
struct Page {
    accounts: Vec<Account>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
    /// What the latest sweep came to; null if there was none.
    last_sweep: Value,
}

/// The body of a sweep.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Says what it would do, and does nothing.
    #[serde(default)]
    dry_run: bool,
    /// Disables more accounts than `most_at_once`.
    #[serde(default)]
    force: bool,
}

/// Accounts in the order in which they were made, page by page.
async fn list(
    State(directory): State<Directory>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(which) = which.map_err(|_| Problem::query("after, limit, mark and kind are known"))?;
    let limit = which.limit.unwrap_or(100);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::query("limit is 1 to 1000"));
    }
    let after = which.after.unwrap_or_default();
    let (accounts, next) = marked(&directory, which.mark, which.kind, &after, limit).await?;
    Ok(Json(Page { accounts, next, last_sweep: last_sweep(&directory.store).await? }))
}

/// Accounts that are marked, after this id; and the id after which there are more.
pub(in crate::directory) async fn marked(
    directory: &Directory,
    mark: Option<Mark>,
    kind: Option<Kind>,
    after: &str,
    limit: i64,
) -> Result<(Vec<Account>, Option<String>), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT * FROM accounts WHERE dormancy <> 'awake' AND id > $1
           AND ($2 = '' OR dormancy = $2) AND ($3 = '' OR kind = $3)
         ORDER BY id LIMIT $4",
    );
    let rows = rows.bind(after).bind(mark.map_or("", Mark::word));
    let rows = rows.bind(kind.map_or("", word)).bind(limit + 1);
    let rows = rows.fetch_all(directory.store.pool()).await?;
    let mut found = Vec::new();
    for row in rows.iter().take(limit as usize) {
        let mut account = Account::read(row)?;
        let kind: Option<Kind> = serde_json::from_value(json!(account.kind)).ok();
        let rule = kind.map(|kind| directory.rules.of(kind)).unwrap_or_default();
        if let Some(dormancy) = &mut account.dormancy {
            dormancy.disables_at = rule.disables_at(&Usage::of(row)?).map(Timestamp::rfc3339);
        }
        found.push(account);
    }
    let last = found.last().map(|account| account.id.clone());
    let next = last.filter(|_| rows.len() > found.len());
    Ok((found, next))
}

/// What the latest sweep came to, as JSON; null if there was none.
pub(in crate::directory) async fn last_sweep(store: &Store) -> Result<Value, sqlx::Error> {
    let row = sqlx::query("SELECT outcome FROM dormancy_sweep").fetch_one(store.pool()).await?;
    let outcome: String = row.try_get("outcome")?;
    serde_json::from_str(&outcome).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Answers with the report.
async fn order(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<sweep::Report>, Problem> {
    let value: Value = serde_json::from_slice(&body?).map_err(|_| Problem::no_json())?;
    let wanted: Wanted =
        serde_path_to_error::deserialize(value).map_err(|error| Problem::misshapen(&error))?;
    let (store, rules) = (&directory.store, &directory.rules);
    let listed = LARGEST_PAGE as usize;
    let report = if wanted.dry_run {
        sweep::plan(store, rules, clock::now(), listed).await?
    } else {
        sweep::sweep(store, rules, &Order { actor: &caller.name, forced: wanted.force, listed }).await?
    };
    Ok(Json(report))
}

/// Answers with the account as it is then.
async fn keep(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Account>, Problem> {
    let reason = actions::read(&body?)?;
    let mut write = store.write().await?;
    if !keep_as_it_is(&mut write, &caller, &id, &reason).await? {
        return Err(Problem::no_such_account());
    }
    write.commit().await?;
    accounts::one(&store, &id).await.map(Json)
}

/// Takes an account's mark away, as part of a change that is to be committed: the time until it is dormant begins anew. Whoever
/// has no mark stays as they are. Says whether there is such an account.
pub(in crate::directory) async fn keep_as_it_is(
    write: &mut Write,
    caller: &Caller,
    account: &str,
    reason: &Reason,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("SELECT subject_key, dormancy FROM accounts WHERE id = $1").bind(account);
    let Some(found) = found.fetch_optional(&mut **write).await? else { return Ok(false) };
    if Mark::of(&found)? != Mark::Awake {
        let now = clock::now();
        mark::set(write, account, Mark::Awake, now, now).await?;
        let entry = Entry {
            at: now,
            account,
            subject_key: found.try_get("subject_key")?,
            event: Event::Keep,
            cause: Cause::Admin,
            actor: &caller.name,
            gateway: None,
            attributes: Vec::new(),
            reason: Some(reason.text()),
        };
        audit::append(write, &entry).await?;
    }
    Ok(true)
}
