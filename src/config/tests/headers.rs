//! The application's headers, and what becomes of one without a value.

use super::*;
use crate::mapping::{Fallback, Fallbacks, HeaderSourceRule};

#[test]
fn a_header_has_one_rule_in_every_spelling() {
    let rules = json!([{"header": "x-user-id", "claim": "sub"}, {"header": "X_User_Id", "claim": "email"}]);
    assert_eq!(problems(&with("/headers", rules)), ["headers[1].header"]);
}

#[test]
fn a_header_that_carries_the_request_is_not_ours_in_any_spelling() {
    for name in ["content_type", "Content-Length", "x_envoy_internal", "x-forwarded-for", "forwarded"] {
        let rules = json!([{"header": name, "claim": "sub"}]);
        assert_eq!(problems(&with("/headers", rules)), ["headers[0].header"], "{name}");
    }
}

#[test]
fn a_default_is_what_the_claim_could_have_been() {
    for (default, fits) in
        [(json!("jörg"), true), (json!(7), true), (json!(""), false), (json!(["a"]), false)]
    {
        let rules = json!([{"header": "x-a", "claim": "a", "when_missing": {"default": default}}]);
        assert_eq!(problems(&with("/headers", rules)).is_empty(), fits, "{default}");
    }
}

#[test]
fn a_header_says_how_its_value_is_written() {
    let rules = json!([
        {"header": "x-a", "claim": "a", "format": "csv", "non_ascii": "percent", "when_missing": {"default": ["ö"]}},
        {"header": "x-b", "claim": "b", "format": "base64json", "when_missing": {"default": {"a": []}}},
        {"header": "x-c", "payload": "base64url-padded", "when_missing": "omit", "max_bytes": 100},
    ]);
    let policy = compiled(&with("/headers", rules)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let defaults = policy.mapping.headers.iter().filter_map(|rule| match &rule.source {
        HeaderSourceRule::Claim { fallbacks, .. } => match &fallbacks.missing {
            Fallback::Default(value) => Some(value.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(defaults.collect::<Vec<_>>(), ["%C3%B6", "eyJhIjpbXX0="]);
    assert!(matches!(
        policy.mapping.headers[2].source,
        HeaderSourceRule::Payload {
            padded: true,
            max_bytes: 100,
            fallbacks: Fallbacks { missing: Fallback::Omit, malformed: None }
        }
    ));
}

#[test]
fn what_says_nothing_about_a_header_is_a_mistake() {
    for (rule, place) in [
        (json!({"claim": "a", "format": "json", "non_ascii": "utf8"}), "headers[0].non_ascii"),
        (json!({"account": "id", "non_ascii": "utf8"}), "headers[0].non_ascii"),
        (json!({"account": "id", "when_missing": "omit"}), "headers[0].when_missing"),
        (json!({"account": "id", "when_malformed": "omit"}), "headers[0].when_malformed"),
        (json!({"account": "id", "map": {"a": "b"}}), "headers[0].map"),
        (json!({"payload": "base64url", "map": {"a": "b"}}), "headers[0].map"),
        (json!({"payload": "base64url", "format": "json"}), "headers[0].format"),
        (json!({"claim": "a", "map": {}}), "headers[0].map"),
        (json!({"claim": "a", "map": {"a": 1}}), "headers[0].map.a"),
        (json!({"claim": "a", "map": {"a": ["b"]}}), "headers[0].map.a"),
        (json!({"claim": "a", "map_others": "keep"}), "headers[0].map_others"),
        (json!({"claim": "a", "map": {"a": "b"}, "map_others": "pass"}), "headers[0].map_others"),
        (json!({"claim": "a", "when_malformed": {"default": {}}}), "headers[0].when_malformed.default"),
        (json!({"claim": "\"a"}), "headers[0].claim"),
        (
            json!({"payload": "base64url", "when_missing": {"default": "e30"}}),
            "headers[0].when_missing.default",
        ),
        (json!({"payload": "base64url", "claim": "a"}), "headers[0]"),
        (json!({"account": "id", "claim": "a"}), "headers[0]"),
    ] {
        let mut rule = rule;
        rule["header"] = json!("x-a");
        assert_eq!(problems(&with("/headers", json!([rule]))), [place], "{rule}");
    }
}

#[test]
fn filter_state_has_a_key_of_its_own_for_each_value() {
    for (rules, place) in [
        (json!([{"key": "a b", "claim": "sub"}]), "filter_state[0].key"),
        (json!([{"claim": "sub"}]), "filter_state[0].key"),
        (json!([{"key": "firstsight.reason", "claim": "sub"}]), "filter_state[0].key"),
        (json!([{"key": "a", "claim": "sub"}, {"key": "a", "claim": "email"}]), "filter_state[1].key"),
        (json!([{"key": "a"}]), "filter_state[0]"),
        (json!([{"key": "a", "claim": "sub", "account": "id"}]), "filter_state[0]"),
    ] {
        assert_eq!(problems(&with("/filter_state", rules.clone())), [place], "{rules}");
    }
    let policy = compiled(&with("/filter_state", json!([{"key": "a", "claim": "sub"}]))).ok().unwrap();
    assert_eq!(&*policy.mapping.filter_state[0].key, "a");
}
