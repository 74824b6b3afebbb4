//! Listening, saying so, and stopping without losing a request that is under way.

use axum::Router;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How long requests under way may take once the process was asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the port; port 0 is any that is free.
///
/// # Errors
/// What is wrong with the address, with the address.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let told =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(told)
}

/// Serves until SIGTERM or SIGINT; then takes no new request and finishes those under way. Says where it listens, in one
/// line on standard output, once it does. Calls `on_stop` when it is asked to stop, so that requests that wait for something
/// need not be waited for.
pub(crate) async fn serve(listener: TcpListener, app: Router, on_stop: impl FnOnce()) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    announce(listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let mut serving = tokio::spawn(serving.into_future());
    tokio::select! {
        ended = &mut serving => return ended.map_err(io::Error::other)?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    drop(stop);
    on_stop();
    match tokio::time::timeout(PATIENCE, serving).await {
        Ok(ended) => ended.map_err(io::Error::other)?,
        Err(_) => {
            tracing::warn!("stopped with requests under way after {} s", PATIENCE.as_secs());
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "the line that whoever started this waits for")]
fn announce(address: SocketAddr) {
    println!("listening on http://{address}");
}
