//! The database: one SQLite file, brought to the current schema when it is opened.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqlSafeStr, Sqlite, Transaction};
use std::error::Error;
use std::time::Duration;

/// The open database; clones are the same one. SQLite has one writer at a time and lets the others poll for their turn;
/// a pool of one connection lets them queue instead, so that none is overtaken until its gateway gives up.
#[derive(Clone)]
pub(super) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
}

/// Every change of the schema there ever was, in order; none is changed once it is released.
const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "accounts", include_str!("../../migrations/0001_accounts.sql"))];

impl Store {
    /// Opens (and makes) the database named by `url`, e.g. `sqlite:firstsight.db`.
    ///
    /// # Errors
    /// If it cannot be opened, or its schema is not ours.
    pub(super) async fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let options = url
            .parse::<SqliteConnectOptions>()
            .map_err(|error| format!("`{url}` names no database such as sqlite:firstsight.db: {error}"))?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered is on the disk, even if the machine loses power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections);
        let opened = pool(1).connect_with(options.clone()).await;
        let writer = opened.map_err(|error| format!("cannot open {url}: {error}"))?;
        let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
            Migration::new(*version, (*description).into(), MigrationType::Simple, sql.into_sql_str(), false)
        };
        let migrator = Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect());
        migrator.run(&writer).await.map_err(|error| format!("cannot bring {url} up to date: {error}"))?;
        Ok(Self { readers: pool(8).connect_lazy_with(options), writer })
    }

    /// For reading.
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.readers
    }

    /// For writing. The lock is taken at once: one taken between a read and a write may be refused.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Finishes what is under way and closes the file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
