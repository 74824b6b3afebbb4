//! The program under test: started on a free port with a database of its own, stopped like a service manager would.

use crate::database::Database;
use firstsight::domain::{Issuer, Kind, Subject, SubjectId, Timestamp};
use firstsight::wire::{Arrival, ArrivalSubject, Cause, SIGHTINGS_CONTENT_TYPE, Sighting, SightingEvent};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

pub(crate) const TOKEN: &str = "a-token-that-is-long-enough";
pub(crate) const ISSUER: &str = "https://idp.example.com";

/// A running `firstsight …`.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
}

impl Program {
    /// Starts it with these arguments and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command.stderr(Stdio::null());
        Self::run(command)
    }

    /// Runs it and waits until it says where it listens.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url =
            line.trim().strip_prefix("listening on ").expect("one line says where it listens").to_owned();
        Self { child, url }
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let signal = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(signal).status().unwrap().success());
    }

    /// What it writes to standard error, if that was asked for.
    pub(crate) fn errors(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// Ends it without a warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `firstsight` with these arguments and the usual token.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firstsight"));
    command.args(arguments).env("FIRSTSIGHT_TOKEN", TOKEN).env_remove("FIRSTSIGHT_DATABASE");
    // Whoever is asked in a test is on this machine.
    command.env("NO_PROXY", "127.0.0.1");
    command
}

pub(crate) fn client() -> Client {
    // Whoever came first has installed it.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder().no_proxy().build().unwrap()
}

/// A running directory.
pub(crate) struct Directory {
    pub(crate) program: Program,
    pub(crate) database: Database,
    client: Client,
}

impl Directory {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts it with more options than the usual ones.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::on(Database::create(), options)
    }

    /// Starts it on a database that is there.
    pub(crate) fn on(database: Database, options: &[&str]) -> Self {
        let usual = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
        let program = Program::start(&[&usual, options].concat());
        Self { program, database, client: client() }
    }

    /// Stops it and starts another on the same database.
    pub(crate) fn restart(self) -> Self {
        self.program.terminate();
        assert!(self.program.ended().success());
        Self::on(self.database, &[])
    }

    /// Where it listens, as address and port.
    pub(crate) fn address(&self) -> &str {
        self.program.url.split_once("://").unwrap().1
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.program.url)).bearer_auth(TOKEN)
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.program.url)).bearer_auth(TOKEN).body(body)
    }

    /// Reports an arrival; returns the status and the body.
    pub(crate) async fn arrival(&self, arrival: &Value) -> (u16, Value) {
        answer(self.post("/v1/arrivals", arrival.to_string())).await
    }

    /// Reports an arrival that must be taken; returns the account's id.
    pub(crate) async fn account_of(&self, sub: &str) -> String {
        let (status, body) = self.arrival(&arrival(sub, json!({}))).await;
        assert!(matches!(status, 200 | 201), "{status} {body}");
        body["account"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn sightings(&self, batch: &Value) -> (u16, Value) {
        let request = self.post("/v1/sightings", batch.to_string());
        answer(request.header("content-type", SIGHTINGS_CONTENT_TYPE)).await
    }

    pub(crate) async fn account(&self, id: &str) -> Value {
        let (status, account) = answer(self.get(&format!("/v1/accounts/{id}"))).await;
        assert_eq!(status, 200, "{account}");
        account
    }

    /// Does something to an account that must be possible; returns the account.
    pub(crate) async fn act(&self, id: &str, action: &str) -> Value {
        let (status, account) = self.try_act(id, action).await;
        assert_eq!(status, 200, "{action}: {account}");
        account
    }

    pub(crate) async fn try_act(&self, id: &str, action: &str) -> (u16, Value) {
        let body = json!({"reason": format!("to {action}")}).to_string();
        answer(self.post(&format!("/v1/accounts/{id}/{action}"), body)).await
    }

    /// The audit's records, all that are asked for by the query on one page.
    pub(crate) async fn records(&self, query: &str) -> Vec<Value> {
        let (status, page) = answer(self.get(&format!("/v1/audit{query}"))).await;
        assert_eq!(status, 200, "{page}");
        page["records"].as_array().unwrap().clone()
    }

    pub(crate) async fn page(&self, query: &str) -> Value {
        let (status, page) = answer(self.get(&format!("/v1/accounts{query}"))).await;
        assert_eq!(status, 200, "{page}");
        page
    }
}

/// Sends a request; returns the status and the JSON it was answered with.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Sends a request; returns the status of what it was answered with.
pub(crate) async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// The value of a header of a response, or nothing.
pub(crate) fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

pub(crate) fn subject(sub: &str) -> Subject {
    Subject { issuer: Issuer::parse(ISSUER).unwrap(), id: SubjectId::parse(sub).unwrap() }
}

/// The arrival a gateway sends for this `sub`.
pub(crate) fn arrival(sub: &str, attributes: Value) -> Value {
    let subject = subject(sub);
    let attributes = attributes.as_object().unwrap().clone();
    let at = Timestamp::from_secs(1_795_458_540);
    let arrival = Arrival {
        subject: ArrivalSubject::of(&subject, subject.key()),
        kind: Kind::Person,
        cause: Cause::Arrival,
        attributes,
        initial: Vec::new(),
        issued_at: None,
        mapping: "mapping-1".into(),
        sighted_at: at.rfc3339(),
        gateway: "edge-1".into(),
    };
    serde_json::to_value(arrival).unwrap()
}

/// The event a gateway sends for `count` requests of this `sub` between two seconds since the epoch.
pub(crate) fn sighting(event: &str, sub: &str, first: u64, last: u64, count: u64) -> Value {
    let data = Sighting {
        issuer: ISSUER.into(),
        id: sub.into(),
        account: None,
        first_seen: Timestamp::from_secs(first).rfc3339(),
        last_seen: Timestamp::from_secs(last).rfc3339(),
        count,
    };
    let key = subject(sub).key().to_string();
    let event = SightingEvent::new(event.into(), "edge-1", key, Timestamp::from_secs(last), data);
    serde_json::to_value(event).unwrap()
}
