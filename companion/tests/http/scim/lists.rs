//! Lists: filters, pages, and which attributes are shown.

use super::{USER, ask};
use crate::program::{Directory, arrival};
use reqwest::Method;
use serde_json::{Value, json};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

async fn with_users(count: usize) -> Directory {
    let directory = Directory::start();
    for number in 1..=count {
        directory.make_user(json!({"userName": format!("user-{number}"), "title": "Guide"})).await;
    }
    directory
}

fn names(list: &Value) -> Vec<&str> {
    list["Resources"].as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_are_counted_from_one_and_hold_no_more_than_was_asked_for() {
    let directory = with_users(5).await;
    for (query, start, shown) in [
        ("", 1, vec!["user-1", "user-2", "user-3", "user-4", "user-5"]),
        ("?startIndex=2&count=2", 2, vec!["user-2", "user-3"]),
        ("?startIndex=5&count=2", 5, vec!["user-5"]),
        ("?startIndex=-3&count=1", 1, vec!["user-1"]),
        ("?startIndex=9", 9, vec![]),
        ("?count=0", 1, vec![]),
        ("?count=-1", 1, vec![]),
    ] {
        let list = directory.scim_get(&format!("/Users{query}")).await.is(200).body;
        assert_eq!(names(&list), shown, "{query}");
        let told = json!([list["schemas"], list["totalResults"], list["startIndex"], list["itemsPerPage"]]);
        assert_eq!(told, json!([[LIST], 5, start, shown.len()]), "{query}");
    }
    directory.scim_get("/Users?count=many").await.fails(400, Some("invalidValue"));
}

#[tokio::test]
async fn a_cursor_leads_from_page_to_page_past_what_comes_and_goes() {
    let directory = with_users(5).await;
    for filter in ["", "&filter=title%20eq%20%22guide%22", "&filter=active%20eq%20true"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let list =
                directory.scim_get(&format!("/Users?cursor={cursor}&count=2{filter}")).await.is(200).body;
            assert_eq!(list["totalResults"], 5);
            assert!(list["startIndex"].is_null());
            seen.extend(names(&list).into_iter().map(str::to_owned));
            match list["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(seen, ["user-1", "user-2", "user-3", "user-4", "user-5"], "{filter}");
    }
    let list = directory.scim_get("/Users?cursor&count=2").await.is(200).body;
    let gone = list["Resources"][1]["id"].as_str().unwrap();
    directory.scim_delete(&format!("/Users/{gone}")).await.is(204);
    let cursor = list["nextCursor"].as_str().unwrap();
    let next = directory.scim_get(&format!("/Users?cursor={cursor}&count=2")).await.is(200).body;
    assert_eq!(names(&next), ["user-3", "user-4"]);
}

#[tokio::test]
async fn a_cursor_that_was_made_for_something_else_is_refused() {
    let directory = with_users(2).await;
    let list = directory.scim_get("/Users?cursor&count=1").await.is(200).body;
    let cursor = list["nextCursor"].as_str().unwrap();
    for query in [
        format!("/Users?cursor={cursor}&filter=title%20pr"),
        format!("/Groups?cursor={cursor}"),
        "/Users?cursor=made-up".to_owned(),
    ] {
        directory.scim_get(&query).await.fails(400, Some("invalidCursor"));
    }
    directory.scim_get("/Users?cursor&count=1001").await.fails(400, Some("invalidCount"));
    directory.scim_get("/Users?cursor&startIndex=1").await.fails(400, Some("invalidValue"));
}

#[tokio::test]
async fn a_filter_finds_users_by_whatever_they_have() {
    let directory = with_users(3).await;
    directory
        .arrival(&arrival("jane", json!({"name": {"givenName": "Jane"}, "emails": ["jane@people.test"]})))
        .await;
    for (filter, count) in [
        ("userName eq \"USER-2\"", 1),
        ("userName sw \"user\"", 3),
        ("title eq \"guide\" and not (userName ew \"3\")", 2),
        ("userName eq \"user-1\" or userName eq \"jane\"", 2),
        ("userName eq \"user-1\" and title ne \"guide\"", 0),
        ("emails.value co \"people\"", 1),
        ("name.givenName eq \"jane\"", 1),
        ("active eq true", 4),
        ("active eq false", 0),
        ("meta.resourceType eq \"User\"", 4),
        ("meta.created gt \"2020-01-01T00:00:00Z\"", 4),
    ] {
        assert_eq!(directory.scim_find("Users", filter).await.len(), count, "{filter}");
    }
    let id = directory.scim_find("Users", "userName eq \"jane\"").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(directory.scim_find("Users", &format!("id eq \"{id}\"")).await.len(), 1);
}

#[tokio::test]
async fn a_filter_that_cannot_be_answered_is_refused() {
    let directory = Directory::start();
    for filter in ["userName eq", "shoeSize eq \"40\"", "active gt true", "userName eq 7", "a\" or b", ""] {
        let request = directory.scim(Method::GET, "/Users", &Value::Null).query(&[("filter", filter)]);
        ask(request).await.fails(400, Some("invalidFilter"));
    }
}

#[tokio::test]
async fn whoever_changed_since_a_time_is_found_be_it_in_attributes_or_in_state() {
    let directory = with_users(3).await;
    let find = async |since: &str| {
        let found = directory.scim_find("Users", &format!("meta.lastModified gt \"{since}\"")).await;
        found.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let since =
        directory.scim_find("Users", "userName eq \"user-3\"").await[0]["meta"]["lastModified"].clone();
    let since = since.as_str().unwrap();
    assert_eq!(find(since).await, Vec::<String>::new());
    let second = &directory.scim_find("Users", "userName eq \"user-2\"").await[0];
    let path = format!("/Users/{}", second["id"].as_str().unwrap());
    std::thread::sleep(std::time::Duration::from_millis(2));
    directory.scim_patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    assert_eq!(find(since).await, ["user-2"]);
    directory.arrival(&arrival("jane", json!({}))).await;
    assert_eq!(find(since).await, ["user-2", "jane"]);
}

#[tokio::test]
async fn only_the_attributes_that_are_asked_for_are_shown() {
    let directory = Directory::start();
    let jane = json!({"userName": "jane", "title": "Guide", "name": {"givenName": "J", "familyName": "D"}});
    let path = directory.make_user(jane).await;
    let id = path.rsplit('/').next().unwrap();
    let only = json!({"schemas": [USER], "id": id, "userName": "jane", "name": {"givenName": "J"}});
    let query = "?attributes=username,name.givenName";
    assert_eq!(directory.scim_get(&format!("{path}{query}")).await.is(200).body, only);
    assert_eq!(directory.scim_get(&format!("/Users{query}")).await.is(200).body["Resources"], json!([only]));
    let without =
        directory.scim_get(&format!("{path}?excludedAttributes=id,meta,name,active")).await.is(200).body;
    assert_eq!(without, json!({"schemas": [USER], "id": id, "userName": "jane", "title": "Guide"}));
    directory
        .scim_get(&format!("{path}?attributes=id&excludedAttributes=id"))
        .await
        .fails(400, Some("invalidValue"));
    let changed = json!([{"op": "replace", "path": "title", "value": "CEO"}]);
    let request = directory.scim(Method::PATCH, &format!("{path}?attributes=title"), &super::patch(changed));
    assert_eq!(ask(request).await.is(200).body, json!({"schemas": [USER], "id": id, "title": "CEO"}));
}

#[tokio::test]
async fn a_search_is_a_list_that_is_asked_for_in_a_body() {
    let directory = with_users(3).await;
    let group = json!({"schemas": [super::GROUP], "displayName": "user-2"});
    directory.scim_post("/Groups", &group).await.is(201);
    let search = json!({
        "schemas": [SEARCH], "filter": "userName eq \"user-2\" or displayName eq \"user-2\"",
        "attributes": ["userName", "displayName"], "startIndex": 1, "count": 10,
    });
    let users = json!({"schemas": [SEARCH], "filter": "userName sw \"user\"", "startIndex": 2, "COUNT": 1});
    let list = directory.scim_post("/Users/.search", &users).await.is(200).body;
    assert_eq!((names(&list), &list["totalResults"]), (vec!["user-2"], &json!(3)));
    let list = directory.scim_post("/.search", &search).await.is(200).body;
    assert_eq!(list["totalResults"], 2);
    assert_eq!(
        (&list["Resources"][0]["userName"], &list["Resources"][1]["displayName"]),
        (&json!("user-2"), &json!("user-2"))
    );
    for (start, shown) in [(1, 3), (3, 2), (4, 1), (5, 0)] {
        let page = json!({"schemas": [SEARCH], "startIndex": start, "count": 3});
        let list = directory.scim_post("/.search", &page).await.is(200).body;
        assert_eq!((&list["itemsPerPage"], &list["totalResults"]), (&json!(shown), &json!(4)), "{start}");
    }
    let first = json!({"schemas": [SEARCH], "cursor": "", "count": 3});
    let list = directory.scim_post("/.search", &first).await.is(200).body;
    let next = json!({"schemas": [SEARCH], "cursor": list["nextCursor"], "count": 3});
    let list = directory.scim_post("/.search", &next).await.is(200).body;
    assert_eq!(list["Resources"][0]["displayName"], "user-2");
    assert!(list["nextCursor"].is_null());
    directory
        .scim_post("/Users/.search", &json!({"filter": "title pr"}))
        .await
        .fails(400, Some("invalidSyntax"));
}

#[tokio::test]
async fn a_list_says_how_long_it_is_whatever_became_of_accounts() {
    let directory = with_users(4).await;
    directory.account_of("jane").await;
    let users = directory.scim_get("/Users").await.is(200).body["Resources"].clone();
    let id = |number: usize| users[number]["id"].as_str().unwrap();
    directory.act(id(0), "disable").await;
    directory.act(id(1), "depart").await;
    directory.act(id(2), "depart").await;
    directory.act(id(2), "return").await;
    for (filter, total) in [("", 4), ("&filter=active%20eq%20true", 3), ("&filter=active%20eq%20false", 1)] {
        let list = directory.scim_get(&format!("/Users?count=0{filter}")).await.is(200).body;
        assert_eq!(list["totalResults"], total, "{filter}");
    }
}

#[tokio::test]
async fn what_no_index_answers_is_looked_through_as_far_as_that_takes_no_long_time() {
    let directory = Directory::start();
    let fill = |first: u32, last: u32| {
        let row = "INSERT INTO accounts (id, kind, attributes, created_at, updated_at) VALUES";
        let rows: Vec<_> =
            (first..=last).map(|n| format!("('{n:08}', 'person', '{{\"title\":\"t{n}\"}}', 1, 1)")).collect();
        directory.database.execute(&format!("{row} {}", rows.join(", ")));
    };
    fill(1, 10_000);
    let found = directory.scim_find("Users", "title sw \"t999\"").await;
    assert_eq!(found.len(), 11);
    assert_eq!(found[10]["title"], "t9999");
    fill(10_001, 10_001);
    let request =
        |filter: &str| directory.scim(Method::GET, "/Users", &Value::Null).query(&[("filter", filter)]);
    ask(request("title sw \"t999\"")).await.fails(400, Some("tooMany"));
    assert_eq!(
        ask(request("title sw \"t999\" and id eq \"00000999\"")).await.is(200).body["totalResults"],
        1
    );
}
