//! What Envoy makes of requests, of the filter's answers, and of what upstreams do.

use crate::support::behaviour::{Behaviour, Said};
use crate::support::message::{Answer, Request};
use firstsight::domain::{Failure, Reply, Response};
use http::{HeaderName, HeaderValue};
use std::time::Duration;

/// How long a call takes that nothing slows down.
pub(crate) const LATENCY: Duration = Duration::from_millis(1);
/// What the adapter reads of a reply's body (src/envoy/host.rs).
const LARGEST_BODY: usize = 1024 * 1024;

/// How Envoy tells what an upstream did: its own 502, 503 and 504 stand for what was no answer; an answer that broke off
/// after its headers is none.
pub(crate) fn outcome(behaviour: Behaviour, timeout: Duration) -> (Duration, Reply) {
    let (delay, reply) = match behaviour {
        Behaviour::Says(Said { status, headers, body }) if body.len() <= LARGEST_BODY => {
            (LATENCY, Reply::Answer { status, headers, body })
        }
        Behaviour::Says(_) => (LATENCY, Reply::Failed(Failure::Broken)),
        Behaviour::BreaksOff(said) | Behaviour::Stalls(said) if said.body.len() < 2 => {
            panic!("half of {said:?} is no different from all of it")
        }
        Behaviour::BreaksOff(_) => (LATENCY, Reply::Failed(Failure::Broken)),
        Behaviour::Stalls(_) => return (timeout, Reply::Failed(Failure::Broken)),
        Behaviour::After(delay, then) => {
            let (rest, reply) = outcome(*then, timeout.saturating_sub(delay));
            (delay + rest, reply)
        }
        Behaviour::Hangs => (Duration::MAX, ours(504, "")),
        Behaviour::Resets => {
            (LATENCY, ours(503, "upstream connect error or disconnect/reset before headers"))
        }
        Behaviour::Babbles(b"") => panic!("saying nothing is no babble"),
        Behaviour::Babbles(_) => (LATENCY, ours(502, "upstream connect error: protocol error")),
    };
    if delay < timeout { (delay, reply) } else { (timeout, ours(504, "upstream request timeout")) }
}

/// How Envoy sends an answer of the filter's to the client that made this request: to HEAD without its body; in gRPC as
/// trailers only, the body as the message.
pub(crate) fn local_reply(response: &Response, request: &[(String, Vec<u8>)]) -> Answer {
    let name_and_value =
        |(name, value): &(HeaderName, HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    let mut headers: Vec<_> = response.headers.iter().map(name_and_value).collect();
    let is_head = value(request, ":method") == Some(b"HEAD");
    let is_grpc = value(request, "content-type")
        .is_some_and(|text| text == b"application/grpc" || text.starts_with(b"application/grpc+"));
    if !is_grpc {
        let body = if is_head { vec![] } else { response.body.clone() };
        return Answer { status: response.status, headers, body, seen: None };
    }
    headers.retain(|(name, _)| name != "content-type");
    headers.push(("content-type".to_owned(), b"application/grpc".to_vec()));
    assert!(headers.iter().any(|(name, _)| name == "grpc-status"), "a proxy would choose a code itself");
    let escaped = |byte: &u8| match byte {
        0x20..=0x24 | 0x26..=0x7e => vec![*byte],
        _ => format!("%{byte:02X}").into_bytes(),
    };
    let message = response.body.iter().flat_map(escaped).collect();
    headers.push(("grpc-message".to_owned(), message));
    Answer { status: 200, headers, body: vec![], seen: None }
}

pub(crate) fn value<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
}

pub(crate) fn ours(status: u16, text: &str) -> Reply {
    Reply::Answer { status, headers: vec![], body: text.as_bytes().to_vec() }
}

/// Envoy's view of a request: pseudo-headers, lower-case names, a repeated `authorization` or `host` folded into one.
pub(crate) fn headers_of(request: &Request) -> Vec<(String, Vec<u8>)> {
    let pseudo = [(":method", request.method), (":path", &request.path), (":authority", &request.host)];
    let mut headers: Vec<(String, Vec<u8>)> =
        pseudo.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let name = if name == "host" { ":authority".to_owned() } else { name };
        let is_one = matches!(name.as_str(), ":authority" | "authorization");
        let folded = headers.iter_mut().find(|(known, _)| is_one && *known == name);
        match folded {
            Some((_, first)) => {
                first.push(b',');
                first.extend(value);
            }
            None => headers.push((name, value.clone())),
        }
    }
    headers
}
