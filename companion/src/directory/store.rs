//! The database, SQLite or PostgreSQL, brought to the current schema when it is opened. Every query is written once, for
//! both: with `$1`, with types that both have, and without a function that only one has.

mod dialect;
mod schema;

use super::bell::Bell;
use dialect::Dialect;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use std::error::Error;
use std::ops::{Deref, DerefMut};
use tokio::task::AbortHandle;

/// Which database.
#[derive(clap::Args)]
pub(crate) struct Database {
    /// Where the accounts are kept: sqlite:FILE, made if it is not there, or postgres://USER:PASSWORD@HOST/DATABASE, which
    /// several processes can share.
    #[arg(long, env = "FIRSTSIGHT_DATABASE", default_value = "sqlite:firstsight.db")]
    database: String,
}

impl Database {
    pub(super) const fn of(url: String) -> Self {
        Self { database: url }
    }

    pub(super) fn url(&self) -> &str {
        &self.database
    }
}

/// The open database; clones are the same one.
///
/// There is one writer at a time, and none is overtaken until its gateway gives up: within a process they queue for a
/// pool of one connection, and processes that share a database queue for its lock.
#[derive(Clone)]
pub(super) struct Store {
    readers: AnyPool,
    writer: AnyPool,
    dialect: Dialect,
    bell: Bell,
    /// Hears of departures that other processes wrote; SQLite has one process.
    listener: Option<AbortHandle>,
}

/// A change under way; it happens as a whole, or, if it is not committed, not at all.
pub(super) struct Write {
    transaction: Transaction<'static, Any>,
    dialect: Dialect,
    bell: Bell,
    departures: bool,
}

impl Store {
    /// Opens the database named by `url`, e.g. `sqlite:firstsight.db` (which is made if it is not there) or
    /// `postgres://user:password@host/database`, and brings it up to date.
    ///
    /// # Errors
    /// If it cannot be opened, or its schema is not ours.
    pub(super) async fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let mut store = Self::connect(url, true).await?;
        let updated = schema::migrator(store.dialect).run(&store.writer).await;
        updated.map_err(|error| format!("cannot bring {} up to date: {error}", name(url)))?;
        if store.dialect == Dialect::Postgres {
            let listening = tokio::spawn(dialect::listen(url.to_owned(), store.bell.clone()));
            store.listener = Some(listening.abort_handle());
        }
        Ok(store)
    }

    /// Opens a database that is there, and leaves it as it is.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) async fn look_into(url: &str) -> Result<Self, Box<dyn Error>> {
        Self::connect(url, false).await
    }

    async fn connect(url: &str, make: bool) -> Result<Self, Box<dyn Error>> {
        let (dialect, options) = dialect::read(url, make)?;
        let pool = |connections| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .after_connect(move |connection, _| Box::pin(dialect.settle(connection)))
        };
        let opened = pool(1).connect_with(options.clone()).await;
        let writer = opened.map_err(|error| format!("cannot open {}: {error}", name(url)))?;
        let readers = pool(8).connect_lazy_with(options);
        Ok(Self { readers, writer, dialect, bell: Bell::new(), listener: None })
    }

    /// For reading.
    pub(super) fn pool(&self) -> &AnyPool {
        &self.readers
    }

    /// For reading several times what is written meanwhile as if it were not.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.readers.begin_with(self.dialect.snapshot()).await
    }

    /// For writing. The lock is taken at once: one taken between a read and a write may be refused.
    pub(super) async fn write(&self) -> Result<Write, sqlx::Error> {
        let mut transaction = self.writer.begin_with(self.dialect.begin()).await?;
        self.dialect.lock(&mut transaction).await?;
        Ok(Write { transaction, dialect: self.dialect, bell: self.bell.clone(), departures: false })
    }

    /// Rings when a departure or return was committed, by any process.
    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Copies what is committed at this moment into a file that is empty.
    ///
    /// # Errors
    /// If it cannot be copied or written, or is no SQLite database.
    pub(super) async fn copy(&self, file: &str) -> Result<(), Box<dyn Error>> {
        if self.dialect == Dialect::Postgres {
            return Err("only SQLite is copied by this command; for PostgreSQL there is pg_dump".into());
        }
        sqlx::query("VACUUM INTO $1").bind(file).execute(&self.readers).await?;
        Ok(())
    }

    /// Whether it can be written to and has the schema that this program knows.
    pub(super) async fn is_ready(&self) -> Result<bool, sqlx::Error> {
        let version = sqlx::query("SELECT max(version) AS version FROM _sqlx_migrations");
        let version: i64 = version.fetch_one(&self.readers).await?.try_get("version")?;
        let mut write = self.write().await?;
        // Not committed: a database that may only be read refuses it all the same.
        sqlx::query("UPDATE audit_head SET sequence = sequence").execute(&mut *write).await?;
        Ok(version >= schema::VERSION)
    }

    /// Finishes what is under way and closes the database.
    pub(super) async fn close(&self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl Write {
    /// Says that a departure or return is part of it.
    pub(super) const fn tell_departures(&mut self) {
        self.departures = true;
    }

    /// Makes it happen, and then wakes who waits for it.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        if self.departures {
            self.dialect.tell(&mut self.transaction).await?;
        }
        self.transaction.commit().await?;
        if self.departures {
            self.bell.ring();
        }
        Ok(())
    }
}

impl Deref for Write {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
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

    #[tokio::test]
    async fn a_database_of_the_first_schema_is_brought_up_to_date_and_keeps_its_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("accounts.db").display());
        let (dialect, options) = dialect::read(&url, true).unwrap();
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
        assert_eq!((kept.get("state"), kept.get("state_since")), ("active".to_owned(), 1_i64));
        assert_eq!(kept.get::<String, _>("user_name"), "s");
        let counted = sqlx::query("SELECT accounts FROM account_counts WHERE state = 'active'");
        assert_eq!(counted.fetch_one(store.pool()).await.unwrap().get::<i64, _>("accounts"), 1);
    }

    #[test]
    fn a_databases_name_has_no_password_in_it() {
        let url = "postgres://jane:secret@db/accounts?password=secret";
        assert_eq!(name(url), "postgres://jane@db/accounts");
        assert_eq!(name("sqlite:accounts.db"), "sqlite:accounts.db");
    }
}
