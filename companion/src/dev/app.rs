//! An application that answers every request with what it received: method, path, and headers in order.

use crate::server;
use axum::{Json, Router, body, extract::Request};
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;

/// How the application is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Address and port to listen on; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(super) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let listener = server::listen(options.listen).await?;
    Ok(server::serve(listener, Router::new().fallback(echo), server::Terms::default(), |_| ()).await?)
}

/// The largest body that is read to its end, in bytes.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

async fn echo(request: Request) -> Json<Value> {
    let (request, body) = request.into_parts();
    // Nothing is made of the body, but a client that is still sending it would see the connection break.
    drop(body::to_bytes(body, BODY_LIMIT).await);
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
    };
    let headers: Vec<_> = request.headers.iter().map(pair).collect();
    Json(json!({"method": request.method.as_str(), "path": request.uri.to_string(), "headers": headers}))
}
