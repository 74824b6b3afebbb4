//! `POST /v1/sightings`.

use crate::program::{Directory, answer, sighting};
use firstsight::domain::Timestamp;
use firstsight::wire::SIGHTINGS_CONTENT_TYPE;
use serde_json::json;

#[tokio::test]
async fn an_event_that_is_sent_again_changes_nothing() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let batch = json!([sighting("1", "jane", 1000, 2000, 3)]);

    let (status, receipt) = directory.sightings(&batch).await;
    assert_eq!((status, receipt), (200, json!({"accepted": 1, "duplicates": 0, "unknown": 0})));
    let (status, receipt) = directory.sightings(&batch).await;
    assert_eq!((status, receipt), (200, json!({"accepted": 0, "duplicates": 1, "unknown": 0})));
    assert_eq!(directory.account(&id).await["sightings"], 3);
}

#[tokio::test]
async fn the_earliest_and_the_latest_time_are_kept_in_whatever_order_batches_come() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    for (event, first, last) in [("1", 5000, 6000), ("2", 1000, 2000), ("3", 3000, 4000)] {
        directory.sightings(&json!([sighting(event, "jane", first, last, 1)])).await;
    }
    let account = directory.account(&id).await;
    assert_eq!(account["first_seen"], "1970-01-01T00:16:40.000Z");
    assert_eq!(account["last_seen"], "1970-01-01T01:40:00.000Z");
    assert_eq!(account["sightings"], 3);
}

#[tokio::test]
async fn a_subject_without_an_account_is_counted_and_is_no_error() {
    let directory = Directory::start();
    directory.account_of("jane").await;
    let batch = json!([sighting("1", "nobody", 1000, 2000, 1), sighting("2", "jane", 1000, 2000, 1)]);
    let (status, receipt) = directory.sightings(&batch).await;
    assert_eq!((status, receipt), (200, json!({"accepted": 1, "duplicates": 0, "unknown": 1})));
}

#[tokio::test]
async fn a_batch_with_one_wrong_event_is_refused_as_a_whole() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let wrong_members = [
        ("/type", json!("com.example.other"), "[1].type"),
        ("/specversion", json!("0.3"), "[1].specversion"),
        ("/time", json!("now"), "[1].time"),
        ("/data/last_seen", json!("now"), "[1].data"),
        ("/data/count", json!("many"), "[1].data.count"),
    ];
    for (place, value, told) in wrong_members {
        let mut wrong = sighting("2", "jane", 1000, 2000, 1);
        *wrong.pointer_mut(place).unwrap() = value;
        let (status, problem) =
            directory.sightings(&json!([sighting("1", "jane", 1000, 2000, 1), wrong])).await;
        assert_eq!(status, 422, "{place}");
        assert!(problem["problems"][0].as_str().unwrap().starts_with(told), "{place}: {problem}");
    }
    assert_eq!(directory.account(&id).await["sightings"], 0);
}

#[tokio::test]
async fn a_batch_of_another_media_type_is_refused() {
    let directory = Directory::start();
    let request = directory.post("/v1/sightings", "[]").header("content-type", "application/json");
    assert_eq!(answer(request).await.0, 415);
    let with_charset = format!("{SIGHTINGS_CONTENT_TYPE}; charset=utf-8");
    let request = directory.post("/v1/sightings", "[]").header("content-type", with_charset);
    assert_eq!(answer(request).await.0, 200);
}

#[tokio::test]
async fn no_count_is_too_large_to_be_added() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    for event in ["1", "2", "3"] {
        let (status, _) = directory.sightings(&json!([sighting(event, "jane", 1, 2, u64::MAX)])).await;
        assert_eq!(status, 200);
    }
    assert_eq!(directory.account(&id).await["sightings"], (1_u64 << 53) - 1);
}

#[tokio::test]
async fn an_event_that_is_twice_in_a_batch_is_applied_once() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let event = sighting("1", "jane", 1000, 2000, 3);
    let (status, receipt) = directory.sightings(&json!([event, event])).await;
    assert_eq!((status, receipt), (200, json!({"accepted": 1, "duplicates": 1, "unknown": 0})));
    assert_eq!(directory.account(&id).await["sightings"], 3);
}

#[tokio::test]
async fn events_of_one_subject_add_up_in_a_batch_of_any_size() {
    let directory = Directory::start();
    let (jane, john) = (directory.account_of("jane").await, directory.account_of("john").await);
    let events = (0..210_u64).map(|number| {
        let sub = ["jane", "john", "nobody"][number as usize % 3];
        sighting(&number.to_string(), sub, 5000 - number, 5000 + number, 2)
    });
    let (status, receipt) = directory.sightings(&json!(events.collect::<Vec<_>>())).await;
    assert_eq!((status, receipt), (200, json!({"accepted": 140, "duplicates": 0, "unknown": 70})));
    let (jane, john) = (directory.account(&jane).await, directory.account(&john).await);
    assert_eq!((&jane["sightings"], &john["sightings"]), (&json!(140), &json!(140)));
    assert_eq!((&jane["first_seen"], &jane["last_seen"]), (&json!(time(4793)), &json!(time(5207))));
    assert_eq!((&john["first_seen"], &john["last_seen"]), (&json!(time(4792)), &json!(time(5208))));
}

fn time(second: u64) -> String {
    Timestamp::from_secs(second).rfc3339()
}
