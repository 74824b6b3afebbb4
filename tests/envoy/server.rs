//! Sockets in front of a scripted upstream: a raw HTTP/1.1 server, one connection per request, that can do what no correct
//! server does: reset, hang, break off, stall, babble.

use crate::support::behaviour::{Behaviour, Heard, Said, Upstream};
use crate::support::switch::Switch;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often sockets look up from what they wait for.
const GLANCE: Duration = Duration::from_millis(1);

/// A server; it stops when this is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn of(upstream: Arc<dyn Upstream>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        thread::spawn(move || serve(listener, address, &upstream, &flag));
        Self { port: address.port(), stopped }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn serve(first: TcpListener, address: SocketAddr, upstream: &Arc<dyn Upstream>, stopped: &Arc<AtomicBool>) {
    let mut listener = upstream.switch().is_on().then_some(first);
    while !stopped.load(Ordering::Relaxed) {
        if upstream.switch().is_on() != listener.is_some() {
            listener = upstream.switch().is_on().then(|| reopen(address));
        }
        follow(upstream.switch(), listener.is_some());
        let accepted = listener.as_ref().and_then(|listener| {
            listener.set_nonblocking(true).expect("a socket can be polled");
            listener.accept().ok()
        });
        match accepted {
            Some((stream, _)) => {
                let (upstream, stopped) = (upstream.clone(), stopped.clone());
                thread::spawn(move || converse(stream, upstream.as_ref(), &stopped));
            }
            None => thread::sleep(GLANCE),
        }
    }
}

/// The port was ours a moment ago; the kernel may need another one.
fn reopen(address: SocketAddr) -> TcpListener {
    let start = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(5), "{address} is gone: {error}"),
        }
        thread::sleep(GLANCE);
    }
}

/// Tells whoever turned the switch that the socket is as it should be.
fn follow(switch: &Switch, open: bool) {
    switch.state.lock().unwrap_or_else(PoisonError::into_inner).open = Some(open);
    switch.changed.notify_all();
}

fn converse(mut stream: TcpStream, upstream: &dyn Upstream, stopped: &AtomicBool) {
    let prepared = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(GLANCE * 50)));
    if prepared.is_err() {
        return;
    }
    let Some((heard, last)) = hear(&mut stream, stopped) else { return };
    // A client that is gone does not want its answer: nothing to do about that.
    let _ = act(&mut stream, upstream.hear(&heard), last, stopped);
}

/// Reads a request up to its last byte, which stays in the kernel: closing a socket with unread bytes resets it. Returns
/// how many bytes are left.
fn hear(stream: &mut TcpStream, stopped: &AtomicBool) -> Option<(Heard, usize)> {
    let mut window = vec![0; 64 * 1024];
    let (mut heard, head, length) = loop {
        let seen = match stream.peek(&mut window) {
            Ok(0) => return None,
            Ok(seen) => seen,
            Err(_) if stopped.load(Ordering::Relaxed) => return None,
            Err(_) => continue,
        };
        match head_of(&window[..seen]) {
            Some(read) => break read,
            None => thread::sleep(GLANCE),
        }
    };
    let mut bytes = vec![0; head + length - 1];
    let mut filled = 0;
    while filled < bytes.len() {
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => return None,
            Ok(read) => filled += read,
            Err(_) if stopped.load(Ordering::Relaxed) => return None,
            Err(_) => {}
        }
    }
    if length > 0 {
        let mut last = [0];
        while !matches!(stream.peek(&mut last), Ok(1)) {
            if stopped.load(Ordering::Relaxed) {
                return None;
            }
        }
        heard.body = bytes[head..].to_vec();
        heard.body.extend(last);
    }
    Some((heard, 1))
}

/// The request in these bytes, without its body; the length of its head, and that of its body.
fn head_of(bytes: &[u8]) -> Option<(Heard, usize, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 256];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else { return None };
    let lower = |header: &httparse::Header<'_>| (header.name.to_ascii_lowercase(), header.value.to_vec());
    let heard = Heard {
        method: request.method.unwrap_or_default().to_owned(),
        path: request.path.unwrap_or_default().to_owned(),
        headers: request.headers.iter().map(lower).collect(),
        body: vec![],
    };
    let length = heard.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    Some((heard, head, length))
}

fn act(
    stream: &mut TcpStream,
    behaviour: Behaviour,
    unread: usize,
    stopped: &AtomicBool,
) -> std::io::Result<()> {
    match behaviour {
        Behaviour::After(delay, then) => {
            thread::sleep(delay);
            return act(stream, *then, unread, stopped);
        }
        Behaviour::Resets => return Ok(()),
        _ => stream.read_exact(&mut vec![0; unread])?,
    }
    match behaviour {
        Behaviour::Says(said) => {
            stream.write_all(&head(&said))?;
            stream.write_all(&said.body)
        }
        Behaviour::BreaksOff(said) => {
            stream.write_all(&head(&said))?;
            stream.write_all(&said.body[..said.body.len() / 2])
        }
        Behaviour::Stalls(said) => {
            stream.write_all(&head(&said))?;
            stream.write_all(&said.body[..said.body.len() / 2])?;
            hang(stream, stopped);
            Ok(())
        }
        Behaviour::Babbles(bytes) => stream.write_all(bytes),
        Behaviour::Hangs | Behaviour::After(..) | Behaviour::Resets => {
            hang(stream, stopped);
            Ok(())
        }
    }
}

fn head(said: &Said) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Said\r\nconnection: close\r\n", said.status).into_bytes();
    bytes.extend(format!("content-length: {}\r\n", said.body.len()).bytes());
    for (name, value) in &said.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Until the other side has had enough.
fn hang(stream: &mut TcpStream, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Relaxed) && !matches!(stream.read(&mut [0]), Ok(0)) {}
}
