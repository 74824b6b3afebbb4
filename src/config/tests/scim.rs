//! A directory that speaks SCIM, and what that asks of the rest of a configuration.

use super::*;
use crate::wire::scim::{ExternalId, GroupTerms, ScimTerms};

fn speaking(scim: Value) -> Value {
    with("/provisioning", json!({"cluster": "directory", "protocol": "scim", "scim": scim}))
}

fn with_issuers(issuers: Value, scim: Value) -> Value {
    let mut document = speaking(scim);
    document["issuers"] = issuers;
    document
}

fn issuer(name: &str) -> Value {
    json!({"issuer": name, "cluster": "idp", "audiences": ["orders-api"]})
}

fn protocol(document: &Value) -> Protocol {
    compiled(document).unwrap_or_else(|problems| panic!("{problems:?}")).provisioning.protocol
}

#[track_caller]
fn external_id_of(document: &Value) -> ExternalId {
    match protocol(document) {
        Protocol::Scim { external_id, .. } => external_id,
        other => panic!("{other:?}"),
    }
}

fn attribute_problems(name: &str, scim: Value) -> Vec<String> {
    let mut document = speaking(scim);
    document["attributes"] = json!([{"attribute": name, "claim": "email"}]);
    problems(&document)
}

const EXTERNAL_ID: &str = "provisioning.scim.external_id";

#[test]
fn the_smallest_scim_is_the_protocols_name() {
    let document = with("/provisioning", json!({"cluster": "directory", "protocol": "scim"}));
    let terms = ScimTerms { base: "/scim/v2".to_owned(), groups: None };
    assert_eq!(protocol(&document), Protocol::Scim { terms, external_id: ExternalId::Sub });
    assert_eq!(protocol(&smallest()), Protocol::Firstsight);
}

#[test]
fn users_are_below_the_path_with_a_slash_at_its_end_or_without() {
    for (path, below) in [("/v2", "/v2"), ("/v2/", "/v2"), ("/", ""), ("/a/b//", "/a/b")] {
        let mut document = speaking(json!({}));
        document["provisioning"]["path"] = json!(path);
        let Protocol::Scim { terms, .. } = protocol(&document) else { panic!("{path}") };
        assert_eq!(terms.base, below);
    }
    for path in ["/v2?tenant=a", "/v2#users", "v2", "https://directory.test/v2"] {
        let mut document = speaking(json!({}));
        document["provisioning"]["path"] = json!(path);
        assert_eq!(problems(&document), ["provisioning.path"], "{path}");
    }
}

#[test]
fn with_several_issuers_somebody_says_what_tells_accounts() {
    let two = || json!([issuer("https://a.example.com"), issuer("https://b.example.com")]);
    for unsaid in [json!({}), json!({"external_id": "sub"})] {
        assert_eq!(problems(&with_issuers(two(), unsaid)), [EXTERNAL_ID]);
    }
    for (said, external_id) in [("key", ExternalId::Key), ("issuer_and_sub", ExternalId::IssuerAndSub)] {
        assert_eq!(external_id_of(&with_issuers(two(), json!({"external_id": said}))), external_id);
    }
    assert_eq!(problems(&speaking(json!({"external_id": "email"}))), [EXTERNAL_ID]);
}

#[test]
fn an_issuer_with_many_tenants_in_its_name_is_several() {
    let shared = |claim: &str, name: &str, tenants: &[&str]| {
        let mut issuer = issuer(name);
        issuer["tenants"] = json!({"claim": claim, "allow": tenants});
        issuer["jwks_uri"] = json!("https://login.example.com/keys");
        with_issuers(json!([issuer]), json!({}))
    };
    let in_name = "https://login.example.com/{tid}/v2.0";
    assert_eq!(problems(&shared("tid", in_name, &["t-1", "t-2"])), [EXTERNAL_ID]);
    // Whoever has its tenants beside its name gives no `sub` twice.
    let beside = shared("hd", "https://accounts.example.com", &["a.example", "b.example"]);
    assert_eq!(external_id_of(&beside), ExternalId::Sub);
}

#[test]
fn an_issuer_that_is_wrong_itself_is_not_taken_for_several() {
    let wrong = json!([{"issuer": "https://a.example.com", "cluster": "idp"}]);
    assert_eq!(problems(&with_issuers(wrong, json!({}))), ["issuers[0].audiences"]);
}

#[test]
fn a_bar_in_an_issuers_name_must_not_part_it_from_the_sub() {
    let barred = |said: &str| {
        let issuers = json!([issuer("https://a.example.com"), issuer("https://a.example.com/x|y")]);
        with_issuers(issuers, json!({"external_id": said}))
    };
    assert_eq!(problems(&barred("issuer_and_sub")), [EXTERNAL_ID]);
    assert_eq!(external_id_of(&barred("key")), ExternalId::Key);
}

#[test]
fn terms_of_scim_are_for_scim_alone() {
    for protocol in [json!("firstsight"), json!(null)] {
        let mut document = speaking(json!({"groups": {}}));
        document["provisioning"]["protocol"] = protocol;
        assert_eq!(problems(&document), ["provisioning.protocol"]);
    }
    // What could not be read is told once.
    let mut document = speaking(json!({}));
    document["provisioning"]["protocol"] = json!("SCIM");
    assert_eq!(problems(&document), ["provisioning.protocol"]);
}

#[test]
fn groups_are_kept_but_never_made() {
    for (groups, managed) in [(json!({}), vec![]), (json!({"managed": ["staff"]}), vec!["staff".to_owned()])]
    {
        let Protocol::Scim { terms, .. } = protocol(&speaking(json!({"groups": groups}))) else { panic!() };
        assert_eq!(terms.groups, Some(GroupTerms { managed }));
    }
    for (groups, place) in [
        (json!({"create": true}), ".create"),
        (json!({"managed": "staff"}), ".managed"),
        (json!({"managed": [7]}), ".managed[0]"),
        (json!(["staff"]), ""),
        (json!(true), ""),
    ] {
        let told = problems(&speaking(json!({"groups": groups})));
        assert_eq!(told, [format!("provisioning.scim.groups{place}")], "{groups}");
    }
}

#[test]
fn an_attribute_is_one_that_scim_has_and_a_mapping_may_write() {
    let department = r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".department"#;
    for name in ["userName", "name.givenName", "emails", department] {
        assert!(attribute_problems(name, json!({})).is_empty(), "{name}");
    }
    for name in ["password", "Groups", "externalId", "a.b.c", "_x", r#""urn:acme:2.0:User""#, "/a b"] {
        assert_eq!(attribute_problems(name, json!({})), ["attributes[0].attribute"], "{name}");
    }
    let mut firstsight = smallest();
    firstsight["attributes"] =
        json!([{"attribute": "a.b.c", "claim": "x"}, {"attribute": "groups", "claim": "y"}]);
    assert!(compiled(&firstsight).is_ok(), "another directory has other attributes");
}

#[test]
fn memberships_are_an_attribute_where_groups_are_kept() {
    for name in ["groups", "Groups"] {
        assert_eq!(attribute_problems(name, json!({})), ["attributes[0].attribute"]);
        assert!(attribute_problems(name, json!({"groups": {}})).is_empty());
    }
    assert_eq!(attribute_problems("groups.value", json!({"groups": {}})), ["attributes[0].attribute"]);
}

#[test]
fn a_problem_names_its_own_place_whatever_else_is_wrong() {
    let mut document =
        with_issuers(json!([issuer("https://a.example.com"), issuer("https://b.example.com")]), json!({}));
    document["provisioning"]["path"] = json!("nowhere");
    document["attributes"] = json!([{"attribute": "title"}, {"attribute": "password", "claim": "p"}]);
    assert_eq!(
        problems(&document),
        ["attributes[0].claim", "attributes[1].attribute", "provisioning.path", EXTERNAL_ID]
    );
}

#[test]
fn a_scim_directory_is_told_of_no_sightings_unless_something_that_takes_them_is_named() {
    let mut document = speaking(json!({}));
    assert_eq!(compiled(&document).ok().unwrap().last_seen, None);
    document["last_seen"] = json!({"every": "30s"});
    document["departures"] = json!({});
    assert_eq!(problems(&document), ["departures.cluster", "last_seen.cluster"]);
    document["departures"] = json!({"cluster": "telemetry"});
    document["last_seen"] = json!({"cluster": "telemetry"});
    let told = compiled(&document).ok().unwrap().last_seen.unwrap();
    assert_eq!((told.at.cluster.as_str(), told.at.authorization), ("telemetry", None));
}
