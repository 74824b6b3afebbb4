//! The directory: a service over HTTP and a database that makes accounts when gateways sight somebody, and remembers when
//! they were last seen.

pub(crate) mod access;
mod accounts;
mod actions;
mod arrivals;
pub(crate) mod audit;
pub(crate) mod backup;
mod bell;
mod body;
mod change;
mod departures;
mod desk;
pub(crate) mod dormancy;
mod health;
mod lifecycle;
mod limits;
mod page;
mod problem;
mod profile;
mod scim;
mod settings;
mod sightings;
mod signals;
mod store;

use crate::server::tls::{self, Tls};
use crate::server::{self, Phase};
use access::{Access, EnvironmentToken, Scope};
use axum::Router;
use axum::extract::FromRef;
use desk::Desk;
use dormancy::{Rules, Sweeper};
use health::Readiness;
use lifecycle::State;
use limits::Limits;
use settings::Settings;
use signals::Signals;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{Database, Store};
use tokio::time::timeout;

/// How the directory is run. The environment variable FIRSTSIGHT_TOKEN may hold a bearer token that opens the whole API, for
/// as long as there are no others.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Address and port to listen on; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    #[command(flatten)]
    database: Database,
    /// What becomes of somebody who is sighted for the first time.
    #[arg(long, value_enum, default_value_t = State::Active)]
    new_accounts: State,
    /// A file in TOML with everything else.
    #[arg(long, env = "FIRSTSIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// How long what is queued may take at the end.
const CLEARING: Duration = Duration::from_secs(1);

/// What requests are answered with.
#[derive(Clone)]
struct Directory {
    store: Store,
    desk: Desk,
    rules: Arc<Rules>,
    signals: Signals,
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
    let environment = EnvironmentToken::read()?;
    let mut settings = Settings::read(options.config.as_deref())?;
    let limits: Limits = settings.section("limits");
    let tls = open_tls(&mut settings);
    let rules = Arc::new(Rules::read(&mut settings));
    let sources = signals::Sources::read(&mut settings)?;
    let scim = scim::Terms::read(&mut settings, tls.is_some());
    settings.finish(options.config.as_deref())?;
    let store = Store::open(options.database.url()).await?;
    let access = Access::open(environment, &store, &limits).await?;
    let listener = server::listen(options.listen).await?;
    if tls.is_none() && !options.listen.ip().is_loopback() {
        tracing::warn!(
            "tokens and attributes go over {} as plain HTTP: configure [tls], or have a proxy do it",
            options.listen
        );
    }
    let (desk, cleared) = Desk::open(store.clone(), options.new_accounts);
    let signals = Signals::open(sources, store.clone(), options.new_accounts);
    let polling = signals.poll();
    let directory = Directory { store: store.clone(), desk, rules: rules.clone(), scim, signals };
    let (readiness, bell) = (Readiness::new(store.clone()), store.bell().clone());
    let app = app(directory, &access, &limits, &readiness);
    let sweeper = Sweeper::start(store.clone(), rules);
    server::serve(listener, app, limits.terms(tls), |phase| match phase {
        Phase::Draining => readiness.leave(),
        Phase::Finishing => bell.stop(),
    })
    .await?;
    // Whoever sent what is still queued has gone, and was told nothing; it is written all the same.
    timeout(CLEARING, cleared).await.ok();
    drop((sweeper, polling));
    store.close().await;
    Ok(())
}

/// The `[tls]` of the settings.
fn open_tls(settings: &mut Settings) -> Option<Tls> {
    let files: Option<tls::Files> = settings.section("tls");
    let told = |problems: Vec<tls::Problem>| {
        for (setting, what) in problems {
            settings.problem(&format!("tls.{setting}"), &what);
        }
    };
    Tls::open(files?).map_err(told).ok()
}

fn app(directory: Directory, access: &Access, limits: &Limits, readiness: &Readiness) -> Router {
    let gateways = arrivals::routes().merge(sightings::routes());
    let reading = accounts::routes().merge(audit::routes()).merge(dormancy::reading());
    let deciding = actions::routes().merge(dormancy::deciding()).merge(access.routes());
    let nowhere =
        Router::new().fallback(problem::no_such_place).method_not_allowed_fallback(problem::no_such_method);
    let api = Router::new()
        .merge(access.guard(&[Scope::Gateway], gateways))
        .merge(access.guard(&[Scope::Admin, Scope::Auditor], reading))
        .merge(access.guard(&[Scope::Admin], deciding))
        .merge(access.guard_presented(&[Scope::Signals], signals::routes()))
        .merge(access.guard(&Scope::ALL, nowhere));
    // A long poll takes its time.
    let api = limits.timed(api).merge(access.guard(&[Scope::Gateway], departures::routes()));
    Router::new()
        .nest("/v1", api)
        .merge(limits.timed(page::routes(access, &directory.store).merge(scim::routes(access))))
        .merge(readiness.routes())
        .fallback(problem::no_such_place)
        .with_state(directory)
}
