//! Credentials: where a token may be.

use super::*;
use crate::token::{Credentials, Source};

const HINT: &str =
    "(write {header: authorization}, {header: x-token, scheme: JWT}, {cookie: NAME} or {query: NAME})";

fn told(from: Value) -> Vec<String> {
    compiled(&with("/credentials", json!({"from": from}))).err().unwrap_or_default()
}

#[test]
fn a_place_is_read_as_it_is_written() {
    assert_eq!(compiled(&smallest()).ok().unwrap().credentials, Credentials::default());
    let from = json!([
        {"header": "Authorization"}, {"header": "X-Token"}, {"header": "x-jwt", "scheme": "JWT"},
        {"cookie": "__Host-session"}, {"query": "access_token"},
    ]);
    let policy = compiled(&with("/credentials", json!({"from": from, "forward": false}))).ok().unwrap();
    let header = |name: &str, scheme: Option<&str>| Source::Header {
        name: name.to_owned(),
        scheme: scheme.map(str::to_owned),
    };
    let from = vec![
        header("authorization", Some("Bearer")),
        header("x-token", None),
        header("x-jwt", Some("JWT")),
        Source::Cookie("__Host-session".to_owned()),
        Source::Query("access_token".to_owned()),
    ];
    assert_eq!(policy.credentials, Credentials { from, forward: false });
    let kept = compiled(&with("/credentials", json!({"forward": true}))).ok().unwrap();
    assert_eq!(kept.credentials, Credentials::default());
}

#[test]
fn what_is_no_place_is_told() {
    for place in [
        json!({}),
        json!({"scheme": "JWT"}),
        json!({"header": "x y"}),
        json!({"header": ""}),
        json!({"header": ":path"}),
        json!({"header": "x-a", "cookie": "a"}),
        json!({"cookie": "a", "scheme": "JWT"}),
        json!({"cookie": "a=b"}),
        json!({"cookie": "a;b"}),
        json!({"query": "a&b"}),
        json!({"query": "a%20b"}),
        json!({"query": "a", "scheme": "JWT"}),
    ] {
        let problem = format!("credentials.from[0]: it is no place where a token may be {HINT}");
        assert_eq!(told(json!([place])), [problem], "{place}");
    }
    assert_eq!(told(json!([])), ["credentials.from: it names no place (name one, or leave it out)"]);
    assert_eq!(
        told(json!([{"header": "x-a", "scheme": "J W"}])),
        ["credentials.from[0].scheme: it is no scheme (write a word such as Bearer)"]
    );
    assert_eq!(problems(&with("/credentials", json!({"from": [{"headers": "x-a"}]}))).len(), 2);
    assert_eq!(problems(&with("/credentials", json!({"forward": "no"}))), ["credentials.forward"]);
}

#[test]
fn one_token_is_not_found_in_two_places_at_once() {
    for (one, other) in [
        (json!({"cookie": "a"}), json!({"cookie": "a"})),
        (json!({"query": "a"}), json!({"query": "a"})),
        (json!({"header": "x-a"}), json!({"header": "X-A"})),
        (json!({"header": "authorization"}), json!({"header": "Authorization", "scheme": "bearer"})),
        (json!({"header": "x-a"}), json!({"header": "x-a", "scheme": "JWT"})),
    ] {
        let problem = "credentials.from[1]: this place is there already (keep one of them)";
        assert_eq!(told(json!([one, other])), [problem], "{one} {other}");
    }
    let two =
        json!([{"header": "x-a", "scheme": "JWT"}, {"header": "x-a", "scheme": "Bearer"}, {"cookie": "x-a"}]);
    assert_eq!(told(two), [""; 0]);
}

#[test]
fn a_header_that_carries_the_request_carries_no_token() {
    for name in ["cookie", "Host", "content-length", "transfer-encoding", "x-forwarded-for"] {
        let problem = format!(
            "credentials.from[0].header: `{name}` carries something else (choose a header such as x-token)"
        );
        assert_eq!(told(json!([{"header": name}])), [problem]);
    }
    for name in ["authorization", "proxy-authorization", "x-token"] {
        assert_eq!(told(json!([{"header": name}])), [""; 0], "{name}");
    }
}
