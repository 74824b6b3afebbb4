//! What the directory and the application hear of a token's claims, in the words and shapes that were written down; and who
//! is a person, a service or an agent.

use crate::Here;
use crate::support::config::{Config, usual};
use crate::support::message::{Answer, get};
use crate::support::world::World;
use firstsight::domain::Kind;
use firstsight::wire::Arrival;
use serde_json::{Value, json};

/// A request of somebody with these claims.
fn send(world: &mut Here, sub: &str, claims: &Value) -> Answer {
    let token = world.token_with(sub, claims);
    world.send(get("/orders").bearer(&token))
}

/// What the directory hears of somebody with these claims.
#[track_caller]
fn arrival(world: &mut Here, sub: &str, claims: &Value) -> Arrival {
    send(world, sub, claims).forwarded();
    let heard = world.directory().arrivals().into_iter().find(|arrival| arrival.subject.id == sub);
    heard.expect("the directory was asked")
}

fn attributes(rules: Value) -> Config {
    usual().set("/attributes", rules)
}

#[test]
fn the_directory_hears_attributes_in_the_shapes_that_were_chosen() {
    let mut world = Here::usual(&attributes(json!([
        {"attribute": "asIs", "claim": "roles"},
        {"attribute": "text", "claim": "number", "format": "text"},
        {"attribute": "csv", "claim": "groups", "format": "csv"},
        {"attribute": "json", "claim": "roles", "format": "json"},
        {"attribute": "list", "claim": "scope", "format": "list"},
        {"attribute": "emails", "claim": "email", "format": "scim"},
        {"attribute": "roles", "claim": "roles", "format": "scim"},
        {"attribute": "\"urn:example:2.0:User\".department", "claim": "\"https://acme.test/dept\""},
        {"attribute": "title", "claim": "resource_access.\"my.client\".title"},
        {"attribute": "none", "claim": "nobody", "format": "list"},
        {"attribute": "usual", "claim": "nobody", "format": "scim", "when_missing": {"default": "guest"}},
    ])));
    let claims = json!({
        "roles": [{"id": 7}, "dev"],
        "number": 4711,
        "groups": ["eng", "hr"],
        "scope": "read write",
        "email": "jane@people.test",
        "https://acme.test/dept": "R&D",
        "resource_access": {"my.client": {"title": "Dr."}},
    });
    let heard = arrival(&mut world, "jane-4711", &claims).attributes;
    let expected = json!({
        "asIs": [{"id": 7}, "dev"],
        "text": "4711",
        "csv": "eng,hr",
        "json": r#"[{"id":7},"dev"]"#,
        "list": ["read write"],
        "emails": [{"value": "jane@people.test"}],
        "roles": [{"id": 7}, {"value": "dev"}],
        "urn:example:2.0:User": {"department": "R&D"},
        "title": "Dr.",
        "usual": [{"value": "guest"}],
    });
    assert_eq!(Value::from(heard), expected);
}

#[test]
fn groups_become_the_roles_that_the_operator_named() {
    let map = json!({"eng": "developer", "sre": "developer", "hr": "people"});
    let config = attributes(json!([
        {"attribute": "roles", "claim": "groups", "map": map, "format": "scim"},
        {"attribute": "words", "claim": "groups", "map": map, "map_others": "keep"},
    ]));
    let mut world = Here::usual(&config.set(
        "/headers",
        json!([
            {"header": "x-roles", "claim": "groups", "map": map, "format": "csv", "when_missing": "omit"},
            {"header": "x-words", "claim": "groups", "map": map, "map_others": "keep", "format": "json"},
        ]),
    ));
    for (sub, groups, roles, words, header) in [
        (
            "jane-4711",
            json!(["sre", "eng", "all", "hr"]),
            json!([{"value": "developer"}, {"value": "people"}]),
            json!(["developer", "all", "people"]),
            Some("developer,people"),
        ),
        ("john-4712", json!("eng"), json!([{"value": "developer"}]), json!("developer"), Some("developer")),
        ("mary-4713", json!(["all"]), json!([]), json!(["all"]), None),
        ("jack-4714", json!("all"), json!([]), json!("all"), None),
    ] {
        let claims = json!({"groups": groups});
        let heard = arrival(&mut world, sub, &claims).attributes;
        assert_eq!(Value::from(heard), json!({"roles": roles, "words": words}), "{groups}");
        let seen = send(&mut world, sub, &claims).forwarded();
        assert_eq!(seen.header("x-roles").as_deref(), header, "{groups}");
        assert_eq!(seen.header("x-words"), Some(words.to_string()), "{groups}");
    }
}

#[test]
fn a_malformed_claim_has_an_outcome_of_its_own_where_one_is_written() {
    let mut world = Here::usual(&usual().set(
        "/headers",
        json!([
            {"header": "x-omit", "claim": "a", "when_malformed": "omit", "when_missing": {"default": "none"}},
            {"header": "x-default", "claim": "a", "when_malformed": {"default": "odd"}, "when_missing": "omit"},
            {"header": "x-must", "claim": "b", "when_malformed": "refuse", "when_missing": "omit"},
            {"header": "x-usual", "claim": "b", "when_missing": {"default": "usual"}},
        ]),
    ));
    let mut headers = |claims: Value| {
        let seen = send(&mut world, "jane-4711", &claims).forwarded();
        ["x-omit", "x-default", "x-must", "x-usual"].map(|name| seen.header(name))
    };
    let words = |words: [&str; 4]| words.map(|word| (!word.is_empty()).then(|| word.to_owned()));
    assert_eq!(headers(json!({})), words(["none", "", "", "usual"]));
    assert_eq!(headers(json!({"a": "", "b": null})), words(["none", "", "", "usual"]));
    assert_eq!(headers(json!({"a": "1", "b": "2"})), words(["1", "1", "2", "2"]));
    assert_eq!(headers(json!({"a": "a\r\nx-must: yes"})), words(["", "odd", "", "usual"]));
    assert_eq!(headers(json!({"a": {"b": 1}})), words(["", "odd", "", "usual"]));
    for odd in [json!(["b"]), json!("b\r\nx-omit: yes"), json!("b".repeat(5000))] {
        send(&mut world, "jane-4711", &json!({"b": odd})).refused(403, "claim-malformed");
    }
    assert!(world.counter("firstsight.requests.claim-malformed") >= 3);
}

#[test]
fn an_attribute_that_cannot_be_sent_is_left_out_or_refuses_the_request_before_anybody_is_asked() {
    let mut world = Here::usual(&attributes(json!([
        {"attribute": "short", "claim": "a", "max_bytes": 8},
        {"attribute": "few", "claim": "b", "max_items": 2, "when_malformed": {"default": ["many"]}},
        {"attribute": "must", "claim": "c", "format": "text", "when_missing": {"default": "none"}, "when_malformed": "refuse"},
        {"attribute": "login", "claim": "preferred_username", "when_missing": "refuse"},
    ])));
    let mut heard = |sub: &str, claims: Value| Value::from(arrival(&mut world, sub, &claims).attributes);
    let fits = heard("jane-4711", json!({"a": "123456", "b": [1, 2], "c": 3, "preferred_username": "jane"}));
    assert_eq!(fits, json!({"short": "123456", "few": [1, 2], "must": "3", "login": "jane"}));
    let does_not = heard("john-4712", json!({"a": "1234567", "b": [1, 2, 3], "preferred_username": "john"}));
    assert_eq!(does_not, json!({"few": ["many"], "must": "none", "login": "john"}));
    let asked = world.directory().arrivals().len();
    send(&mut world, "mary-4713", &json!({"c": ["list"]})).refused(403, "claim-malformed");
    send(&mut world, "mary-4713", &json!({"preferred_username": null})).refused(403, "claim-missing");
    assert_eq!(world.directory().arrivals().len(), asked);
}

#[test]
fn kinds_are_told_by_the_signs_that_were_written_and_one_may_be_refused() {
    let kinds = json!({
        "agent": {"when": [{"claim": "act.sub"}, {"claim": "sub", "matches": "bot-*"}], "treatment": "refuse"},
        "service": {"when": [{"claim": "gty", "equals": "client-credentials"}, {"claim": "azp", "same_as": "owner"}]},
    });
    let mut world = Here::usual(&usual().set("/kinds", kinds));
    for (sub, claims, kind) in [
        ("batch-job-1", json!({"gty": ["client-credentials"]}), Kind::Service),
        ("batch-job-2", json!({"azp": "batch", "owner": "batch"}), Kind::Service),
        ("batch-job-3", json!({"azp": "batch-job-3"}), Kind::Person),
        ("jane-4711", json!({"act": {"client": "web"}}), Kind::Person),
    ] {
        assert_eq!(arrival(&mut world, sub, &claims).kind, kind, "{sub}");
    }
    let asked = world.directory().arrivals().len();
    send(&mut world, "bot-0815", &json!({})).refused(403, "kind-refused");
    for _ in 0..2 {
        let claims = json!({"act": {"sub": "assistant-1"}, "gty": "client-credentials"});
        send(&mut world, "john-4712", &claims).refused(403, "kind-refused");
    }
    assert_eq!(world.directory().arrivals().len(), asked, "nobody is provisioned who is refused anyway");
    send(&mut world, "john-4712", &json!({})).forwarded();
}

#[test]
fn a_kind_that_is_only_counted_goes_on_without_an_account_and_its_sightings_are_told() {
    let mut world = Here::usual(&usual().set("/kinds", json!({"person": {"treatment": "count"}})));
    for _ in 0..3 {
        assert_eq!(send(&mut world, "jane-4711", &json!({})).forwarded().header("x-account-id"), None);
    }
    assert_eq!(world.counter("firstsight.counted.person"), 3);
    world.until("its sightings are told", |world| world.directory().seen("jane-4711") == 3);
    assert_eq!(world.directory().arrivals().len(), 0);
}
