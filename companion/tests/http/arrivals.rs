//! `POST /v1/arrivals`.

use crate::program::{Directory, answer, arrival, client, header};
use serde_json::json;
use std::collections::HashSet;

#[tokio::test]
async fn an_arrival_makes_an_account_and_the_next_one_finds_it() {
    let directory = Directory::start();
    let arrival = arrival("jane", json!({"userName": "jane", "name": {"givenName": "Jane"}}));

    let (status, first) = directory.arrival(&arrival).await;
    assert_eq!((status, &first["status"]), (201, &json!("active")));
    let (status, second) = directory.arrival(&arrival).await;
    assert_eq!(status, 200);
    assert_eq!(first, second);

    let account = directory.account(first["account"]["id"].as_str().unwrap()).await;
    assert_eq!(account["subject"], arrival["subject"]);
    assert_eq!(account["attributes"], arrival["attributes"]);
    assert_eq!((&account["kind"], &account["gateway"]), (&json!("person"), &json!("edge-1")));
    assert_eq!(account["created_at"], account["updated_at"]);
}

#[tokio::test]
async fn parallel_first_arrivals_make_one_account() {
    let directory = Directory::start();
    let arrival = arrival("jane", json!({"userName": "jane"}));
    // A client each, so that each has a connection of its own.
    let together = (0..32).map(|_| {
        let (url, body) = (format!("{}/v1/arrivals", directory.program.url), arrival.to_string());
        tokio::spawn(answer(client().post(url).bearer_auth(crate::program::TOKEN).body(body)))
    });
    let mut made = 0;
    let mut ids = HashSet::new();
    for answered in together.collect::<Vec<_>>() {
        let (status, body) = answered.await.unwrap();
        assert!(matches!(status, 200 | 201), "{status} {body}");
        made += usize::from(status == 201);
        ids.insert(body["account"]["id"].to_string());
    }
    assert_eq!((made, ids.len()), (1, 1));
    assert_eq!(directory.page("").await["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn changed_attributes_change_the_account_and_make_no_second_one() {
    let directory = Directory::start();
    let (_, first) = directory.arrival(&arrival("jane", json!({"email": "jane@old.example"}))).await;
    let (status, second) = directory.arrival(&arrival("jane", json!({"email": "jane@new.example"}))).await;
    assert_eq!(status, 200);
    assert_eq!(first["account"], second["account"]);
    let accounts = directory.page("").await["accounts"].as_array().unwrap().clone();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["attributes"], json!({"email": "jane@new.example"}));
}

#[tokio::test]
async fn an_arrival_whose_key_is_not_its_subjects_is_refused() {
    let directory = Directory::start();
    let mut arrival = arrival("jane", json!({}));
    arrival["subject"]["id"] = json!("john");
    let (status, problem) = directory.arrival(&arrival).await;
    assert_eq!(status, 422);
    assert_eq!(problem["problems"], json!(["subject.key: not the key of this issuer and id"]));
    assert_eq!(directory.page("").await["accounts"], json!([]));
}

#[tokio::test]
async fn every_wrong_member_of_an_arrival_is_told_at_once() {
    let directory = Directory::start();
    let mut arrival = arrival("jane", json!({}));
    arrival["subject"]["issuer"] = json!("idp.example.com");
    arrival["subject"]["id"] = json!("");
    arrival["sighted_at"] = json!("yesterday");
    let (status, problem) = directory.arrival(&arrival).await;
    assert_eq!(status, 422);
    assert_eq!(problem["problems"].as_array().unwrap().len(), 3, "{problem}");
}

#[tokio::test]
async fn a_problem_names_the_place_and_never_the_value() {
    let directory = Directory::start();
    let mut wrong = arrival("jane", json!({}));
    wrong["attributes"] = json!("jane@example.com");
    let (status, problem) = directory.arrival(&wrong).await;
    assert_eq!(status, 422);
    assert_eq!(problem["problems"], json!(["attributes: another type or word is wanted"]));

    let mut lacking = arrival("jane", json!({}));
    lacking["subject"].as_object_mut().unwrap().remove("key");
    let (_, problem) = directory.arrival(&lacking).await;
    assert_eq!(problem["problems"], json!(["subject: missing field `key`"]));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_problem() {
    let directory = Directory::start();
    let response = directory.post("/v1/arrivals", r#"{"subject":"#).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_body_above_its_limit_is_a_problem() {
    let directory = Directory::start();
    let (status, problem) = answer(directory.post("/v1/arrivals", vec![b' '; 1024 * 1024 + 1])).await;
    assert_eq!((status, &problem["status"]), (413, &json!(413)));
}
