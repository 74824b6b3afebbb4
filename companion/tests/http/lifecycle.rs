//! The states of an account, and what leads from one to another.

use crate::program::{Directory, answer, arrival};
use serde_json::{Value, json};

/// What the story of an account says of each of these members, oldest first.
fn told(account: &Value, member: &str) -> Vec<Value> {
    account["story"].as_array().unwrap().iter().map(|record| record[member].clone()).collect()
}

#[tokio::test]
async fn an_account_can_be_made_to_wait_for_approval() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    let jane = arrival("jane", json!({"userName": "jane"}));
    for _ in 0..2 {
        let (status, answer) = directory.arrival(&jane).await;
        assert_eq!((status, &answer["status"]), (202, &json!("pending")));
        assert!(answer["message"].is_string() && answer["account"].is_null(), "{answer}");
    }
    let waiting = directory.page("?state=pending").await["accounts"].clone();
    assert_eq!(waiting.as_array().unwrap().len(), 1);

    let id = waiting[0]["id"].as_str().unwrap();
    assert_eq!(directory.act(id, "approve").await["state"], "active");
    let (status, answer) = directory.arrival(&jane).await;
    assert_eq!((status, &answer["account"]["id"]), (200, &json!(id)));
    assert_eq!(directory.page("?state=pending").await["accounts"], json!([]));
}

#[tokio::test]
async fn who_waits_for_approval_is_known_by_the_newest_attributes() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrival(&arrival("jane", json!({"email": "jane@old.example"}))).await;
    directory.arrival(&arrival("jane", json!({"email": "jane@new.example"}))).await;
    let accounts = directory.page("").await["accounts"].clone();
    assert_eq!(accounts[0]["attributes"], json!({"email": "jane@new.example"}));
    assert_eq!(accounts[0]["state"], "pending");
}

#[tokio::test]
async fn an_arrival_revives_no_account_that_is_shut_and_changes_nothing_of_it() {
    let directory = Directory::start();
    for (action, status, word, state) in
        [("disable", 403, "denied", "disabled"), ("depart", 410, "departed", "departed")]
    {
        let id = directory.account_of(action).await;
        let shut = directory.act(&id, action).await;
        assert_eq!(shut["state"], state);
        for attributes in [json!({}), json!({"email": "another@new.example"})] {
            let (answered, answer) = directory.arrival(&arrival(action, attributes)).await;
            assert_eq!((answered, &answer["status"]), (status, &json!(word)));
            assert!(answer["message"].is_string() && answer["account"].is_null(), "{answer}");
        }
        let mut after = directory.account(&id).await;
        assert_eq!(told(&after, "event").len(), 2);
        after.as_object_mut().unwrap().remove("story");
        assert_eq!(after, shut);
    }
}

#[tokio::test]
async fn who_returns_has_the_same_account_again() {
    let directory = Directory::start();
    for (away, back) in [("disable", "enable"), ("depart", "return")] {
        let id = directory.account_of(away).await;
        directory.act(&id, away).await;
        directory.act(&id, back).await;
        let (status, answer) = directory.arrival(&arrival(away, json!({}))).await;
        assert_eq!((status, &answer["account"]["id"]), (200, &json!(id)));
    }
    assert_eq!(directory.page("").await["accounts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_no_way_leads_to_is_refused_and_changes_nothing() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    directory.act(&id, "depart").await;
    let before = directory.account(&id).await;
    for action in ["approve", "disable", "enable"] {
        let (status, problem) = directory.try_act(&id, action).await;
        assert_eq!((status, &problem["type"]), (409, &json!("urn:firstsight:problem:state")), "{action}");
        assert_eq!(problem["problems"], json!(["the account is departed"]));
    }
    assert_eq!(directory.account(&id).await, before);
}

#[tokio::test]
async fn what_is_done_again_changes_nothing() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    for (action, records) in [("approve", 1), ("disable", 2), ("enable", 3), ("depart", 4), ("return", 5)] {
        let first = directory.act(&id, action).await;
        assert_eq!(directory.act(&id, action).await, first, "{action}");
        assert_eq!(told(&directory.account(&id).await, "event").len(), records, "{action}");
    }
}

#[tokio::test]
async fn sessions_are_ended_by_an_administrator_each_time_anew_and_not_of_an_account_that_is_shut() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let before = directory.account(&id).await;
    for times in 1..3 {
        let after = directory.act(&id, "revoke").await;
        assert_eq!((&after["state"], &after["state_since"]), (&before["state"], &before["state_since"]));
        let account = directory.account(&id).await;
        assert_eq!(told(&account, "event").len(), 1 + times);
        assert_eq!(told(&account, "event").last(), Some(&json!("revocation")));
    }
    let (_, feed) = answer(directory.get("/v1/departures")).await;
    assert_eq!(feed["departures"][0]["state"], "returned");
    directory.act(&id, "disable").await;
    assert_eq!(directory.try_act(&id, "revoke").await.0, 409);
    let (_, feed) = answer(directory.get("/v1/departures")).await;
    assert_eq!(feed["departures"][0]["state"], "departed", "it lets nobody in again");
}

#[tokio::test]
async fn an_accounts_story_says_what_was_done_by_whom_and_why() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrival(&arrival("jane", json!({"email": "jane@old.example"}))).await;
    let mut drift = arrival("jane", json!({"email": "jane@new.example", "name": {"givenName": "Jane"}}));
    drift["cause"] = json!("drift");
    directory.arrival(&drift).await;
    let id = directory.page("").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    for action in ["approve", "disable", "enable", "depart", "return"] {
        directory.act(&id, action).await;
    }
    let account = directory.account(&id).await;
    let events = ["arrival", "drift", "approval", "disable", "enable", "departure", "return"];
    assert_eq!(told(&account, "event"), events);
    assert_eq!(told(&account, "cause")[..3], ["arrival", "drift", "admin"]);
    assert_eq!(told(&account, "actor")[..3], ["environment", "environment", "environment"]);
    assert_eq!(told(&account, "gateway")[..3], [json!("edge-1"), json!("edge-1"), Value::Null]);
    assert_eq!(told(&account, "mapping")[..3], [json!("mapping-1"), json!("mapping-1"), Value::Null]);
    assert_eq!(told(&account, "reason")[1..3], [Value::Null, json!("to approve")]);
    let names = [json!(["email"]), json!(["email", "name.givenName"]), json!([])];
    assert_eq!(told(&account, "attributes")[..3], names);
    assert_eq!(account["state_since"], *told(&account, "at").last().unwrap());
}

#[tokio::test]
async fn an_action_wants_a_reason() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let path = format!("/v1/accounts/{id}/disable");
    let long = json!({"reason": "x".repeat(1001)}).to_string();
    for (body, status) in [
        ("", 400),
        ("{}", 422),
        (r#"{"reason":""}"#, 422),
        (r#"{"reason":" "}"#, 422),
        (r#"{"reason":"a\nb"}"#, 422),
        (r#"{"reason":"x","force":true}"#, 422),
        (&long, 422),
    ] {
        let (answered, problem) = answer(directory.post(&path, body.to_owned())).await;
        assert_eq!(answered, status, "{body}: {problem}");
    }
    assert_eq!(directory.account(&id).await["state"], "active");
}

#[tokio::test]
async fn only_actions_and_accounts_that_there_are_can_be_named() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let (status, problem) = directory.try_act(&id, "erase").await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:firstsight:problem:no-such-place")));
    let (status, problem) = directory.try_act("none", "depart").await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:firstsight:problem:no-such-account")));
}
