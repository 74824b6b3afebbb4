//! What the service says of itself, who may use it, and how it refuses.

use super::{ENTERPRISE, GROUP, USER, ask};
use crate::program::{Directory, TOKEN, client, command};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;

#[tokio::test]
async fn discovery_needs_no_token_and_everything_else_does() {
    let directory = Directory::start();
    let there = |path: &str| format!("{}/scim/v2{path}", directory.program.url);
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        &format!("/Schemas/{USER}"),
    ] {
        let answer = ask(client().get(there(path))).await.is(200);
        assert_eq!(answer.content_type, "application/scim+json", "{path}");
    }
    for path in ["/Users", "/Users/1", "/Groups", "/Groups/1", "/Nothing", "/.search"] {
        ask(client().get(there(path))).await.fails(401, None);
        ask(client().post(there(path)).bearer_auth("another-token")).await.fails(401, None);
    }
    let response = client().get(there("/Users")).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn the_service_says_what_it_can() {
    let directory = Directory::start();
    let config = directory.scim_get("/ServiceProviderConfig").await.is(200).body;
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("etag", true),
        ("bulk", false),
        ("sort", false),
        ("changePassword", false),
    ] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(
        (&config["pagination"]["cursor"], &config["pagination"]["index"]),
        (&json!(true), &json!(true))
    );
    let types = directory.scim_get("/ResourceTypes").await.is(200).body;
    let endpoint = |number: usize| types["Resources"][number]["endpoint"].clone();
    assert_eq!((endpoint(0), endpoint(1)), (json!("/Users"), json!("/Groups")));
    assert_eq!(types["Resources"][0]["schemaExtensions"], json!([{"schema": ENTERPRISE, "required": false}]));
    let schemas = directory.scim_get("/Schemas").await.is(200).body;
    assert_eq!(schemas["totalResults"], 6);
    for urn in [USER, GROUP, ENTERPRISE] {
        assert_eq!(directory.scim_get(&format!("/Schemas/{urn}")).await.is(200).body["id"], urn);
    }
    directory.scim_get("/Schemas/urn:acme").await.fails(404, None);
    directory.scim_get("/ResourceTypes/Device").await.fails(404, None);
    directory.scim_get("/Schemas?filter=id%20pr").await.fails(403, None);
}

#[tokio::test]
async fn whatever_goes_wrong_is_said_as_scim_says_it() {
    let directory = Directory::start();
    let raw = |method: Method, path: &str, content_type: &str, body: &str| {
        let request = client().request(method, format!("{}/scim/v2{path}", directory.program.url));
        request.bearer_auth(TOKEN).header("content-type", content_type).body(body.to_owned())
    };
    let scim = "application/scim+json";
    let user = json!({"schemas": [USER], "userName": "jane"}).to_string();
    ask(raw(Method::POST, "/Users", scim, "{")).await.fails(400, Some("invalidSyntax"));
    ask(raw(Method::POST, "/Users", scim, "\"jane\"")).await.fails(400, Some("invalidSyntax"));
    ask(raw(Method::POST, "/Users", scim, "{\"userName\":\"a\",\"USERNAME\":\"b\"}"))
        .await
        .fails(400, Some("invalidSyntax"));
    ask(raw(Method::POST, "/Users", "text/plain", &user)).await.fails(415, None);
    ask(raw(Method::POST, "/Users", scim, &" ".repeat(1024 * 1024 + 1))).await.fails(413, None);
    ask(raw(Method::POST, "/Users", "application/json; charset=utf-8", &user)).await.is(201);
    ask(raw(Method::PATCH, "/Users", scim, &user)).await.fails(405, None);
    ask(raw(Method::POST, "/Bulk", scim, &user)).await.fails(404, None);
    directory.scim_get("/Nothing").await.fails(404, None);
    directory.scim_get("/Users/nobody").await.fails(404, None);
    directory.scim_get("/no/such/place/at/all").await.fails(404, None);
}

#[tokio::test]
async fn the_settings_say_where_the_service_is() {
    let mut settings = tempfile::NamedTempFile::new().unwrap();
    writeln!(settings, "[scim]\nurl = \"https://directory.example.com/scim/\"").unwrap();
    let directory = Directory::with(&["--config", settings.path().to_str().unwrap()]);
    let path = directory.make_user(json!({"userName": "jane"})).await;
    let location = directory.scim_get(&path).await.body["meta"]["location"].clone();
    assert_eq!(location, format!("https://directory.example.com/scim{path}"));
}

#[test]
fn settings_that_cannot_be_meant_are_told_with_their_places() {
    let mut settings = tempfile::NamedTempFile::new().unwrap();
    writeln!(settings, "[scim]\nissuer = \"idp\"\nurl = \"/scim\"").unwrap();
    let output = command(&["serve", "--config", settings.path().to_str().unwrap()]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("scim.issuer") && told.contains("scim.url"), "{told}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn no_value_is_logged() {
    // The log goes to standard error, which `Program` drops; so here it is started by hand.
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("accounts.db").display());
    let mut child = command(&["serve", "--listen", "127.0.0.1:0", "--database", &database])
        .env("RUST_LOG", "trace")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    for body in [
        json!({"schemas": [USER], "userName": "secret"}),
        json!({"schemas": [USER], "userName": ["secret"]}),
        Value::Null,
    ] {
        let request = client().post(format!("{url}/scim/v2/Users")).bearer_auth(TOKEN).body(body.to_string());
        ask(request.header("content-type", "application/scim+json")).await;
    }
    child.kill().unwrap();
    let log = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(!log.contains("secret"), "{log}");
}
