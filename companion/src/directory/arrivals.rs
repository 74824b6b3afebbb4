//! `POST /v1/arrivals`: a gateway sighted somebody; make the account, or find it. Idempotent by issuer and sub.

use super::problem::Problem;
use super::profile::Profile;
use super::store::Store;
use crate::clock;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use firstsight::domain::{Issuer, Subject, SubjectId, Timestamp};
use firstsight::wire::{Arrival, ArrivalSubject};
use http::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};
use uuid::Uuid;

/// Answers 201 for an account that was made, 200 for one that was there.
pub(super) async fn post(
    State(store): State<Store>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let arrival = read(&body?)?;
    let (status, id) = match find(store.pool(), &arrival.subject).await? {
        // The usual case writes nothing.
        Some((id, profile)) if profile.after(&arrival) == profile => (StatusCode::OK, id),
        _ => make_or_change(&store, &arrival).await?,
    };
    Ok((status, Json(json!({"status": "active", "account": {"id": id}}))))
}

/// # Errors
/// 400 for what is no JSON; 422 for another shape, an unusable subject, or a key that is not this subject's.
fn read(body: &[u8]) -> Result<Arrival, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Problem::no_json())?;
    let arrival: Arrival =
        serde_path_to_error::deserialize(value).map_err(|error| Problem::misshapen(&error))?;
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
    if let (Ok(issuer), Some(id)) = (issuer, id)
        && (Subject { issuer, id }).key().to_string() != arrival.subject.key
    {
        problems.push("subject.key: not the key of this issuer and id".to_owned());
    }
    if problems.is_empty() { Ok(arrival) } else { Err(Problem::unprocessable(problems)) }
}

/// The account's id and what it is like; `None` if there is none.
async fn find(
    database: impl AnyExecutor<'_>,
    subject: &ArrivalSubject,
) -> Result<Option<(String, Profile)>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT id, kind, attributes, mapping, attributes_issued_at FROM accounts
         WHERE issuer = $1 AND subject = $2",
    )
    .bind(&subject.issuer)
    .bind(&subject.id)
    .fetch_optional(database)
    .await?;
    found.map(|row| Ok((row.try_get("id")?, profile(&row)?))).transpose()
}

fn profile(row: &AnyRow) -> Result<Profile, sqlx::Error> {
    let attributes: String = row.try_get("attributes")?;
    let issued_at: Option<i64> = row.try_get("attributes_issued_at")?;
    Ok(Profile {
        kind: row.try_get("kind")?,
        attributes: serde_json::from_str(&attributes).map_err(|error| sqlx::Error::Decode(error.into()))?,
        mapping: row.try_get("mapping")?,
        issued_at: issued_at.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis),
    })
}

async fn make_or_change(store: &Store, arrival: &Arrival) -> Result<(StatusCode, String), sqlx::Error> {
    let mut transaction = store.write().await?;
    // Looked at again under the lock: another gateway may have been here meanwhile.
    let found = find(&mut *transaction, &arrival.subject).await?;
    let made = found.is_none();
    // Ids are in the order of time, and made under the lock: none appears behind a reader who is paging through them.
    let (id, profile) = found.unwrap_or_else(|| (Uuid::now_v7().to_string(), Profile::default()));
    let profile = profile.after(arrival);
    sqlx::query(
        "INSERT INTO accounts
           (id, issuer, subject, subject_key, kind, attributes, mapping, gateway, created_at, updated_at,
            attributes_issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
         ON CONFLICT (id) DO UPDATE
           SET kind = $5, attributes = $6, mapping = $7, gateway = $8, attributes_issued_at = $10,
               updated_at = CASE WHEN (accounts.kind, accounts.attributes, accounts.mapping) = ($5, $6, $7)
                                 THEN accounts.updated_at ELSE $9 END",
    )
    .bind(&id)
    .bind(&arrival.subject.issuer)
    .bind(&arrival.subject.id)
    .bind(&arrival.subject.key)
    .bind(&profile.kind)
    .bind(Value::Object(profile.attributes).to_string())
    .bind(&profile.mapping)
    .bind(&arrival.gateway)
    .bind(clock::now().as_millis() as i64)
    .bind(profile.issued_at.map(|at| at.as_millis() as i64))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if made {
        tracing::info!(account = id, gateway = arrival.gateway, "an account was made");
    }
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, id))
}
