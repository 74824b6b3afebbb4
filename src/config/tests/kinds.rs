//! Kinds: who is told from whom, and what is done for each.

use super::*;
use crate::domain::Kind;
use crate::mapping::{Kinds, Sign, Treatment};

fn kinds(written: Value) -> Kinds {
    compiled(&with("/kinds", written)).unwrap_or_else(|problems| panic!("{problems:?}")).mapping.kinds
}

#[test]
fn what_is_not_written_about_kinds_is_as_usual() {
    let usual = Kinds::default();
    assert_eq!(compiled(&smallest()).ok().unwrap().mapping.kinds, usual);
    let written = json!({
        "agent": {"when": [{"claim": "act"}], "treatment": "provision"},
        "service": {"when": [{"claim": "client_id", "same_as": "sub"}, {"claim": "azp", "same_as": "sub"}]},
        "person": {},
    });
    assert_eq!(kinds(written), usual);
    let written = kinds(json!({"service": {"treatment": "count"}, "person": {"treatment": "refuse"}}));
    assert_eq!(written.service.when, usual.service.when);
    assert_eq!(
        [Kind::Agent, Kind::Service, Kind::Person].map(|kind| written.treatment(kind)),
        [Treatment::Provision, Treatment::Count, Treatment::Refuse]
    );
}

#[test]
fn a_sign_asks_for_one_thing() {
    let when = json!([
        {"claim": "gty", "equals": ["client-credentials", 1]},
        {"claim": "roles.0", "equals": "app"},
        {"claim": "sub", "matches": "*@clients"},
    ]);
    let signs = kinds(json!({"service": {"when": when}, "agent": {"when": []}}));
    assert!(matches!(
        signs.service.when.as_slice(),
        [Sign::Value(one), Sign::Value(other), Sign::Matching(..)]
            if one.any_of.len() == 2 && other.any_of == [json!("app")]
    ));
    assert!(signs.agent.when.is_empty());
}

#[test]
fn what_tells_no_kind_is_a_mistake() {
    for (written, place) in [
        (json!({"robot": {}}), "kinds.robot"),
        (json!({"agent": {"treatment": "make"}}), "kinds.agent.treatment"),
        (json!({"agent": []}), "kinds.agent"),
        (json!({"agent": {"when": {}}}), "kinds.agent.when"),
        (json!({"person": {"when": [{"claim": "email"}]}}), "kinds.person.when"),
        (json!({"agent": {"when": [{}]}}), "kinds.agent.when[0].claim"),
        (json!({"agent": {"when": [{"claim": ""}]}}), "kinds.agent.when[0].claim"),
        (json!({"agent": {"when": [{"claim": "a", "same_as": "b."}]}}), "kinds.agent.when[0].same_as"),
        (json!({"agent": {"when": [{"claim": "a", "equals": null}]}}), "kinds.agent.when[0].equals"),
        (json!({"agent": {"when": [{"claim": "a", "equals": []}]}}), "kinds.agent.when[0].equals"),
        (json!({"agent": {"when": [{"claim": "a", "equals": [{}]}]}}), "kinds.agent.when[0].equals"),
        (json!({"agent": {"when": [{"claim": "a", "matches": "a*b"}]}}), "kinds.agent.when[0].matches"),
        (
            json!({"service": {"when": [{"claim": "a", "equals": 1, "same_as": "b"}]}}),
            "kinds.service.when[0]",
        ),
    ] {
        assert_eq!(problems(&with("/kinds", written.clone())), [place], "{written}");
    }
}
