//! A raw HTTP/1.1 client, one connection per request unless it is kept: it sends bytes that no library would.

use crate::support::message::{Answer, Request, Seen};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Nothing that a scenario waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request that was sent.
pub(crate) struct Sent {
    stream: TcpStream,
    /// The answer to it has a body.
    wants_body: bool,
}

impl Sent {
    /// Waits longer for the answer.
    pub(crate) fn patiently(self, patience: Duration) -> Self {
        self.stream.set_read_timeout(Some(patience)).expect("a socket has time-outs");
        self
    }
}

/// Sends a request, and leaves the connection open for the answer.
pub(crate) fn send(port: u16, request: &Request) -> Sent {
    let mut stream = connect(port);
    // A proxy that has answered already may not want the rest.
    let _ = stream.write_all(&bytes(request, "close"));
    Sent { stream, wants_body: request.method != "HEAD" }
}

/// Reads the answer; `None` if the connection ended without one.
pub(crate) fn receive(Sent { mut stream, wants_body }: Sent) -> Option<Answer> {
    // The proxy may keep the connection for a while after its answer: the answer says itself where it ends.
    read(&mut stream, wants_body)
}

/// A connection that is kept for the next request.
pub(crate) struct Kept(TcpStream);

impl Kept {
    pub(crate) fn open(port: u16) -> Self {
        Self(connect(port))
    }

    /// Sends a request and waits for its answer; `None` if the connection ended without one.
    pub(crate) fn ask(&mut self, request: &Request) -> Option<Answer> {
        self.0.write_all(&bytes(request, "keep-alive")).ok()?;
        read(&mut self.0, request.method != "HEAD")
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the proxy takes connections");
    let limits =
        stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    limits.expect("a socket has time-outs");
    stream
}

fn bytes(request: &Request, connection: &str) -> Vec<u8> {
    let mut bytes =
        format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.path, request.host).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    if !request.body.is_empty() {
        bytes.extend(format!("content-length: {}\r\n", request.body.len()).bytes());
    }
    bytes.extend(format!("connection: {connection}\r\n\r\n").bytes());
    bytes.extend(&request.body);
    bytes
}

fn read(stream: &mut TcpStream, wants_body: bool) -> Option<Answer> {
    let mut bytes = vec![];
    let mut chunk = vec![0; 64 * 1024];
    loop {
        if let Some(answer) = parse(&bytes, wants_body) {
            return Some(answer);
        }
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(read) => bytes.extend(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// The answer in these bytes, if it is whole.
fn parse(bytes: &[u8], wants_body: bool) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = response.parse(bytes) else { return None };
    let headers = owned(response.headers);
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
    let body = match length {
        _ if !wants_body || response.code == Some(204) => bytes[head..].to_vec(),
        Some(length) => bytes.get(head..head + length)?.to_vec(),
        None => dechunked(&bytes[head..])?,
    };
    let from_app = headers.iter().any(|(name, _)| name == crate::app::MARK);
    let seen = from_app.then(|| seen(&body));
    Some(Answer { status: response.code?, headers, body, seen })
}

/// The application's answer is the request that it saw.
fn seen(body: &[u8]) -> Seen {
    let mut headers = [httparse::EMPTY_HEADER; 256];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(body) {
        Ok(httparse::Status::Complete(head)) => Seen {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: owned(request.headers),
            body: body[head..].to_vec(),
        },
        other => panic!("the application's answer is cut off: {other:?}"),
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec())).collect()
}

fn dechunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = vec![];
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(bytes) else {
            return None;
        };
        let size = usize::try_from(size).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend(bytes.get(start..start + size)?);
        bytes = bytes.get(start + size + 2..)?;
    }
}
