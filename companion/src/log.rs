//! The log, on standard error: for people, or for programs that collect logs. Knows nothing of what is logged.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;

/// How it is written, and how much.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The form of the log: lines for people, or JSON, one object a line.
    #[arg(long, global = true, value_enum, default_value_t = Form::Text, env = "FIRSTSIGHT_LOG", value_name = "FORM")]
    log: Form,
    /// What is logged: off, error, warn, info, debug or trace. No level logs a token or an attribute's value.
    #[arg(long, global = true, default_value = "info", env = "FIRSTSIGHT_LOG_LEVEL", value_name = "LEVEL")]
    log_level: LevelFilter,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Begins to log.
pub(crate) fn start(options: &Options) {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(options.log_level);
    match options.log {
        Form::Text => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        Form::Json => log.json().flatten_event(true).init(),
    }
}
