//! A document to the plugin configurations in it.

use super::found::{Environment, Found, is_ours};
use super::{envoy, kubernetes};
use serde_json::Value;

/// Every configuration of the plugin in a document.
pub(super) fn find(document: &Value) -> Vec<Found> {
    if let Some(Value::Array(items)) = document.get("items") {
        return items.iter().flat_map(find).collect();
    }
    let wasm = document.pointer("/spec/wasm");
    match document.get("kind").and_then(Value::as_str) {
        Some("WasmPlugin") => {
            document.get("spec").and_then(|spec| kubernetes::istio(document, spec)).into_iter().collect()
        }
        Some("TrafficExtension") => {
            wasm.and_then(|wasm| kubernetes::istio(document, wasm)).into_iter().collect()
        }
        Some("EnvoyExtensionPolicy") => kubernetes::envoy_gateway(document),
        Some(_) => envoy::filters(document, Some(&kubernetes::name(document))),
        None if is_ours(document) => vec![Found {
            whose: "configuration".to_owned(),
            text: Ok(document.to_string()),
            environment: Environment::Unknown,
            notes: Vec::new(),
        }],
        None => envoy::filters(document, None),
    }
}
