//! The directory: a service over HTTP and a database that makes accounts when gateways sight somebody, and remembers when
//! they were last seen.

mod accounts;
mod arrivals;
mod problem;
mod profile;
mod sightings;
mod store;
mod token;

use crate::server;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use std::error::Error;
use std::net::SocketAddr;
use store::Store;
use token::Token;

/// How the directory is run. Its API's bearer token comes from the environment variable FIRSTSIGHT_TOKEN.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Address and port to listen on; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Where the accounts are kept; the file is made if it is not there.
    #[arg(long, env = "FIRSTSIGHT_DATABASE", default_value = "sqlite:firstsight.db")]
    database: String,
}

/// The largest body of one arrival, in bytes.
const ARRIVAL_LIMIT: usize = 1024 * 1024;
/// The largest batch of sightings, in bytes.
const SIGHTINGS_LIMIT: usize = 8 * 1024 * 1024;

/// Runs the directory until it is asked to stop.
pub(crate) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let token = Token::from_environment()?;
    let store = Store::open(&options.database).await?;
    let listener = server::listen(options.listen).await?;
    server::serve(listener, app(store.clone(), token)).await?;
    store.close().await;
    Ok(())
}

fn app(store: Store, token: Token) -> Router {
    let api = Router::new()
        .route("/arrivals", post(arrivals::post).layer(DefaultBodyLimit::max(ARRIVAL_LIMIT)))
        .route("/sightings", post(sightings::post).layer(DefaultBodyLimit::max(SIGHTINGS_LIMIT)))
        .route("/accounts", get(accounts::list))
        .route("/accounts/{id}", get(accounts::show))
        .fallback(problem::no_such_place)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(token, token::required));
    Router::new()
        .nest("/v1", api)
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(problem::no_such_place)
        .with_state(store)
}
