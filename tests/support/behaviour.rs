//! What an upstream hears, and how it behaves: well, badly, or not at all. A pure description; the fake host turns it
//! into a reply at a virtual time, the raw server into bytes on a socket.

use serde_json::Value;
use std::time::Duration;

/// A request as an upstream hears it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// A whole HTTP answer.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// How an upstream behaves when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    Says(Said),
    After(Duration, Box<Behaviour>),
    /// Takes the request and never answers.
    Hangs,
    /// The connection is reset before there was any answer.
    Resets,
    /// Headers and half of the body; then the connection is closed.
    BreaksOff(Said),
    /// Headers and half of the body; then nothing more.
    Stalls(Said),
    /// Bytes that are no HTTP.
    Babbles(&'static [u8]),
}

impl Behaviour {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
        Self::Says(Said { status, headers, body: body.to_string().into_bytes() })
    }

    pub(crate) fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Says(Said { status, headers: vec![], body: body.into() })
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }

    pub(crate) fn with_header(self, name: &str, value: &[u8]) -> Self {
        match self {
            Self::Says(mut said) => {
                said.headers.push((name.to_owned(), value.to_vec()));
                Self::Says(said)
            }
            other => panic!("only an answer has headers: {other:?}"),
        }
    }
}

/// Something behind one of the proxy's clusters.
pub(crate) trait Upstream: Send + Sync {
    /// Answers, and remembers what it was asked.
    fn hear(&self, heard: &Heard) -> Behaviour;

    /// Whether it can be connected to.
    fn switch(&self) -> &super::switch::Switch;
}
