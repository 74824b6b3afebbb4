//! Resources of Kubernetes that hold plugin configurations: Istio's WasmPlugin and TrafficExtension, Envoy Gateway's
//! EnvoyExtensionPolicy.

use super::found::{Environment, Found, is_ours, names_us, texts};
use serde_json::Value;
use std::collections::BTreeMap;

/// A resource's kind and name: `WasmPlugin orders/firstsight`.
pub(super) fn name(resource: &Value) -> String {
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/metadata/namespace").map(|name| format!("{name}/")).unwrap_or_default();
    let name = text("/metadata/name").unwrap_or("without a name");
    format!("{} {namespace}{name}", text("/kind").unwrap_or_default())
}

/// What Istio's resources say alike of a plugin. `wasm` is where the WasmPlugin has its `spec`.
pub(super) fn istio(resource: &Value, wasm: &Value) -> Option<Found> {
    let configuration = wasm.get("pluginConfig").filter(|written| !written.is_null());
    if !configuration.is_some_and(is_ours) && !names_us(wasm, "pluginConfig") {
        return None;
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut notes = Vec::new();
    match text(wasm.get("failStrategy")).as_deref() {
        Some("FAIL_RELOAD") => {}
        Some("FAIL_OPEN") => notes.push("failStrategy is FAIL_OPEN: where the plugin fails, everybody is let through (write FAIL_RELOAD)"),
        _ => notes.push("failStrategy is not FAIL_RELOAD: once a VM has trapped, every request gets a 503 until the proxy restarts (write FAIL_RELOAD)"),
    }
    if text(resource.pointer("/spec/phase")).as_deref() != Some("AUTHN") {
        notes.push("phase is not AUTHN: Istio's authorization decides before the plugin has verified anybody (write phase: AUTHN)");
    }
    let variables = wasm.pointer("/vmConfig/env").and_then(Value::as_array);
    let variable = |variable: &Value| {
        let from_host = text(variable.get("valueFrom")).as_deref() == Some("HOST");
        let value = text(variable.get("value")).unwrap_or_default();
        Some((text(variable.get("name"))?, (!from_host).then_some(value)))
    };
    Some(Found {
        whose: name(resource),
        text: Ok(configuration.map(Value::to_string).unwrap_or_default()),
        environment: Environment::Declared(variables.into_iter().flatten().filter_map(variable).collect()),
        notes,
    })
}

/// The configurations in an EnvoyExtensionPolicy.
pub(super) fn envoy_gateway(resource: &Value) -> Vec<Found> {
    let filters = resource.pointer("/spec/wasm").and_then(Value::as_array).into_iter().flatten();
    filters.filter_map(|filter| envoy_gateway_filter(resource, filter)).collect()
}

fn envoy_gateway_filter(resource: &Value, filter: &Value) -> Option<Found> {
    let configuration = filter.get("config").filter(|written| !written.is_null());
    if !configuration.is_some_and(is_ours) && !names_us(filter, "config") {
        return None;
    }
    let fails_open = filter.get("failOpen").and_then(Value::as_bool) == Some(true);
    let note = "failOpen is true: where the plugin fails, everybody is let through (write failOpen: false)";
    let variables = texts(filter.pointer("/env/hostKeys")).map(|name| (name.to_owned(), None));
    let named = filter.get("name").and_then(Value::as_str).map(|name| format!(", filter {name}"));
    Some(Found {
        whose: name(resource) + &named.unwrap_or_default(),
        text: Ok(configuration.map(Value::to_string).unwrap_or_default()),
        environment: Environment::Declared(variables.collect::<BTreeMap<_, _>>()),
        notes: fails_open.then_some(note).into_iter().collect(),
    })
}
