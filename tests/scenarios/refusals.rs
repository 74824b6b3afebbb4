//! How a refusal reads, to whoever asked: a browser, a library that probes with HEAD, a gRPC client.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::usual;
use crate::support::message::{get, grpc, head, post};
use crate::support::world::{World, unavailable};
use serde_json::json;

const METADATA: &str = "https://api.test/.well-known/oauth-protected-resource";

#[test]
fn every_challenge_points_to_the_metadata_of_the_resource() {
    let config = usual().set("/realm", json!("Orders, EU")).set("/resource_metadata", json!(METADATA));
    let mut world = Here::usual(&config);
    let bare = world.send(get("/orders")).refused(401, "token-missing");
    let expected = format!(r#"Bearer realm="Orders, EU", resource_metadata="{METADATA}""#);
    assert_eq!(bare.header("www-authenticate"), Some(expected));
    for (token, status, slug, error) in [
        ("a.b.c", 401, "token-malformed", "invalid_token"),
        ("a b", 400, "credentials-invalid", "invalid_request"),
    ] {
        let challenge =
            world.send(get("/orders").bearer(token)).refused(status, slug).header("www-authenticate");
        let challenge = challenge.unwrap_or_default();
        assert!(challenge.contains(&format!(r#"error="{error}""#)), "{challenge}");
        assert!(challenge.ends_with(&format!(r#"resource_metadata="{METADATA}""#)), "{challenge}");
    }
}

#[test]
fn head_is_refused_like_get_but_without_a_body() {
    let mut world = Here::usual(&usual());
    world.directory().answers(Behaviour::json(202, &json!({"status": "pending", "message": "Ask IT"})));
    let token = world.token("jane-4711");
    let requests = |method: fn(&str) -> crate::support::message::Request| {
        [method("/orders"), method("/orders").bearer("a.b.c"), method("/orders").bearer(&token)]
    };
    for (by_get, by_head) in requests(get).into_iter().zip(requests(head)) {
        let (by_get, by_head) = (world.send(by_get), world.send(by_head));
        assert_eq!(by_head.status, by_get.status);
        assert!(by_head.body.is_empty(), "{:?}", String::from_utf8_lossy(&by_head.body));
        for name in ["content-type", "cache-control", "www-authenticate", "retry-after"] {
            assert_eq!(by_head.header(name), by_get.header(name), "{name}");
        }
        assert!(by_head.seen.is_none());
    }
}

#[test]
fn a_grpc_client_is_refused_in_its_own_words() {
    let mut world = Here::usual(&usual());
    let missing = world.send(grpc("/orders.Orders/List")).refused_in_grpc(16, "token-missing");
    assert_eq!(missing.header("grpc-message").as_deref(), Some("No bearer token came with the request."));
    assert_eq!(missing.header("www-authenticate").as_deref(), Some("Bearer realm=\"firstsight\""));
    let protobuf = post("/orders.Orders/List", vec![0; 5]).header("content-type", "application/grpc+proto");
    world.send(protobuf.bearer("a.b.c")).refused_in_grpc(16, "token-malformed");
    world.send(grpc("/orders.Orders/List").bearer("a b")).refused_in_grpc(3, "credentials-invalid");

    // Held first, so that its headers are read once more.
    let pending = json!({"status": "pending", "message": "Frag die IT:\r\n100 % Jörg\u{1F44B}"});
    world.directory().answers(Behaviour::json(202, &pending));
    let token = world.token("jane-4711");
    let answer = world.send(grpc("/orders.Orders/List").bearer(&token)).refused_in_grpc(7, "account-pending");
    let message = "The account waits for approval. Frag die IT:%0D%0A100 %25 J%C3%B6rg%F0%9F%91%8B";
    assert_eq!(answer.header("grpc-message").as_deref(), Some(message));

    world.directory().answers(unavailable());
    let token = world.token("john-4712");
    let answer =
        world.send(grpc("/orders.Orders/List").bearer(&token)).refused_in_grpc(14, "directory-unavailable");
    assert_eq!(answer.header("retry-after").as_deref(), Some("7"));
    assert_eq!(answer.header("grpc-retry-pushback-ms").as_deref(), Some("7000"));
}

#[test]
fn a_grpc_call_with_a_token_is_forwarded_like_any_request() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    for _ in 0..3 {
        let seen = world.send(grpc("/orders.Orders/List").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
        assert_eq!(seen.header("content-type").as_deref(), Some("application/grpc"));
    }
}

#[test]
fn what_the_proxy_does_not_take_for_grpc_is_answered_in_http() {
    let mut world = Here::usual(&usual());
    for content_type in
        ["application/grpc-web", "application/grpc-web+proto", "application/grpc;x=y", "Application/gRPC"]
    {
        let request = post("/orders", vec![0; 5]).header("content-type", content_type);
        world.send(request).refused(401, "token-missing");
    }
}

#[test]
fn nothing_of_a_token_is_in_a_refusal() {
    let mut world = Here::usual(&usual());
    world.directory().answers(Behaviour::json(403, &json!({"status": "denied"})));
    let token = world.token("jane-4711");
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    for token in [&token, &expired] {
        for request in [get("/orders"), grpc("/orders")] {
            let answer = world.send(request.bearer(token));
            assert!(answer.seen.is_none());
            let parts = answer.headers.iter().map(|(_, value)| value).chain([&answer.body]);
            for part in parts.map(|bytes| String::from_utf8_lossy(bytes)) {
                let told = ["jane", "people.test", "login-of", "Given-", &token[token.len() - 20..]];
                let found = told.iter().find(|told| part.contains(**told));
                assert_eq!(found, None, "{part}");
            }
        }
    }
}
