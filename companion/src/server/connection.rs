//! One connection after another, and the requests on each. Knows no signal and no route.

use super::Terms;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// How long a client may take for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system refused: it has no file descriptors left, most likely.
const REST: Duration = Duration::from_millis(100);

/// Takes connections. Those under way end with it.
pub(super) struct Server {
    listener: TcpListener,
    terms: Terms,
    app: Router,
    connections: JoinSet<()>,
    graceful: GracefulShutdown,
}

impl Server {
    pub(super) fn new(listener: TcpListener, app: Router, terms: Terms) -> Self {
        Self { listener, terms, app, connections: JoinSet::new(), graceful: GracefulShutdown::new() }
    }

    /// Takes connections, for ever; can be left and taken up again.
    pub(super) async fn accept(&mut self) -> Infallible {
        loop {
            let is_full = self.connections.len() >= self.terms.connections.get() as usize;
            tokio::select! {
                _ = self.connections.join_next(), if !self.connections.is_empty() => {}
                accepted = self.listener.accept(), if !is_full => match accepted {
                    Ok((stream, peer)) => {
                        let (terms, app) = (self.terms.clone(), self.app.clone());
                        self.connections.spawn(attend(stream, peer, terms, app, self.graceful.watcher()));
                    }
                    Err(error) => {
                        tracing::warn!("no connection can be taken: {error}");
                        tokio::time::sleep(REST).await;
                    }
                },
            }
        }
    }

    /// Stops listening, and waits until every request under way is answered.
    pub(super) async fn finish(self) {
        drop(self.listener);
        self.graceful.shutdown().await;
    }
}

async fn attend(stream: TcpStream, peer: SocketAddr, terms: Terms, app: Router, watcher: Watcher) {
    // Answers are small, and written as a whole.
    stream.set_nodelay(true).ok();
    let Some(tls) = &terms.tls else {
        return talk(stream, peer, &terms, app, watcher).await;
    };
    match tokio::time::timeout(HANDSHAKE, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => talk(stream, peer, &terms, app, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, "no TLS: {error}"),
        Err(_) => tracing::debug!(%peer, "no TLS: the handshake took too long"),
    }
}

async fn talk<Stream>(stream: Stream, peer: SocketAddr, terms: &Terms, app: Router, watcher: Watcher)
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(terms.header_timeout);
    if let Err(error) = watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await {
        tracing::debug!(%peer, "a connection ended: {error}");
    }
}
