//! The directory: a service over HTTP and a database that makes accounts when gateways sight somebody, and remembers when
//! they were last seen.

mod accounts;
mod actions;
mod arrivals;
pub(crate) mod audit;
mod bell;
mod change;
mod departures;
mod desk;
mod lifecycle;
mod problem;
mod profile;
mod sightings;
mod store;
mod token;

use crate::server;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post};
use axum::{Router, middleware};
use desk::Desk;
use lifecycle::State;
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
    /// Where the accounts are kept: sqlite:FILE, made if it is not there, or postgres://USER:PASSWORD@HOST/DATABASE, which
    /// several processes can share.
    #[arg(long, env = "FIRSTSIGHT_DATABASE", default_value = "sqlite:firstsight.db")]
    database: String,
    /// What becomes of somebody who is sighted for the first time.
    #[arg(long, value_enum, default_value_t = State::Active)]
    new_accounts: State,
}

/// What requests are answered with.
#[derive(Clone)]
struct Directory {
    store: Store,
    desk: Desk,
}

impl FromRef<Directory> for Store {
    fn from_ref(directory: &Directory) -> Self {
        directory.store.clone()
    }
}

/// The largest body of one arrival, in bytes.
const ARRIVAL_LIMIT: usize = 1024 * 1024;
/// The largest body of an action upon an account, in bytes.
const ACTION_LIMIT: usize = 16 * 1024;
/// The largest batch of sightings, in bytes.
const SIGHTINGS_LIMIT: usize = 8 * 1024 * 1024;

/// Runs the directory until it is asked to stop.
pub(crate) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let token = Token::from_environment()?;
    let store = Store::open(&options.database).await?;
    let listener = server::listen(options.listen).await?;
    let directory = Directory { store: store.clone(), desk: Desk::open(store.clone(), options.new_accounts) };
    let bell = store.bell().clone();
    server::serve(listener, app(directory, token), || bell.stop()).await?;
    store.close().await;
    Ok(())
}

fn app(directory: Directory, token: Token) -> Router {
    let api = Router::new()
        .route("/arrivals", post(arrivals::post).layer(DefaultBodyLimit::max(ARRIVAL_LIMIT)))
        .route("/sightings", post(sightings::post).layer(DefaultBodyLimit::max(SIGHTINGS_LIMIT)))
        .route("/accounts", get(accounts::list))
        .route("/accounts/{id}", get(accounts::show))
        .route("/accounts/{id}/{action}", post(actions::post).layer(DefaultBodyLimit::max(ACTION_LIMIT)))
        .route("/departures", get(departures::get))
        .route("/audit", get(audit::list))
        .fallback(problem::no_such_place)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(token, token::required));
    Router::new()
        .nest("/v1", api)
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(problem::no_such_place)
        .with_state(directory)
}
