//! Groups and who is in them.

use super::{GROUP, story};
use crate::program::Directory;
use serde_json::{Value, json};

async fn make(directory: &Directory, name: &str, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|path| json!({"value": id(path)})).collect();
    let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
    format!("/Groups/{}", directory.scim_post("/Groups", &group).await.is(201).id())
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

async fn members(directory: &Directory, group: &str) -> Vec<String> {
    let group = directory.scim_get(group).await.is(200).body;
    let members = group["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| format!("/Users/{}", member["value"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_group_names_its_members_and_they_name_it() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let group = make(&directory, "Tour Guides", &[&jane]).await;
    let body = directory.scim_get(&group).await.is(200).body;
    let there = |path: &str| format!("{}/scim/v2{path}", directory.program.url);
    assert_eq!(body["members"], json!([{"value": id(&jane), "$ref": there(&jane), "type": "User"}]));
    let named =
        json!([{"value": id(&group), "$ref": there(&group), "display": "Tour Guides", "type": "direct"}]);
    assert_eq!(directory.scim_get(&jane).await.body["groups"], named);
    assert_eq!(directory.scim_get("/Users").await.body["Resources"][0]["groups"], named);
    let told = story(&directory, id(&jane)).await;
    assert_eq!(told[1], ("drift".into(), "scim".into(), "environment".into()));
    directory.scim_delete(&group).await.is(204);
    directory.scim_get(&group).await.fails(404, None);
    assert!(directory.scim_get(&jane).await.body["groups"].is_null());
}

#[tokio::test]
async fn members_join_and_leave_one_by_one() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let john = directory.make_user(json!({"userName": "john"})).await;
    let group = make(&directory, "Tour Guides", &[]).await;
    let add = |path: &str| json!([{"op": "add", "path": "members", "value": [{"value": id(path)}]}]);
    let remove =
        |path: &str| json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", id(path))}]);
    for (operations, left) in [
        (add(&jane), vec![&jane]),
        (add(&john), vec![&jane, &john]),
        (add(&john), vec![&jane, &john]),
        (remove(&jane), vec![&john]),
        (remove(&jane), vec![&john]),
        // As some clients write it: what is removed stands beside the path.
        (json!([{"op": "Remove", "path": "members", "value": [{"value": id(&jane)}]}]), vec![&john]),
        (json!([{"op": "replace", "path": "members", "value": [{"value": id(&jane)}]}]), vec![&jane]),
        (json!([{"op": "remove", "path": "members"}]), vec![]),
    ] {
        directory.scim_patch(&group, operations.clone()).await.is(200);
        assert_eq!(members(&directory, &group).await.iter().collect::<Vec<_>>(), left, "{operations}");
    }
}

#[tokio::test]
async fn who_is_no_user_cannot_be_a_member() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let john = directory.make_user(json!({"userName": "john"})).await;
    let group = make(&directory, "Tour Guides", &[&jane]).await;
    directory.scim_delete(&john).await.is(204);
    for nobody in ["nobody", id(&john), id(&group)] {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": nobody}]}]);
        directory.scim_patch(&group, add).await.fails(400, Some("invalidValue"));
    }
    assert_eq!(members(&directory, &group).await, [jane]);
}

#[tokio::test]
async fn whoever_departs_by_whatever_cause_leaves_every_group_and_is_in_none_after_a_return() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let group = make(&directory, "Tour Guides", &[&jane]).await;
    let before = directory.scim_get(&group).await.etag;
    directory.act(id(&jane), "depart").await;
    assert_eq!(members(&directory, &group).await, Vec::<String>::new());
    assert_ne!(directory.scim_get(&group).await.etag, before);
    directory.act(id(&jane), "return").await;
    assert_eq!(members(&directory, &group).await, Vec::<String>::new());
    assert!(directory.scim_get(&jane).await.body["groups"].is_null());
}

#[tokio::test]
async fn groups_are_found_by_name_and_by_member() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let john = directory.make_user(json!({"userName": "john"})).await;
    let tours = make(&directory, "Tours", &[&jane, &john]).await;
    let parks = make(&directory, "Parks", &[&john]).await;
    let found = async |kind: &str, filter: String| {
        let found = directory.scim_find(kind, &filter).await;
        found.iter().map(|one| format!("/{kind}/{}", one["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(found("Groups", "displayName eq \"tours\"".into()).await, std::slice::from_ref(&tours));
    assert_eq!(found("Groups", format!("members eq \"{}\"", id(&jane))).await, std::slice::from_ref(&tours));
    assert_eq!(
        found("Groups", format!("members[value eq \"{}\"]", id(&john))).await,
        [tours.clone(), parks.clone()]
    );
    assert_eq!(
        found("Users", format!("groups.value eq \"{}\"", id(&parks))).await,
        std::slice::from_ref(&john)
    );
    assert_eq!(found("Users", "groups.display eq \"Tours\"".into()).await, [jane, john]);
    let list = directory.scim_get("/Groups?excludedAttributes=members").await.is(200).body;
    assert!(list["Resources"].as_array().unwrap().iter().all(|group| group["members"].is_null()));
}

#[tokio::test]
async fn a_group_is_replaced_as_a_whole_and_has_a_name() {
    let directory = Directory::start();
    let jane = directory.make_user(json!({"userName": "jane"})).await;
    let group = make(&directory, "Tours", &[&jane]).await;
    let other = json!({"schemas": [GROUP], "displayName": "Parks", "externalId": "g-1"});
    let body = directory.scim_put(&group, &other).await.is(200).body;
    assert_eq!(
        (&body["displayName"], &body["externalId"], &body["members"]),
        (&json!("Parks"), &json!("g-1"), &Value::Null)
    );
    let unnamed = json!({"schemas": [GROUP]});
    directory.scim_put(&group, &unnamed).await.fails(400, Some("invalidValue"));
    directory.scim_post("/Groups", &unnamed).await.fails(400, Some("invalidValue"));
    // Names of groups need not be unique (RFC 7643 §4.2).
    make(&directory, "Parks", &[]).await;
}
