//! The account's attributes, and the digest that names their rules.

use super::*;
use crate::mapping::Mapping;

fn mapping(rules: Value) -> Mapping {
    compiled(&with("/attributes", rules)).unwrap_or_else(|problems| panic!("{problems:?}")).mapping
}

#[test]
fn an_attribute_is_not_written_into_another_in_any_case() {
    for (one, other) in [("name", "name.givenName"), ("name.givenName", "Name"), ("userName", "username")] {
        let rules = json!([{"attribute": one, "claim": "a"}, {"attribute": other, "claim": "b"}]);
        assert_eq!(problems(&with("/attributes", rules)), ["attributes[1].attribute"], "{one} {other}");
    }
}

#[test]
fn what_the_directory_says_of_an_account_is_no_claims_to_say() {
    for name in ["externalId", "externalid", "id", "active", "meta.created", "schemas"] {
        let rules = json!([{"attribute": name, "claim": "email"}]);
        assert_eq!(problems(&with("/attributes", rules)), ["attributes[0].attribute"], "{name}");
    }
}

#[test]
fn what_says_nothing_about_an_attribute_is_a_mistake() {
    for (rule, place) in [
        (json!({}), ".claim"),
        (json!({"claim": "a..b"}), ".claim"),
        (json!({"claim": "a", "format": "plain"}), ".format"),
        (json!({"claim": "a", "map": {}}), ".map"),
        (json!({"claim": "a", "map": {"eng": 7}}), ".map.eng"),
        (json!({"claim": "a", "map": ["eng"]}), ".map"),
        (json!({"claim": "a", "map_others": "keep"}), ".map_others"),
        (json!({"claim": "a", "max_items": 0}), ".max_items"),
        (json!({"claim": "a", "max_bytes": 0}), ".max_bytes"),
        (json!({"claim": "a", "format": "text", "max_items": 3}), ".max_items"),
        (json!({"claim": "a", "sync": "never"}), ".sync"),
        (json!({"claim": "a", "when_missing": {"default": null}}), ".when_missing.default"),
        (json!({"claim": "a", "format": "text", "when_missing": {"default": []}}), ".when_missing.default"),
        (
            json!({"claim": "a", "max_bytes": 3, "when_malformed": {"default": "abc"}}),
            ".when_malformed.default",
        ),
    ] {
        let mut rule = rule;
        rule["attribute"] = json!("x");
        let told = problems(&with("/attributes", json!([rule])));
        assert_eq!(told, [format!("attributes[0]{place}")], "{rule}");
    }
}

#[test]
fn the_mapping_digest_changes_with_what_the_rules_do_and_with_nothing_else() {
    let rule = || json!({"attribute": "roles", "claim": "groups", "map": {"a": "b"}});
    let digest = |key: &str, value: Value| {
        let mut rule = rule();
        rule[key] = value;
        mapping(json!([rule])).digest
    };
    let usual = mapping(json!([rule()])).digest;
    assert_eq!(usual.len(), 16);
    for (key, value) in [
        ("attribute", json!("entitlements")),
        ("claim", json!("/roles")),
        ("map", json!({"a": "c"})),
        ("map_others", json!("keep")),
        ("format", json!("list")),
        ("max_bytes", json!(100)),
        ("max_items", json!(100)),
        ("when_missing", json!({"default": "x"})),
        ("when_malformed", json!("omit")),
        ("sync", json!("always")),
    ] {
        assert_ne!(digest(key, value), usual, "{key}");
    }
    for (key, value) in [
        ("claim", json!("/groups")),
        ("map_others", json!("drop")),
        ("format", json!("as-is")),
        ("max_bytes", json!(4096.0)),
        ("max_items", json!(256)),
        ("when_missing", json!("omit")),
        ("sync", json!("arrival")),
    ] {
        assert_eq!(digest(key, value), usual, "{key}");
    }
    let other = json!({"attribute": "userName", "claim": "sub"});
    assert_eq!(mapping(json!([rule(), other])).digest, mapping(json!([other, rule()])).digest);
    let mut document = with("/attributes", json!([rule()]));
    document["gateway"] = json!("another");
    assert_eq!(compiled(&document).ok().unwrap().mapping.digest, usual);
}

#[test]
fn attributes_that_are_not_kept_in_step_are_initial() {
    let department = r#""urn:example:2.0:User".department"#;
    let rules = json!([
        {"attribute": "userName", "claim": "a"},
        {"attribute": "roles", "claim": "b", "sync": "always"},
        {"attribute": department, "claim": "c", "sync": "arrival"},
    ]);
    assert_eq!(mapping(rules).initial(), [department, "userName"]);
}
