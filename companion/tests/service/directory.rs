//! Accounts and sightings.

use crate::support::{Service, TOKEN, arrival, event, told};
use firstsight::wire::SIGHTINGS_CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use serde_json::json;
use std::sync::Arc;
use tempfile::tempdir;
use tokio::task::JoinSet;

#[tokio::test]
async fn an_arrival_makes_an_account_once() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let (first, made) = directory.arrive(&arrival("jane", "jane")).await;
    let (second, found) = directory.arrive(&arrival("jane", "jane")).await;
    assert_eq!((first, second), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(made["status"], "active");
    assert_eq!(made, found);
    assert_eq!(directory.accounts("").await["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn parallel_first_arrivals_make_one_account() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let directory = Arc::new(directory);
    let mut arrivals = JoinSet::new();
    for _ in 0..32 {
        let directory = directory.clone();
        arrivals.spawn(async move { directory.arrive(&arrival("jane", "jane")).await });
    }
    let answers = arrivals.join_all().await;
    let made = answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    assert!(answers.iter().all(|(_, body)| body == &answers[0].1), "{answers:?}");
}

#[tokio::test]
async fn changed_attributes_change_the_account_and_make_no_other() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let (_, made) = directory.arrive(&arrival("jane", "jane")).await;
    let (status, changed) = directory.arrive(&arrival("jane", "jane.doe")).await;
    assert_eq!((status, &changed["account"]), (StatusCode::OK, &made["account"]));
    let id = made["account"]["id"].as_str().unwrap();
    let (_, account) = told(directory.get(&format!("/v1/accounts/{id}")).await).await;
    assert_eq!(account["attributes"], json!({"userName": "jane.doe"}));
    assert_eq!(account["subject"]["id"], "jane");
}

#[tokio::test]
async fn an_arrival_that_contradicts_itself_is_refused_with_every_problem() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let mut wrong = arrival("jane", "jane");
    wrong.subject.key = arrival("john", "john").subject.key;
    wrong.sighted_at = "yesterday".to_owned();
    let (status, problem) = directory.arrive(&wrong).await;
    assert_eq!(
        (status, problem["problems"].as_array().unwrap().len()),
        (StatusCode::UNPROCESSABLE_ENTITY, 2)
    );
    for (body, status) in [("{", 400), ("{}", 422), ("[]", 422), ("\u{0}", 400)] {
        let response = directory.post("/v1/arrivals", "application/json", body.to_owned()).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{body}");
        assert_eq!(response.status(), status, "{body}");
    }
    assert_eq!(directory.accounts("").await["accounts"], json!([]));
}

#[tokio::test]
async fn the_latest_sighting_is_kept_whatever_order_they_come_in() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    directory.arrive(&arrival("jane", "jane")).await;
    let (status, receipt) =
        directory.tell(&[event("2", "jane", 200, 300), event("1", "jane", 100, 250)]).await;
    assert_eq!((status, receipt), (StatusCode::OK, json!({"accepted": 2, "duplicates": 0, "unknown": 0})));
    let account = directory.accounts("").await["accounts"][0].clone();
    assert_eq!(account["first_seen"], "1970-01-01T00:01:40.000Z");
    assert_eq!(account["last_seen"], "1970-01-01T00:05:00.000Z");
    assert_eq!(account["sightings"], 4);
}

#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    directory.arrive(&arrival("jane", "jane")).await;
    directory.tell(&[event("1", "jane", 100, 200)]).await;
    let (_, receipt) = directory.tell(&[event("1", "jane", 100, 200), event("2", "nobody", 1, 2)]).await;
    assert_eq!(receipt, json!({"accepted": 0, "duplicates": 1, "unknown": 1}));
    assert_eq!(directory.accounts("").await["accounts"][0]["sightings"], 2);
}

#[tokio::test]
async fn of_a_bad_batch_nothing_is_applied() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    directory.arrive(&arrival("jane", "jane")).await;
    let good = event("1", "jane", 100, 200);
    let mut other_type = event("2", "jane", 100, 200);
    other_type.kind = "com.example.other".to_owned();
    let mut no_time = event("3", "jane", 100, 200);
    no_time.data.last_seen = "soon".to_owned();
    let (status, problem) = directory.tell(&[good.clone(), other_type, no_time]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let problems = problem["problems"].to_string();
    assert!(problems.contains("[1].type") && problems.contains("[2].data"), "{problems}");
    assert_eq!(directory.accounts("").await["accounts"][0]["last_seen"], json!(null));
    let (_, receipt) = directory.tell(&[good]).await;
    assert_eq!(receipt["accepted"], 1);
}

#[tokio::test]
async fn only_batches_of_cloudevents_are_sightings() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let response = directory.post("/v1/sightings", "application/json", "[]".to_owned()).await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let with_charset = format!("{SIGHTINGS_CONTENT_TYPE}; charset=utf-8");
    let response = directory.post("/v1/sightings", &with_charset, "[]".to_owned()).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn accounts_are_listed_page_by_page() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    for id in ["a", "b", "c", "d", "e"] {
        directory.arrive(&arrival(id, id)).await;
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = directory.accounts(&query).await;
        let ids = page["accounts"].as_array().unwrap().iter().map(|account| account["subject"]["id"].clone());
        seen.extend(ids);
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(json!(seen), json!(["a", "b", "c", "d", "e"]));
    let found = directory.accounts("?issuer=https://idp.example.com&id=c").await;
    assert_eq!(found["accounts"].as_array().unwrap().len(), 1);
    for query in ["?limit=0", "?limit=1001", "?limit=x", "?page=2"] {
        assert_eq!(directory.get(&format!("/v1/accounts{query}")).await.status(), 400, "{query}");
    }
    assert_eq!(directory.get("/v1/accounts/nobody").await.status(), 404);
}

#[tokio::test]
async fn nobody_is_heard_without_the_token() {
    let folder = tempdir().unwrap();
    let directory = Service::directory(folder.path()).await;
    let client = Client::new();
    for path in ["/v1/accounts", "/v1/arrivals", "/v1/sightings", "/v1/nothing"] {
        let url = format!("{}{path}", directory.url);
        let without = client.get(&url).send().await.unwrap();
        assert_eq!(
            (without.status(), without.headers()["www-authenticate"].to_str().unwrap()),
            (StatusCode::UNAUTHORIZED, "Bearer")
        );
        for wrong in [format!("{TOKEN}x"), TOKEN[1..].to_owned(), String::new()] {
            assert_eq!(client.post(&url).bearer_auth(wrong).send().await.unwrap().status(), 401, "{path}");
        }
    }
    assert_eq!(client.get(format!("{}/healthz", directory.url)).send().await.unwrap().status(), 200);
}
