//! `firstsight check`: what the filter would say to configurations in the manifests that hold them.

use crate::program::command;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SIDECAR: &str = "envoy/istio/sidecar.yaml";
const EXTENSION: &str = "envoy/istio/traffic-extension.yaml";
const POLICY: &str = "envoy/envoy-gateway/firstsight.yaml";
const ENVOY: &str = "envoy/envoy.yaml";

/// Whether all is good, and what is told.
fn check(files: &[&str], input: &str) -> (bool, String) {
    let mut command = command(&[&["check"], files].concat());
    command.current_dir(ROOT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn checked(document: &Value) -> (bool, String) {
    check(&["-"], &document.to_string())
}

/// A file with one thing written otherwise.
fn altered(file: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(format!("{ROOT}/{file}")).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    text.replace(from, to)
}

fn smallest() -> Value {
    json!({
        "issuers": [{"issuer": "https://idp.example.com", "cluster": "idp", "audiences": ["orders-api"]}],
        "provisioning": {"cluster": "directory", "authorization": {"env": "DIRECTORY_TOKEN"}},
        "limits": {"waiting": 10.0},
    })
}

/// A Wasm filter of Envoy's with the smallest configuration.
fn filter() -> Value {
    json!({
        "name": "firstsight",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "failurePolicy": "FAIL_RELOAD",
                "vmConfig": {"environmentVariables": {"hostEnvKeys": ["DIRECTORY_TOKEN"]}},
                "configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": smallest()},
            },
        },
    })
}

#[test]
fn every_manifest_of_ours_is_good_and_nothing_in_it_is_dangerous() {
    for (file, count) in [
        ("envoy/envoy.yaml", 1),
        ("envoy/compose/envoy.yaml", 1),
        ("envoy/istio/sidecar.yaml", 1),
        ("envoy/istio/gateway.yaml", 1),
        ("envoy/istio/traffic-extension.yaml", 2),
        ("envoy/envoy-gateway/firstsight.yaml", 1),
    ] {
        assert_eq!(check(&[file], ""), (true, format!("{file}: {count} of {count} good\n")));
    }
}

#[test]
fn a_mistake_is_told_with_its_place_in_every_kind_of_document() {
    for (file, whose) in [
        (SIDECAR, "WasmPlugin orders/firstsight"),
        ("envoy/istio/gateway.yaml", "WasmPlugin istio-ingress/firstsight"),
        (EXTENSION, "TrafficExtension orders/firstsight"),
        (EXTENSION, "TrafficExtension istio-ingress/firstsight"),
        (POLICY, "EnvoyExtensionPolicy edge/firstsight, filter firstsight"),
        (ENVOY, "filter edge/firstsight"),
        ("envoy/compose/envoy.yaml", "filter edge/firstsight"),
    ] {
        let (good, told) = check(&["-"], &altered(file, "audiences", "audience"));
        let line = format!("-: {whose}: issuers[0].audience: a list is not expected here (");
        assert!(!good && told.contains(&line), "{file}\n{told}");
    }
}

#[test]
fn a_filter_is_found_wherever_envoy_would_read_it() {
    let mut typed = filter();
    let own = typed["typed_config"].take();
    typed["typed_config"] = json!({
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "type_url": own["@type"], "value": {"config": own["config"]},
    });
    let extension = json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "firstsight", "typed_config": filter()["typed_config"],
    });
    let patch = json!({
        "kind": "EnvoyFilter", "metadata": {"namespace": "orders", "name": "door"},
        "spec": {"configPatches": [{"patch": {"operation": "INSERT_FIRST", "value": filter()}}]},
    });
    for (mut document, place, whose) in [
        (extension.clone(), "/typed_config", "filter firstsight"),
        (json!({"resources": [extension]}), "/resources/0/typed_config", "filter firstsight"),
        (json!({"http_filters": [typed]}), "/http_filters/0/typed_config/value", "filter firstsight"),
        (
            json!({"items": [patch]}),
            "/items/0/spec/configPatches/0/patch/value/typed_config",
            "EnvoyFilter orders/door, filter firstsight",
        ),
    ] {
        assert_eq!(checked(&document), (true, "-: 1 of 1 good\n".to_owned()), "{document}");
        let configuration = format!("{place}/config/configuration/value");
        document.pointer_mut(&configuration).unwrap()["mode"] = json!("off");
        let (good, told) = checked(&document);
        assert!(!good && told.contains(&format!("-: {whose}: mode: ")), "{told}");
    }
}

#[test]
fn a_configuration_may_stand_alone_and_has_every_variable_there() {
    assert_eq!(checked(&smallest()), (true, "-: 1 of 1 good\n".to_owned()));
    let several = format!("{}\n---\n{}\n", smallest(), json!({"provisioning": {"cluster": "directory"}}));
    let (good, told) = check(&["-"], &several);
    assert!(!good && told.contains("-: configuration: issuers: there is none ("), "{told}");
    assert!(told.ends_with("-: 1 of 2 good\n"), "{told}");
}

#[test]
fn a_variable_that_is_not_declared_beside_the_configuration_is_missed() {
    for (file, declared) in [
        (SIDECAR, "{ name: DIRECTORY_TOKEN, valueFrom: HOST }"),
        (EXTENSION, "{ name: DIRECTORY_TOKEN, valueFrom: HOST }"),
        (POLICY, "{ hostKeys: [DIRECTORY_TOKEN] }"),
        (ENVOY, "{ host_env_keys: [DIRECTORY_TOKEN] }"),
    ] {
        let other = declared.replace("DIRECTORY_TOKEN", "ANOTHER");
        let (good, told) = check(&["-"], &altered(file, declared, &other));
        let line = ": provisioning.authorization.env: the environment has no DIRECTORY_TOKEN (";
        assert!(!good && told.contains(line), "{file}\n{told}");
    }
}

#[test]
fn a_secret_in_a_manifest_is_noted_and_never_told() {
    for (file, declared, written) in [
        (SIDECAR, "DIRECTORY_TOKEN, valueFrom: HOST", "DIRECTORY_TOKEN, value: s3cret"),
        (ENVOY, "host_env_keys: [DIRECTORY_TOKEN]", "key_values: { DIRECTORY_TOKEN: s3cret }"),
    ] {
        let (good, told) = check(&["-"], &altered(file, declared, written));
        let note = ": note: the value of DIRECTORY_TOKEN is written here for everybody to read (";
        assert!(good && told.contains(note) && !told.contains("s3cret"), "{told}");
    }
    let (good, told) = check(&["-"], "token: s3cret\n  issuers: [");
    assert!(
        !good && told.starts_with("-: it is neither YAML nor JSON: ") && !told.contains("s3cret"),
        "{told}"
    );
}

#[test]
fn what_is_allowed_and_dangerous_is_noted() {
    for (file, from, to, note) in [
        (SIDECAR, "failStrategy: FAIL_RELOAD", "failStrategy: FAIL_OPEN", "failStrategy is FAIL_OPEN"),
        (SIDECAR, "  failStrategy: FAIL_RELOAD\n", "", "failStrategy is not FAIL_RELOAD"),
        (SIDECAR, "phase: AUTHN", "phase: STATS", "phase is not AUTHN"),
        (EXTENSION, "  phase: AUTHN\n", "", "phase is not AUTHN"),
        (POLICY, "failOpen: false", "failOpen: true", "failOpen is true"),
        (ENVOY, "failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN", "failure_policy is FAIL_OPEN"),
        (ENVOY, "failure_policy: FAIL_RELOAD", "fail_open: true", "fail_open is true"),
        (ENVOY, "failure_policy: FAIL_RELOAD", "fail_open: false", "failure_policy is not FAIL_RELOAD"),
    ] {
        let (good, told) = check(&["-"], &altered(file, from, to));
        assert!(good && told.contains(&format!("firstsight: note: {note}: ")), "{file} {to}\n{told}");
    }
}

#[test]
fn a_file_in_which_nothing_is_found_is_an_error_and_other_files_are_read_all_the_same() {
    let none = "there is no configuration of the plugin in it\n";
    let other =
        json!({"kind": "WasmPlugin", "spec": {"url": "oci://registry/other", "pluginConfig": {"a": 1}}});
    assert_eq!(checked(&other), (false, format!("-: {none}")));
    let (good, told) = check(&["envoy/istio/services.yaml", "no-such-file.yaml", SIDECAR], "");
    assert!(!good);
    let lines: Vec<_> = told.lines().collect();
    let [services, missing, sidecar] = lines[..] else { panic!("{told}") };
    assert_eq!(services, format!("envoy/istio/services.yaml: {}", none.trim_end()));
    assert!(missing.starts_with("no-such-file.yaml: it cannot be read: "), "{missing}");
    assert_eq!(sidecar, format!("{SIDECAR}: 1 of 1 good"));
}

#[test]
fn a_plugin_of_ours_without_a_configuration_is_told_what_the_filter_would_say() {
    let plugin = json!({
        "kind": "WasmPlugin", "metadata": {"name": "door"},
        "spec": {"url": "oci://registry/firstsight", "failStrategy": "FAIL_RELOAD", "phase": "AUTHN"},
    });
    let (good, told) = checked(&plugin);
    assert!(!good && told.contains("-: WasmPlugin door: issuers: there is none ("), "{told}");
    let mut filter = filter();
    filter["typed_config"]["config"]["configuration"] =
        json!({"@type": "type.googleapis.com/google.protobuf.Any"});
    let (good, told) = checked(&json!({"http_filters": [filter]}));
    assert!(!good && told.contains("filter firstsight: configuration: it is no text ("), "{told}");
}
