//! Routes: which requests are meant, and what is asked of their tokens.

use super::*;
use crate::route::Access;

fn told(routes: Value) -> Vec<String> {
    compiled(&with("/routes", routes)).err().unwrap_or_default()
}

#[track_caller]
fn is_told(route: Value, text: &str) {
    assert_eq!(told(json!([route])), [text], "{route}");
}

#[test]
fn a_route_is_read_as_it_is_written() {
    let routes = json!([
        {"path": {"exact": "/health"}, "methods": ["GET", "M-SEARCH"], "access": "public"},
        {"path": {"prefix": "/"}, "hosts": ["*.Example.com", "regex:\\D+"], "access": "optional"},
        {"path": {"suffix": ".css"}, "access": "lenient"},
        {"path": {"regex": "/v[0-9]+/.*"}, "access": "required"},
        {"issuers": ["https://idp.example.com/realms/a"], "audiences": ["x"], "require": {"scopes": ["a:b"], "claims": {"n": [1, true, "x"]}}},
    ]);
    let policy = compiled(&with("/routes", routes)).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(policy.demands.len(), 6, "the last is for requests under no route");
    let demand = &policy.demands[4];
    assert_eq!(demand.issuers.as_ref().map(Vec::len), Some(1));
    assert_eq!(demand.audiences.as_deref(), Some(["x".to_owned()].as_slice()));
    assert_eq!((demand.require.scopes.len(), demand.require.claims[0].any_of.len()), (1, 3));
    let choose = |method, host, path| {
        let pairs = [(":method", method), (":authority", host), (":path", path)];
        policy.routes.choose(&pairs.into_iter().collect()).map(|chosen| (chosen.index, chosen.access))
    };
    assert_eq!(choose("M-SEARCH", "x", "/health"), Ok((0, Access::Public)));
    assert_eq!(choose("GET", "A.EXAMPLE.COM", "/x"), Ok((1, Access::Optional)));
    assert_eq!(choose("GET", "abc", "/x"), Ok((1, Access::Optional)), "an expression keeps its case");
    assert_eq!(choose("GET", "123", "/x.css"), Ok((2, Access::Lenient)));
    assert_eq!(choose("GET", "123", "/x"), Ok((4, Access::Required)));
    assert!(!policy.routes.preflight);
    assert!(compiled(&with("/cors_preflight", json!("pass"))).ok().unwrap().routes.preflight);
}

#[test]
fn a_path_is_one_and_in_its_plainest_form() {
    let hint = "(write {prefix: /api}, {exact: /login}, {suffix: .css} or {regex: …})";
    for (path, what) in [
        (json!({}), "it names no path, or more than one"),
        (json!({"prefix": "/a", "exact": "/a"}), "it names no path, or more than one"),
        (json!({"prefix": "api"}), "a path starts with / and has no query"),
        (json!({"prefix": "/a?x"}), "a path starts with / and has no query"),
        (json!({"prefix": "/a/../b"}), "the path is not in its plainest form"),
        (json!({"prefix": "/a//b"}), "the path is not in its plainest form"),
        (json!({"exact": "login"}), "a path starts with / and has no query"),
        (json!({"exact": "/login?x"}), "a path starts with / and has no query"),
        (json!({"exact": "/a%20b"}), "the path is not in its plainest form"),
        (json!({"exact": "/a;b"}), "the path is not in its plainest form"),
        (json!({"suffix": "a*b"}), "`*a*b` has its * in the middle"),
        (json!({"suffix": ""}), "it is empty"),
        (json!({"regex": ""}), "it is empty"),
    ] {
        is_told(json!({"path": path}), &format!("routes[0].path: {what} {hint}"));
    }
    let broken = told(json!([{"path": {"regex": "("}}])).join("");
    assert!(broken.starts_with("routes[0].path: it is no regular expression"), "{broken}");
    let glob = with("/routes", json!([{"path": {"glob": "/a/*"}}]));
    assert_eq!(problems(&glob), ["routes[0].path", "routes[0].path.glob"]);
}

#[test]
fn hosts_and_methods_are_what_requests_have() {
    let hint = "(write a whole name, prefix*, *suffix or regex:EXPRESSION)";
    is_told(json!({"hosts": ["a*b"]}), &format!("routes[0].hosts[0]: `a*b` has its * in the middle {hint}"));
    is_told(json!({"hosts": ["a", ""]}), &format!("routes[0].hosts[1]: it is empty {hint}"));
    for host in ["a.test:8080", "https://a.test", "me@a.test", "a.test.", "jörg.test"] {
        let problem =
            format!("routes[0].hosts[0]: `{host}` is no host (write it without port and path, as in a URL)");
        is_told(json!({"hosts": [host]}), &problem);
    }
    for host in ["a_b.test", "[::1]", "10.0.0.1", "*.a.test", "a.*"] {
        assert_eq!(told(json!([{"hosts": [host]}])), [""; 0], "{host}");
    }
    for method in ["get", "", "GET POST"] {
        let problem =
            format!("routes[0].methods[0]: `{method}` is no method (write methods in capitals: GET)");
        is_told(json!({"methods": [method]}), &problem);
    }
}

#[test]
fn a_route_that_nothing_reaches_is_a_mistake() {
    for first in [json!({}), json!({"path": {"prefix": "/"}, "access": "public"})] {
        assert_eq!(
            told(json!([first, {"access": "optional"}])),
            ["routes[1]: the rule before it matches everything (put it further up, or remove it)"]
        );
    }
    assert_eq!(told(json!([{"methods": ["GET"]}, {"hosts": ["a"]}, {}])), [""; 0]);
}

#[test]
fn what_is_asked_of_tokens_can_be_met() {
    for key in ["audiences", "issuers"] {
        is_told(
            json!({key: []}),
            &format!("routes[0].{key}: it accepts nobody (name at least one, or leave it out)"),
        );
    }
    is_told(
        json!({"issuers": ["https://idp.example.com"]}),
        "routes[0].issuers[0]: this issuer is not among `issuers` (write it as it is written there)",
    );
    for (key, value) in [
        ("audiences", json!(["a"])),
        ("issuers", json!(["https://idp.example.com/realms/a"])),
        ("require", json!({})),
    ] {
        is_told(
            json!({"access": "public", key: value}),
            &format!("routes[0].{key}: a public route asks nothing of tokens (remove it)"),
        );
    }
    for scope in ["", "a b", "a\"b", "a\\b", "jörg"] {
        is_told(
            json!({"require": {"scopes": ["x", scope]}}),
            &format!(
                "routes[0].require.scopes[1]: `{scope}` is no scope (write one scope an item, without blanks and quotes)"
            ),
        );
    }
    for value in [json!([]), json!({}), json!(null), json!(["a", []])] {
        is_told(
            json!({"require": {"claims": {"level": value}}}),
            "routes[0].require.claims.level: a token's claim cannot be compared with it \
             (write text, a number, a bool, or a list)",
        );
    }
    let unnamed = told(json!([{"require": {"claims": {"a..b": 1}}}])).join("");
    assert!(unnamed.starts_with("routes[0].require.claims.a..b: a step of its path is empty"), "{unnamed}");
}

#[test]
fn words_are_those_of_the_reference() {
    for (document, place) in [
        (with("/mode", json!("Report")), "mode"),
        (with("/cors_preflight", json!(true)), "cors_preflight"),
        (with("/routes", json!([{"access": "open"}])), "routes[0].access"),
        (with("/routes", json!([{"access": ["public"]}])), "routes[0].access"),
        (with("/routes", json!([{"require": ["a"]}])), "routes[0].require"),
        (with("/routes", json!({"access": "public"})), "routes"),
        (with("/routes", json!([{"acces": "public"}])), "routes[0].acces"),
    ] {
        assert_eq!(problems(&document), [place], "{document}");
    }
    assert_eq!(compiled(&smallest()).ok().unwrap().mode, Mode::Enforce);
    assert_eq!(compiled(&with("/mode", json!("report"))).ok().unwrap().mode, Mode::Report);
}
