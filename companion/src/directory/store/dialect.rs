//! In what SQLite and PostgreSQL differ: how a connection is set up, how a writer takes its turn, and how processes hear of
//! each other's departures.

use crate::directory::bell::Bell;
use sqlx::any::AnyConnectOptions;
use sqlx::postgres::PgListener;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyConnection, ConnectOptions, Transaction};
use std::error::Error;
use std::time::Duration;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// PostgreSQL's name for the lock that writers of one database queue for.
const LOCK: i64 = 0x6669_7273_7473_6967;

/// PostgreSQL's channel on which processes tell each other that there is a departure.
const CHANNEL: &str = "firstsight_departures";

/// What a URL names; a file of SQLite is made if it is not there and `make` says so.
///
/// # Errors
/// If it names neither.
pub(super) fn read(url: &str, make: bool) -> Result<(Dialect, AnyConnectOptions), Box<dyn Error>> {
    sqlx::any::install_default_drivers();
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        // What is wrong is told without the URL, which may hold a password.
        let options = url.parse().map_err(|_| "the database's URL is not like postgres://user@host/name")?;
        return Ok((Dialect::Postgres, options));
    }
    let options = url
        .parse::<SqliteConnectOptions>()
        .map_err(|error| format!("`{url}` names no database such as sqlite:firstsight.db: {error}"))?;
    let url = options.create_if_missing(make).to_url_lossy();
    Ok((Dialect::Sqlite, AnyConnectOptions::from_url(&url)?))
}

impl Dialect {
    /// Sets up a new connection.
    pub(super) async fn settle(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let statements = match self {
            // What was answered is on the disk, even if the machine loses power.
            // A batch of sightings touches as many pages as there are people in it, all over the file: the cache (in KiB)
            // has room for those of several, and so has the log (in pages) before it is carried over into the file.
            Self::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
                 PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8000"
            }
            // A process that hangs while it holds the lock loses it; one that waits for it too long gives up.
            Self::Postgres => "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '10s'",
        };
        sqlx::raw_sql(statements).execute(connection).await.map(drop)
    }

    /// How a transaction that writes begins.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// How a transaction begins that sees the database as it is at its first look.
    pub(super) const fn snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Waits for the writer's turn; SQLite did at the beginning.
    pub(super) async fn lock(self, transaction: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
        if self == Self::Postgres {
            let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
            lock.execute(&mut **transaction).await?;
        }
        Ok(())
    }

    /// Tells other processes, once the transaction is committed, that it holds a departure.
    pub(super) async fn tell(self, transaction: &mut Transaction<'static, Any>) -> Result<(), sqlx::Error> {
        if self == Self::Postgres {
            let told = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL);
            told.execute(&mut **transaction).await?;
        }
        Ok(())
    }
}

/// Rings whenever a process told of a departure, for ever; also whenever that may have been missed.
pub(super) async fn listen(url: String, bell: Bell) {
    loop {
        if let Err(error) = hear(&url, &bell).await {
            tracing::warn!("departures that other processes write come late for now: {error}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        bell.ring();
    }
}

async fn hear(url: &str, bell: &Bell) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // `None` says that the connection was lost, and is there again.
        listener.try_recv().await?;
        bell.ring();
    }
}
