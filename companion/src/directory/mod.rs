//! The directory: a service over HTTP and a database that makes accounts when gateways sight somebody, and remembers when
//! they were last seen.

mod access;
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
mod scim;
mod settings;
mod sightings;
mod store;

use crate::server;
use access::{Access, Scope};
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use desk::Desk;
use lifecycle::State;
use settings::Settings;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use store::Store;

/// How the directory is run. The environment variable FIRSTSIGHT_TOKEN holds a bearer token that opens the whole API.
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
    /// A file in TOML with everything else.
    #[arg(long, env = "FIRSTSIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What requests are answered with.
#[derive(Clone)]
struct Directory {
    store: Store,
    desk: Desk,
    scim: scim::Terms,
}

impl FromRef<Directory> for Store {
    fn from_ref(directory: &Directory) -> Self {
        directory.store.clone()
    }
}

impl FromRef<Directory> for scim::Terms {
    fn from_ref(directory: &Directory) -> Self {
        directory.scim.clone()
    }
}

/// Runs the directory until it is asked to stop.
pub(crate) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let access = Access::open()?;
    let mut settings = Settings::read(options.config.as_deref())?;
    let scim = scim::Terms::read(&mut settings);
    settings.finish(options.config.as_deref())?;
    let store = Store::open(&options.database).await?;
    let listener = server::listen(options.listen).await?;
    let directory =
        Directory { store: store.clone(), desk: Desk::open(store.clone(), options.new_accounts), scim };
    let bell = store.bell().clone();
    server::serve(listener, app(directory, &access), || bell.stop()).await?;
    store.close().await;
    Ok(())
}

fn app(directory: Directory, access: &Access) -> Router {
    let gateways = arrivals::routes().merge(sightings::routes()).merge(departures::routes());
    let reading = accounts::routes().merge(audit::routes());
    let nowhere =
        Router::new().fallback(problem::no_such_place).method_not_allowed_fallback(problem::no_such_method);
    let api = Router::new()
        .merge(access.guard(&[Scope::Gateway], gateways))
        .merge(access.guard(&[Scope::Admin, Scope::Auditor], reading))
        .merge(access.guard(&[Scope::Admin], actions::routes()))
        .merge(access.guard(&Scope::ALL, nowhere));
    Router::new()
        .nest("/v1", api)
        .merge(scim::routes(access))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(problem::no_such_place)
        .with_state(directory)
}
