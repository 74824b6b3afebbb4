//! The JSON Schema of the plugin's configuration: it says what the reader says, and what the reference says.

mod reference;
#[path = "../../../../tests/support/config.rs"]
#[expect(dead_code, reason = "scenarios have more uses for it")]
mod usual;

use crate::program::command;
use firstsight::config::{Surroundings, compile, schema};
use firstsight::token::Crypto;
use jsonschema::Validator;
use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Where the usual configurations' directory has its SCIM service.
mod scim {
    pub(crate) const BASE: &str = "/scim/v2";
}

/// Who the usual configurations' transmitter is.
mod transmitter {
    pub(crate) const TRANSMITTER: &str = "https://transmitter.test";
    pub(crate) const RECEIVER: &str = "https://receiver.test";
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

/// What the filter's reader has against it.
fn problems(configuration: &Value) -> Vec<String> {
    let env = |_: &str| Some("token".to_owned());
    let surroundings = Surroundings { env: &env, node: "", crypto: Crypto::pure() };
    let problems = compile(&configuration.to_string(), &surroundings).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// What the schema has against it.
fn errors(validator: &Validator, configuration: &Value) -> Vec<String> {
    validator.iter_errors(configuration).map(|error| error.to_string()).collect()
}

/// Every plugin configuration below `value`.
fn collect(value: &Value, into: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(members) if members.contains_key("issuers") => into.push(value.clone()),
        Value::Object(members) => members.values().for_each(|member| collect(member, into)),
        Value::String(text) => {
            let json = Some(text).filter(|text| text.starts_with('{'));
            json.and_then(|text| serde_json::from_str(text).ok())
                .iter()
                .for_each(|value| collect(value, into));
        }
        _ => {}
    }
}

fn manifests() -> Vec<Value> {
    let mut found = Vec::new();
    for folder in ["envoy", "envoy/istio", "envoy/envoy-gateway", "envoy/compose"] {
        for entry in std::fs::read_dir(format!("{ROOT}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(path).unwrap();
                let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
                documents.iter().for_each(|document| collect(document, &mut found));
            }
        }
    }
    assert!(found.len() >= 7, "only {} configurations were found", found.len());
    found
}

#[test]
fn what_is_good_fits_the_schema_too() {
    let validator = validator();
    let usual = [
        usual::usual(),
        usual::departing(),
        usual::departing_by_scim(),
        usual::departing_by_events(),
        usual::scim(),
        usual::scim_once(),
    ];
    let rich = usual::usual()
        .set("/credentials", json!({"from": [{"header": "x-token", "scheme": "JWT"}, {"cookie": "t"}], "forward": false}))
        .set("/routes", json!([{"hosts": ["*.example.com"], "methods": ["GET"], "path": {"prefix": "/a"}, "access": "lenient"}]))
        .set("/issuers/0/require", json!({"scopes": ["a"], "claims": {"groups": ["ops", 7], "email_verified": true}}))
        .set("/issuers/0/algorithms", json!(["RS256", "EdDSA"]))
        .set("/issuers/0/max_age", json!("1h 30m"))
        .set("/issuers/0/clock_skew", json!("1.5s"))
        .set("/headers/0/when_missing", json!({"default": "nobody"}))
        .set("/headers/1/map", json!({"a": "b"}))
        .set("/filter_state", json!([{"key": "user", "payload": "base64url-padded"}]))
        .set("/kinds/agent/when", json!([{"claim": "typ", "equals": ["agent", true]}, {"claim": "sub", "matches": "bot-*"}]))
        .set("/provisioning/retry", json!({"attempts": 2, "backoff": "100ms..2s"}))
        .set("/limits/subjects", json!(200000.0))
        .set("/provisioning/refresh", json!("1y"));
    for configuration in usual.into_iter().chain([rich]).map(|config| config.0).chain(manifests()) {
        assert_eq!(problems(&configuration), Vec::<String>::new(), "{configuration}");
        assert_eq!(errors(&validator, &configuration), Vec::<String>::new(), "{configuration}");
    }
}

#[test]
fn what_has_the_wrong_shape_is_refused_by_the_schema_and_by_the_reader() {
    let validator = validator();
    for (place, wrong) in [
        ("/isuers", json!([])),
        ("/mode", json!("off")),
        ("/gateway", json!(7)),
        ("/issuers", json!([])),
        ("/issuers", json!({})),
        ("/issuers/0", json!("https://idp.example.com")),
        ("/issuers/0/authority", json!("idp.example.com")),
        ("/issuers/0/issuer", json!(null)),
        ("/issuers/0/cluster", json!(7)),
        ("/issuers/0/audiences", json!("orders-api")),
        ("/issuers/0/any_audience", json!("true")),
        ("/issuers/0/algorithms", json!(["HS256"])),
        ("/issuers/0/clock_skew", json!("soon")),
        ("/issuers/0/clock_skew", json!(30)),
        ("/issuers/0/clock_skew", json!("500us")),
        ("/issuers/0/jwks", json!({})),
        ("/issuers/0/require/claims", json!({"groups": {"a": 1}})),
        ("/issuers/0/tenants", json!({"claim": "tid"})),
        ("/credentials", json!({"from": []})),
        ("/credentials", json!({"from": [{}]})),
        ("/routes", json!([{"access": "open"}])),
        ("/routes", json!([{"path": {}}])),
        ("/routes", json!([{"path": {"prefix": "/a", "exact": "/a"}}])),
        ("/headers/0", json!({"claim": "sub"})),
        ("/headers/0/format", json!("xml")),
        ("/headers/0/when_missing", json!({"defualt": ""})),
        ("/headers/0/map", json!({"a": 1})),
        ("/headers/0/max_bytes", json!(0)),
        ("/filter_state", json!([{"claim": "sub"}])),
        ("/attributes/0", json!({"attribute": "userName"})),
        ("/kinds/agent/when", json!({})),
        ("/kinds/agent/when", json!([{"equals": "x"}])),
        ("/kinds/robot", json!({})),
        ("/provisioning/cluster", json!(null)),
        ("/provisioning/authorization", json!("Bearer s3cret")),
        ("/provisioning/authorization", json!({})),
        ("/provisioning/retry", json!({"backoff": "2s"})),
        ("/provisioning/when_unavailable", json!("open")),
        ("/last_seen", json!([])),
        ("/last_seen/batch", json!(1.5)),
        ("/departures/every", json!(true)),
        (
            "/departures",
            json!({"protocol": "ssf", "cluster": "x", "path": "/poll", "ssf": {"audiences": ["a"]}}),
        ),
        ("/limits/waiting", json!("10")),
        ("/limits/waiting", json!(-1)),
        ("/limits/waiting", json!(4_294_967_296_u64)),
    ] {
        let configuration = usual::usual().set(place, wrong.clone()).0;
        assert!(!problems(&configuration).is_empty(), "the reader takes {place} {wrong}");
        assert!(!errors(&validator, &configuration).is_empty(), "the schema takes {place} {wrong}");
    }
    for key in ["issuers", "provisioning"] {
        let mut configuration = usual::usual().0;
        configuration.as_object_mut().unwrap().remove(key);
        assert!(!problems(&configuration).is_empty() && !validator.is_valid(&configuration), "{key}");
    }
}

#[test]
fn the_schema_is_printed_and_every_member_is_described() {
    let output = command(&["schema"]).output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.success(), &printed), (true, &schema()));
    assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let objects = printed["$defs"].as_object().unwrap().values().chain([&printed]);
    let members = objects.filter_map(|object| object["properties"].as_object()).flatten();
    let undescribed: Vec<_> = members.filter(|(_, member)| !member["description"].is_string()).collect();
    assert!(undescribed.is_empty(), "{undescribed:?}");
}
