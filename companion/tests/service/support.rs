//! The directory as a process of its own, and words to speak to it.

use firstsight::domain::{Issuer, Kind, Subject, SubjectId, Timestamp};
use firstsight::wire::{Arrival, Cause, SIGHTINGS_CONTENT_TYPE, Sighting, SightingEvent};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) const TOKEN: &str = "0123456789abcdef";
pub(crate) const ISSUER: &str = "https://idp.example.com";

/// A running process of the companion; it is killed when this is dropped.
pub(crate) struct Service {
    pub(crate) url: String,
    pub(crate) child: Child,
    client: Client,
}

pub(crate) fn companion() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firstsight"));
    command.kill_on_drop(true).env_remove("FIRSTSIGHT_TOKEN").stderr(Stdio::piped());
    command
}

impl Service {
    /// Starts the companion with these arguments, and waits until it listens.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut command = companion();
        command.args(arguments).args(["--listen", "127.0.0.1:0"]).env("FIRSTSIGHT_TOKEN", TOKEN);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let line = lines.next_line().await.expect("it can be read").expect("it says where it listens");
        let url = line.strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { url, child, client: Client::new() }
    }

    /// Starts the directory on the database in `folder`.
    pub(crate) async fn directory(folder: &Path) -> Self {
        let database = format!("sqlite:{}", folder.join("accounts.db").display());
        Self::start(&["serve", "--database", &database]).await
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.terminate();
        assert!(self.child.wait().await.expect("it ends").success());
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(TOKEN);
        request.send().await.expect("it answers")
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: String) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(TOKEN);
        request.header("content-type", content_type).body(body).send().await.expect("it answers")
    }

    pub(crate) async fn arrive(&self, arrival: &Arrival) -> (StatusCode, Value) {
        told(self.post("/v1/arrivals", "application/json", json!(arrival).to_string()).await).await
    }

    pub(crate) async fn tell(&self, events: &[SightingEvent]) -> (StatusCode, Value) {
        told(self.post("/v1/sightings", SIGHTINGS_CONTENT_TYPE, json!(events).to_string()).await).await
    }

    /// The accounts on one page.
    pub(crate) async fn accounts(&self, query: &str) -> Value {
        told(self.get(&format!("/v1/accounts{query}")).await).await.1
    }
}

pub(crate) async fn told(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.expect("it speaks JSON"))
}

pub(crate) fn arrival(id: &str, user_name: &str) -> Arrival {
    let subject = Subject {
        issuer: Issuer::parse(ISSUER).expect("a good issuer"),
        id: SubjectId::parse(id).expect("a good sub"),
    };
    let attributes = json!({"userName": user_name}).as_object().expect("an object").clone();
    let now = Timestamp::from_secs(1_795_458_540);
    Arrival::new(&subject, subject.key(), Kind::Person, Cause::Arrival, attributes, "m1", now, "edge-1")
}

pub(crate) fn event(id: &str, sub: &str, first: u64, last: u64) -> SightingEvent {
    let data = Sighting {
        issuer: ISSUER.to_owned(),
        id: sub.to_owned(),
        account: None,
        first_seen: Timestamp::from_secs(first).rfc3339(),
        last_seen: Timestamp::from_secs(last).rfc3339(),
        count: 2,
    };
    SightingEvent::new(id.to_owned(), "edge-1", "key".to_owned(), Timestamp::from_secs(last), data)
}
