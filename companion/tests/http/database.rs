//! A database for one test: a file of SQLite, or, where `scripts/postgres.sh` runs the tests, a database in that server.

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// An empty database; clones are the same one.
#[derive(Clone)]
pub(crate) struct Database {
    url: String,
    _folder: Arc<TempDir>,
}

impl Database {
    pub(crate) fn create() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let url = match std::env::var("FIRSTSIGHT_POSTGRES") {
            Ok(server) => {
                static CREATED: AtomicU64 = AtomicU64::new(0);
                let name = format!("test_{}", CREATED.fetch_add(1, Ordering::Relaxed));
                execute(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}"));
                // Without the asking for TLS that is usual, which every connection would pay for.
                format!("{server}/{name}?sslmode=disable")
            }
            Err(_) => format!("sqlite:{}", folder.path().join("accounts.db").display()),
        };
        Self { url, _folder: folder }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether several processes can share it.
    pub(crate) fn can_be_shared(&self) -> bool {
        self.url.starts_with("postgres:")
    }

    /// Does something to it behind the directory's back.
    pub(crate) fn execute(&self, statement: &str) {
        execute(&self.url, statement);
    }
}

/// Waits on a thread of its own: whoever calls may be in the middle of a test that waits for something itself.
fn execute(url: &str, statement: &str) {
    wait(async {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

fn wait(work: impl Future<Output = ()> + Send) {
    install_default_drivers();
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(work)).join().unwrap();
    });
}
