//! Users: made, read, replaced, closed.

use super::{ENTERPRISE, USER, story};
use crate::program::Directory;
use serde_json::json;

fn jane() -> serde_json::Value {
    json!({
        "schemas": [USER, ENTERPRISE], "userName": "jane", "externalId": "hr-4711", "title": "Tour Guide",
        "name": {"givenName": "Jane", "familyName": "Doe"}, "emails": [{"value": "jane@people.test", "primary": true}],
        ENTERPRISE: {"department": "Tours"},
    })
}

#[tokio::test]
async fn a_user_is_read_as_it_was_made() {
    let directory = Directory::start();
    let made = directory.scim_post("/Users", &jane()).await.is(201);
    assert_eq!(made.content_type, "application/scim+json");
    let path = format!("/Users/{}", made.id());
    assert_eq!(made.location, made.body["meta"]["location"].as_str().map(str::to_owned));
    assert!(made.location.as_ref().unwrap().ends_with(&format!("/scim/v2{path}")));
    assert_eq!(made.etag.as_deref(), made.body["meta"]["version"].as_str());
    let mut whole = jane();
    whole["active"] = json!(true);
    whole["id"] = made.body["id"].clone();
    whole["meta"] = made.body["meta"].clone();
    assert_eq!(made.body, whole);
    assert_eq!(directory.scim_get(&path).await.is(200).body, whole);
    assert_eq!(
        story(&directory, &made.id()).await,
        [("arrival".into(), "scim".into(), "environment".into())]
    );
}

#[tokio::test]
async fn names_of_attributes_have_no_case_and_what_a_client_may_not_write_is_passed_over() {
    let directory = Directory::start();
    let odd = json!({
        "SCHEMAS": [USER], "username": "jane", "NAME": {"GIVENNAME": "Jane"}, "id": "mine", "shoeSize": 40,
        "groups": [{"value": "1"}], "password": "secret", "meta": {"version": "7"}, "active": "True",
    });
    let made = directory.scim_post("/Users", &odd).await.is(201);
    assert_eq!(made.body["userName"], "jane");
    assert_eq!(made.body["name"], json!({"givenName": "Jane"}));
    assert_eq!(made.body["active"], true);
    assert_ne!(made.body["id"], "mine");
    for absent in ["shoeSize", "groups", "password"] {
        assert!(made.body[absent].is_null(), "{absent}");
    }
    let account = directory.account(&made.id()).await;
    assert!(!account.to_string().contains("secret"), "a password is not kept");
}

#[tokio::test]
async fn a_user_name_is_somebodys_alone_in_whatever_case() {
    let directory = Directory::start();
    let path = directory.make_user(json!({"userName": "jane"})).await;
    let john = directory.make_user(json!({"userName": "john"})).await;
    let taken = json!({"schemas": [USER], "userName": "JANE"});
    directory.scim_post("/Users", &taken).await.fails(409, Some("uniqueness"));
    directory.scim_put(&john, &taken).await.fails(409, Some("uniqueness"));
    let renamed = json!([{"op": "replace", "path": "userName", "value": "Jane"}]);
    directory.scim_patch(&john, renamed.clone()).await.fails(409, Some("uniqueness"));
    directory.scim_patch(&path, renamed).await.is(200);
    directory.scim_delete(&path).await.is(204);
    directory.scim_put(&john, &taken).await.is(200);
}

#[tokio::test]
async fn what_is_no_user_is_refused_with_the_attribute_and_without_its_value() {
    let directory = Directory::start();
    let user = |more: serde_json::Value| {
        let mut user = json!({"schemas": [USER], "userName": "jane"});
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user
    };
    let two = json!([{"value": "a@secret", "primary": true}, {"value": "b@secret", "primary": true}]);
    for (body, named) in [
        (json!({"schemas": [USER]}), "userName"),
        (json!({"userName": "jane"}), "schemas"),
        (json!({"schemas": ["urn:secret"], "userName": "jane"}), "schemas"),
        (user(json!({"userName": ""})), "userName"),
        (user(json!({"userName": "a\u{7}secret"})), "userName"),
        (user(json!({"userName": "s".repeat(201)})), "userName"),
        (user(json!({"active": "secret"})), "active"),
        (user(json!({"name": {"givenName": ["secret"]}})), "name.givenName"),
        (user(json!({"emails": two})), "emails"),
        (user(json!({"externalId": ""})), "externalId"),
        (user(json!({ENTERPRISE: {"department": "secret"}})), "schemas"),
    ] {
        let answer = directory.scim_post("/Users", &body).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(named) && !detail.contains("secret"), "{named}: {detail}");
        answer.fails(400, Some("invalidValue"));
    }
    assert_eq!(directory.scim_get("/Users").await.body["totalResults"], 0);
}

#[tokio::test]
async fn a_replacement_is_the_whole_user_and_leaves_the_state_unless_it_says_so() {
    let directory = Directory::start();
    let made = directory.scim_post("/Users", &jane()).await.is(201);
    let path = format!("/Users/{}", made.id());
    directory.scim_patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    let other = json!({"schemas": [USER], "userName": "janet", "externalId": "hr-4711"});
    let replaced = directory.scim_put(&path, &other).await.is(200).body;
    assert_eq!((&replaced["userName"], &replaced["active"]), (&json!("janet"), &json!(false)));
    assert!(replaced["title"].is_null() && replaced["emails"].is_null() && replaced[ENTERPRISE].is_null());
    assert_eq!(replaced["schemas"], json!([USER]));
    let account = directory.account(&made.id()).await;
    let names = &account["story"].as_array().unwrap().last().unwrap()["attributes"];
    let department = format!("{ENTERPRISE}.department");
    assert_eq!(
        *names,
        json!(["emails", "name.familyName", "name.givenName", "title", department, "userName"])
    );
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_trace() {
    let directory = Directory::start();
    let made = directory.scim_post("/Users", &jane()).await.is(201);
    let path = format!("/Users/{}", made.id());
    let again = directory.scim_put(&path, &made.body).await.is(200);
    assert_eq!((&again.etag, &again.body), (&made.etag, &made.body));
    assert_eq!(story(&directory, &made.id()).await.len(), 1);
}

#[tokio::test]
async fn a_user_that_was_closed_is_not_there_and_its_account_stays() {
    let directory = Directory::start();
    let path = directory.make_user(json!({"userName": "jane"})).await;
    let id = path.rsplit('/').next().unwrap();
    directory.scim_delete(&path).await.is(204);
    directory.scim_get(&path).await.fails(404, None);
    directory.scim_put(&path, &json!({"schemas": [USER], "userName": "jane"})).await.fails(404, None);
    let active = json!([{"op": "replace", "path": "active", "value": true}]);
    directory.scim_patch(&path, active).await.fails(404, None);
    directory.scim_delete(&path).await.fails(404, None);
    assert_eq!(directory.scim_get("/Users").await.body["totalResults"], 0);
    assert_eq!(directory.account(id).await["state"], "departed");
    let events: Vec<_> = story(&directory, id).await.into_iter().map(|(event, ..)| event).collect();
    assert_eq!(events, ["arrival", "departure"]);
}

#[tokio::test]
async fn being_active_is_the_accounts_state() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    let set = |active: bool| json!([{"op": "replace", "value": {"active": active}}]);
    // Whoever provisions has decided already.
    let path = directory.make_user(json!({"userName": "jane", "active": false})).await;
    let id = path.rsplit('/').next().unwrap();
    for (active, state) in [(false, "disabled"), (true, "active"), (true, "active"), (false, "disabled")] {
        let body = directory.scim_patch(&path, set(active)).await.is(200).body;
        assert_eq!((&body["active"], &directory.account(id).await["state"]), (&json!(active), &json!(state)));
    }
    let told = story(&directory, id).await;
    let events: Vec<_> = told.iter().map(|(event, ..)| event.as_str()).collect();
    assert_eq!(events, ["arrival", "disable", "enable", "disable"]);
    assert!(told.iter().all(|(_, cause, actor)| (cause.as_str(), actor.as_str()) == ("scim", "environment")));
}

#[tokio::test]
async fn whoever_waits_for_approval_is_inactive_and_let_in_by_being_made_active() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrives("jane").await;
    let jane = directory.scim_find("Users", "active eq false").await.remove(0);
    let path = format!("/Users/{}", jane["id"].as_str().unwrap());
    let set = |active: bool| json!([{"op": "replace", "path": "active", "value": active}]);
    directory.scim_patch(&path, set(false)).await.is(200);
    assert_eq!(directory.arrives("jane").await.0, 202, "it waits on");
    directory.scim_patch(&path, set(true)).await.is(200);
    assert_eq!(directory.arrives("jane").await.0, 200);
}
