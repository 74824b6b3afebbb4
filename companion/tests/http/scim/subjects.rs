//! Whose account a user is: what an `externalId` says of it, and how SCIM clients and gateways find the same account.

use super::{ENTERPRISE, USER, of_the_usual_issuer, story};
use crate::program::{Directory, ISSUER, answer, arrival, subject};
use serde_json::{Value, json};

async fn departures(directory: &Directory) -> Vec<Value> {
    let (status, page) = answer(directory.get("/v1/departures")).await;
    assert_eq!(status, 200, "{page}");
    page["departures"].as_array().unwrap().clone()
}

#[tokio::test]
async fn whoever_is_provisioned_before_the_first_sight_has_that_account() {
    let issued = |id: &str| format!("{ISSUER}|{id}");
    for (directory, external_id) in [
        (Directory::start(), issued("jane")),
        (of_the_usual_issuer(), issued("jane")),
        (of_the_usual_issuer(), "jane".into()),
    ] {
        let path = directory.make_user(json!({"userName": "jane", "externalId": external_id})).await;
        let (status, answer) = directory.arrives("jane").await;
        assert_eq!(
            (status, format!("/Users/{}", answer["account"]["id"].as_str().unwrap())),
            (200, path.clone())
        );
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(directory.account(id).await["subject"]["id"], "jane");
        assert_eq!(
            directory.scim_get(&path).await.body["externalId"],
            external_id,
            "it stays as it was written"
        );
        let told = story(&directory, id).await;
        let told: Vec<_> = told.iter().map(|(event, cause, _)| (event.as_str(), cause.as_str())).collect();
        assert_eq!(told, [("arrival", "scim"), ("drift", "arrival")]);
    }
}

#[tokio::test]
async fn an_account_of_an_arrival_is_found_by_the_external_id_that_a_gateway_writes() {
    for (directory, external_id) in
        [(Directory::start(), format!("{ISSUER}|jane")), (of_the_usual_issuer(), "jane".into())]
    {
        let id = directory.account_of("jane").await;
        directory.account_of("john").await;
        let found = directory.scim_find("Users", &format!("externalId eq \"{external_id}\"")).await;
        assert_eq!(found.len(), 1, "{external_id}");
        let user = json!({"id": found[0]["id"], "externalId": found[0]["externalId"], "userName": found[0]["userName"]});
        assert_eq!(user, json!({"id": id, "externalId": external_id, "userName": "jane"}));
        assert_eq!(directory.scim_find("Users", "userName eq \"JANE\"").await.len(), 1);
        let again = json!({"schemas": [USER], "userName": "other", "externalId": external_id});
        directory.scim_post("/Users", &again).await.fails(409, Some("uniqueness"));
    }
}

#[tokio::test]
async fn the_key_of_a_subject_finds_an_account_that_is_there_and_makes_nobody() {
    let directory = Directory::start();
    directory.account_of("jane").await;
    let user =
        |sub: &str| json!({"schemas": [USER], "userName": "x", "externalId": subject(sub).key().to_string()});
    directory.scim_post("/Users", &user("jane")).await.fails(409, Some("uniqueness"));
    let made = directory.scim_post("/Users", &user("john")).await.is(201).id();
    assert!(directory.account(&made).await["subject"].is_null(), "a key does not say whose it is");
}

#[tokio::test]
async fn whoever_left_and_is_made_anew_has_the_same_account_and_old_tokens_stay_dead() {
    let directory = of_the_usual_issuer();
    let user = json!({"schemas": [USER], "userName": "jane", "externalId": "jane", "title": "Guide"});
    let made = directory.scim_post("/Users", &user).await.is(201).id();
    directory.scim_delete(&format!("/Users/{made}")).await.is(204);
    assert_eq!(directory.arrives("jane").await.0, 410, "an arrival revives nobody");
    assert_eq!(departures(&directory).await[0]["state"], "departed");

    let user = json!({"schemas": [USER], "userName": "jane2", "externalId": "jane"});
    let again = directory.scim_post("/Users", &user).await.is(201);
    assert_eq!((again.id(), &again.body["userName"]), (made.clone(), &json!("jane2")));
    assert!(again.body["title"].is_null());
    let feed = departures(&directory).await;
    assert_eq!((feed.len(), &feed[0]["state"]), (1, &json!("returned")));
    assert_eq!(directory.arrives("jane").await.0, 200);
    let events: Vec<_> = story(&directory, &made).await.into_iter().map(|(event, ..)| event).collect();
    assert_eq!(events[..4], ["arrival", "departure", "return", "drift"]);
}

#[tokio::test]
async fn gateways_hear_of_what_scim_does_to_an_account() {
    let directory = of_the_usual_issuer();
    let path = directory.make_user(json!({"userName": "jane", "externalId": "jane"})).await;
    for (active, state, status) in [(false, "departed", 403), (true, "returned", 200)] {
        directory
            .scim_patch(&path, json!([{"op": "replace", "path": "active", "value": active}]))
            .await
            .is(200);
        let feed = departures(&directory).await;
        assert_eq!((feed.len(), &feed[0]["id"], &feed[0]["state"]), (1, &json!("jane"), &json!(state)));
        assert_eq!(directory.arrives("jane").await.0, status);
    }
}

#[tokio::test]
async fn a_subject_that_becomes_known_of_an_account_that_is_shut_is_told_to_gateways() {
    let directory = of_the_usual_issuer();
    let path = directory.make_user(json!({"userName": "jane", "active": false})).await;
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(departures(&directory).await, Vec::<Value>::new(), "nobody knows who it is");
    assert!(directory.account(id).await["subject"].is_null());
    directory.scim_patch(&path, json!([{"op": "add", "path": "externalId", "value": "jane"}])).await.is(200);
    let feed = departures(&directory).await;
    assert_eq!((feed.len(), &feed[0]["id"], &feed[0]["state"]), (1, &json!("jane"), &json!("departed")));
    assert_eq!(directory.arrives("jane").await.0, 403);
    assert_eq!(directory.account(id).await["story"].as_array().unwrap().len(), 3, "all of its story is told");
}

#[tokio::test]
async fn an_account_is_of_one_subject_for_ever() {
    let directory = of_the_usual_issuer();
    let jane = directory.make_user(json!({"userName": "jane", "externalId": "jane"})).await;
    let john = directory.make_user(json!({"userName": "john"})).await;
    let set = |id: &str| json!([{"op": "replace", "path": "externalId", "value": id}]);
    directory.scim_patch(&jane, set("janet")).await.fails(400, Some("mutability"));
    directory.scim_patch(&john, set("jane")).await.fails(409, Some("uniqueness"));
    directory.scim_patch(&jane, set(&format!("{ISSUER}|jane"))).await.is(200);
    assert_eq!(directory.arrives("jane").await.1["account"]["id"], jane.rsplit('/').next().unwrap());
}

#[tokio::test]
async fn what_scim_wrote_is_not_for_arrivals_to_change() {
    let directory = of_the_usual_issuer();
    let path = directory.make_user(json!({"userName": "jane", "externalId": "jane", "title": "Guide"})).await;
    directory.scim_patch(&path, json!([{"op": "remove", "path": "title"}])).await.is(200);
    let claims = json!({"userName": "login", "title": "CEO", "nickName": "J", "emails": "jane@people.test", "roles": ["a"]});
    assert_eq!(directory.arrival(&arrival("jane", claims)).await.0, 200);
    let user = directory.scim_get(&path).await.body;
    assert_eq!(user["userName"], "jane");
    assert!(user["title"].is_null(), "what it took out it took out");
    assert_eq!(user["nickName"], "J");
    assert_eq!(
        (&user["emails"], &user["roles"]),
        (&json!([{"value": "jane@people.test"}]), &json!([{"value": "a"}]))
    );
}

#[tokio::test]
async fn what_only_arrivals_know_is_kept_whatever_scim_writes() {
    let directory = Directory::start();
    let claims = json!({"userName": "jane", "shoeSize": 40, "groups": ["tours"], "nickName": "J"});
    let (_, arrived) = directory.arrival(&arrival("jane", claims)).await;
    let id = arrived["account"]["id"].as_str().unwrap();
    let other = json!({"schemas": [USER], "userName": "janet"});
    directory.scim_put(&format!("/Users/{id}"), &other).await.is(200);
    let kept = json!({"userName": "janet", "shoeSize": 40, "groups": ["tours"]});
    assert_eq!(directory.account(id).await["attributes"], kept);
}

#[tokio::test]
async fn a_user_name_that_an_arrival_brings_may_be_somebodys() {
    let directory = Directory::start();
    directory.make_user(json!({"userName": "jane"})).await;
    for sub in ["a", "b"] {
        assert_eq!(directory.arrival(&arrival(sub, json!({"userName": "Jane"}))).await.0, 201);
    }
    let namesakes = directory.scim_find("Users", "userName eq \"jane\"").await;
    assert_eq!(namesakes.len(), 3);
    for user in namesakes {
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        directory
            .scim_patch(&path, json!([{"op": "replace", "path": "active", "value": false}]))
            .await
            .is(200);
    }
}

#[tokio::test]
async fn whoever_is_to_be_shut_out_can_be_whatever_arrivals_brought() {
    let directory = Directory::start();
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    let odd = [
        json!({"userName": "x".repeat(5000)}),
        json!({"userName": "a\u{7}b\u{0}"}),
        json!({"userName": 7, "name": "Jane", "emails": two, "title": ["x"], "active": "perhaps"}),
        json!({"userName": "", ENTERPRISE: "x", "roles": {"a": 1}, "addresses": [[]]}),
    ];
    for (number, attributes) in odd.into_iter().enumerate() {
        let (status, arrived) =
            directory.arrival(&arrival(&format!("sub-{number}"), attributes.clone())).await;
        assert_eq!(status, 201, "{attributes}");
        let path = format!("/Users/{}", arrived["account"]["id"].as_str().unwrap());
        let user = directory.scim_get(&path).await.is(200).body;
        directory
            .scim_patch(&path, json!([{"op": "replace", "path": "active", "value": false}]))
            .await
            .is(200);
        let mut whole = user.clone();
        whole["active"] = json!(true);
        assert_eq!(directory.scim_put(&path, &whole).await.is(200).body["active"], true);
        assert_eq!(
            directory.account(path.rsplit('/').next().unwrap()).await["attributes"],
            attributes,
            "nothing else became of it"
        );
    }
}
