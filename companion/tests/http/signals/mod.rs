//! Security events: a transmitter in the test signs them, and the directory is told, over HTTP.

mod configuration;
mod events;
mod keys;
mod logout;
mod poll;
mod push;
mod transmitter;

use crate::database::Database;
use crate::program::{Directory, answer, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use transmitter::Transmitter;

/// What the transmitter calls the directory.
const AUDIENCE: &str = "https://directory.example.com";

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// A directory that listens to a transmitter.
struct World {
    directory: Directory,
    transmitter: Transmitter,
    _settings: TempDir,
}

impl World {
    async fn start() -> Self {
        Self::with("", &[]).await
    }

    /// With more in the transmitter's section, and more options.
    async fn with(section: &str, options: &[&str]) -> Self {
        let transmitter = Transmitter::start().await;
        let section = transmitter.section(section);
        Self::on(Database::create(), transmitter, &section, options)
    }

    /// Over a database that is there, with exactly these settings.
    fn on(database: Database, transmitter: Transmitter, settings: &str, options: &[&str]) -> Self {
        let (directory, folder) = start(database, settings, options);
        Self { directory, transmitter, _settings: folder }
    }

    /// Pushes a token; returns the status and the body.
    async fn push_text(&self, token: &str) -> (u16, String) {
        let url = format!("{}/v1/signals", self.directory.program.url);
        let request = crate::program::client().post(url).body(token.to_owned());
        let response = request.header("content-type", "application/secevent+jwt").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Pushes one event about a subject at the usual issuer, which must be taken.
    async fn push(&self, sub: &str, event: &str, payload: &Value) {
        let token = self.transmitter.about(sub, event, payload);
        assert_eq!(self.push_text(&token).await, (202, String::new()), "{event}");
    }

    /// Pushes a token that must be refused; returns the code.
    async fn refused(&self, token: &str) -> String {
        let (status, body) = self.push_text(token).await;
        assert_eq!(status, 400, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(!body["description"].as_str().unwrap().is_empty());
        body["err"].as_str().unwrap().to_owned()
    }

    /// Who is told of in the feed, and in which state.
    async fn told(&self) -> Vec<(String, String)> {
        let (_, page) = answer(self.directory.get("/v1/departures")).await;
        let word = |departure: &Value, member: &str| departure[member].as_str().unwrap().to_owned();
        let departures = page["departures"].as_array().unwrap().iter();
        departures.map(|departure| (word(departure, "id"), word(departure, "state"))).collect()
    }

    /// What the audit says of everybody: event, cause, actor and reason.
    async fn records(&self) -> Vec<[String; 4]> {
        let word = |record: &Value, member: &str| record[member].as_str().unwrap_or_default().to_owned();
        let records = self.directory.records("").await;
        let words = |record| ["event", "cause", "actor", "reason"].map(|member| word(record, member));
        records.iter().map(words).collect()
    }
}

fn start(database: Database, settings: &str, options: &[&str]) -> (Directory, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("directory.toml");
    std::fs::write(&file, settings).unwrap();
    let directory = Directory::on(database, &[&["--config", file.to_str().unwrap()], options].concat());
    (directory, folder)
}

fn record(event: &str, cause: &str, actor: &str, reason: &str) -> [String; 4] {
    [event, cause, actor, reason].map(str::to_owned)
}
