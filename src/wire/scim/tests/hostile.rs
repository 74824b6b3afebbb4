//! Whatever a directory answers, a conversation ends, and asks nothing that is no request.

use super::*;
use crate::domain::Failure;
use proptest::prelude::*;
use std::collections::HashSet;

/// Those that lead on come often: conversations are to go far before they end.
fn statuses() -> impl Strategy<Value = u16> {
    let others = vec![202, 301, 400, 401, 403, 404, 405, 409, 412, 413, 422, 429, 500, 501, 503];
    prop_oneof![8 => Just(200), 3 => Just(201), 1 => Just(204), 6 => prop::sample::select(others)]
}

/// Text that is often what is looked for.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("idp|jane".to_owned()),
        4 => Just("staff".to_owned()),
        1 => Just("..".to_owned()),
        1 => Just("W/\"1\"".to_owned()),
        1 => "\\PC{0,9}",
        1 => any::<String>(),
    ]
}

fn resource() -> impl Strategy<Value = Value> {
    let odd = vec![json!(null), json!(false), json!("x"), json!(1)];
    let active = prop_oneof![4 => Just(json!(true)), 1 => prop::sample::select(odd)];
    (text(), text(), text(), text(), active).prop_map(|(id, external, name, version, active)| {
        json!({"id": id, "externalId": external, "displayName": name, "userName": name, "active": active,
               "meta": {"version": version}, "groups": [{"value": id, "display": external}], "name": name})
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let page = (0_u64..2_000, 0_u64..300, prop::collection::vec(resource(), 0..4)).prop_map(
        |(total, start, all)| json!({"totalResults": total, "startIndex": start, "Resources": all}),
    );
    // As many as there are, so that a search comes to an end.
    let whole = prop::collection::vec(resource(), 0..3)
        .prop_map(|all| json!({"totalResults": all.len(), "startIndex": 1, "Resources": all}));
    let json = |value: Value| value.to_string().into_bytes();
    prop_oneof![
        page.prop_map(json),
        whole.prop_map(json),
        resource().prop_map(json),
        Just(json!({"patch": {"supported": false}, "etag": {"supported": true}})).prop_map(json),
        Just(vec![]),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn replies() -> impl Strategy<Value = Reply> {
    let headers = prop::collection::vec(
        (prop::sample::select(vec!["location", "retry-after", "etag"]), text().prop_map(String::into_bytes)),
        0..3,
    );
    let answer = (statuses(), headers, body()).prop_map(|(status, headers, body)| Reply::Answer {
        status,
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body,
    });
    prop_oneof![20 => answer, 1 => Just(Reply::Failed(Failure::Broken))]
}

fn check(request: &ScimRequest) {
    let path: http::uri::PathAndQuery = request.path.parse().expect("a path");
    assert!(request.path.is_ascii() && path.as_str() == request.path);
    assert!(request.path.starts_with("/scim/v2/") && !request.path.contains("/.."));
    let body = serde_json::from_slice::<Value>(&request.body);
    assert_eq!(body.is_err(), request.method == http::Method::GET);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_conversation_ends_and_every_request_is_one(
        external_id in "\\PC{1,20}",
        groups in prop::collection::vec("\\PC{1,9}", 0..3),
        is_jane: bool,
        known: bool,
        replies in prop::collection::vec(replies(), 1..12),
    ) {
        let groups: Vec<_> = groups.into_iter().chain(["staff".to_owned()]).collect();
        let terms = ScimTerms {
            groups: Some(GroupTerms { managed: groups.clone() }),
            ..terms()
        };
        let newcomer = Newcomer {
            external_id: if is_jane { "idp|jane".to_owned() } else { external_id },
            ..newcomer(json!({"userName": "jane", "name": {"a": 1}, "roles": ["x"], "groups": groups}))
        };
        let (mut conversation, first) = Conversation::begin(&terms, &newcomer, known.then(Capabilities::default));
        check(&first);
        let mut ended = None;
        for reply in replies.iter().cycle().take(100) {
            match conversation.hear(reply) {
                Move::Ask(request) => check(&request),
                Move::Done(answer) => {
                    ended = Some(answer);
                    break;
                }
            }
        }
        prop_assert!(ended.is_some(), "it never ends");
        if let Some(ArrivalAnswer::Active { account, .. }) = ended {
            prop_assert!(account.and_then(|account| account.id).is_some_and(|id| (1..=256).contains(&id.len())));
        }
        let again = conversation.hear(&reply(200, ""));
        prop_assert!(matches!(again, Move::Done(ArrivalAnswer::Unavailable(_))), "what is over stays over");
    }
}

/// Not proptest's, as it holds for the generator above: it must lead somewhere.
#[test]
fn the_replies_above_lead_to_every_request_there_is() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut asked = HashSet::new();
    let terms = ScimTerms { groups: Some(GroupTerms { managed: vec!["idp|jane".into()] }), ..terms() };
    let newcomer = newcomer(json!({"userName": "jane", "groups": ["staff"]}));
    for _ in 0..3_000 {
        let (mut conversation, first) = Conversation::begin(&terms, &newcomer, None);
        let mut request = Some(first);
        while let Some(now) = request.take() {
            let kind = now.path.split(['/', '?']).nth(3).unwrap().to_owned();
            asked.insert(format!("{} {kind}", now.method));
            let reply = replies().new_tree(&mut runner).unwrap().current();
            if let Move::Ask(next) = conversation.hear(&reply) {
                request = Some(next);
            }
        }
    }
    for kind in [
        "GET ServiceProviderConfig",
        "GET Users",
        "POST Users",
        "PATCH Users",
        "PUT Users",
        "GET Groups",
        "PATCH Groups",
    ] {
        assert!(asked.contains(kind), "{kind} is never asked: {asked:?}");
    }
}

#[test]
fn an_answer_that_is_too_long_is_not_read() {
    let long = json!({"totalResults": 0, "x": "x".repeat(1 << 20)});
    let mut directory = Directory::default().says(http::Method::GET, "Users", reply(200, long));
    assert_eq!(arrive(&mut directory, &jane()), ArrivalAnswer::Unavailable(None));
}
