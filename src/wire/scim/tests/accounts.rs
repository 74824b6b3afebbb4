//! Finding and making accounts.

use super::*;
use crate::domain::Failure;
use http::Method;

#[test]
fn somebody_new_is_looked_for_and_made() {
    let mut directory = Directory::default();
    assert_eq!(arrive(&mut directory, &jane()), active("users1"));
    assert_eq!(directory.steps(), ["GET Users", "POST Users"]);
    assert_eq!(directory.asked[0].path, "/scim/v2/Users?filter=externalId%20eq%20%22idp%7Cjane%22&count=2");
    assert_eq!(
        directory.sent(&Method::POST),
        [json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": "idp|jane",
                "userName": "jane", "active": true, "name": {"givenName": "Jane"}})]
    );
}

#[test]
fn requests_are_scim_and_carry_a_type_only_with_a_body() {
    let mut directory = Directory::default();
    arrive(&mut directory, &jane());
    let scim = |name: &str, request: &ScimRequest| {
        request.headers.iter().filter(|(key, value)| key == name && value == "application/scim+json").count()
    };
    let [get, post] = directory.asked.as_slice() else { panic!("two requests") };
    assert_eq!((scim("accept", get), scim("content-type", get)), (1, 0));
    assert_eq!((scim("accept", post), scim("content-type", post)), (1, 1));
}

#[test]
fn an_account_without_a_mapped_user_name_is_called_by_its_external_id() {
    let mut directory = Directory::default();
    arrive(&mut directory, &newcomer(json!({})));
    assert_eq!(directory.users[0]["userName"], "idp|jane");
}

#[test]
fn an_extension_is_named_among_the_schemas() {
    let mut directory = Directory::default();
    arrive(&mut directory, &newcomer(json!({ENTERPRISE: {"department": "d"}})));
    assert_eq!(directory.users[0]["schemas"][1], ENTERPRISE);
}

#[test]
fn what_only_the_directory_says_is_not_written() {
    let mut directory = Directory::default();
    let mapped = json!({"id": "me", "meta": {}, "active": false, "externalId": "x", "Groups": ["admins"],
                        "password": "p", "schemas": [], "title": "t"});
    arrive(&mut directory, &newcomer(mapped));
    let sent = &directory.sent(&Method::POST)[0];
    let names: Vec<_> = sent.as_object().unwrap().keys().collect();
    assert_eq!(names, ["active", "externalId", "schemas", "title", "userName"]);
    assert_eq!((&sent["active"], &sent["externalId"]), (&json!(true), &json!("idp|jane")));
}

#[test]
fn somebody_who_is_known_costs_one_request() {
    let mut directory = Directory::default();
    arrive(&mut directory, &jane());
    directory.asked.clear();
    assert_eq!(arrive(&mut directory, &jane()), active("users1"));
    assert_eq!(directory.steps(), ["GET Users"]);
}

#[test]
fn a_closed_account_is_departed_and_nothing_is_written() {
    for closed in [json!(false), json!("false")] {
        let mut directory = Directory::of(
            json!([{"id": "1", "externalId": "idp|jane", "userName": "old", "active": closed}]),
        );
        assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Departed);
        assert_eq!(directory.steps(), ["GET Users"]);
    }
}

#[test]
fn an_account_that_is_made_inactive_opens_no_gate() {
    let mut directory =
        Directory::default().says(Method::POST, "Users", reply(201, json!({"id": "1", "active": false})));
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Departed);
}

#[test]
fn another_gateway_that_is_quicker_made_the_same_account() {
    let nobody = reply(200, json!({"totalResults": 0}));
    let there =
        json!([{"id": "7", "externalId": "idp|jane", "userName": "jane", "name": {"givenName": "Jane"}}]);
    let mut directory = Directory::of(there).instead(Method::GET, "Users", 0, 1, nobody);
    assert_eq!(arrive(&mut directory, &jane()), active("7"));
    assert_eq!(directory.steps(), ["GET Users", "POST Users", "GET Users"]);
}

#[test]
fn an_account_of_somebody_else_is_never_taken_over() {
    for other in [json!("idp|bob"), json!("IDP|Jane"), json!(null), json!(["idp|jane"])] {
        let mut directory = Directory::of(json!([{"id": "7", "externalId": other, "userName": "jane"}]));
        let before = directory.users.clone();
        assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Invalid, "{other}");
        assert_eq!(directory.steps(), ["GET Users", "POST Users", "GET Users"]);
        assert_eq!(directory.users, before);
    }
}

#[test]
fn of_two_accounts_with_the_same_external_id_neither_is_chosen() {
    let mut directory = Directory::of(json!([
        {"id": "1", "externalId": "idp|jane"}, {"id": "2", "externalId": "idp|jane", "active": false}
    ]));
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
    assert_eq!(answer, ArrivalAnswer::Invalid);
    assert_eq!(conversation.snags(), [Snag::Ambiguous]);
    assert_eq!(directory.steps(), ["GET Users"]);
}

fn strangers(count: usize) -> Vec<Value> {
    let of =
        |n| json!({"id": format!("s{n}"), "externalId": format!("idp|{n}"), "userName": format!("u{n}")});
    (0..count).map(of).collect()
}

#[test]
fn where_filters_are_ignored_every_account_is_looked_at() {
    for (ignores_filters, known) in [(true, usual()), (false, can(true, false, false))] {
        let mut users = strangers(150);
        users.push(
            json!({"id": "7", "externalId": "idp|jane", "userName": "jane", "name": {"givenName": "Jane"}}),
        );
        let mut directory = Directory { users, ignores_filters, ..Directory::default() };
        assert_eq!(talk(&mut directory, &terms(), &jane(), known).0, active("7"));
        assert_eq!(directory.steps(), ["GET Users", "GET Users", "GET Users"]);

        directory.users.pop();
        assert_eq!(talk(&mut directory, &terms(), &jane(), known).0, active("users151"), "nobody is found");
    }
}

#[test]
fn a_directory_that_ignores_filters_and_is_large_is_not_read_as_a_whole() {
    let mut directory = Directory { users: strangers(1_003), ignores_filters: true, ..Directory::default() };
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
    assert_eq!(answer, ArrivalAnswer::Unavailable(None));
    assert_eq!(conversation.snags(), [Snag::Unfiltered]);
    assert_eq!(directory.asked.len(), 1);
}

#[test]
fn a_directory_that_shows_the_same_page_again_found_nobody_by_it() {
    let page = json!({"totalResults": 4, "startIndex": 1, "Resources": strangers(2)});
    let mut directory = Directory::default().says(Method::GET, "Users", reply(200, page));
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Unavailable(None));
    assert_eq!(directory.steps(), ["GET Users", "GET Users"]);
}

#[test]
fn what_a_directory_refuses_to_make_is_invalid() {
    for status in [400, 422] {
        let refusal = reply(status, json!({"scimType": "invalidValue"}));
        let mut directory = Directory::default().says(Method::POST, "Users", refusal);
        assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Invalid, "{status}");
    }
}

#[test]
fn anything_else_opens_no_gate() {
    for status in [204, 301, 302, 401, 403, 404, 429, 500, 501, 503] {
        for (method, path) in [(Method::GET, "Users"), (Method::POST, "Users")] {
            let body = json!({"totalResults": 0, "Resources": [], "id": "1"});
            let mut directory = Directory::default().says(method.clone(), path, reply(status, body));
            assert_eq!(
                arrive(&mut directory, &jane()),
                ArrivalAnswer::Unavailable(None),
                "{method} {status}"
            );
        }
    }
    let mut directory = Directory::default().says(Method::POST, "Users", Reply::Failed(Failure::Broken));
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Unavailable(None));
}

#[test]
fn a_busy_directory_says_when_to_come_back() {
    let busy =
        Reply::Answer { status: 429, headers: vec![("retry-after".into(), b"7".to_vec())], body: vec![] };
    let mut directory = Directory::default().says(Method::GET, "Users", busy.clone());
    let wait = ArrivalAnswer::Unavailable(Some(Duration::from_secs(7)));
    assert_eq!(arrive(&mut directory, &jane()), wait);
    let mut directory = Directory::default().says(Method::GET, "ServiceProviderConfig", busy);
    assert_eq!(talk(&mut directory, &terms(), &jane(), None).0, wait);
}

#[test]
fn the_id_of_a_new_account_is_in_the_answer_or_in_its_location() {
    let location = |body: &str| Reply::Answer {
        status: 201,
        headers: vec![("location".into(), b"https://directory/scim/v2/Users/a%20b".to_vec())],
        body: body.into(),
    };
    let mut directory = Directory::default().says(Method::POST, "Users", location(""));
    assert_eq!(arrive(&mut directory, &jane()), active("a b"));
    let mut directory = Directory::default().says(Method::POST, "Users", location(r#"{"id":"c"}"#));
    assert_eq!(arrive(&mut directory, &jane()), active("c"));
    let mut directory = Directory::default().says(Method::POST, "Users", reply(201, ""));
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Unavailable(None));
}

#[test]
fn an_account_that_cannot_be_used_as_it_is_said_is_its_subjects_trouble_alone() {
    for odd in [json!({"id": ".."}), json!({"id": 7}), json!({"id": "1", "active": "perhaps"})] {
        let mut there = odd.clone();
        there["externalId"] = json!("idp|jane");
        for mut directory in [
            Directory::default().says(Method::POST, "Users", reply(201, &odd)),
            Directory::of(json!([there, {"id": "2", "externalId": "idp|bob"}])),
        ] {
            let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
            assert_eq!((answer, conversation.snags()), (ArrivalAnswer::Invalid, &[Snag::Malformed][..]));
        }
    }
}

#[test]
fn a_directory_that_made_it_somebody_elses_is_not_believed() {
    let other = reply(201, json!({"id": "1", "externalId": "idp|bob"}));
    let mut directory = Directory::default().says(Method::POST, "Users", other);
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Unavailable(None));
}

#[test]
fn what_the_directory_can_do_is_asked_first_and_learned() {
    let mut directory = Directory::default();
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), None);
    assert_eq!(answer, active("users1"));
    assert_eq!(directory.steps(), ["GET ServiceProviderConfig", "GET Users", "POST Users"]);
    assert_eq!(conversation.learned(), usual());
}

#[test]
fn a_directory_that_does_not_say_what_it_can_do_is_taken_for_a_usual_one() {
    for answer in [reply(404, ""), reply(403, "{}"), reply(501, ""), reply(200, "<html>"), reply(200, "[]")] {
        let mut directory = Directory::default().says(Method::GET, "ServiceProviderConfig", answer);
        let (answer, conversation) = talk(&mut directory, &terms(), &jane(), None);
        assert_eq!((answer, conversation.learned()), (active("users1"), Some(Capabilities::default())));
    }
    let mut directory =
        Directory::default().says(Method::GET, "ServiceProviderConfig", Reply::Failed(Failure::Refused));
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), None);
    assert_eq!((answer, conversation.learned()), (ArrivalAnswer::Unavailable(None), None));
}
