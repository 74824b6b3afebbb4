//! A SCIM directory's answers: whatever comes back, a conversation ends, asks only under the operator's base, and lets
//! nobody in whom no answer spoke of.
//!
//! Input: answers between lines of three equal signs, again from the first when there are no more. Each is a status, a
//! blank and headers; an empty line; a body.
#![no_main]

use firstsight::domain::Reply;
use firstsight::wire::ArrivalAnswer;
use firstsight::wire::scim::{
    Capabilities, Conversation, GroupTerms, Move, Newcomer, ScimRequest, ScimTerms,
};
use firstsight_fuzz::headers;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const EXTERNAL_ID: &str = "https://idp.example.com|jane";

fn newcomer() -> Newcomer {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let attributes = json!({
        "userName": "jane", "name": {"givenName": "Jane"}, "emails": "jane@example.com", "roles": ["a", "b"],
        "groups": ["staff"], enterprise: {"department": "d"}, "displayName": "J",
    });
    let Value::Object(attributes) = attributes else { unreachable!() };
    Newcomer { external_id: EXTERNAL_ID.to_owned(), attributes, initial: vec!["displayName".to_owned()] }
}

fn replies(data: &[u8]) -> Vec<Reply> {
    let mut rest = data;
    let mut replies = vec![];
    loop {
        let end = rest.windows(5).position(|five| five == b"\n===\n");
        replies.push(reply(&rest[..end.unwrap_or(rest.len())]));
        match end {
            Some(end) => rest = &rest[end + 5..],
            None => return replies,
        }
    }
}

fn reply(text: &[u8]) -> Reply {
    let end = text.windows(2).position(|pair| pair == b"\n\n").unwrap_or(text.len());
    let body = text.get(end + 2..).unwrap_or_default().to_vec();
    let head = &text[..end];
    let at = head.iter().position(|byte| *byte == b' ').unwrap_or(head.len());
    let status = std::str::from_utf8(&head[..at]).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    Reply::Answer { status, headers: headers(head.get(at + 1..).unwrap_or_default()), body }
}

fn is_sound(request: &ScimRequest) {
    let rest = request.path.strip_prefix("/scim/v2/").expect("it is under the base");
    assert!(rest.split(['/', '?']).all(|step| step != "." && step != ".."), "{rest}");
    for (at, byte) in rest.bytes().enumerate() {
        let escape =
            || rest.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        let plain = byte.is_ascii_alphanumeric() || b"-._~/?=&".contains(&byte);
        assert!(plain || byte == b'%' && escape(), "{rest}");
    }
    let body = serde_json::from_slice::<Value>(&request.body);
    assert_eq!(body.is_ok(), request.method != "GET");
    // A whole account is sent back as it was read.
    let is_new = request.method == "POST";
    assert!(
        !is_new || rest == "Users" && body.is_ok_and(|body| body["externalId"] == EXTERNAL_ID),
        "it is somebody else's"
    );
}

fuzz_target!(|data: &[u8]| {
    let (first, data) = data.split_first().unwrap_or((&0, &[]));
    let replies = replies(data);
    let terms = ScimTerms {
        base: "/scim/v2".to_owned(),
        groups: (first & 1 == 0)
            .then(|| GroupTerms { managed: vec!["staff".to_owned(), "admins".to_owned()] }),
    };
    let known = (first & 2 == 0).then(Capabilities::default);
    let (mut conversation, request) = Conversation::begin(&terms, &newcomer(), known);
    is_sound(&request);
    let mut created = request.method == "POST";
    for reply in replies.iter().cycle().take(100) {
        match conversation.hear(reply) {
            Move::Ask(request) => {
                created |= request.method == "POST";
                is_sound(&request);
            }
            Move::Done(ArrivalAnswer::Active { account, .. }) => {
                let id = account.and_then(|account| account.id).expect("a SCIM directory names accounts");
                assert!((1..=256).contains(&id.len()) && !id.contains(char::is_control));
                let spoke = |reply: &Reply| {
                    let Reply::Answer { status, body, .. } = reply else { return false };
                    let text = String::from_utf8_lossy(body);
                    matches!(status, 200 | 201) && (created || text.contains("jane") || text.contains("\\u"))
                };
                assert!(replies.iter().any(spoke), "nobody spoke of it");
                return;
            }
            Move::Done(ArrivalAnswer::Unavailable(wait)) => {
                return assert!(wait.is_none_or(|wait| wait.as_secs() <= 3600));
            }
            Move::Done(ArrivalAnswer::Departed | ArrivalAnswer::Invalid) => return,
            Move::Done(other) => panic!("SCIM has no {other:?}"),
        }
    }
    panic!("it never ends");
});
