//! Whose word counts when arrivals of one subject differ: gateways, devices and clients do not know of each other.

use crate::program::{Directory, TOKEN, answer, arrival, client};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Jane's arrival with a token made at this second of a minute.
fn issued(second: u64, attributes: Value) -> Value {
    let mut arrival = arrival("jane", attributes);
    arrival["issued_at"] = json!(format!("2026-11-23T18:00:{second:02}Z"));
    arrival
}

fn initial(mut arrival: Value, names: &[&str]) -> Value {
    arrival["initial"] = json!(names);
    arrival
}

/// What Jane's account is like once these arrivals came one after the other.
async fn account_after(arrivals: &[Value]) -> Value {
    let directory = Directory::start();
    for (number, arrival) in arrivals.iter().enumerate() {
        let (status, body) = directory.arrival(arrival).await;
        assert_eq!(status, if number == 0 { 201 } else { 200 }, "{body}");
    }
    let page = directory.page("").await;
    assert_eq!(page["accounts"].as_array().unwrap().len(), 1, "{page}");
    page["accounts"][0].clone()
}

async fn attributes_after(arrivals: &[Value]) -> Value {
    account_after(arrivals).await["attributes"].clone()
}

#[tokio::test]
async fn an_older_token_changes_nothing() {
    let newer = issued(2, json!({"email": "jane@new.example"}));
    let mut older = issued(1, json!({"email": "jane@old.example", "nickname": "jj"}));
    older["kind"] = json!("agent");
    older["mapping"] = json!("mapping-0");
    older["cause"] = json!("drift");
    let account = account_after(&[newer, older]).await;
    assert_eq!(account["attributes"], json!({"email": "jane@new.example"}));
    assert_eq!((&account["kind"], &account["mapping"]), (&json!("person"), &json!("mapping-1")));
    assert_eq!(account["attributes_issued_at"], "2026-11-23T18:00:02.000Z");
    assert_eq!(account["created_at"], account["updated_at"]);
}

#[tokio::test]
async fn a_newer_token_that_says_the_same_makes_those_before_it_older() {
    let same = json!({"email": "jane@same.example"});
    let between = issued(2, json!({"email": "jane@between.example"}));
    let account = account_after(&[issued(1, same.clone()), issued(3, same.clone()), between]).await;
    assert_eq!(account["attributes"], same);
    assert_eq!(account["created_at"], account["updated_at"], "the account is as it was");
}

#[tokio::test]
async fn of_tokens_of_one_second_the_one_that_comes_last_counts() {
    let (first, second) = (issued(1, json!({"email": "1"})), issued(1, json!({"email": "2"})));
    assert_eq!(attributes_after(&[first, second]).await, json!({"email": "2"}));
}

#[tokio::test]
async fn a_token_of_unknown_age_counts_as_newer_but_makes_no_other_older() {
    let (known, unknown) = (issued(1, json!({"email": "1"})), arrival("jane", json!({"email": "2"})));
    let account = account_after(&[known.clone(), unknown.clone()]).await;
    assert_eq!(account["attributes"], json!({"email": "2"}));
    assert_eq!(account["attributes_issued_at"], "2026-11-23T18:00:01.000Z");
    assert_eq!(attributes_after(&[known.clone(), unknown, known]).await, json!({"email": "1"}));
}

#[tokio::test]
async fn an_attribute_that_a_token_does_not_have_stays() {
    let full = issued(1, json!({"email": "1", "name": {"givenName": "Jane", "familyName": "Doe"}}));
    let partial = issued(2, json!({"name": {"givenName": "Janet"}}));
    let expected = json!({"email": "1", "name": {"givenName": "Janet", "familyName": "Doe"}});
    assert_eq!(attributes_after(&[full, partial]).await, expected);
}

#[tokio::test]
async fn null_takes_an_attribute_out() {
    let full = issued(1, json!({"email": "1", "nickname": "jj"}));
    assert_eq!(attributes_after(&[full, issued(2, json!({"nickname": null}))]).await, json!({"email": "1"}));
    assert_eq!(attributes_after(&[issued(1, json!({"nickname": null}))]).await, json!({}));
}

#[tokio::test]
async fn an_account_keeps_its_own_initial_attributes_and_follows_in_the_others() {
    let names = ["userName", "name.givenName"];
    let full = |user: &str, given: &str, family: &str| json!({"userName": user, "name": {"givenName": given, "familyName": family}});
    let first = initial(issued(1, full("jane", "Jane", "Doe")), &names);
    let later = initial(issued(2, full("jd", "Janet", "Roe")), &names);
    assert_eq!(attributes_after(&[first, later]).await, full("jane", "Jane", "Roe"));
}

#[tokio::test]
async fn an_account_without_an_initial_attribute_gets_it_once() {
    let names = ["userName", "name.givenName"];
    let full = |user: &str, given: &str| json!({"userName": user, "name": {"givenName": given}});
    let arrivals = [
        issued(1, json!({"email": "1"})),
        initial(issued(2, full("jane", "Jane")), &names),
        initial(issued(3, full("jd", "Janet")), &names),
    ];
    let expected = json!({"email": "1", "userName": "jane", "name": {"givenName": "Jane"}});
    assert_eq!(attributes_after(&arrivals).await, expected);
}

#[tokio::test]
async fn parallel_arrivals_from_several_gateways_make_one_account_with_the_newest_attributes() {
    let directory = Directory::start();
    // A client each, so that each has a connection of its own. The newest is neither the first nor the last.
    let together = (0..64_u64).map(|number| {
        let age = (number * 37 + 11) % 60;
        let attributes = json!({"email": format!("jane@{age}.example"), "name": {"givenName": age}});
        let mut arrival = issued(age, attributes);
        arrival["gateway"] = json!(format!("edge-{}", number % 3));
        let url = format!("{}/v1/arrivals", directory.program.url);
        tokio::spawn(answer(client().post(url).bearer_auth(TOKEN).body(arrival.to_string())))
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
    let accounts = directory.page("").await["accounts"].as_array().unwrap().clone();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["attributes"], json!({"email": "jane@59.example", "name": {"givenName": 59}}));
    assert_eq!(accounts[0]["attributes_issued_at"], "2026-11-23T18:00:59.000Z");
}

#[tokio::test]
async fn a_time_of_issue_that_is_no_time_is_refused() {
    let directory = Directory::start();
    let mut arrival = arrival("jane", json!({}));
    arrival["issued_at"] = json!("yesterday");
    let (status, problem) = directory.arrival(&arrival).await;
    assert_eq!(status, 422);
    assert_eq!(problem["problems"], json!(["issued_at: an RFC 3339 time in UTC, ending in Z"]));
}
