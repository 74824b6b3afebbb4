//! The audit: what became of every account, in a chain of records in which nothing can be changed, removed or moved
//! without being found. It names attributes, and never holds their values.

mod chain;
mod record;

use super::Directory;
use super::problem::Problem;
use super::store::Store;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
pub(super) use chain::{append, records};
pub(super) use record::{Entry, Record};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io::Write as _;

/// The most records on one page.
pub(super) const LARGEST_PAGE: i64 = 1000;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/audit", get(list))
}

/// What can be done with the audit of a database.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Find out whether any record was changed, removed or moved; says how long the chain is, and its last hash.
    Verify {
        #[command(flatten)]
        database: Database,
        /// A hash that was noted earlier, elsewhere: it must be in the chain. Finds a chain that was made anew.
        #[arg(long, value_name = "HASH")]
        noted: Option<String>,
    },
    /// Write every record as a line of JSON. A record's hash is the SHA-256 of its line without `,"hash":"…"`.
    Export {
        #[command(flatten)]
        database: Database,
    },
}

/// Which database.
#[derive(clap::Args)]
pub(crate) struct Database {
    /// Where the accounts are kept.
    #[arg(long, env = "FIRSTSIGHT_DATABASE", default_value = "sqlite:firstsight.db")]
    database: String,
}

/// Which records are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only those about the subject with this key.
    subject: Option<String>,
    /// Only those after this sequence.
    after: Option<i64>,
    /// How many at the most.
    limit: Option<i64>,
}

/// One page of records.
#[derive(Serialize)]
struct Page {
    records: Vec<Record>,
    /// The `after` of the next page; null on the last one.
    next: Option<i64>,
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    match command {
        Command::Verify { database, noted } => {
            let store = Store::look_into(&database.database).await?;
            let found = chain::examine(&mut *store.snapshot().await?, noted.as_deref()).await?;
            store.close().await;
            let (_, head) = &found.head;
            if found.problems.is_empty() {
                return Ok(writeln!(
                    out,
                    "{} records, nothing is wrong; the last hash is {head}",
                    found.records
                )?);
            }
            for problem in &found.problems {
                writeln!(out, "{problem}")?;
            }
            Err(format!("the audit is not whole: {} problem(s)", found.problems.len()).into())
        }
        Command::Export { database } => {
            let store = Store::look_into(&database.database).await?;
            chain::walk(&mut *store.snapshot().await?, |record| writeln!(out, "{}", record.line())).await?;
            store.close().await;
            Ok(())
        }
    }
}

/// Records in the order in which they were written, page by page.
async fn list(
    State(store): State<Store>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(which) = which.map_err(|_| Problem::query("subject, after and limit are known"))?;
    let limit = which.limit.unwrap_or(100);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::query("limit is 1 to 1000"));
    }
    let subject = which.subject.as_deref();
    let mut records = records(store.pool(), subject, which.after.unwrap_or(0), limit + 1).await?;
    let more_follow = records.len() as i64 > limit;
    records.truncate(limit as usize);
    let next = records.last().map(|record| record.sequence).filter(|_| more_follow);
    Ok(Json(Page { records, next }))
}
