//! Sockets in front of a scripted upstream: a raw HTTP/1.1 server, a thread per connection, that can do what no correct
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
    let prepared = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(GLANCE * 20)));
    let is_wanted = || !stopped.load(Ordering::Relaxed) && upstream.switch().is_on();
    if prepared.is_err() {
        return;
    }
    while let Some(heard) = hear(&mut stream, &is_wanted) {
        match act(&mut stream, upstream.hear(&heard), &is_wanted) {
            Ok(Ending::Alive) => {}
            // A client that is gone does not want its answer: nothing to do about that.
            Ok(Ending::Over) | Err(_) => return,
        }
    }
}

/// Reads a request up to its last byte, which stays in the kernel: closing a socket with unread bytes resets it.
fn hear(stream: &mut TcpStream, is_wanted: &dyn Fn() -> bool) -> Option<Heard> {
    let mut bytes = vec![];
    let mut window = vec![0; 64 * 1024];
    loop {
        let seen = match stream.peek(&mut window) {
            Ok(0) => return None,
            Ok(seen) => seen,
            Err(_) if is_wanted() => continue,
            Err(_) => return None,
        };
        let known = bytes.len();
        bytes.extend(&window[..seen]);
        let whole = head_of(&bytes).map(|(heard, head, length)| (heard, head, head + length));
        match whole {
            Some((mut heard, head, end)) if bytes.len() >= end => {
                stream.read_exact(&mut window[..end - known - 1]).ok()?;
                heard.body = bytes[head..end].to_vec();
                return is_wanted().then_some(heard);
            }
            _ => stream.read_exact(&mut window[..seen]).ok()?,
        }
    }
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

/// What becomes of the connection.
enum Ending {
    Alive,
    Over,
}

fn act(
    stream: &mut TcpStream,
    behaviour: Behaviour,
    is_wanted: &dyn Fn() -> bool,
) -> std::io::Result<Ending> {
    match behaviour {
        Behaviour::After(delay, then) => {
            thread::sleep(delay);
            return act(stream, *then, is_wanted);
        }
        Behaviour::Resets => return Ok(Ending::Over),
        _ => stream.read_exact(&mut [0])?,
    }
    match behaviour {
        Behaviour::Says(said) => {
            stream.write_all(&[head(&said), said.body].concat())?;
            return Ok(Ending::Alive);
        }
        Behaviour::BreaksOff(said) => stream.write_all(&half(&said))?,
        Behaviour::Stalls(said) => {
            stream.write_all(&half(&said))?;
            hang(stream, is_wanted);
        }
        Behaviour::Babbles(bytes) => stream.write_all(bytes)?,
        Behaviour::Hangs | Behaviour::After(..) | Behaviour::Resets => hang(stream, is_wanted),
    }
    Ok(Ending::Over)
}

fn half(said: &Said) -> Vec<u8> {
    [&head(said), &said.body[..said.body.len() / 2]].concat()
}

fn head(said: &Said) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Said\r\n", said.status).into_bytes();
    bytes.extend(format!("content-length: {}\r\n", said.body.len()).bytes());
    for (name, value) in &said.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Until the other side has had enough.
fn hang(stream: &mut TcpStream, is_wanted: &dyn Fn() -> bool) {
    while is_wanted() && !matches!(stream.read(&mut [0]), Ok(0)) {}
}
