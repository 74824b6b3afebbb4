//! Changes by operations.

use super::{ENTERPRISE, USER};
use crate::program::Directory;
use serde_json::{Value, json};

/// A user as it is after these operations.
async fn after(operations: Value) -> Value {
    let directory = Directory::start();
    let jane = json!({
        "schemas": [USER, ENTERPRISE], "userName": "jane", "title": "Guide", "name": {"givenName": "Jane", "familyName": "Doe"},
        "emails": [{"value": "j@work", "type": "work", "primary": true}, {"value": "j@home", "type": "home"}],
        ENTERPRISE: {"department": "Tours", "division": "Parks"},
    });
    let path = format!("/Users/{}", directory.scim_post("/Users", &jane).await.is(201).id());
    let answer = directory.scim_patch(&path, operations.clone()).await;
    match answer.status {
        200 => {
            assert_eq!(directory.scim_get(&path).await.body, answer.body);
            answer.body
        }
        status => {
            let now = directory.scim_get(&path).await.body;
            assert_eq!(
                (&now["title"], &now["userName"]),
                (&json!("Guide"), &json!("jane")),
                "nothing is kept of it"
            );
            json!([status, answer.body["scimType"]])
        }
    }
}

async fn one(op: &str, path: &str, value: Value) -> Value {
    after(json!([{"op": op, "path": path, "value": value}])).await
}

#[tokio::test]
async fn a_value_is_added_replaced_and_removed_where_the_path_leads() {
    assert_eq!(one("add", "nickName", json!("J")).await["nickName"], "J");
    assert_eq!(one("Replace", "TITLE", json!("CEO")).await["title"], "CEO");
    assert!(one("remove", "title", Value::Null).await["title"].is_null());
    assert_eq!(
        one("replace", "name.givenName", json!("K")).await["name"],
        json!({"givenName": "K", "familyName": "Doe"})
    );
    assert_eq!(one("replace", "name", json!({"givenName": "K"})).await["name"]["familyName"], "Doe");
    let department = format!("{ENTERPRISE}:department");
    assert_eq!(
        one("replace", &department, json!("HR")).await[ENTERPRISE],
        json!({"department": "HR", "division": "Parks"})
    );
    let without = one("remove", ENTERPRISE, Value::Null).await;
    assert!(without[ENTERPRISE].is_null());
    assert_eq!(without["schemas"], json!([USER]));
    let manager = format!("{ENTERPRISE}:manager");
    assert_eq!(one("add", &manager, json!("7")).await[ENTERPRISE]["manager"], json!({"value": "7"}));
}

#[tokio::test]
async fn truth_may_be_a_word() {
    assert_eq!(one("Replace", "active", json!("False")).await["active"], false);
    assert_eq!(after(json!([{"op": "Replace", "value": {"active": "True"}}])).await["active"], true);
}

#[tokio::test]
async fn null_and_an_empty_list_take_a_value_out() {
    assert!(one("replace", "title", Value::Null).await["title"].is_null());
    assert!(one("replace", "emails", json!([])).await["emails"].is_null());
}

#[tokio::test]
async fn values_of_a_list_are_added_once_and_one_is_primary() {
    let work = json!({"value": "j@work", "type": "work", "primary": true});
    let same = one("add", "emails", json!([work])).await;
    assert_eq!(same["emails"].as_array().unwrap().len(), 2);
    let added = one("add", "emails", json!({"value": "j@new", "primary": true})).await["emails"].clone();
    assert_eq!(added[0]["primary"], false);
    assert_eq!(added[2], json!({"value": "j@new", "primary": true}));
    assert_eq!(one("replace", "emails", json!([{"value": "x"}])).await["emails"], json!([{"value": "x"}]));
}

#[tokio::test]
async fn values_of_a_list_are_chosen_by_a_filter() {
    let changed = one("replace", "emails[type eq \"home\"].value", json!("j@new")).await["emails"].clone();
    assert_eq!(changed[1], json!({"value": "j@new", "type": "home"}));
    let primary = one("replace", "emails[type eq \"home\"].primary", json!(true)).await["emails"].clone();
    assert_eq!((&primary[0]["primary"], &primary[1]["primary"]), (&json!(false), &json!(true)));
    let left =
        one("remove", "emails[type eq \"work\" or value co \"new\"]", Value::Null).await["emails"].clone();
    assert_eq!(left, json!([{"value": "j@home", "type": "home"}]));
    let bare = one("remove", "emails[type eq \"work\"].type", Value::Null).await["emails"].clone();
    assert_eq!(bare[0], json!({"value": "j@work", "primary": true}));
    // What is replaced has to be there; what is added is made.
    assert_eq!(one("replace", "emails[type eq \"other\"].value", json!("x")).await, json!([400, "noTarget"]));
    let made = one("add", "emails[type eq \"other\"].value", json!("x")).await["emails"].clone();
    assert_eq!(made[2], json!({"value": "x", "type": "other"}));
}

#[tokio::test]
async fn without_a_path_the_value_says_what_is_changed() {
    let value = json!({
        "title": "CEO", "name.givenName": "K", ENTERPRISE: {"division": "Sea"}, "shoeSize": 40, "id": "7",
        "emails": [{"value": "x"}],
    });
    let user = after(json!([{"op": "replace", "value": value}])).await;
    assert_eq!((&user["title"], &user["name"]["givenName"]), (&json!("CEO"), &json!("K")));
    assert_eq!(user[ENTERPRISE], json!({"department": "Tours", "division": "Sea"}));
    assert_eq!(user["emails"], json!([{"value": "x"}]));
}

#[tokio::test]
async fn what_cannot_be_done_undoes_all_of_it_and_says_why() {
    let title = json!({"op": "replace", "path": "title", "value": "CEO"});
    for (operation, kind) in [
        (json!({"op": "remove"}), "noTarget"),
        (json!({"op": "replace", "path": "emails[", "value": 1}), "invalidPath"),
        (json!({"op": "replace", "path": "shoeSize", "value": 1}), "invalidPath"),
        (json!({"op": "replace", "path": "title[value eq \"x\"]", "value": 1}), "invalidPath"),
        (json!({"op": "replace", "path": "id", "value": "7"}), "mutability"),
        (json!({"op": "add", "path": "groups", "value": [{"value": "7"}]}), "mutability"),
        (json!({"op": "remove", "path": "userName"}), "mutability"),
        (json!({"op": "remove", "path": "active"}), "mutability"),
        (json!({"op": "replace", "path": "userName", "value": null}), "invalidValue"),
        (json!({"op": "replace", "path": "name", "value": "Jane"}), "invalidValue"),
        (json!({"op": "add", "path": "title"}), "invalidValue"),
        (json!({"op": "add", "value": "Jane"}), "invalidValue"),
        (json!({"op": "move", "path": "title"}), "invalidSyntax"),
    ] {
        assert_eq!(after(json!([title, operation])).await, json!([400, kind]), "{operation}");
    }
    assert_eq!(after(json!([])).await, json!([400, "invalidSyntax"]));
}
