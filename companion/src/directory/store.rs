//! The database, SQLite or PostgreSQL, brought to the current schema when it is opened. Every query is written once, for
//! both: with `$1`, with types that both have, and without a function that only one has.

mod dialect;
mod schema;

use dialect::Dialect;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Transaction};
use std::error::Error;

/// The open database; clones are the same one.
///
/// There is one writer at a time, and none is overtaken until its gateway gives up: within a process they queue for a
/// pool of one connection, and processes that share a database queue for its lock.
#[derive(Clone)]
pub(super) struct Store {
    readers: AnyPool,
    writer: AnyPool,
    dialect: Dialect,
}

impl Store {
    /// Opens the database named by `url`, e.g. `sqlite:firstsight.db` (which is made if it is not there) or
    /// `postgres://user:password@host/database`.
    ///
    /// # Errors
    /// If it cannot be opened, or its schema is not ours.
    pub(super) async fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let (dialect, options) = dialect::read(url)?;
        let name = name(url);
        let pool = |connections| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .after_connect(move |connection, _| Box::pin(dialect.settle(connection)))
        };
        let opened = pool(1).connect_with(options.clone()).await;
        let writer = opened.map_err(|error| format!("cannot open {name}: {error}"))?;
        let updated = schema::migrator(dialect).run(&writer).await;
        updated.map_err(|error| format!("cannot bring {name} up to date: {error}"))?;
        Ok(Self { readers: pool(8).connect_lazy_with(options), writer, dialect })
    }

    /// For reading.
    pub(super) fn pool(&self) -> &AnyPool {
        &self.readers
    }

    /// For writing. The lock is taken at once: one taken between a read and a write may be refused.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let mut transaction = self.writer.begin_with(self.dialect.begin()).await?;
        self.dialect.lock(&mut transaction).await?;
        Ok(transaction)
    }

    /// Finishes what is under way and closes the database.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The database's name without what may be secret in it; a file's is as it was given.
fn name(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let place = rest.split('?').next().unwrap_or_default();
    match place.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => format!("{scheme}://{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    #[tokio::test]
    async fn a_database_of_the_first_schema_is_brought_up_to_date_and_keeps_its_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("accounts.db").display());
        let (dialect, options) = dialect::read(&url).unwrap();
        let earlier = AnyPool::connect_with(options).await.unwrap();
        let mut first = schema::migrator(dialect);
        first.migrations.to_mut().truncate(1);
        first.run(&earlier).await.unwrap();
        let account =
            "INSERT INTO accounts VALUES ('1', 'i', 's', 'k', 'person', '{}', 'm', 'g', 1, 1, 2, 3, 4)";
        sqlx::query(account).execute(&earlier).await.unwrap();
        earlier.close().await;

        let store = Store::open(&url).await.unwrap();
        let kept = sqlx::query("SELECT * FROM accounts").fetch_one(store.pool()).await.unwrap();
        assert_eq!(kept.get::<i64, _>("last_seen"), 3);
        assert_eq!(kept.get::<Option<i64>, _>("attributes_issued_at"), None);
    }

    #[test]
    fn a_databases_name_has_no_password_in_it() {
        let url = "postgres://jane:secret@db/accounts?password=secret";
        assert_eq!(name(url), "postgres://jane@db/accounts");
        assert_eq!(name("sqlite:accounts.db"), "sqlite:accounts.db");
    }
}
