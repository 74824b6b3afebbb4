//! Listening, saying so, and stopping without losing a request that is under way. axum's own server would wait for ever for
//! whoever is slow, so connections are served here, by what it is made of too.

mod connection;
pub(crate) mod tls;

use axum::Router;
use connection::Server;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;
use tls::Tls;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long requests under way may take once the process was asked to stop.
const PATIENCE: Duration = Duration::from_secs(8);

/// On what terms connections are taken.
#[derive(Clone)]
pub(crate) struct Terms {
    /// How many at a time; more wait to be accepted.
    pub(crate) connections: NonZeroU32,
    /// How long a client may take for the head of a request, and may idle.
    pub(crate) header_timeout: Duration,
    /// How long connections are still taken after the process was asked to stop.
    pub(crate) drain: Duration,
    /// HTTP without it.
    pub(crate) tls: Option<Tls>,
}

impl Default for Terms {
    fn default() -> Self {
        let connections = NonZeroU32::MIN.saturating_add(4095);
        Self { connections, header_timeout: Duration::from_secs(60), drain: Duration::ZERO, tls: None }
    }
}

/// How far the process is in stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It was asked to stop, and takes connections for a while yet.
    Draining,
    /// It takes no connection any more, and finishes the requests under way.
    Finishing,
}

/// Opens the port; port 0 is any that is free.
///
/// # Errors
/// What is wrong with the address, with the address.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let told =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(told)
}

/// Serves until SIGTERM or SIGINT; then takes no new connection and finishes the requests under way, or, when asked again,
/// leaves them. Says where it listens, in one line on standard output, once it does. Tells when a phase of stopping begins,
/// so that requests that wait for something need not be waited for.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    terms: Terms,
    mut tell: impl FnMut(Phase),
) -> io::Result<()> {
    let mut asked = Asked(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    announce(listener.local_addr()?, terms.tls.is_some());
    let drain = terms.drain;
    let mut server = Server::new(listener, app, terms);
    tokio::select! {
        never = server.accept() => match never {},
        () = asked.again() => tracing::info!("stopping"),
    }
    tell(Phase::Draining);
    tokio::select! {
        never = server.accept() => match never {},
        () = tokio::time::sleep(drain) => {}
        () = asked.again() => tracing::warn!("asked again: stopping at once"),
    }
    tell(Phase::Finishing);
    tokio::select! {
        () = server.finish() => {}
        () = tokio::time::sleep(PATIENCE) => {
            tracing::warn!("stopped with requests under way after {} s", PATIENCE.as_secs());
        }
        () = asked.again() => tracing::warn!("asked again: stopped with requests under way"),
    }
    Ok(())
}

/// The signals to stop; each is heeded once.
struct Asked(Signal, Signal);

impl Asked {
    async fn again(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[expect(clippy::print_stdout, reason = "the line that whoever started this waits for")]
fn announce(address: SocketAddr, tls: bool) {
    let scheme = if tls { "https" } else { "http" };
    println!("listening on {scheme}://{address}");
}
