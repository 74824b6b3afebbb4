//! `POST /v1/sightings`: a gateway tells whom it served. Idempotent by (source, id); the latest time is kept, whatever
//! order batches come in.

use super::dormancy;
use super::lifecycle::Cause;
use super::problem::Problem;
use super::store::{Store, Write};
use super::{Directory, body};
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
use sqlx::{AssertSqlSafe, Row};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The largest batch, in bytes.
const LIMIT: usize = 8 * 1024 * 1024;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/sightings", post(take).layer(DefaultBodyLimit::max(LIMIT)))
}

/// How long it is remembered that an event was applied: far longer than a gateway keeps one.
const RECEIPTS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Events that one statement applies: most of what a statement costs it costs once, and SQLite looks for each of its
/// parameters among all of them.
const AT_ONCE: usize = 50;
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

/// What events say of one subject, together.
struct Span {
    events: u64,
    first: Timestamp,
    last: Timestamp,
    count: i64,
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
    for events in batch.chunks(AT_ONCE) {
        apply(&mut write, events, now, &mut receipt).await?;
    }
    clear_old_receipts(&mut write, now).await?;
    write.commit().await?;
    Ok(Json(receipt))
}

/// # Errors
/// 400 for what is no JSON; 422 naming every event that is not a sighting.
fn read(bytes: &[u8]) -> Result<Vec<Seen>, Problem> {
    let events: Vec<SightingEvent> = body::read(bytes)?;
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

/// Applies events, all of them by two statements.
async fn apply(
    write: &mut Write,
    events: &[Seen],
    now: Timestamp,
    receipt: &mut Receipt,
) -> Result<(), sqlx::Error> {
    let fresh = note(write, events, now).await?;
    receipt.duplicates += (events.len() - fresh.len()) as u64;
    let mut spans: HashMap<(&str, &str), Span> = HashMap::new();
    for seen in fresh {
        let subject = (seen.event.data.issuer.as_str(), seen.event.data.id.as_str());
        spans.entry(subject).and_modify(|span| span.add(&Span::of(seen))).or_insert_with(|| Span::of(seen));
    }
    if spans.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "WITH seen (at_issuer, sub, earliest, latest, times) AS (VALUES {})
         UPDATE accounts
         SET first_seen = CASE WHEN first_seen < earliest THEN first_seen ELSE earliest END,
             last_seen = CASE WHEN last_seen > latest THEN last_seen ELSE latest END,
             sightings = CASE WHEN sightings + times < $1 THEN sightings + times ELSE $1 END
         FROM seen WHERE issuer = at_issuer AND subject = sub
         RETURNING issuer, subject,
           CASE WHEN dormancy IN ('review', 'warned', 'disabled') THEN id END AS asleep",
        rows(spans.len(), 5, 2),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(LARGEST_COUNT);
    for ((issuer, id), span) in &spans {
        query = query.bind(*issuer).bind(*id);
        query = query.bind(span.first.as_millis() as i64).bind(span.last.as_millis() as i64).bind(span.count);
    }
    let applied = query.fetch_all(&mut **write).await?;
    for row in &applied {
        let span = spans.remove(&(row.try_get("issuer")?, row.try_get("subject")?));
        receipt.accepted += span.map_or(0, |span| span.events);
        if let Some(id) = row.try_get::<Option<String>, _>("asleep")? {
            dormancy::wake(write, &id, Cause::Sighting, None).await?;
        }
    }
    receipt.unknown += spans.values().map(|span| span.events).sum::<u64>();
    Ok(())
}

/// Notes that these events are applied; returns those that were not before.
async fn note<'a>(
    write: &mut Write,
    events: &'a [Seen],
    now: Timestamp,
) -> Result<Vec<&'a Seen>, sqlx::Error> {
    let sql = format!(
        "INSERT INTO sighting_receipts (source, id, received_at) VALUES {} ON CONFLICT DO NOTHING RETURNING source, id",
        rows(events.len(), 3, 1),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for Seen { event, .. } in events {
        query = query.bind(&event.source).bind(&event.id).bind(now.as_millis() as i64);
    }
    let noted = query.fetch_all(&mut **write).await?;
    let noted = noted.iter().map(|row| Ok((row.try_get("source")?, row.try_get("id")?)));
    let mut noted = noted.collect::<Result<HashSet<(String, String)>, sqlx::Error>>()?;
    // One that is twice among them is applied once.
    let mut is_fresh = |event: &SightingEvent| noted.remove(&(event.source.clone(), event.id.clone()));
    Ok(events.iter().filter(|seen| is_fresh(&seen.event)).collect())
}

/// What stands behind `VALUES` for so many rows, with parameters from `first` on.
fn rows(count: usize, columns: usize, first: usize) -> String {
    let row = |number: usize| {
        let numbers = (0..columns).map(|column| format!("${}", first + number * columns + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
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

impl Span {
    fn of(seen: &Seen) -> Self {
        let count = i64::try_from(seen.event.data.count).unwrap_or(LARGEST_COUNT).min(LARGEST_COUNT);
        Self { events: 1, first: seen.first, last: seen.last, count }
    }

    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = (self.count + other.count).min(LARGEST_COUNT);
    }
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
            apply(&mut write, &[seen("1", start)], now, &mut receipt).await.unwrap();
            duplicates.push(receipt.duplicates);
        }
        assert_eq!(duplicates, [0, 1, 0]);
    }
}
