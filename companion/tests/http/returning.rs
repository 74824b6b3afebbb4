//! Whoever was dormant and comes back, and what somebody who looks after accounts does about the dormant.

use crate::dormitory::{Dormitory, RULES};
use crate::program::{answer, arrival, sighting};
use serde_json::{Value, json};

/// A directory with one account, that nobody used for so many days, sweeps included.
async fn unused_for(days: &[i64]) -> (Dormitory, String) {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    for days in days {
        house.pass(*days);
        house.sweep(json!({})).await;
    }
    (house, id)
}

#[tokio::test]
async fn who_was_marked_and_is_seen_again_is_flagged_and_not_disabled() {
    for (days, mark) in [(&[60][..], "review"), (&[60, 16], "warned")] {
        let (house, id) = unused_for(days).await;
        assert_eq!(house.standing(&id).await.0, mark);
        house.seen_now("1", "jane").await;
        assert_eq!(house.standing(&id).await, (json!("returned"), json!("active")));
        house.seen_now("2", "jane").await;
        assert_eq!(house.directory.arrival(&arrival("jane", json!({}))).await.0, 200);
        let story = house.directory.account(&id).await["story"].clone();
        let (story, last) = (story.as_array().unwrap(), story.as_array().unwrap().last().unwrap());
        assert_eq!(story.len(), days.len() + 2, "it is told once: {story:?}");
        let told = [&last["event"], &last["cause"], &last["actor"]];
        assert_eq!(told, ["dormant-return", "sighting", "gateway"]);

        house.pass(59);
        house.sweep(json!({})).await;
        assert_eq!(house.standing(&id).await.0, "returned", "the flag stays until somebody settles it");
        house.pass(1);
        house.sweep(json!({})).await;
        assert_eq!(house.standing(&id).await.0, "review", "or it is dormant again");
    }
}

#[tokio::test]
async fn an_arrival_is_a_return_too() {
    let (house, id) = unused_for(&[60]).await;
    assert_eq!(house.directory.account_of("jane").await, id);
    assert_eq!(house.standing(&id).await, (json!("returned"), json!("active")));
    let story = house.directory.account(&id).await["story"].clone();
    let told = ["event", "cause", "gateway", "mapping"].map(|member| story[2][member].clone());
    assert_eq!(told, ["dormant-return", "arrival", "edge-1", "mapping-1"]);
    house.pass(59);
    assert_eq!(house.sweep(json!({})).await["counts"], json!({}), "the clock starts anew");
}

#[tokio::test]
async fn a_late_word_of_a_time_before_is_no_return() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.seen_now("1", "jane").await;
    house.pass(60);
    house.sweep(json!({})).await;
    let late = json!([sighting("2", "jane", 1000, 2000, 1)]);
    assert_eq!(house.directory.sightings(&late).await.1["accepted"], 1);
    assert_eq!(house.standing(&id).await.0, "review");
}

#[tokio::test]
async fn who_was_disabled_stays_so_at_an_arrival_and_the_attempt_is_flagged_once() {
    let (house, id) = unused_for(&[76, 14]).await;
    assert_eq!(house.standing(&id).await, (json!("disabled"), json!("disabled")));
    for attempt in 0..3 {
        let body = arrival("jane", json!({"email": format!("{attempt}@new.example")}));
        let (status, answer) = house.directory.arrival(&body).await;
        assert_eq!((status, &answer["status"]), (403, &json!("denied")));
        assert_eq!(house.standing(&id).await, (json!("knocked"), json!("disabled")));
    }
    assert_eq!(house.events(&id).await, ["arrival", "dormant-warning", "disable", "dormant-return"]);
    assert_eq!(house.directory.account(&id).await["attributes"], json!({}));
    let knocked = house.queue("?mark=knocked").await["accounts"].clone();
    assert_eq!(knocked[0]["id"], json!(id));

    house.directory.act(&id, "enable").await;
    assert_eq!(house.standing(&id).await, (Value::Null, json!("active")));
    assert_eq!(house.directory.account_of("jane").await, id);
    house.pass(59);
    assert_eq!(house.sweep(json!({})).await["counts"], json!({}));
}

#[tokio::test]
async fn who_was_in_use_after_all_when_it_was_disabled_is_flagged() {
    let (house, id) = unused_for(&[76, 14]).await;
    house.seen_now("late", "jane").await;
    assert_eq!(house.standing(&id).await, (json!("knocked"), json!("disabled")));
}

#[tokio::test]
async fn who_is_kept_has_no_mark_and_as_long_again() {
    for days in [&[60][..], &[60, 16]] {
        let (house, id) = unused_for(days).await;
        let kept = house.directory.act(&id, "keep").await;
        assert_eq!((&kept["dormancy"], &kept["state"]), (&Value::Null, &json!("active")));
        assert_eq!(house.directory.act(&id, "keep").await, kept);
        let story = house.directory.account(&id).await["story"].clone();
        let (story, last) = (story.as_array().unwrap(), story.as_array().unwrap().last().unwrap());
        assert_eq!(story.len(), days.len() + 2, "what is done again changes nothing: {story:?}");
        let told = ["event", "cause", "actor", "reason"].map(|member| last[member].clone());
        assert_eq!(told, ["keep", "admin", "environment", "to keep"]);
        for (days, mark) in [(59, Value::Null), (1, json!("review"))] {
            house.pass(days);
            house.sweep(json!({})).await;
            assert_eq!(house.standing(&id).await.0, mark);
        }
    }
}

#[tokio::test]
async fn keeping_settles_a_flag_and_leaves_the_state_as_it_is() {
    let (house, id) = unused_for(&[60]).await;
    house.seen_now("1", "jane").await;
    assert_eq!(house.directory.act(&id, "keep").await["dormancy"], Value::Null);
    let (house, id) = unused_for(&[76, 14]).await;
    house.directory.arrival(&arrival("jane", json!({}))).await;
    let kept = house.directory.act(&id, "keep").await;
    assert_eq!((&kept["dormancy"], &kept["state"]), (&Value::Null, &json!("disabled")));
    assert_eq!(house.queue("").await["accounts"], json!([]));
}

#[tokio::test]
async fn only_an_account_that_there_is_can_be_kept_and_for_a_reason() {
    let (house, id) = unused_for(&[60]).await;
    let (status, problem) = house.directory.try_act("none", "keep").await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:firstsight:problem:no-such-account")));
    let (status, _) = answer(house.directory.post(&format!("/v1/accounts/{id}/keep"), "{}")).await;
    assert_eq!((status, house.standing(&id).await.0), (422, json!("review")));
}

#[tokio::test]
async fn the_queue_says_page_by_page_who_is_marked_and_when_they_are_disabled() {
    let (house, first) = unused_for(&[60, 16]).await;
    for number in 0..3 {
        house.directory.account_of(&format!("sub-{number}")).await;
    }
    house.pass(60);
    house.sweep(json!({})).await;
    let (mut listed, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = house.queue(&query).await;
        listed.extend(page["accounts"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    let marks: Vec<_> = listed.iter().map(|account| account["dormancy"]["mark"].clone()).collect();
    assert_eq!(marks, ["disabled", "review", "review", "review"]);
    assert_eq!(listed[0]["id"], json!(first));
    for (account, will_be) in listed.iter().zip([false, true, true, true]) {
        let dormancy = &account["dormancy"];
        assert_eq!(dormancy["disables_at"].is_string(), will_be, "{dormancy}");
        assert!(dormancy["marked_at"].is_string() && dormancy["active_at"].is_string(), "{dormancy}");
    }
    assert_eq!(house.queue("?mark=review&kind=person").await["accounts"].as_array().unwrap().len(), 3);
    assert_eq!(house.queue("?mark=returned").await["accounts"], json!([]));
    for query in ["?mark=asleep", "?kind=robot", "?limit=0", "?state=active"] {
        assert_eq!(answer(house.directory.get(&format!("/v1/dormancy{query}"))).await.0, 400, "{query}");
    }
    for body in ["", r#"{"dry_run":1}"#, r#"{"sweep":true}"#] {
        let (status, _) = answer(house.directory.post("/v1/dormancy/sweep", body.to_owned())).await;
        assert!(matches!(status, 400 | 422), "{body}");
    }
}
