//! `GET /v1/accounts`, and who may speak to the directory at all.

use crate::program::{Directory, ISSUER, TOKEN, answer, client, header};
use serde_json::{Value, json};

#[tokio::test]
async fn accounts_are_listed_page_by_page_in_the_order_they_were_made() {
    let directory = Directory::start();
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(directory.account_of(&format!("sub-{number}")).await);
    }
    let (mut listed, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page: Value = directory.page(&query).await;
        let ids = page["accounts"].as_array().unwrap().iter().map(|account| account["id"].as_str().unwrap());
        listed.extend(ids.map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn an_account_is_found_by_issuer_and_sub() {
    let directory = Directory::start();
    directory.account_of("john").await;
    let jane = directory.account_of("jane").await;
    let page = directory.page(&format!("?issuer={ISSUER}&id=jane")).await;
    assert_eq!(page["accounts"].as_array().unwrap().len(), 1);
    assert_eq!((&page["accounts"][0]["id"], &page["next"]), (&json!(jane), &Value::Null));
    assert_eq!(directory.page(&format!("?issuer={ISSUER}")).await["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(directory.page("?issuer=https://other&id=jane").await["accounts"], json!([]));
}

#[tokio::test]
async fn a_query_that_means_nothing_is_refused() {
    let directory = Directory::start();
    for query in ["?limit=0", "?limit=1001", "?limit=many", "?id=jane", "?email=jane", "?state=gone"] {
        let (status, problem) = answer(directory.get(&format!("/v1/accounts{query}"))).await;
        assert_eq!(status, 400, "{query}");
        assert_eq!(problem["type"], "urn:firstsight:problem:query", "{query}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let directory = Directory::start();
    for (path, kind) in
        [("/v1/accounts/none", "no-such-account"), ("/v1/none", "no-such-place"), ("/none", "no-such-place")]
    {
        let (status, problem) = answer(directory.get(path)).await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(problem["type"], format!("urn:firstsight:problem:{kind}"), "{path}");
    }
    assert_eq!(answer(directory.get("/v1/arrivals")).await.0, 405);
}

#[tokio::test]
async fn nobody_speaks_to_the_api_without_its_token() {
    let directory = Directory::start();
    let paths = [
        "/v1/arrivals",
        "/v1/sightings",
        "/v1/accounts",
        "/v1/accounts/1",
        "/v1/accounts/1/approve",
        "/v1/departures",
        "/v1/audit",
        "/v1/dormancy",
        "/v1/dormancy/sweep",
        "/v1/accounts/1/keep",
        "/v1/none",
    ];
    for path in paths {
        for method in [reqwest::Method::GET, reqwest::Method::POST] {
            let request = client().request(method, format!("{}{path}", directory.program.url));
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
            assert_eq!(header(&response, "www-authenticate"), "Bearer", "{path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_apart_from_none() {
    let directory = Directory::start();
    let wrong = [
        "Bearer ".to_owned(),
        "Bearer another-token-of-this-kind".to_owned(),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
        format!("Basic {TOKEN}"),
    ];
    for value in wrong {
        let request = client().get(format!("{}/v1/accounts", directory.program.url));
        let response = request.header("authorization", &value).send().await.unwrap();
        assert_eq!(response.status(), 401, "{value}");
        assert!(header(&response, "www-authenticate").starts_with("Bearer"), "{value}");
    }
    let request = client().get(format!("{}/v1/accounts", directory.program.url));
    let request = request.header("authorization", format!("bearer {TOKEN}"));
    assert_eq!(answer(request).await.0, 200, "the scheme has no case (RFC 9110 §11.1)");
}

#[tokio::test]
async fn whether_the_directory_lives_is_no_secret() {
    let directory = Directory::start();
    let response = client().get(format!("{}/healthz", directory.program.url)).send().await.unwrap();
    assert_eq!(response.status(), 200);
}
