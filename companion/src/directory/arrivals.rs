//! `POST /v1/arrivals`: a gateway sighted somebody; make the account, or find it. Idempotent by issuer and sub. An arrival
//! never changes the state of an account that exists.

use super::access::Caller;
use super::audit::{self, Entry};
use super::dormancy::{self, Mark};
use super::lifecycle::{Cause, Event, State};
use super::problem::Problem;
use super::profile::Profile;
use super::store::Write;
use super::{Directory, body};
use crate::clock;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, DefaultBodyLimit};
use axum::routing::post;
use axum::{Extension, Json, Router};
use firstsight::domain::{Issuer, Subject, SubjectId, Timestamp};
use firstsight::wire::{Arrival, ArrivalSubject};
use http::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};
use uuid::Uuid;

/// The largest body, in bytes.
const LIMIT: usize = 1024 * 1024;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/arrivals", post(take).layer(DefaultBodyLimit::max(LIMIT)))
}

/// What became of an arrival.
pub(super) struct Settled {
    /// Whether the account was made for it.
    made: bool,
    account: Account,
}

/// An account as arrivals see it.
struct Account {
    id: String,
    state: State,
    mark: Mark,
    profile: Profile,
}

/// Answers 201 for an account that was made, 200 for one that was there, and with its state for one that may not be used.
async fn take(
    extract::State(directory): extract::State<Directory>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let arrival = read(&body?)?;
    let Settled { made, account } = match find(directory.store.pool(), &arrival.subject).await? {
        // The usual case writes nothing.
        Some(account) if !account.mark.is_asleep() && account.is_unmoved_by(&arrival) => {
            Settled { made: false, account }
        }
        _ => directory.desk.settle(arrival, caller.name).await?,
    };
    if made {
        tracing::info!(account = account.id, "an account was made");
    }
    let (status, body) = match account.state {
        State::Active => {
            let status = if made { StatusCode::CREATED } else { StatusCode::OK };
            (status, json!({"status": "active", "account": {"id": account.id}}))
        }
        State::Pending => {
            let message = "The account waits for approval.";
            (StatusCode::ACCEPTED, json!({"status": "pending", "message": message}))
        }
        State::Disabled => {
            (StatusCode::FORBIDDEN, json!({"status": "denied", "message": "The account is disabled."}))
        }
        State::Departed => {
            (StatusCode::GONE, json!({"status": "departed", "message": "The account is closed."}))
        }
    };
    Ok((status, Json(body)))
}

/// # Errors
/// 400 for what is no JSON; 422 for another shape, an unusable subject, or a key that is not this subject's.
fn read(bytes: &[u8]) -> Result<Arrival, Problem> {
    let arrival: Arrival = body::read(bytes)?;
    let mut problems = Vec::new();
    let issuer =
        Issuer::parse(&arrival.subject.issuer).map_err(|why| problems.push(format!("subject.issuer: {why}")));
    let id = SubjectId::parse(&arrival.subject.id);
    if id.is_none() {
        problems.push("subject.id: 1 to 255 bytes without control characters".to_owned());
    }
    let times = [("sighted_at", Some(&arrival.sighted_at)), ("issued_at", arrival.issued_at.as_ref())];
    for (name, time) in times {
        if time.is_some_and(|time| clock::parse(time).is_none()) {
            problems.push(format!("{name}: an RFC 3339 time in UTC, ending in Z"));
        }
    }
    for (name, text) in [("gateway", &arrival.gateway), ("mapping", &arrival.mapping)] {
        if text.chars().any(char::is_control) {
            problems.push(format!("{name}: no control characters"));
        }
    }
    if let (Ok(issuer), Some(id)) = (issuer, id)
        && (Subject { issuer, id }).key().to_string() != arrival.subject.key
    {
        problems.push("subject.key: not the key of this issuer and id".to_owned());
    }
    if problems.is_empty() { Ok(arrival) } else { Err(Problem::unprocessable(problems)) }
}

/// The account of a subject, if there is one.
async fn find(
    database: impl AnyExecutor<'_>,
    subject: &ArrivalSubject,
) -> Result<Option<Account>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT id, state, dormancy, kind, attributes, mapping, attributes_issued_at, owned FROM accounts
         WHERE issuer = $1 AND subject = $2",
    )
    .bind(&subject.issuer)
    .bind(&subject.id)
    .fetch_optional(database)
    .await?;
    found.as_ref().map(Account::read).transpose()
}

impl Account {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
        let (attributes, owned): (String, String) = (row.try_get("attributes")?, row.try_get("owned")?);
        let mapping: Option<String> = row.try_get("mapping")?;
        let issued_at: Option<i64> = row.try_get("attributes_issued_at")?;
        let profile = Profile {
            kind: row.try_get("kind")?,
            attributes: serde_json::from_str(&attributes).map_err(decode)?,
            owned: serde_json::from_str(&owned).map_err(decode)?,
            mapping: mapping.unwrap_or_default(),
            issued_at: issued_at.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis),
        };
        Ok(Self { id: row.try_get("id")?, state: State::of(row)?, mark: Mark::of(row)?, profile })
    }

    /// Whether an arrival leaves it as it is: one that is shut stays as it was when it was shut.
    fn is_unmoved_by(&self, arrival: &Arrival) -> bool {
        self.state.is_shut() || self.profile.after(arrival) == self.profile
    }
}

/// Makes the account or changes it for the `actor`, as part of a change that is to be committed.
pub(super) async fn settle(
    write: &mut Write,
    new_accounts: State,
    arrival: &Arrival,
    actor: &str,
) -> Result<Settled, sqlx::Error> {
    // Looked at again under the lock: another gateway may have been here meanwhile.
    let found = find(&mut **write, &arrival.subject).await?;
    let made = found.is_none();
    if let Some(account) = found.as_ref().filter(|account| account.mark.is_asleep()) {
        let gateway = Some((&*arrival.gateway, &*arrival.mapping));
        dormancy::wake(write, &account.id, Cause::Gateway(arrival.cause), gateway).await?;
    }
    let account = match found {
        Some(account) if account.is_unmoved_by(arrival) => account,
        Some(account) => change(write, account, arrival, actor).await?,
        None => make(write, new_accounts, arrival, actor).await?,
    };
    Ok(Settled { made, account })
}

async fn make(
    write: &mut Write,
    state: State,
    arrival: &Arrival,
    actor: &str,
) -> Result<Account, sqlx::Error> {
    // Ids are in the order of time, and made under the lock: none appears behind a reader who is paging through them, as
    // far as the clocks of the processes over one database agree.
    let (id, now) = (Uuid::now_v7().to_string(), clock::now());
    let nobody = Profile::default();
    let profile = nobody.after(arrival);
    sqlx::query(
        "INSERT INTO accounts
           (id, issuer, subject, subject_key, kind, attributes, mapping, gateway, created_at, updated_at,
            attributes_issued_at, state, state_since, active_at, user_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $9, $9, $12)",
    )
    .bind(&id)
    .bind(&arrival.subject.issuer)
    .bind(&arrival.subject.id)
    .bind(&arrival.subject.key)
    .bind(&profile.kind)
    .bind(Value::Object(profile.attributes.clone()).to_string())
    .bind(&profile.mapping)
    .bind(&arrival.gateway)
    .bind(now.as_millis() as i64)
    .bind(profile.issued_at.map(|at| at.as_millis() as i64))
    .bind(state.word())
    .bind(profile.user_name(&arrival.subject.id))
    .execute(&mut **write)
    .await?;
    record(write, &id, (Event::Arrival, actor), arrival, now, nobody.differences(&profile)).await?;
    Ok(Account { id, state, mark: Mark::Awake, profile })
}

async fn change(
    write: &mut Write,
    account: Account,
    arrival: &Arrival,
    actor: &str,
) -> Result<Account, sqlx::Error> {
    let Account { id, state, mark, profile: before } = account;
    let (profile, now) = (before.after(arrival), clock::now());
    // A newer token that says the same makes those before it older, and the account stays as it is.
    let drifted = (&profile.kind, &profile.attributes, &profile.mapping)
        != (&before.kind, &before.attributes, &before.mapping);
    sqlx::query(
        "UPDATE accounts SET kind = $1, attributes = $2, mapping = $3, gateway = $4, attributes_issued_at = $5,
                             updated_at = coalesce($6, updated_at), user_name = $7
         WHERE id = $8",
    )
    .bind(&profile.kind)
    .bind(Value::Object(profile.attributes.clone()).to_string())
    .bind(&profile.mapping)
    .bind(&arrival.gateway)
    .bind(profile.issued_at.map(|at| at.as_millis() as i64))
    .bind(drifted.then_some(now.as_millis() as i64))
    .bind(profile.user_name(&arrival.subject.id))
    .bind(&id)
    .execute(&mut **write)
    .await?;
    if drifted {
        record(write, &id, (Event::Drift, actor), arrival, now, before.differences(&profile)).await?;
    }
    Ok(Account { id, state, mark, profile })
}

async fn record(
    write: &mut Write,
    account: &str,
    (event, actor): (Event, &str),
    arrival: &Arrival,
    at: Timestamp,
    attributes: Vec<String>,
) -> Result<(), sqlx::Error> {
    let entry = Entry {
        at,
        account,
        subject_key: &arrival.subject.key,
        event,
        cause: Cause::Gateway(arrival.cause),
        actor,
        gateway: Some((&arrival.gateway, &arrival.mapping)),
        attributes,
        reason: None,
    };
    audit::append(write, &entry).await.map(drop)
}
