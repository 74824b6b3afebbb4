//! A directory with rules for dormancy. Days pass by making everything that its database holds older.

use crate::database::Database;
use crate::program::{Directory, answer, command, sighting};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// Rules for persons.
pub(crate) const RULES: &str = r#"
[dormancy.person]
review = "60d"
warn = "14d"
disable = "90d"
grace = "30d"
"#;

/// A directory with rules, whose own first sweep is over.
pub(crate) struct Dormitory {
    pub(crate) directory: Directory,
    pub(crate) config: String,
    _folder: TempDir,
}

impl Dormitory {
    pub(crate) async fn open(rules: &str) -> Self {
        Self::on(Database::create(), rules, &[]).await
    }

    pub(crate) async fn on(database: Database, rules: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("directory.toml").display().to_string();
        std::fs::write(&config, rules).unwrap();
        let directory = Directory::on(database, &[&["--config", &config], options].concat());
        let dormitory = Self { directory, config, _folder: folder };
        while rules.contains("[dormancy") && dormitory.queue("").await["last_sweep"].is_null() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dormitory.somebody_is_seen("at the beginning").await;
        dormitory
    }

    /// A gateway tells of somebody who has no account, now.
    pub(crate) async fn somebody_is_seen(&self, event: &str) {
        assert_eq!(self.directory.sightings(&json!([sighting(event, "nobody", 1, 1, 1)])).await.0, 200);
    }

    pub(crate) async fn seen_now(&self, event: &str, sub: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (_, receipt) = self.directory.sightings(&json!([sighting(event, sub, now, now, 1)])).await;
        assert_eq!(receipt["accepted"], 1);
    }

    /// So many days pass, in which nothing happens but that gateways tell of others.
    pub(crate) fn pass(&self, days: i64) {
        let earlier = ["created_at", "state_since", "active_at", "first_seen", "last_seen", "marked_at"]
            .map(|column| format!("{column} = {column} - {}", days * 24 * 60 * 60 * 1000));
        self.directory.database.execute(&format!("UPDATE accounts SET {}", earlier.join(", ")));
    }

    pub(crate) async fn sweep(&self, body: Value) -> Value {
        let (status, report) = answer(self.directory.post("/v1/dormancy/sweep", body.to_string())).await;
        assert_eq!(status, 200, "{report}");
        report
    }

    pub(crate) async fn queue(&self, query: &str) -> Value {
        let (status, queue) = answer(self.directory.get(&format!("/v1/dormancy{query}"))).await;
        assert_eq!(status, 200, "{queue}");
        queue
    }

    /// The mark of an account, and its state.
    pub(crate) async fn standing(&self, id: &str) -> (Value, Value) {
        let account = self.directory.account(id).await;
        (account["dormancy"]["mark"].clone(), account["state"].clone())
    }

    pub(crate) async fn events(&self, id: &str) -> Vec<Value> {
        let account = self.directory.account(id).await;
        account["story"].as_array().unwrap().iter().map(|record| record["event"].clone()).collect()
    }

    /// `firstsight dormancy …`, on the same database and with the same rules.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let place = ["--database", self.directory.database.url(), "--config", &self.config];
        command(&[&["dormancy"], arguments, &place].concat())
    }

    /// What it writes.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
