//! `firstsight dormancy …`: a report or a sweep from the command line, on a database that a directory may be using.

use super::rule::Rules;
use super::sweep::{self, Counts, Held, Order, Report};
use crate::clock;
use crate::directory::settings::Settings;
use crate::directory::store::{Database, Store};
use firstsight::domain::Timestamp;
use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;

/// What can be done about dormancy.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Say what a sweep would do, for each account. Changes nothing.
    Report {
        #[command(flatten)]
        place: Place,
        /// As if it were then: a day such as 2026-12-24, or an RFC 3339 time in UTC.
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<Timestamp>,
    },
    /// Do what is due. Over SQLite, gateways hear of it within their wait; through the API of a running directory, at once.
    Sweep {
        #[command(flatten)]
        place: Place,
        /// Say what it would do, and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// Disable more accounts than `most_at_once`.
        #[arg(long)]
        force: bool,
    },
}

/// Where, and how it is told.
#[derive(clap::Args)]
pub(crate) struct Place {
    #[command(flatten)]
    database: Database,
    /// The file with the rules, as `firstsight serve` has it.
    #[arg(long, env = "FIRSTSIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tell it as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let (place, at, force) = match command {
        Command::Report { place, at } => (place, Some(at.unwrap_or_else(clock::now)), false),
        Command::Sweep { place, dry_run, force } => (place, dry_run.then(clock::now), force),
    };
    let config = place.config.as_deref();
    let mut settings = Settings::read(config)?;
    let rules = Rules::read(&mut settings);
    settings.finish_some(config)?;
    let store = Store::look_into(place.database.url()).await?;
    let listed = usize::MAX;
    let report = match at {
        Some(at) => sweep::plan(&store, &rules, at, listed).await?,
        None => sweep::sweep(&store, &rules, &Order { actor: "console", forced: force, listed }).await?,
    };
    store.close().await;
    tell(&mut io::stdout().lock(), &report, place.json)?;
    Ok(())
}

fn tell(out: &mut impl Write, report: &Report, json: bool) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(report)?);
    }
    let (review, warn, disable) = if report.done {
        ("put up for review", "warned", "disabled")
    } else {
        ("to be put up for review", "to be warned", "to be disabled")
    };
    if report.counts.is_empty() {
        writeln!(out, "nobody is dormant who was not before")?;
    }
    for (kind, counts) in &report.counts {
        let Counts { review: reviewed, warn: warned, disable: disabled } = counts;
        writeln!(out, "{kind}: {reviewed} {review}, {warned} {warn}, {disabled} {disable}")?;
    }
    match report.held {
        Some(Held::StaleSightings) => writeln!(out, "held: no gateway told of any sighting lately")?,
        Some(Held::MostAtOnce) => {
            writeln!(out, "held: too many to be disabled at once, unless it is forced")?
        }
        None => {}
    }
    for due in &report.accounts {
        let last_seen = due.last_seen.as_deref().unwrap_or("never");
        let (step, kind) = (format!("{:?}", due.step).to_lowercase(), super::walk::word(due.kind));
        writeln!(
            out,
            "{} {step} {kind}, unused since {}, last seen {last_seen}",
            due.account, due.quiet_since
        )?;
    }
    Ok(())
}

fn date(text: &str) -> Result<Timestamp, &'static str> {
    let day = || clock::parse(&format!("{text}T00:00:00Z"));
    clock::parse(text).or_else(day).ok_or("a day such as 2026-12-24, or an RFC 3339 time in UTC")
}
