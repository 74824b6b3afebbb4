//! Starting, stopping, and starting again.

use crate::support::{Service, TOKEN, arrival, companion, event};
use std::time::Duration;
use tempfile::tempdir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    directory.arrive(&arrival("jane", "jane")).await;
    directory.tell(&[event("1", "jane", 100, 200)]).await;
    let before = directory.accounts("").await;
    directory.stop().await;
    let directory = Service::directory(folder.path()).await;
    assert_eq!(directory.accounts("").await, before);
    let (_, receipt) = directory.tell(&[event("1", "jane", 100, 200)]).await;
    assert_eq!(receipt["duplicates"], 1);
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_process_stops() {
    let folder = tempdir().unwrap();
    let mut directory = Service::directory(folder.path()).await;
    let body = serde_json::to_string(&arrival("jane", "jane")).unwrap();
    let address = directory.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v1/arrivals HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (first, second) = body.split_at(10);
    stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    directory.terminate();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(&address).await.is_err(), "it takes no new connections");
    stream.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(directory.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn without_a_good_token_it_does_not_start_and_says_why() {
    let folder = tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("accounts.db").display());
    for token in [None, Some("short"), Some("sixteen or more but two words")] {
        let mut command = companion();
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", &database]);
        command.envs(token.map(|token| ("FIRSTSIGHT_TOKEN", token)));
        let output = command.output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("FIRSTSIGHT_TOKEN"), "{token:?}: {told}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_told_by_name() {
    for url in ["sqlite:/nowhere/accounts.db", "mysql://x"] {
        let mut command = companion();
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", url]).env("FIRSTSIGHT_TOKEN", TOKEN);
        let output = command.output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(url), "{told}");
    }
}
