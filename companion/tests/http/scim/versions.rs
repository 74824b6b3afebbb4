//! Versions keep one writer from undoing what another wrote (RFC 7644 §3.14).

use super::{GROUP, USER, ask, patch};
use crate::program::Directory;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_of_another_version_than_the_client_knows_is_refused() {
    let directory = Directory::start();
    let user = json!({"schemas": [USER], "userName": "jane"});
    let group = json!({"schemas": [GROUP], "displayName": "Tours"});
    for (kind, body, name) in [("Users", user, "title"), ("Groups", group, "displayName")] {
        let made = directory.scim_post(&format!("/{kind}"), &body).await.is(201);
        let path = format!("/{kind}/{}", made.id());
        let first = made.etag.unwrap();
        let renamed = patch(json!([{"op": "replace", "path": name, "value": "new"}]));
        let send = async |method: Method, body: &Value, version: &str| {
            ask(directory.scim(method, &path, body).header("if-match", version)).await
        };
        let second = send(Method::PATCH, &renamed, &first).await.is(200).etag.unwrap();
        assert_ne!(second, first);
        send(Method::PATCH, &renamed, &first).await.fails(412, None);
        send(Method::PUT, &body, &first).await.fails(412, None);
        send(Method::DELETE, &Value::Null, &first).await.fails(412, None);
        assert_eq!(directory.scim_get(&path).await.etag.as_deref(), Some(second.as_str()));
        send(Method::PUT, &body, &second).await.is(200);
        let last = send(Method::PATCH, &renamed, "*").await.is(200).etag.unwrap();
        send(Method::DELETE, &Value::Null, &format!("\"x\", {last}")).await.is(204);
    }
}

#[tokio::test]
async fn a_client_that_has_the_version_is_told_so_and_nothing_more() {
    let directory = Directory::start();
    let path = directory.make_user(json!({"userName": "jane"})).await;
    let version = directory.scim_get(&path).await.etag.unwrap();
    let get =
        |version: &str| directory.scim(Method::GET, &path, &Value::Null).header("if-none-match", version);
    let answer = ask(get(&version)).await.is(304);
    assert_eq!((answer.etag, answer.body), (Some(version.clone()), Value::Null));
    directory.scim_patch(&path, json!([{"op": "add", "path": "title", "value": "x"}])).await.is(200);
    ask(get(&version)).await.is(200);
}

#[tokio::test]
async fn what_anybody_changes_of_a_user_is_another_version() {
    let directory = Directory::start();
    let path = directory.make_user(json!({"userName": "jane"})).await;
    let id = path.rsplit('/').next().unwrap();
    let mut seen = vec![directory.scim_get(&path).await.etag.unwrap()];
    directory.act(id, "disable").await;
    seen.push(directory.scim_get(&path).await.etag.unwrap());
    let group = json!({"schemas": [GROUP], "displayName": "Tours", "members": [{"value": id}]});
    directory.scim_post("/Groups", &group).await.is(201);
    seen.push(directory.scim_get(&path).await.etag.unwrap());
    assert!(seen[0] != seen[1] && seen[1] != seen[2], "{seen:?}");
}
