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
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "accounts", include_str!("../../migrations/0001_accounts.sql")),
    (2, "attributes issued at", include_str!("../../migrations/0002_attributes_issued_at.sql")),
];

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
        let updated = migrator(MIGRATIONS).run(&writer).await;
        updated.map_err(|error| format!("cannot bring {url} up to date: {error}"))?;
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

fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*description).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    #[tokio::test]
    async fn a_database_of_the_first_schema_is_brought_up_to_date_and_keeps_its_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("accounts.db").display());
        let options = url.parse::<SqliteConnectOptions>().unwrap().create_if_missing(true);
        let earlier = SqlitePool::connect_with(options).await.unwrap();
        migrator(&MIGRATIONS[..1]).run(&earlier).await.unwrap();
        let account =
            "INSERT INTO accounts VALUES ('1', 'i', 's', 'k', 'person', '{}', 'm', 'g', 1, 1, 2, 3, 4)";
        sqlx::query(account).execute(&earlier).await.unwrap();
        earlier.close().await;

        let store = Store::open(&url).await.unwrap();
        let kept = sqlx::query("SELECT * FROM accounts").fetch_one(store.pool()).await.unwrap();
        assert_eq!(kept.get::<i64, _>("last_seen"), 3);
        assert_eq!(kept.get::<Option<i64>, _>("attributes_issued_at"), None);
    }
}
