//! `firstsight check …` and `firstsight schema`: configurations are examined before a proxy sees them, by the code that the
//! filter reads them with.

mod envoy;
mod examine;
mod find;
mod found;
mod kubernetes;

use examine::Examiner;
use serde_json::Value;
use std::error::Error;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What is examined.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// YAML or JSON: a plugin's configuration, or what holds some: a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy or
    /// EnvoyFilter, or a configuration of Envoy. `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Examines every plugin configuration in the files; fails if any has a problem, or a file has none.
pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    let examiner = Examiner::default();
    let mut bad = 0;
    for file in &options.files {
        let name = file.display();
        match documents(file) {
            Ok(documents) => {
                bad += usize::from(!examine(&documents, &name.to_string(), &examiner, &mut out)?)
            }
            Err(told) => {
                writeln!(out, "{name}: {told}")?;
                bad += 1;
            }
        }
    }
    if bad == 0 { Ok(()) } else { Err(format!("not good: {bad} of {} file(s)", options.files.len()).into()) }
}

/// Prints the JSON Schema of a plugin's configuration.
pub(crate) fn schema() -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{:#}", firstsight::config::schema())?)
}

/// Tells what is wrong with each configuration, and whether all are good.
fn examine(documents: &[Value], name: &str, examiner: &Examiner, out: &mut impl Write) -> io::Result<bool> {
    let found: Vec<_> = documents.iter().flat_map(find::find).collect();
    if found.is_empty() {
        writeln!(out, "{name}: there is no configuration of the plugin in it")?;
        return Ok(false);
    }
    let mut good = 0;
    for configuration in &found {
        let examined = examiner.examine(configuration);
        for line in examined.problems.iter().chain(&examined.notes) {
            writeln!(out, "{name}: {}: {line}", configuration.whose)?;
        }
        good += usize::from(examined.problems.is_empty());
    }
    writeln!(out, "{name}: {good} of {} good", found.len())?;
    Ok(good == found.len())
}

/// The documents of a file. What stands in it is not repeated: it may be a secret.
fn documents(file: &Path) -> Result<Vec<Value>, String> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().read_to_string(&mut text),
        _ => std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_multiple_with_options(&text, options)
        .map_err(|error| format!("it is neither YAML nor JSON: {error}"))
}
