//! `GET /v1/departures`.

use crate::program::{Directory, ISSUER, answer, arrival, header, subject};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One answer of the feed that must be given.
async fn feed(directory: &Directory, query: &str) -> Value {
    let (status, page) = answer(directory.get(&format!("/v1/departures{query}"))).await;
    assert_eq!(status, 200, "{page}");
    page
}

async fn after(directory: &Directory, cursor: &Value, query: &str) -> Value {
    feed(directory, &format!("?after={}{query}", cursor.as_str().unwrap())).await
}

/// Who is told of, and in which state.
fn told(page: &Value) -> Vec<(String, String)> {
    let departures = page["departures"].as_array().unwrap().iter();
    let word = |departure: &Value, member: &str| departure[member].as_str().unwrap().to_owned();
    departures.map(|departure| (word(departure, "id"), word(departure, "state"))).collect()
}

fn words(told: &[(&str, &str)]) -> Vec<(String, String)> {
    told.iter().map(|(id, state)| ((*id).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn a_snapshot_has_the_latest_word_on_everybody_who_ever_departed() {
    let directory = Directory::start();
    let mut ids = Vec::new();
    for sub in ["stays", "departs", "is disabled", "returns"] {
        ids.push(directory.account_of(sub).await);
    }
    assert_eq!(told(&feed(&directory, "").await), []);
    directory.act(&ids[3], "depart").await;
    directory.act(&ids[1], "depart").await;
    directory.act(&ids[2], "disable").await;
    directory.act(&ids[3], "return").await;

    let snapshot = feed(&directory, "").await;
    let expected = words(&[("departs", "departed"), ("is disabled", "departed"), ("returns", "returned")]);
    assert_eq!((told(&snapshot), &snapshot["more"]), (expected, &json!(false)));
    let departure = &snapshot["departures"][0];
    assert_eq!(departure["issuer"], ISSUER);
    assert_eq!(departure["key"], subject("departs").key().to_string());
    assert_eq!(departure["reason"], "to depart");
    assert_eq!(departure["at"], directory.account(&ids[1]).await["state_since"]);
}

#[tokio::test]
async fn after_a_cursor_comes_what_happened_since_in_its_order() {
    let directory = Directory::start();
    let (jane, john) = (directory.account_of("jane").await, directory.account_of("john").await);
    directory.act(&jane, "depart").await;
    let first = feed(&directory, "").await;
    assert_eq!(after(&directory, &first["cursor"], "").await["departures"], json!([]));

    directory.act(&john, "disable").await;
    directory.act(&jane, "return").await;
    let second = after(&directory, &first["cursor"], "").await;
    assert_eq!(told(&second), words(&[("john", "departed"), ("jane", "returned")]));
    let third = after(&directory, &second["cursor"], "").await;
    assert_eq!((told(&third), &third["cursor"]), (vec![], &second["cursor"]));
}

#[tokio::test]
async fn arrivals_drift_and_approvals_are_no_departures() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrival(&arrival("jane", json!({"email": "1"}))).await;
    directory.arrival(&arrival("jane", json!({"email": "2"}))).await;
    let id = directory.page("").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    directory.act(&id, "approve").await;
    assert_eq!(told(&feed(&directory, "").await), []);
}

#[tokio::test]
async fn a_long_feed_is_told_page_by_page_and_nothing_is_missed_or_told_twice() {
    let directory = Directory::start();
    let mut expected = Vec::new();
    for number in 0..5 {
        let sub = format!("sub-{number}");
        directory.act(&directory.account_of(&sub).await, "depart").await;
        expected.push((sub, "departed".to_owned()));
    }
    let mut page = feed(&directory, "?limit=2").await;
    let mut seen = told(&page);
    while page["more"] == true {
        page = after(&directory, &page["cursor"], "&limit=2").await;
        seen.extend(told(&page));
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn who_waits_is_told_at_once() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let cursor = feed(&directory, "").await["cursor"].clone();
    let begun = Instant::now();
    let (page, ()) = tokio::join!(after(&directory, &cursor, "&wait=20s"), async {
        // Whatever else happens meanwhile wakes nobody.
        directory.account_of("john").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        directory.act(&id, "depart").await;
    });
    assert_eq!(told(&page), words(&[("jane", "departed")]));
    assert!(begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn who_waited_for_nothing_keeps_the_cursor() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    directory.act(&id, "depart").await;
    let cursor = feed(&directory, "").await["cursor"].clone();
    let begun = Instant::now();
    let page = after(&directory, &cursor, "&wait=400ms").await;
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert_eq!(page, json!({"cursor": cursor, "more": false, "departures": []}));
}

#[tokio::test]
async fn a_directory_that_stops_lets_nobody_wait_and_has_them_ask_again() {
    let directory = Directory::start();
    let begun = Instant::now();
    let request = directory.get("/v1/departures?wait=20s");
    let (response, ()) = tokio::join!(request.send(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        directory.program.terminate();
    });
    let response = response.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, ""), "soon");
    assert!(directory.program.ended().success());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_cursor_outlives_the_process() {
    let directory = Directory::start();
    let (jane, john) = (directory.account_of("jane").await, directory.account_of("john").await);
    directory.act(&jane, "depart").await;
    let cursor = feed(&directory, "").await["cursor"].clone();
    let directory = directory.restart();
    directory.act(&john, "depart").await;
    assert_eq!(told(&after(&directory, &cursor, "").await), words(&[("john", "departed")]));
}

#[tokio::test]
async fn a_cursor_of_another_database_is_unknown() {
    let (one, another) = (Directory::start(), Directory::start());
    for directory in [&one, &another] {
        let id = directory.account_of("jane").await;
        directory.act(&id, "depart").await;
    }
    let cursor = feed(&one, "").await["cursor"].as_str().unwrap().to_owned();
    for (cursor, status) in [(cursor.as_str(), 410), ("9-0123456789abcdef", 410), ("jane", 410), ("", 410)] {
        let (answered, problem) =
            answer(another.get(&format!("/v1/departures?after={cursor}&wait=5s"))).await;
        assert_eq!(answered, status, "{cursor}");
        assert_eq!(problem["type"], "urn:firstsight:problem:cursor-unknown");
    }
}

#[tokio::test]
async fn a_question_that_means_nothing_is_refused() {
    let directory = Directory::start();
    for query in ["?wait=soon", "?limit=0", "?limit=1001", "?since=1"] {
        assert_eq!(answer(directory.get(&format!("/v1/departures{query}"))).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn processes_over_one_database_tell_each_other_at_once() {
    let one = Directory::start();
    if !one.database.can_be_shared() {
        eprintln!("SKIPPED: SQLite has one process; scripts/postgres.sh runs this over PostgreSQL");
        return;
    }
    let another = Directory::on(one.database.clone(), &[]);
    let id = one.account_of("jane").await;
    let begun = Instant::now();
    let (page, ()) = tokio::join!(answer(another.get("/v1/departures?wait=20s")), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        one.act(&id, "depart").await;
    });
    assert_eq!(told(&page.1), words(&[("jane", "departed")]));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
