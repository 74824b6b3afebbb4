//! `firstsight backup FILE`: a copy of an SQLite database as it is at one moment, while the directory runs; and whether the
//! copy is whole.

use super::audit;
use super::store::{Database, Store};
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is copied, and where to.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The file to make; it must not be there.
    file: PathBuf,
    #[command(flatten)]
    database: Database,
}

/// Makes the copy, examines the audit in it, and says how long that is and its last hash, to be noted elsewhere.
pub(crate) async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let file = options.file.as_path();
    let told = |error: io::Error| format!("{} cannot be made: {error}", file.display());
    let name = file.to_str().ok_or("the file's name is not UTF-8")?;
    let store = Store::look_into(options.database.url()).await?;
    // Nobody else may read what is about people. SQLite writes into a file that is empty.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(told)?;
    let copied = copy(&store, file, name).await;
    store.close().await;
    if copied.is_err() {
        fs::remove_file(file).ok();
    }
    copied?;
    let database = Database::of(format!("sqlite:{name}"));
    audit::run(audit::Command::Verify { database, noted: None }).await
}

async fn copy(store: &Store, file: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    store.copy(name).await?;
    // On the disk, and under its name.
    File::open(file)?.sync_all()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}
