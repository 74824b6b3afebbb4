//! The audit: what is in it, and that nothing in it can be changed without being found.

use crate::database::Database;
use crate::program::{Directory, TOKEN, answer, arrival, client, command, subject};
use serde_json::{Value, json};

/// Runs `firstsight audit …` on a database; returns whether it succeeded, and what it wrote.
pub(crate) fn audit(database: &Database, arguments: &[&str]) -> (bool, String) {
    let arguments = [&["audit"], arguments, &["--database", database.url()]].concat();
    let output = command(&arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// A directory in whose audit there are six records.
async fn six_records() -> Directory {
    let directory = Directory::start();
    let (jane, john) = (directory.account_of("jane").await, directory.account_of("john").await);
    directory.arrival(&arrival("jane", json!({"email": "jane@secret.example"}))).await;
    directory.act(&jane, "depart").await;
    directory.act(&john, "disable").await;
    directory.act(&jane, "return").await;
    assert_eq!(directory.records("").await.len(), 6);
    directory
}

/// Does something to the audit that its own database refuses.
fn tamper(directory: &Directory, statement: &str) {
    let database = &directory.database;
    let on = if database.can_be_shared() { " ON audit" } else { "" };
    for trigger in ["audit_is_not_changed", "audit_is_not_shortened"] {
        database.execute(&format!("DROP TRIGGER {trigger}{on}"));
    }
    // PostgreSQL would miss a record that an account refers to.
    database.execute("UPDATE accounts SET departure_record = NULL");
    database.execute(statement);
}

#[tokio::test]
async fn a_subjects_whole_story_is_one_query() {
    let directory = six_records().await;
    let story = directory.records(&format!("?subject={}", subject("jane").key())).await;
    let events: Vec<_> = story.iter().map(|record| record["event"].clone()).collect();
    assert_eq!(events, ["arrival", "drift", "departure", "return"]);
    let next = format!("?subject={}&after={}", subject("jane").key(), story[1]["sequence"]);
    assert_eq!(directory.records(&next).await, story[2..]);
    let (_, page) = answer(directory.get("/v1/audit?limit=4")).await;
    assert_eq!((page["records"].as_array().unwrap().len(), &page["next"]), (4, &json!(4)));
    let (_, page) = answer(directory.get("/v1/audit?limit=4&after=4")).await;
    assert_eq!((page["records"].as_array().unwrap().len(), &page["next"]), (2, &Value::Null));
    assert_eq!(answer(directory.get("/v1/audit?limit=0")).await.0, 400);
}

#[tokio::test]
async fn the_audit_is_exported_as_lines_that_the_api_tells_too_and_holds_no_value() {
    let directory = six_records().await;
    let (whole, lines) = audit(&directory.database, &["export"]);
    assert!(whole && !lines.contains("secret"), "{lines}");
    let exported: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported, directory.records("").await);
}

#[tokio::test]
async fn a_whole_audit_is_found_whole() {
    let directory = six_records().await;
    let (whole, told) = audit(&directory.database, &["verify"]);
    let records = directory.records("").await;
    let head = records[5]["hash"].as_str().unwrap();
    assert!(whole);
    assert_eq!(told, format!("6 records, nothing is wrong; the last hash is {head}\n"));
    let earlier = records[2]["hash"].as_str().unwrap();
    assert!(audit(&directory.database, &["verify", "--noted", earlier]).0);
    assert!(audit(&Directory::start().database, &["verify"]).0, "an empty one is whole too");
}

#[tokio::test]
async fn a_record_that_was_changed_is_found() {
    let changes = [
        "at = at + 1",
        "account = 'another'",
        "subject_key = 'another'",
        "event = 'return'",
        "cause = 'scim'",
        "actor = 'nobody'",
        "gateway = 'edge-2'",
        "mapping = 'mapping-2'",
        "attributes = '[]'",
        "reason = 'another'",
        "token = '{\"id\":\"1\",\"name\":\"edge-1\",\"scopes\":[],\"expires_at\":null}'",
        "hash = previous",
    ];
    for change in changes {
        let directory = six_records().await;
        tamper(&directory, &format!("UPDATE audit SET {change} WHERE sequence = 3"));
        let (whole, told) = audit(&directory.database, &["verify"]);
        assert!(!whole && told.contains("record 3 is not as it was written"), "{change}: {told}");
    }
}

#[tokio::test]
async fn a_record_that_was_removed_or_moved_or_added_is_found() {
    let swap =
        "UPDATE audit SET sequence = -2 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3;
                UPDATE audit SET sequence = 3 WHERE sequence = -2";
    let add = "INSERT INTO audit SELECT 7, at, account, subject_key, event, cause, actor, gateway, mapping,
                                        attributes, reason, hash, hash, token FROM audit WHERE sequence = 6";
    for (statement, found) in [
        ("DELETE FROM audit WHERE sequence = 1", "after record 0 comes record 2"),
        ("DELETE FROM audit WHERE sequence = 4", "after record 3 comes record 5"),
        ("DELETE FROM audit WHERE sequence = 6", "record 5 is not the last that was written"),
        ("DELETE FROM audit", "record 0 is not the last that was written"),
        (swap, "record 2 does not follow the one before it"),
        (add, "record 7 is not as it was written"),
    ] {
        let directory = six_records().await;
        tamper(&directory, statement);
        let (whole, told) = audit(&directory.database, &["verify"]);
        assert!(!whole && told.contains(found), "{statement}: {told}");
    }
}

#[tokio::test]
async fn a_chain_that_was_made_anew_does_not_have_the_hash_that_was_noted() {
    let (directory, anew) = (six_records().await, six_records().await);
    let noted = directory.records("").await[5]["hash"].as_str().unwrap().to_owned();
    let (whole, told) = audit(&anew.database, &["verify", "--noted", &noted]);
    assert!(!whole && told.contains("no record has the hash that was noted"), "{told}");
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_audit() {
    let directory = six_records().await;
    for statement in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
        let database = directory.database.clone();
        let refused = std::thread::spawn(move || database.execute(statement)).join();
        assert!(refused.is_err(), "{statement}");
    }
    assert!(audit(&directory.database, &["verify"]).0);
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_looking_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.db");
    let database = format!("sqlite:{}", path.display());
    for what in ["verify", "export"] {
        let output = command(&["audit", what, "--database", &database]).output().unwrap();
        assert!(!output.status.success() && !path.exists(), "{what}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(&database), "{what}");
    }
}

#[tokio::test]
async fn arrivals_that_come_together_make_one_whole_chain() {
    let directory = Directory::start();
    let together = (0..64).map(|number| {
        let body = arrival(&format!("sub-{}", number % 40), json!({})).to_string();
        let request = client().post(format!("{}/v1/arrivals", directory.program.url));
        tokio::spawn(answer(request.bearer_auth(TOKEN).body(body)))
    });
    for answered in together.collect::<Vec<_>>() {
        assert!(matches!(answered.await.unwrap().0, 200 | 201));
    }
    assert_eq!(directory.records("?limit=1000").await.len(), 40);
    assert!(audit(&directory.database, &["verify"]).0);
}

#[tokio::test]
async fn an_audit_is_found_whole_while_it_grows() {
    let directory = Directory::start();
    let (url, database) = (format!("{}/v1/arrivals", directory.program.url), directory.database.clone());
    let verifying = tokio::task::spawn_blocking(move || {
        for _ in 0..5 {
            let (whole, told) = audit(&database, &["verify"]);
            assert!(whole, "{told}");
        }
    });
    let client = client();
    for number in 0.. {
        if verifying.is_finished() {
            break;
        }
        let body = arrival(&format!("sub-{number}"), json!({})).to_string();
        assert_eq!(answer(client.post(&url).bearer_auth(TOKEN).body(body)).await.0, 201);
    }
    verifying.await.unwrap();
}
