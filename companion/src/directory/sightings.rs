//! `POST /v1/sightings`: a gateway tells whom it served. Idempotent by (source, id); the latest time is kept, whatever
//! order batches come in.

use super::Directory;
use super::problem::Problem;
use super::store::{Store, Write};
use crate::clock;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use firstsight::domain::Timestamp;
use firstsight::wire::{SIGHTINGS_CONTENT_TYPE, SightingEvent};
use http::{HeaderMap, header};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// The largest batch, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/sightings", post(take).layer(DefaultBodyLimit::max(LIMIT)))
}

/// How long it is remembered that an event was applied: far longer than a gateway keeps one.
const RECEIPTS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Old receipts that one batch clears away, so that no batch has to clear away many.
const CLEARED_AT_ONCE: i64 = 1000;
/// Where counting stops: the largest whole number that every JSON reader takes (RFC 8259 §6).
const LARGEST_COUNT: i64 = (1 << 53) - 1;

/// What became of a batch.
#[derive(Default, Serialize)]
struct Receipt {
    /// Events that were applied.
    accepted: u64,
    /// Events that had been applied before.
    duplicates: u64,
    /// Events about subjects that have no account here.
    unknown: u64,
}

/// An event whose times were read.
struct Seen {
    event: SightingEvent,
    first: Timestamp,
    last: Timestamp,
}

/// Applies a whole batch, or nothing of it.
async fn take(
    State(store): State<Store>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Receipt>, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(SIGHTINGS_CONTENT_TYPE) {
        return Err(Problem::media_type());
    }
    let batch = read(&body?)?;
    let now = clock::now();
    let mut receipt = Receipt::default();
    let mut write = store.write().await?;
    for seen in &batch {
        apply(&mut write, seen, now, &mut receipt).await?;
    }
    clear_old_receipts(&mut write, now).await?;
    write.commit().await?;
    Ok(Json(receipt))
}

/// # Errors
/// 400 for what is no JSON; 422 naming every event that is not a sighting.
fn read(body: &[u8]) -> Result<Vec<Seen>, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Problem::no_json())?;
    let events: Vec<SightingEvent> =
        serde_path_to_error::deserialize(value).map_err(|error| Problem::misshapen(&error))?;
    let mut problems = Vec::new();
    let mut batch = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        let times = (clock::parse(&event.data.first_seen), clock::parse(&event.data.last_seen));
        match times {
            _ if clock::parse(&event.time).is_none() => {
                problems.push(format!("[{index}].time: an RFC 3339 time in UTC, ending in Z"));
            }
            _ if [&event.source, &event.id].iter().any(|text| text.chars().any(char::is_control)) => {
                problems.push(format!("[{index}]: source and id have no control characters"));
            }
            _ if event.specversion != "1.0" => {
                problems.push(format!("[{index}].specversion: only 1.0 is known"))
            }
            _ if event.kind != SightingEvent::TYPE => {
                problems.push(format!("[{index}].type: only {} is taken", SightingEvent::TYPE));
            }
            (Some(first), Some(last)) => batch.push(Seen { event, first, last }),
            _ => problems.push(format!("[{index}].data: times are RFC 3339 in UTC, ending in Z")),
        }
    }
    if problems.is_empty() { Ok(batch) } else { Err(Problem::unprocessable(problems)) }
}

async fn apply(
    write: &mut Write,
    seen: &Seen,
    now: Timestamp,
    receipt: &mut Receipt,
) -> Result<(), sqlx::Error> {
    let noted = sqlx::query(
        "INSERT INTO sighting_receipts (source, id, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(&seen.event.source)
    .bind(&seen.event.id)
    .bind(now.as_millis() as i64)
    .execute(&mut **write)
    .await?;
    if noted.rows_affected() == 0 {
        receipt.duplicates += 1;
        return Ok(());
    }
    let applied = sqlx::query(
        "UPDATE accounts
         SET first_seen = CASE WHEN first_seen < $1 THEN first_seen ELSE $1 END,
             last_seen = CASE WHEN last_seen > $2 THEN last_seen ELSE $2 END,
             sightings = CASE WHEN sightings + $3 < $6 THEN sightings + $3 ELSE $6 END
         WHERE issuer = $4 AND subject = $5",
    )
    .bind(seen.first.as_millis() as i64)
    .bind(seen.last.as_millis() as i64)
    .bind(i64::try_from(seen.event.data.count).unwrap_or(LARGEST_COUNT).min(LARGEST_COUNT))
    .bind(&seen.event.data.issuer)
    .bind(&seen.event.data.id)
    .bind(LARGEST_COUNT)
    .execute(&mut **write)
    .await?;
    match applied.rows_affected() {
        0 => receipt.unknown += 1,
        _ => receipt.accepted += 1,
    }
    Ok(())
}

async fn clear_old_receipts(write: &mut Write, now: Timestamp) -> Result<(), sqlx::Error> {
    let oldest = now.as_millis().saturating_sub(RECEIPTS_KEPT.as_millis() as u64) as i64;
    sqlx::query(
        "DELETE FROM sighting_receipts WHERE (source, id) IN
           (SELECT source, id FROM sighting_receipts WHERE received_at < $1 LIMIT $2)",
    )
    .bind(oldest)
    .bind(CLEARED_AT_ONCE)
    .execute(&mut **write)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstsight::wire::Sighting;

    fn seen(event: &str, at: Timestamp) -> Seen {
        let time = at.rfc3339();
        let data = Sighting {
            issuer: "https://idp.example.com".into(),
            id: "jane".into(),
            account: None,
            first_seen: time.clone(),
            last_seen: time,
            count: 1,
        };
        let event = SightingEvent::new(event.into(), "edge-1", String::new(), at, data);
        Seen { event, first: at, last: at }
    }

    #[tokio::test]
    async fn receipts_are_kept_for_a_week_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.db");
        let store = Store::open(&format!("sqlite:{}", path.display())).await.unwrap();
        let start = Timestamp::from_secs(1_795_458_540);
        let mut write = store.write().await.unwrap();
        let mut duplicates = Vec::new();
        for now in [start, start.after(RECEIPTS_KEPT), start.after(RECEIPTS_KEPT + Duration::from_secs(1))] {
            clear_old_receipts(&mut write, now).await.unwrap();
            let mut receipt = Receipt::default();
            apply(&mut write, &seen("1", start), now, &mut receipt).await.unwrap();
            duplicates.push(receipt.duplicates);
        }
        assert_eq!(duplicates, [0, 1, 0]);
    }
}
