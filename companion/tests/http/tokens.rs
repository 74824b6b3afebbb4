//! Tokens: how they come and go, and what each opens.

use crate::database::Database;
use crate::program::{Directory, Program, TOKEN, answer, arrival, client, command, header};
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};

/// Within this time every process follows what was done to a token.
const FOLLOWED: Duration = Duration::from_secs(5);

/// Runs `firstsight token …` on a database.
fn run(database: &Database, arguments: &[&str]) -> Output {
    command(&[&["token"], arguments, &["--database", database.url()]].concat()).output().unwrap()
}

/// What a command that must succeed writes.
fn told(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Asks for something with a token; returns the status.
async fn status(directory: &Directory, method: &str, path: &str, token: &str) -> u16 {
    let url = format!("{}{path}", directory.program.url);
    let request = client().request(method.parse().unwrap(), url).bearer_auth(token).body("{}");
    request.send().await.unwrap().status().as_u16()
}

async fn opens(directory: &Directory, token: &str) -> bool {
    status(directory, "GET", "/v1/departures", token).await == 200
}

/// Waits until a token opens nothing any more; fails if it takes longer than it may.
async fn is_shut(directory: &Directory, token: &str) {
    let start = Instant::now();
    while opens(directory, token).await {
        assert!(start.elapsed() < FOLLOWED, "it still opens something");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes a token through the API.
async fn make(directory: &Directory, body: Value) -> (u16, Value) {
    answer(directory.post("/v1/tokens", body.to_string())).await
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say_and_nothing_else() {
    let directory = Directory::start();
    let places = [
        ("POST", "/v1/arrivals", "gateway"),
        ("POST", "/v1/sightings", "gateway"),
        ("GET", "/v1/departures", "gateway"),
        ("GET", "/v1/accounts", "admin auditor"),
        ("GET", "/v1/audit", "admin auditor"),
        ("POST", "/v1/accounts/1/disable", "admin"),
        ("GET", "/v1/tokens", "admin"),
        ("POST", "/v1/tokens", "admin"),
        ("DELETE", "/v1/tokens/none", "admin"),
        ("GET", "/v1/nowhere", "gateway scim signals admin auditor"),
    ];
    for scope in ["gateway", "scim", "signals", "admin", "auditor"] {
        let token = told(&directory.database, &["create", "--name", scope, "--scope", scope]);
        for (method, path, scopes) in places {
            let status = status(&directory, method, path, &token).await;
            let expected = scopes.split(' ').any(|other| other == scope);
            assert_eq!(status != 403, expected, "{scope}: {method} {path}: {status}");
            assert_ne!(status, 401, "{scope}: {method} {path}");
        }
    }
}

#[tokio::test]
async fn who_reports_an_arrival_is_its_actor() {
    let directory = Directory::start();
    let token = told(&directory.database, &["create", "--name", "edge-1", "--scope", "gateway"]);
    let url = format!("{}/v1/arrivals", directory.program.url);
    let body = arrival("jane", json!({})).to_string();
    assert_eq!(answer(client().post(url).bearer_auth(token).body(body)).await.0, 201);
    let records = directory.records("").await;
    assert_eq!((&records[1]["event"], &records[1]["actor"]), (&json!("arrival"), &json!("edge-1")));
}

#[tokio::test]
async fn a_token_is_told_once_and_never_kept() {
    let directory = Directory::start();
    let wish = json!({"name": "edge-1", "scopes": ["scim", "gateway"], "expires_in": "90d"});
    let response = directory.post("/v1/tokens", wish.to_string()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (201, "no-store"));
    let made: Value = response.json().await.unwrap();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("fst_") && token.len() == 47, "{token}");
    assert!(opens(&directory, token).await);

    let (_, list) = answer(directory.get("/v1/tokens")).await;
    let listed = &list["tokens"][0];
    assert_eq!((&listed["name"], &listed["scopes"]), (&json!("edge-1"), &json!(["gateway", "scim"])));
    assert_eq!((&listed["expires_at"], &listed["id"]), (&made["expires_at"], &made["id"]));
    let table = told(&directory.database, &["list"]);
    assert!(table.lines().nth(1).unwrap().starts_with("edge-1  gateway scim  works  20"), "{table}");
    let export = command(&["audit", "export", "--database", directory.database.url()]).output().unwrap();
    for place in [list.to_string(), table, String::from_utf8(export.stdout).unwrap()] {
        assert!(!place.contains(token) && place.contains("edge-1"), "{place}");
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_opens_nothing_any_more() {
    let directory = Directory::start();
    let database = &directory.database;
    let token = told(database, &["create", "--name", "edge-1", "--scope", "gateway"]);
    assert!(opens(&directory, &token).await);
    told(database, &["revoke", "edge-1"]);
    is_shut(&directory, &token).await;
    assert!(!run(database, &["revoke", "edge-1"]).status.success());

    let again = told(database, &["create", "--name", "edge-1", "--scope", "gateway"]);
    assert!(opens(&directory, &again).await && !opens(&directory, &token).await);
    assert_eq!(status(&directory, "DELETE", "/v1/tokens/edge-1", TOKEN).await, 204);
    assert!(!opens(&directory, &again).await, "this process follows at once");
    assert_eq!(status(&directory, "DELETE", "/v1/tokens/edge-1", TOKEN).await, 404);
}

#[tokio::test]
async fn a_token_is_rotated_without_a_moment_in_which_none_works() {
    let directory = Directory::start();
    let database = &directory.database;
    let first = told(database, &["create", "--name", "edge-1", "--scope", "gateway", "--expires", "90d"]);
    let second = told(database, &["rotate", "edge-1", "--overlap", "1h"]);
    assert!(opens(&directory, &first).await && opens(&directory, &second).await);
    let (status, third) = answer(directory.post("/v1/tokens/edge-1/rotate", r#"{"overlap": "1s"}"#)).await;
    assert_eq!((status, &third["scopes"]), (201, &json!(["gateway"])));
    let third = third["token"].as_str().unwrap();
    assert!(opens(&directory, third).await);
    for earlier in [first, second] {
        is_shut(&directory, &earlier).await;
    }
    assert!(opens(&directory, third).await);
    // Each lives as long as the first was to.
    let (_, list) = answer(directory.get("/v1/tokens")).await;
    let days = |token: &Value| {
        let time = |member: &str| humantime::parse_rfc3339(token[member].as_str().unwrap()).unwrap();
        time("expires_at").duration_since(time("created_at")).unwrap().as_secs() / 86_400
    };
    assert_eq!(list["tokens"].as_array().unwrap().iter().map(days).collect::<Vec<_>>(), [0, 0, 90]);
}

#[tokio::test]
async fn a_token_that_expired_opens_nothing_and_its_name_is_free() {
    let directory = Directory::start();
    let wish = json!({"name": "edge-1", "scopes": ["gateway"], "expires_in": "300ms"});
    let (_, made) = make(&directory, wish.clone()).await;
    assert_eq!(make(&directory, wish.clone()).await.0, 409);
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert!(!opens(&directory, made["token"].as_str().unwrap()).await);
    assert_eq!(make(&directory, wish).await.0, 201);
}

#[tokio::test]
async fn what_is_done_to_tokens_is_in_the_audit_and_its_chain_is_whole() {
    let directory = Directory::start();
    let database = &directory.database;
    told(database, &["create", "--name", "edge-1", "--scope", "gateway"]);
    directory.account_of("jane").await;
    assert_eq!(answer(directory.post("/v1/tokens/edge-1/rotate", "")).await.0, 201);
    told(database, &["revoke", "edge-1"]);
    let records = directory.records("").await;
    let of = |member: &str| records.iter().map(|record| record[member].clone()).collect::<Vec<_>>();
    assert_eq!(of("event"), ["token-made", "arrival", "token-rotated", "token-revoked", "token-revoked"]);
    let actors = ["command line", "environment", "environment", "command line", "command line"];
    assert_eq!(of("actor"), actors);
    assert_eq!((&records[0]["token"]["name"], &records[1]["token"]), (&json!("edge-1"), &Value::Null));
    let verify = command(&["audit", "verify", "--database", database.url()]).output().unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stdout));
}

#[tokio::test]
async fn a_token_has_a_name_and_scopes_that_there_are() {
    let directory = Directory::start();
    for (body, place) in [
        (json!({"name": "edge 1", "scopes": ["gateway"]}), "name"),
        (json!({"name": "environment", "scopes": ["gateway"]}), "name"),
        (json!({"name": "edge-1", "scopes": ["everything"]}), "scopes[0]"),
        (json!({"name": "edge-1", "scopes": []}), "scopes"),
        (json!({"name": "edge-1", "scopes": ["gateway"], "expires_in": "soon"}), "expires_in"),
        (json!({"name": "edge-1"}), "."),
    ] {
        let (status, problem) = make(&directory, body).await;
        assert_eq!(status, 422, "{problem}");
        let told = problem["problems"][0].as_str().unwrap();
        assert!(told.starts_with(&format!("{place}: ")), "{place}: {told}");
    }
    for arguments in [&["--name", "edge 1", "--scope", "gateway"][..], &["--name", "edge-1"]] {
        assert!(!run(&directory.database, &[&["create"], arguments].concat()).status.success());
    }
}

#[tokio::test]
async fn when_a_token_was_used_is_known_to_the_hour() {
    let directory = Directory::start();
    let token = told(&directory.database, &["create", "--name", "edge-1", "--scope", "gateway"]);
    assert!(opens(&directory, &token).await);
    let start = Instant::now();
    loop {
        let (_, list) = answer(directory.get("/v1/tokens")).await;
        if list["tokens"][0]["last_used_at"].is_string() {
            break;
        }
        assert!(start.elapsed() < FOLLOWED, "{list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn without_any_token_the_directory_says_how_to_make_one_and_with_one_it_needs_no_other() {
    let database = Database::create();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
    let output = command(&serve).env_remove("FIRSTSIGHT_TOKEN").output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("firstsight token create") && said.contains("FIRSTSIGHT_TOKEN"), "{said}");

    told(&database, &["create", "--name", "admin", "--scope", "admin"]);
    let mut serve = command(&serve);
    serve.env_remove("FIRSTSIGHT_TOKEN");
    Program::run(serve);
}
