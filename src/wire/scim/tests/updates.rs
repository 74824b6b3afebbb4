//! Keeping accounts in step with the claims.

use super::*;
use http::Method;

fn old(more: Value) -> Directory {
    let mut user = json!({"id": "7", "externalId": "idp|jane", "userName": "jane", "name": {"givenName": "J"},
                          "meta": {"version": "W/\"3\""}});
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Directory::of(json!([user]))
}

fn if_match(directory: &Directory) -> Vec<&str> {
    let headers = directory.asked.iter().flat_map(|request| &request.headers);
    headers.filter(|(name, _)| name == "if-match").map(|(_, value)| value.to_str().unwrap()).collect()
}

#[test]
fn only_what_differs_is_written() {
    let mut directory = old(json!({ENTERPRISE: {"department": "d"}, "title": "t"}));
    let now = json!({"userName": "JANE", "name": {"givenName": "Jane"}, ENTERPRISE: {"department": "e"}});
    assert_eq!(arrive(&mut directory, &newcomer(now)), active("7"));
    assert_eq!(directory.steps(), ["GET Users", "PATCH Users/7"]);
    assert_eq!(
        directory.sent(&Method::PATCH)[0]["Operations"],
        json!([{"op": "replace", "path": "name.givenName", "value": "Jane"},
               {"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "e"}])
    );
    assert_eq!(directory.users[0]["title"], "t");
}

#[test]
fn what_is_for_new_accounts_is_left_alone_where_there_is_one() {
    let mut directory = old(json!({"displayName": "chosen"}));
    let mut jane = newcomer(json!({"displayName": "claimed", "name": {"givenName": "Jane"},
                                   ENTERPRISE: {"department": "e"}}));
    jane.initial =
        vec!["displayName".into(), "name.givenName".into(), format!("\"{ENTERPRISE}\".department")];
    assert_eq!(arrive(&mut directory, &jane), active("7"));
    assert_eq!(directory.steps(), ["GET Users"]);
    let mut directory = Directory::default();
    arrive(&mut directory, &jane);
    assert_eq!(directory.users[0]["displayName"], "claimed");
}

#[test]
fn a_version_is_sent_back_where_the_directory_has_them() {
    let mut directory = old(json!({}));
    arrive(&mut directory, &jane());
    assert_eq!(if_match(&directory), ["W/\"3\""]);
    let mut directory = old(json!({}));
    talk(&mut directory, &terms(), &jane(), can(true, true, false));
    assert!(if_match(&directory).is_empty());
    let mut directory = old(json!({"meta": {"version": "a\r\nx: y"}}));
    arrive(&mut directory, &jane());
    assert!(if_match(&directory).is_empty(), "what is no header is not sent");
}

#[test]
fn an_account_that_changed_meanwhile_is_read_once_more() {
    let mut directory = old(json!({})).instead(Method::PATCH, "Users", 0, 1, reply(412, ""));
    assert_eq!(arrive(&mut directory, &jane()), active("7"));
    assert_eq!(directory.steps(), ["GET Users", "PATCH Users/7", "GET Users", "PATCH Users/7"]);
    let mut directory = old(json!({})).says(Method::PATCH, "Users", reply(412, ""));
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
    assert_eq!((answer, conversation.snags()), (late("7", 60), &[Snag::Late][..]));
    assert_eq!(directory.steps(), ["GET Users", "PATCH Users/7", "GET Users", "PATCH Users/7"]);
}

#[test]
fn an_account_that_is_closed_meanwhile_is_departed() {
    let closed = json!({"totalResults": 1, "Resources": [
        {"id": "7", "externalId": "idp|jane", "userName": "jane", "active": false}]});
    let mut directory = old(json!({})).instead(Method::PATCH, "Users", 0, 1, reply(412, "")).instead(
        Method::GET,
        "Users",
        1,
        1,
        reply(200, closed),
    );
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Departed);
    let closed = reply(200, json!({"id": "7", "active": false}));
    assert_eq!(
        arrive(&mut old(json!({})).says(Method::PATCH, "Users", closed), &jane()),
        ArrivalAnswer::Departed
    );
}

#[test]
fn an_account_that_is_gone_meanwhile_is_made() {
    let nobody = reply(200, json!({"totalResults": 0}));
    let made = reply(201, json!({"id": "8"}));
    let mut directory = old(json!({}))
        .instead(Method::PATCH, "Users", 0, 1, reply(404, ""))
        .instead(Method::GET, "Users", 1, 1, nobody)
        .says(Method::POST, "Users", made);
    assert_eq!(arrive(&mut directory, &jane()), active("8"));
}

#[test]
fn without_patch_the_whole_account_is_replaced() {
    for status in [404, 405, 501] {
        let mut directory = old(json!({"title": "t", "groups": [{"value": "g"}]})).says(
            Method::PATCH,
            "Users",
            reply(status, ""),
        );
        let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
        assert_eq!(answer, active("7"), "{status}");
        assert_eq!(conversation.learned(), can(false, true, true));
        assert_eq!(
            directory.sent(&Method::PUT),
            [json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": "idp|jane",
                    "userName": "jane", "title": "t", "name": {"givenName": "Jane"}})]
        );
        assert_eq!(if_match(&directory).last(), Some(&"W/\"3\""));
    }
    let mut directory = old(json!({}));
    assert_eq!(talk(&mut directory, &terms(), &jane(), can(false, true, true)).0, active("7"));
    assert_eq!(directory.steps(), ["GET Users", "PUT Users/7"]);
}

#[test]
fn that_patch_is_not_there_is_learned_only_where_an_account_can_be_replaced() {
    let gone = reply(404, "");
    let mut directory =
        old(json!({})).says(Method::PATCH, "Users", gone.clone()).says(Method::PUT, "Users", gone);
    let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
    assert_eq!((answer, conversation.learned()), (late("7", 60), None));
}

#[test]
fn nobody_is_cut_off_because_new_attributes_are_refused() {
    for status in [400, 403, 409, 413, 422] {
        for known in [usual(), can(false, true, true)] {
            let mut directory = old(json!({})).says(Method::PATCH, "Users", reply(status, "")).says(
                Method::PUT,
                "Users",
                reply(status, ""),
            );
            let (answer, conversation) = talk(&mut directory, &terms(), &jane(), known);
            assert_eq!((answer, conversation.snags()), (active("7"), &[Snag::Refused][..]), "{status}");
        }
    }
}

#[test]
fn nobody_is_cut_off_because_an_account_cannot_be_written_now() {
    for (wait, seconds) in [("7", 60), ("600", 600), ("soon", 60)] {
        let headers = vec![("retry-after".into(), wait.into())];
        let busy = Reply::Answer { status: 503, headers, body: vec![] };
        let mut directory = old(json!({})).says(Method::PATCH, "Users", busy);
        let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
        assert_eq!((answer, conversation.snags()), (late("7", seconds), &[Snag::Late][..]), "{wait}");
    }
}

#[test]
fn an_odd_id_goes_into_no_path() {
    for id in [json!(".."), json!(""), json!(7), json!("a\r\nb"), json!("x".repeat(300))] {
        let mut directory = old(json!({"id": id}));
        let (answer, conversation) = talk(&mut directory, &terms(), &jane(), usual());
        assert_eq!((answer, conversation.snags()), (ArrivalAnswer::Invalid, &[Snag::Malformed][..]), "{id}");
        assert_eq!(directory.steps(), ["GET Users"]);
    }
    let mut directory = old(json!({"id": "../Groups?é"})).says(Method::PATCH, "Users/", reply(204, ""));
    assert_eq!(arrive(&mut directory, &jane()), active("../Groups?é"));
    assert_eq!(directory.asked[1].path, "/scim/v2/Users/..%2FGroups%3F%C3%A9");
}
