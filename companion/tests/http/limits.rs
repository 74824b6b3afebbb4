//! `[limits]`: what one client can take from the others.

use crate::program::{Directory, TOKEN, answer, client, command, header, status};
use crate::stopping::with_settings;
use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Sends text on a connection of its own and reads until the other side closes it.
fn send(directory: &Directory, text: &str) -> String {
    let mut stream = TcpStream::connect(directory.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the directory closes it");
    answer
}

#[test]
fn who_is_slow_with_a_requests_head_is_cut_off() {
    let (directory, _settings) = with_settings("[limits]\nheader_timeout = \"300ms\"\n");
    for text in ["", "GET /healthz HTTP/1.1\r\nhost: direc"] {
        let start = Instant::now();
        assert!(!send(&directory, text).contains("200"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(5), "{text}");
    }
}

#[tokio::test]
async fn a_request_has_its_time_but_who_waits_for_departures_may_wait() {
    let (directory, _settings) = with_settings("[limits]\nrequest_timeout = \"300ms\"\n");
    let start = Instant::now();
    assert_eq!(status(directory.get("/v1/departures?wait=1s")).await, 200);
    assert!(start.elapsed() >= Duration::from_secs(1));

    let head =
        "POST /v1/arrivals HTTP/1.1\r\nhost: directory\r\nconnection: close\r\ncontent-length: 100\r\n";
    let answer = send(&directory, &format!("{head}authorization: Bearer {TOKEN}\r\n\r\n{{"));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("problem:timed-out"), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
}

#[test]
fn more_connections_than_there_may_be_wait_for_their_turn() {
    let (directory, _settings) = with_settings("[limits]\nconnections = 2\n");
    let first = TcpStream::connect(directory.address()).unwrap();
    let _second = TcpStream::connect(directory.address()).unwrap();
    let mut third = TcpStream::connect(directory.address()).unwrap();
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: directory\r\nconnection: close\r\n\r\n").unwrap();
    third.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let waits = third.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    drop(first);
    third.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_token_that_is_used_too_often_waits_and_the_others_do_not() {
    let (directory, _settings) = with_settings("[limits]\nrequests_per_second = 5\n");
    let body = json!({"name": "edge-1", "scopes": ["gateway"]}).to_string();
    let (_, made) = answer(directory.post("/v1/tokens", body)).await;
    let url = format!("{}/v1/departures", directory.program.url);
    let client = client();
    let mut refused = None;
    for _ in 0..100 {
        let request = client.get(&url).bearer_auth(made["token"].as_str().unwrap());
        let response = request.send().await.unwrap();
        if response.status() == 429 {
            refused = Some(response);
            break;
        }
        assert_eq!(response.status(), 200);
    }
    let refused = refused.expect("a hundred in a second are too many");
    assert_eq!(header(&refused, "retry-after"), "1");
    assert_eq!(status(directory.get("/v1/departures")).await, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status(client.get(&url).bearer_auth(made["token"].as_str().unwrap())).await, 200);
}

#[tokio::test]
async fn who_comes_with_wrong_tokens_too_often_is_told_to_wait_and_the_right_one_still_opens() {
    let (directory, _settings) = with_settings("[limits]\nfailures_per_minute = 3\n");
    let url = format!("{}/v1/departures", directory.program.url);
    let client = client();
    let guess = |token: &str| client.get(&url).bearer_auth(token).send();
    for token in ["one", "two", "three"] {
        assert_eq!(guess(token).await.unwrap().status(), 401);
    }
    let refused = guess("four").await.unwrap();
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!(refused.status() == 429 && (1..=20).contains(&wait), "{} {wait}", refused.status());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 429, "without any token, too");
    assert_eq!(guess(TOKEN).await.unwrap().status(), 200);
}

#[test]
fn limits_that_are_none_are_told_each_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.toml");
    for (text, place) in [
        ("[limits]\nconnections = 0\n", "limits.connections: "),
        ("[limits]\nrequest_timeout = 30\n", "limits.request_timeout: "),
        ("[limits]\nheader_timeout = \"soon\"\n", "limits.header_timeout: a time such as 30s is wanted"),
        ("[limits]\nconections = 1\n", "limits.conections: "),
        ("[tls]\nkey = \"key.pem\"\n", "tls: missing field `certificate`"),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = command(&["serve", "--config", path.to_str().unwrap()]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && told.contains(place), "{text}: {told}");
    }
}
