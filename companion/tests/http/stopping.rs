//! Stopping: nothing that was answered is lost, and nothing is half done.

use crate::program::{Directory, TOKEN, answer, arrival, client, command, sighting, status};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Starts a directory with settings in a file.
pub(crate) fn with_settings(text: &str) -> (Directory, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.toml");
    std::fs::write(&path, text).unwrap();
    (Directory::with(&["--config", path.to_str().unwrap()]), folder)
}

/// A connection with a request on it whose body does not come to its end.
fn unfinished(directory: &Directory) -> TcpStream {
    let mut stream = TcpStream::connect(directory.address()).unwrap();
    let head = format!(
        "POST /v1/arrivals HTTP/1.1\r\nhost: directory\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The interim answer says that the request is under way.
    stream.read_exact(&mut [0; 25]).unwrap();
    stream
}

/// How much was answered so far.
type Count = Arc<AtomicU32>;

/// What a gateway was answered until it was answered nothing any more.
async fn arrive(url: String, worker: u32, count: Count) -> Vec<(String, String)> {
    let (client, mut answered) = (client(), Vec::new());
    for number in 0.. {
        let sub = format!("sub-{worker}-{number}");
        let request = client.post(format!("{url}/v1/arrivals")).bearer_auth(TOKEN);
        let Ok(response) = request.body(arrival(&sub, json!({})).to_string()).send().await else { break };
        assert_eq!(response.status(), 201);
        let Ok(body) = response.json::<Value>().await else { break };
        answered.push((sub, body["account"]["id"].as_str().unwrap().to_owned()));
        count.fetch_add(1, Ordering::Relaxed);
    }
    answered
}

/// The batches that a gateway was answered, of ten sightings each.
async fn sight(url: String, worker: u32, count: Count) -> Vec<Value> {
    let (client, mut answered) = (client(), Vec::new());
    for number in 0.. {
        let event = |index| sighting(&format!("{worker}-{number}-{index}"), "jane", 1000, 2000, 1);
        let batch = Value::from((0..10).map(event).collect::<Vec<_>>());
        let request = client.post(format!("{url}/v1/sightings")).bearer_auth(TOKEN);
        let request = request.header("content-type", firstsight::wire::SIGHTINGS_CONTENT_TYPE);
        let Ok(response) = request.body(batch.to_string()).send().await else { break };
        assert_eq!(response.status(), 200);
        let Ok(_) = response.bytes().await else { break };
        answered.push(batch);
        count.fetch_add(1, Ordering::Relaxed);
    }
    answered
}

/// What a long poll is answered.
async fn wait(url: String) -> u16 {
    let request = client().get(format!("{url}/v1/departures?wait=60s")).bearer_auth(TOKEN);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_that_was_answered() {
    let directory = Directory::start();
    directory.account_of("jane").await;
    let url = || directory.program.url.clone();
    let (arrivals, sightings) = (Count::default(), Count::default());
    let arriving: Vec<_> =
        (0..8).map(|worker| tokio::spawn(arrive(url(), worker, arrivals.clone()))).collect();
    let sighting: Vec<_> =
        (0..4).map(|worker| tokio::spawn(sight(url(), worker, sightings.clone()))).collect();
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(wait(url()))).collect();
    while arrivals.load(Ordering::Relaxed) < 100 || sightings.load(Ordering::Relaxed) < 10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let start = Instant::now();
    directory.program.terminate();
    let (mut arrived, mut sighted) = (Vec::new(), Vec::new());
    for task in arriving {
        arrived.extend(task.await.unwrap());
    }
    for task in sighting {
        sighted.extend(task.await.unwrap());
    }
    for task in waiting {
        assert_eq!(task.await.unwrap(), 503, "whoever waits is told that the directory stops");
    }
    let Directory { program, database, .. } = directory;
    assert!(program.ended().success());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let verify = command(&["audit", "verify", "--database", database.url()]).output().unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
    let directory = Directory::on(database, &[]);
    for (sub, id) in &arrived {
        assert_eq!(directory.account_of(sub).await, *id);
        assert_eq!(directory.account(id).await["story"].as_array().unwrap().len(), 1);
    }
    for batch in &sighted {
        assert_eq!(directory.sightings(batch).await.1["duplicates"], 10);
    }
}

#[test]
fn whoever_does_not_come_to_an_end_is_not_waited_for_for_ever() {
    let directory = Directory::start();
    let _stream = unfinished(&directory);
    let start = Instant::now();
    directory.program.terminate();
    assert!(directory.program.ended().success());
    let took = start.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn who_asks_twice_is_not_kept_waiting() {
    let directory = Directory::start();
    let _stream = unfinished(&directory);
    let start = Instant::now();
    directory.program.terminate();
    // The first is heeded before the second comes.
    while TcpStream::connect(directory.address()).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    directory.program.terminate();
    assert!(directory.program.ended().success());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_directory_that_drains_says_that_it_is_not_ready_and_still_answers() {
    let (directory, _settings) = with_settings("[limits]\ndrain = \"2s\"\n");
    assert_eq!(status(directory.get("/readyz")).await, 200);
    directory.program.terminate();
    let start = Instant::now();
    while status(directory.get("/readyz")).await == 200 {
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    assert_eq!(status(directory.get("/healthz")).await, 200);
    assert_eq!(answer(directory.get("/v1/accounts")).await.0, 200);
    assert!(directory.program.ended().success());
}

#[tokio::test]
async fn health_and_readiness_are_for_anybody_and_tell_nothing_else() {
    let directory = Directory::start();
    for (path, told) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let response = client().get(format!("{}{path}", directory.program.url)).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, told));
    }
    directory.database.execute("ALTER TABLE audit_head RENAME TO gone");
    let start = Instant::now();
    loop {
        let response = client().get(format!("{}/readyz", directory.program.url)).send().await.unwrap();
        if response.status() == 503 {
            assert_eq!(response.text().await.unwrap(), "not ready\n");
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status(directory.get("/healthz")).await, 200);
}
