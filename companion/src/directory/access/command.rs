//! `firstsight token …`: the tokens of a directory, for whoever has its database; the directory may run meanwhile.

use super::api::OVERLAP;
use super::scope::{Name, Scope};
use super::tokens::{self, Token, Wish};
use crate::clock;
use crate::directory::store::{Database, Store};
use std::error::Error;
use std::io::{self, Write as _};

/// The actor in the audit. No token has a name with a space.
const ACTOR: &str = "command line";

/// What can be done with tokens.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token, and write it to standard output: it cannot be shown again.
    Create {
        /// Who it is for: the actor in the audit of what is done with it.
        #[arg(long)]
        name: Name,
        /// What it may be used for; can be given several times.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// How long it works, such as 90d; without it, until it is revoked.
        #[arg(long, value_name = "TIME")]
        expires: Option<humantime::Duration>,
        #[command(flatten)]
        database: Database,
    },
    /// Tell all tokens there ever were.
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Make a token that takes the place of another, which works a while longer, and write it to standard output.
    Rotate {
        name: Name,
        /// How long the one before works beside it.
        #[arg(long, default_value = OVERLAP, value_name = "TIME")]
        overlap: humantime::Duration,
        /// How long it works; without it, as long as the one before was to.
        #[arg(long, value_name = "TIME")]
        expires: Option<humantime::Duration>,
        #[command(flatten)]
        database: Database,
    },
    /// End all tokens of a name; a directory that runs follows within seconds.
    Revoke {
        name: Name,
        #[command(flatten)]
        database: Database,
    },
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match command {
        Command::Create { name, scopes, expires, database } => {
            // The first token comes before the directory runs for the first time.
            let store = Store::open(database.url()).await?;
            let mut write = store.write().await?;
            let wish = Wish { name, scopes, lifetime: expires.map(Into::into) };
            let made = tokens::make(&mut write, &wish, ACTOR).await?;
            write.commit().await?;
            store.close().await;
            writeln!(out, "{}", made.text)?;
        }
        Command::List { database } => {
            let store = Store::look_into(database.url()).await?;
            let tokens = tokens::all(store.pool()).await?;
            store.close().await;
            table(&mut out, &tokens)?;
        }
        Command::Rotate { name, overlap, expires, database } => {
            let store = Store::look_into(database.url()).await?;
            let mut write = store.write().await?;
            let expires = expires.map(Into::into);
            let made = tokens::rotate(&mut write, &name, overlap.into(), expires, ACTOR).await?;
            write.commit().await?;
            store.close().await;
            writeln!(out, "{}", made.text)?;
        }
        Command::Revoke { name, database } => {
            let store = Store::look_into(database.url()).await?;
            let mut write = store.write().await?;
            tokens::revoke(&mut write, &name, ACTOR).await?;
            write.commit().await?;
            store.close().await;
        }
    }
    Ok(())
}

/// One line for each, in columns.
fn table(out: &mut impl io::Write, tokens: &[Token]) -> io::Result<()> {
    let now = clock::now();
    let mut lines = vec![["NAME", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USED"].map(str::to_owned)];
    lines.extend(tokens.iter().map(|token| token.columns(now)));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    for line in &lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
