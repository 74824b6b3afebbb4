//! firstsight's companion: the directory behind the filter's provisioning endpoint, a check of the filter's configuration,
//! and an issuer and an application for demos and tests.

mod check;
mod clock;
mod dev;
mod directory;
mod log;
mod server;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The directory behind firstsight's provisioning endpoint, and tools for demos.
#[derive(Parser)]
#[command(name = "firstsight", version, about)]
struct Cli {
    #[command(flatten)]
    log: log::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the directory: accounts, and when they were last seen.
    Serve(directory::Options),
    /// Examine or export the audit of a directory's database.
    #[command(subcommand)]
    Audit(directory::audit::Command),
    /// Copy an SQLite database while the directory runs, and examine the copy.
    Backup(directory::backup::Options),
    /// Make, list, rotate and revoke the tokens of a directory's API.
    #[command(subcommand)]
    Token(directory::access::Command),
    /// Find out who does not use an account any more, or do what is due about it.
    #[command(subcommand)]
    Dormancy(directory::dormancy::Command),
    /// Say what the filter would say to plugin configurations, on their own or in manifests.
    Check(check::Options),
    /// Print the JSON Schema of the plugin's configuration.
    Schema,
    /// For demos and tests only: an issuer that gives anybody a token, an application that echoes.
    #[command(subcommand)]
    Dev(dev::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { log, command } = Cli::parse();
    log::start(&log);
    let outcome = match command {
        Command::Serve(options) => directory::run(options).await,
        Command::Audit(command) => directory::audit::run(command).await,
        Command::Backup(options) => directory::backup::run(options).await,
        Command::Token(command) => directory::access::run(command).await,
        Command::Dormancy(command) => directory::dormancy::run(command).await,
        Command::Check(options) => check::run(&options),
        Command::Schema => check::schema(),
        Command::Dev(command) => dev::run(command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
