//! firstsight's companion: the directory behind the filter's provisioning endpoint, and an issuer and an application for
//! demos and tests.

mod clock;
mod dev;
mod directory;
mod server;

use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

/// The directory behind firstsight's provisioning endpoint, and tools for demos.
#[derive(Parser)]
#[command(name = "firstsight", version, about)]
struct Cli {
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
    /// Make, list, rotate and revoke the tokens of a directory's API.
    #[command(subcommand)]
    Token(directory::access::Command),
    /// Find out who does not use an account any more, or do what is due about it.
    #[command(subcommand)]
    Dormancy(directory::dormancy::Command),
    /// For demos and tests only: an issuer that gives anybody a token, an application that echoes.
    #[command(subcommand)]
    Dev(dev::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_target(false).init();
    let outcome = match Cli::parse().command {
        Command::Serve(options) => directory::run(options).await,
        Command::Audit(command) => directory::audit::run(command).await,
        Command::Token(command) => directory::access::run(command).await,
        Command::Dormancy(command) => directory::dormancy::run(command).await,
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
