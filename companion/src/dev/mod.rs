//! For demos and tests only: they trust everybody.

mod app;
mod issuer;

use std::error::Error;

/// What there is for demos.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// An OpenID issuer with keys made anew at every start, which gives anybody any token. Never for production.
    Issuer(issuer::Options),
    /// An application that answers every request with what it received.
    App(app::Options),
}

/// Runs one of them until it is asked to stop.
pub(crate) async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Issuer(options) => issuer::run(options).await,
        Command::App(options) => app::run(options).await,
    }
}
