//! Starting, stopping, and what is left.

use crate::database::Database;
use crate::program::{Directory, Program, TOKEN, arrival, command, sighting};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

#[tokio::test]
async fn accounts_and_receipts_outlive_the_process() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let batch = json!([sighting("1", "jane", 1000, 2000, 3)]);
    directory.sightings(&batch).await;
    let before = directory.account(&id).await;

    let directory = directory.restart();
    assert_eq!(directory.account_of("jane").await, id);
    assert_eq!(directory.sightings(&batch).await.1["duplicates"], 1);
    assert_eq!(directory.account(&id).await, before);
}

#[test]
fn a_request_under_way_is_answered_before_the_directory_stops() {
    let directory = Directory::start();
    let body = arrival("jane", json!({})).to_string();
    let (early, late) = body.split_at(10);
    let mut stream = TcpStream::connect(directory.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /v1/arrivals HTTP/1.1\r\nhost: directory\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The interim answer says that the request is under way.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(early.as_bytes()).unwrap();

    directory.program.terminate();
    // It has stopped taking connections once it knows that it is to stop.
    while TcpStream::connect(directory.address()).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(late.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(directory.program.ended().success());
}

#[test]
fn a_directory_with_a_token_that_is_not_worth_the_name_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("accounts.db").display());
    for token in ["", "fifteen-letters", "sixteen letters and spaces"] {
        let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--database", &database]);
        let output = serve.env("FIRSTSIGHT_TOKEN", token).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{token:?}");
        assert_eq!(output.stdout, b"", "{token:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("FIRSTSIGHT_TOKEN") && !told.contains("letters"), "{token:?}: {told}");
    }
    assert!(!folder.path().join("accounts.db").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    for database in ["sqlite:/no/such/folder/accounts.db", "postgres://db/accounts"] {
        let output = command(&["serve", "--listen", "127.0.0.1:0", "--database", database]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{database}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(database), "{database}");
    }
}

/// The file with the root of PostgreSQL's certificate, where the tests run over one that has any.
fn postgres_root() -> Option<String> {
    std::env::var("FIRSTSIGHT_POSTGRES_CA").ok().filter(|file| !file.is_empty())
}

#[tokio::test]
async fn the_way_to_postgresql_can_be_secured() {
    let Some(root) = postgres_root() else {
        eprintln!("SKIPPED: there is no PostgreSQL with a certificate");
        return;
    };
    let database = Database::create();
    let secured = |root: &str| {
        database.url().replace("sslmode=disable", &format!("sslmode=verify-full&sslrootcert={root}"))
    };
    let serve = |url: &str| command(&["serve", "--listen", "127.0.0.1:0", "--database", url]);
    let program = Program::run(serve(&secured(&root)));
    let in_use = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                  WHERE ssl AND datname = current_database() AND pid <> pg_backend_pid())
                  THEN RAISE 'no TLS'; END IF; END $$";
    database.execute(in_use);
    program.terminate();
    assert!(program.ended().success());

    // A root that signed nothing of it.
    let key = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.pem");
    std::fs::write(&path, other.pem()).unwrap();
    let refused = serve(&secured(path.to_str().unwrap())).output().unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty());
}
