//! A server that somebody else wrote, in a process of its own. It says in its first line where it listens.

use crate::client;
use crate::support::message::Request;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
}

impl Service {
    /// Starts it, and returns when it listens. What it logs is shown if the test fails.
    pub(crate) fn start(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let log = child.stderr.take().expect("its log is piped");
        thread::spawn(move || BufReader::new(log).lines().map_while(Result::ok).for_each(show));
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("its output is text");
        let port = line.rsplit_once(':').map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()));
        let port = port.and_then(|mut rest| rest.next()?.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{command:?} says `{line}` instead of where it listens"));
        Self { child, port }
    }

    /// Asks it to stop, as an operator does, and returns when it has.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("there is a `kill`");
        assert!(asked.success());
        let ended = self.child.wait().expect("a child can be waited for");
        assert!(ended.success(), "it ended with {ended}");
    }

    /// Sends a request and reads the JSON of its answer.
    pub(crate) fn ask(&self, request: &Request) -> (u16, Value) {
        let answer = client::receive(client::send(self.port, request)).expect("it answers");
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_macros, reason = "the test harness shows what a failed test wrote")]
fn show(line: String) {
    eprintln!("{line}");
}

/// What an environment variable names, or else the usual name for it.
pub(crate) fn named(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}
