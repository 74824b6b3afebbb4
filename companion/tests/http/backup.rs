//! Backups: made while the directory works, whole, and put back.

use crate::database::Database;
use crate::program::{Directory, TOKEN, answer, arrival, client, command};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

fn backup(database: &Database, file: &str) -> Output {
    command(&["backup", file, "--database", database.url()]).output().unwrap()
}

/// Runs a program of PostgreSQL's; false if the machine does not have it.
fn run(program: &str, arguments: &[&str]) -> bool {
    let Ok(output) = Command::new(program).args(arguments).output() else { return false };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// What the directory answers to a gateway that follows the feed from a cursor.
async fn follow(directory: &Directory, cursor: &Value) -> u16 {
    answer(directory.get(&format!("/v1/departures?after={}", cursor.as_str().unwrap()))).await.0
}

/// A copy of a database, made while accounts are made in it; with it, what was answered before the copy was begun.
async fn copied_under_load(
    directory: &Directory,
    copy: impl FnOnce(&Database) -> Option<Database> + Send + 'static,
) -> Option<(Database, Vec<String>)> {
    let mut before = Vec::new();
    for number in 0..50 {
        before.push(directory.account_of(&format!("before-{number}")).await);
    }
    let database = directory.database.clone();
    let copying = tokio::task::spawn_blocking(move || copy(&database));
    let client = client();
    for number in 0.. {
        if number >= 20 && copying.is_finished() {
            break;
        }
        let body = arrival(&format!("meanwhile-{number}"), json!({})).to_string();
        let request = client.post(format!("{}/v1/arrivals", directory.program.url));
        assert_eq!(answer(request.bearer_auth(TOKEN).body(body)).await.0, 201);
    }
    copying.await.unwrap().map(|copy| (copy, before))
}

/// A directory on the copy has what was there, in a whole chain, and a gateway whose cursor is from after the copy hears
/// that it has to begin anew.
async fn is_restored(directory: Directory, copy: Database, before: &[String]) {
    let first = directory.account(&before[0]).await;
    directory.act(&before[0], "depart").await;
    let (_, feed) = answer(directory.get("/v1/departures")).await;
    assert_eq!(follow(&directory, &feed["cursor"]).await, 200);
    drop(directory);

    let restored = Directory::on(copy, &[]);
    let verify = command(&["audit", "verify", "--database", restored.database.url()]).output().unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
    for id in before {
        assert_eq!(restored.account(id).await["story"].as_array().unwrap().len(), 1);
    }
    assert_eq!(restored.account(&before[0]).await, first);
    // It goes on from there, as another history.
    for id in restored.page("?limit=1000").await["accounts"].as_array().unwrap() {
        restored.act(id["id"].as_str().unwrap(), "disable").await;
    }
    assert_eq!(follow(&restored, &feed["cursor"]).await, 410);
}

#[tokio::test]
async fn a_backup_under_load_is_whole_and_can_be_put_back() {
    let directory = Directory::start();
    if directory.database.can_be_shared() {
        let refused = backup(&directory.database, "/no/such/folder/backup.db");
        assert!(!refused.status.success());
        return;
    }
    let copied = copied_under_load(&directory, |database| {
        let restored = Database::create();
        let file = restored.url().trim_start_matches("sqlite:");
        let made = backup(database, file);
        let told = String::from_utf8(made.stdout).unwrap();
        assert!(made.status.success() && told.contains("nothing is wrong; the last hash is "), "{told}");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!backup(database, file).status.success(), "a file that is there is left as it is");
        Some(restored)
    });
    let (copy, before) = copied.await.unwrap();
    is_restored(directory, copy, &before).await;
}

#[tokio::test]
async fn postgresql_is_backed_up_and_restored_by_its_own_programs() {
    let directory = Directory::start();
    if !directory.database.can_be_shared() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("accounts.dump").display().to_string();
    let copied = copied_under_load(&directory, move |database| {
        let restored = Database::create();
        let made = run("pg_dump", &["--format=custom", "--file", &dump, "--dbname", database.url()])
            && run("pg_restore", &["--no-owner", "--exit-on-error", "--dbname", restored.url(), &dump]);
        made.then_some(restored)
    });
    let Some((copy, before)) = copied.await else {
        eprintln!("SKIPPED: there is no pg_dump");
        return;
    };
    is_restored(directory, copy, &before).await;
}
