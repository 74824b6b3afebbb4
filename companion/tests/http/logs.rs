//! The log: no value of an attribute and no token is in it, however much is logged.

use crate::database::Database;
use crate::program::{Program, TOKEN, answer, arrival, client, command, sighting, status};
use serde_json::{Value, json};
use std::fs::File;
use std::time::Duration;

/// What is looked for in the log.
const MARK: &str = "m4rk3r";

/// Everything that a directory logs that is asked for all kinds of things, sensible and not, each with the mark in it.
async fn log_of(form: &str) -> (String, String) {
    let (database, folder) = (Database::create(), tempfile::tempdir().unwrap());
    let path = folder.path().join("log");
    let options = ["--log", form, "--log-level", "trace"];
    let usual = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
    let mut serve = command(&[&usual[..], &options].concat());
    serve.stderr(File::create(&path).unwrap());
    let program = Program::run(serve);
    let client = client();
    let post = |path: &str, body: String| {
        let request = client.post(format!("{}{path}", program.url)).bearer_auth(TOKEN).body(body);
        request.header("content-type", firstsight::wire::SIGHTINGS_CONTENT_TYPE)
    };
    let get = |path: &str, token: &str| client.get(format!("{}{path}", program.url)).bearer_auth(token);

    let wish = json!({"name": "edge-1", "scopes": ["gateway"]}).to_string();
    let made = answer(post("/v1/tokens", wish)).await.1["token"].as_str().unwrap().to_owned();
    assert_eq!(status(get("/v1/departures", &made)).await, 200);
    assert_eq!(status(get("/v1/departures", &format!("fst_{MARK}"))).await, 401);
    assert_eq!(status(get(&format!("/v1/accounts?after={MARK}&limit=0"), TOKEN)).await, 400);
    assert_eq!(status(get(&format!("/v1/{MARK}"), TOKEN)).await, 404);

    let whole = arrival(MARK, json!({"email": MARK, "name": {"givenName": MARK}}));
    let (_, account) = answer(post("/v1/arrivals", whole.to_string())).await;
    let account = format!("/v1/accounts/{}", account["account"]["id"].as_str().unwrap());
    let drift = arrival(MARK, json!({"email": format!("another {MARK}")})).to_string();
    let misshapen = json!({"subject": MARK, MARK: 1}).to_string();
    let batch = json!([sighting(MARK, MARK, 1000, 2000, 1)]).to_string();
    let reason = json!({"reason": MARK}).to_string();
    for (path, body, expected) in [
        ("/v1/arrivals", drift.clone(), 200),
        ("/v1/arrivals", format!("{{\"{MARK}\":"), 400),
        ("/v1/arrivals", misshapen.clone(), 422),
        ("/v1/arrivals", drift.replace("edge-1", &format!("{MARK}\\n")), 422),
        ("/v1/sightings", batch.clone(), 200),
        ("/v1/sightings", misshapen.clone(), 422),
        (&format!("{account}/disable"), reason, 200),
        (&format!("{account}/depart"), misshapen, 422),
    ] {
        assert_eq!(status(post(path, body.clone())).await, expected, "{path} {body}");
    }
    // What the directory needs is gone; what it then says of the database is logged.
    database.execute("ALTER TABLE accounts RENAME TO gone; ALTER TABLE audit_head RENAME TO gone_too");
    let other = arrival(&format!("another {MARK}"), json!({"email": MARK})).to_string();
    let later = json!([sighting(&format!("another {MARK}"), MARK, 1000, 2000, 1)]).to_string();
    for (path, body) in [("/v1/arrivals", other), ("/v1/sightings", later)] {
        assert_eq!(status(post(path, body)).await, 503, "{path}");
    }
    assert_eq!(status(get("/readyz", "")).await, 503);
    program.terminate();
    assert!(program.ended().success());
    (std::fs::read_to_string(path).unwrap(), made)
}

#[tokio::test]
async fn no_value_of_an_attribute_and_no_token_is_logged() {
    for form in ["text", "json"] {
        let (log, made) = log_of(form).await;
        for secret in [MARK, TOKEN, &made, &made[4..]] {
            let found = log.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "{form}");
        }
        // It is the whole log that was looked into.
        for told in ["an account was made", "the database: ", "stopping", "DEBUG"] {
            assert!(log.contains(told), "{form}: {told} is not in it");
        }
    }
}

#[test]
fn a_log_for_programs_has_one_object_a_line() {
    let database = Database::create();
    let serve = ["serve", "--listen", "192.0.2.1:1", "--log", "json", "--database", database.url()];
    let output = command(&serve).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(last["message"].as_str().unwrap().contains("192.0.2.1:1"), "{last}");
    assert!(
        humantime::parse_rfc3339(last["timestamp"].as_str().unwrap()).unwrap().elapsed().unwrap()
            < Duration::from_secs(60)
    );
}
