//! The chain of records in the database: how it grows, how it is read, and whether it is whole.

use super::record::{BEGINNING, Entry, Record, TokenNote};
use crate::directory::store::Write;
use firstsight::domain::Timestamp;
use sqlx::any::AnyExecutor;
use sqlx::{AnyConnection, Row};

/// How many records are read at once.
const PAGE: i64 = 1000;

/// What an examination of the chain found.
pub(super) struct Findings {
    /// How many records there are.
    pub(super) records: u64,
    /// The last record's sequence and hash.
    pub(super) head: (i64, String),
    /// What is wrong, in the order of the records; nothing if the chain is whole.
    pub(super) problems: Vec<String>,
}

/// Adds a record, as part of a change; returns its sequence.
pub(in crate::directory) async fn append(write: &mut Write, entry: &Entry<'_>) -> Result<i64, sqlx::Error> {
    let head = head(write).await?;
    add(write, entry.at, Record::new(entry, head)).await
}

/// Adds a record of what `actor` did to a token, likewise.
pub(in crate::directory) async fn append_about_token(
    write: &mut Write,
    at: Timestamp,
    event: &str,
    actor: &str,
    token: &TokenNote,
) -> Result<i64, sqlx::Error> {
    let head = head(write).await?;
    add(write, at, Record::about_token((at, event, actor), token, head)).await
}

async fn head(write: &mut Write) -> Result<(i64, String), sqlx::Error> {
    let head = sqlx::query("SELECT sequence, hash FROM audit_head").fetch_one(&mut **write).await?;
    Ok((head.try_get("sequence")?, head.try_get("hash")?))
}

async fn add(write: &mut Write, at: Timestamp, record: Record) -> Result<i64, sqlx::Error> {
    let token = record.token.as_ref().map(serde_json::to_string).transpose();
    sqlx::query(
        "INSERT INTO audit
           (sequence, at, account, subject_key, event, cause, actor, gateway, mapping, attributes, reason, previous, hash,
            token)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(record.sequence)
    .bind(at.as_millis() as i64)
    .bind(&record.account)
    .bind(&record.subject_key)
    .bind(&record.event)
    .bind(&record.cause)
    .bind(&record.actor)
    .bind(&record.gateway)
    .bind(&record.mapping)
    .bind(serde_json::Value::from(record.attributes.clone()).to_string())
    .bind(&record.reason)
    .bind(&record.previous)
    .bind(&record.hash)
    .bind(token.map_err(|error| sqlx::Error::Encode(error.into()))?)
    .execute(&mut **write)
    .await?;
    let head = sqlx::query("UPDATE audit_head SET sequence = $1, hash = $2");
    head.bind(record.sequence).bind(&record.hash).execute(&mut **write).await?;
    Ok(record.sequence)
}

/// The records after a sequence, in order; only those about one subject, if its key is given.
pub(in crate::directory) async fn records(
    database: impl AnyExecutor<'_>,
    subject_key: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<Record>, sqlx::Error> {
    let query = match subject_key {
        None => sqlx::query("SELECT * FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2"),
        Some(_) => sqlx::query(
            "SELECT * FROM audit WHERE subject_key = $3 AND sequence > $1 ORDER BY sequence LIMIT $2",
        ),
    };
    let mut query = query.bind(after).bind(limit);
    if let Some(key) = subject_key {
        query = query.bind(key);
    }
    query.fetch_all(database).await?.iter().map(Record::read).collect()
}

/// The first records about one account, in order: also those of before it had a subject.
pub(in crate::directory) async fn story(
    database: impl AnyExecutor<'_>,
    account: &str,
    limit: i64,
) -> Result<Vec<Record>, sqlx::Error> {
    let query = sqlx::query("SELECT * FROM audit WHERE account = $1 ORDER BY sequence LIMIT $2");
    query.bind(account).bind(limit).fetch_all(database).await?.iter().map(Record::read).collect()
}

/// Gives each record to `take`, in order.
pub(super) async fn walk(
    snapshot: &mut AnyConnection,
    mut take: impl FnMut(&Record) -> std::io::Result<()>,
) -> Result<(), sqlx::Error> {
    let mut after = i64::MIN;
    loop {
        let page = records(&mut *snapshot, None, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.sequence;
        for record in &page {
            take(record)?;
        }
    }
}

/// Looks at every record: whether it says what its hash was made of, and follows the one before it; and whether the last
/// is the last that was written, and a hash that was `noted` earlier is among them.
pub(super) async fn examine(
    snapshot: &mut AnyConnection,
    noted: Option<&str>,
) -> Result<Findings, sqlx::Error> {
    let mut found = Findings { records: 0, head: (0, BEGINNING.to_owned()), problems: Vec::new() };
    let mut seen = noted.is_none_or(|noted| noted == BEGINNING);
    walk(snapshot, |record| {
        let (sequence, previous) = &found.head;
        if record.sequence != sequence + 1 {
            found.problems.push(format!("after record {sequence} comes record {}", record.sequence));
        } else if record.previous != *previous {
            found.problems.push(format!("record {} does not follow the one before it", record.sequence));
        }
        if record.digest() != record.hash {
            found.problems.push(format!("record {} is not as it was written", record.sequence));
        }
        seen |= noted == Some(&record.hash);
        found.records += 1;
        found.head = (record.sequence, record.hash.clone());
        Ok(())
    })
    .await?;
    let heads = sqlx::query("SELECT sequence, hash FROM audit_head").fetch_all(snapshot).await?;
    let heads: Result<Vec<(i64, String)>, sqlx::Error> =
        heads.iter().map(|row| Ok((row.try_get("sequence")?, row.try_get("hash")?))).collect();
    if heads? != [found.head.clone()] {
        found.problems.push(format!("record {} is not the last that was written", found.head.0));
    }
    if !seen {
        found.problems.push("no record has the hash that was noted".to_owned());
    }
    Ok(found)
}
