//! `POST /v1/arrivals`: a gateway sighted somebody; make the account, or find it. Idempotent by issuer and sub.

use super::problem::Problem;
use super::store::Store;
use crate::clock;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use firstsight::domain::{Issuer, Kind, Subject, SubjectId};
use firstsight::wire::Arrival;
use http::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

/// Answers 201 for an account that was made, 200 for one that was there.
pub(super) async fn post(
    State(store): State<Store>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let arrival = read(&body?)?;
    let (status, id) = match find_unchanged(&store, &arrival).await? {
        Some(id) => (StatusCode::OK, id),
        None => make_or_change(&store, &arrival).await?,
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
    if clock::parse(&arrival.sighted_at).is_none() {
        problems.push("sighted_at: an RFC 3339 time in UTC, ending in Z".to_owned());
    }
    if let (Ok(issuer), Some(id)) = (issuer, id)
        && (Subject { issuer, id }).key().to_string() != arrival.subject.key
    {
        problems.push("subject.key: not the key of this issuer and id".to_owned());
    }
    if problems.is_empty() { Ok(arrival) } else { Err(Problem::unprocessable(problems)) }
}

/// The account, if it is there just as the arrival has it: the usual case, which writes nothing.
async fn find_unchanged(store: &Store, arrival: &Arrival) -> Result<Option<String>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT id FROM accounts
         WHERE issuer = ? AND subject = ? AND kind = ? AND attributes = ? AND mapping = ?",
    )
    .bind(&arrival.subject.issuer)
    .bind(&arrival.subject.id)
    .bind(word(arrival.kind))
    .bind(attributes(arrival))
    .bind(&arrival.mapping)
    .fetch_optional(store.pool())
    .await?;
    found.map(|row| row.try_get("id")).transpose()
}

async fn make_or_change(store: &Store, arrival: &Arrival) -> Result<(StatusCode, String), sqlx::Error> {
    let mut transaction = store.write().await?;
    // Ids are in the order of time, and made under the lock: none appears behind a reader who is paging through them.
    let new_id = Uuid::now_v7().to_string();
    let now = clock::now().as_millis() as i64;
    let row = sqlx::query(
        "INSERT INTO accounts
           (id, issuer, subject, subject_key, kind, attributes, mapping, gateway, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
         ON CONFLICT (issuer, subject) DO UPDATE
           SET kind = ?5, attributes = ?6, mapping = ?7, gateway = ?8, updated_at = ?9
         RETURNING id",
    )
    .bind(&new_id)
    .bind(&arrival.subject.issuer)
    .bind(&arrival.subject.id)
    .bind(&arrival.subject.key)
    .bind(word(arrival.kind))
    .bind(attributes(arrival))
    .bind(&arrival.mapping)
    .bind(&arrival.gateway)
    .bind(now)
    .fetch_one(&mut *transaction)
    .await?;
    let id: String = row.try_get("id")?;
    transaction.commit().await?;
    let made = id == new_id;
    if made {
        tracing::info!(account = id, gateway = arrival.gateway, "an account was made");
    }
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, id))
}

fn attributes(arrival: &Arrival) -> String {
    Value::Object(arrival.attributes.clone()).to_string()
}

/// The word for a kind, as it goes over the wire.
fn word(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
