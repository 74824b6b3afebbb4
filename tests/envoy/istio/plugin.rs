//! One WasmPlugin, as istiod renders it and the agent in the pod hands it to Envoy.

use crate::bootstrap;
use crate::process::{Folder, module};
use crate::support::config::{Config, ENVIRONMENT};
use serde_json::{Value, json};
use std::path::PathBuf;

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/// It is in the namespace `orders`, in phase AUTHN and with FAIL_RELOAD.
#[derive(Debug, Clone)]
pub(crate) struct WasmPlugin {
    name: &'static str,
    config: Config,
    /// Where the agent has the module; `None` if it could not fetch it.
    module: Option<PathBuf>,
}

impl WasmPlugin {
    /// The one under test.
    pub(crate) fn firstsight(config: &Config) -> Self {
        Self { name: "firstsight", config: with_doubles(config), module: Some(module()) }
    }

    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) fn with_module(self, module: PathBuf) -> Self {
        Self { module: Some(module), ..self }
    }

    pub(crate) fn that_cannot_be_fetched(self) -> Self {
        Self { module: None, ..self }
    }

    /// What it is called in Envoy. Since Istio 1.30 a WasmPlugin is made into a TrafficExtension.
    pub(crate) fn resource(&self) -> String {
        format!("extensions.istio.io/trafficextension/{}", self.full_name())
    }

    fn full_name(&self) -> String {
        format!("orders.{}~istio-translated-wasmplugin", self.name)
    }

    /// The file that stands for istiod.
    pub(crate) fn file(&self) -> String {
        format!("{}.json", self.name)
    }

    /// What the listener says of it. The listener waits for it as long as it takes.
    pub(crate) fn filter(&self, folder: &Folder) -> Value {
        json!({
            "name": self.resource(),
            "config_discovery": {
                "config_source": {
                    "resource_api_version": "V3",
                    "initial_fetch_timeout": "0s",
                    "path_config_source": {"path": folder.file(&self.file())},
                },
                "type_urls": [WASM, RBAC],
            },
        })
    }

    /// What is delivered.
    pub(crate) fn delivered(&self, version: u32) -> Value {
        let filter = match &self.module {
            // Rules without a policy let nobody through.
            None => json!({"@type": RBAC, "rules": {}, "rules_stat_prefix": "wasm-default-deny"}),
            Some(path) => {
                // There is no way to say a vm_id.
                let keys: Vec<_> = ENVIRONMENT.iter().map(|(name, _)| name).collect();
                let virtual_machine = json!({
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": path}},
                    "environment_variables": {"host_env_keys": keys},
                });
                bootstrap::plugin(&self.full_name(), virtual_machine, &self.config)
            }
        };
        json!({
            "version_info": version.to_string(),
            "resources": [{
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": self.resource(),
                "typed_config": filter,
            }],
        })
    }
}

/// A `pluginConfig` is a protobuf Struct, whose numbers are doubles. Go writes whole ones as the scenarios do, without a
/// fraction; here they have one, so that both are tried.
fn with_doubles(config: &Config) -> Config {
    fn render(value: &mut Value) {
        match value {
            Value::Number(number) => *value = json!(number.as_f64()),
            Value::Array(items) => items.iter_mut().for_each(render),
            Value::Object(members) => members.values_mut().for_each(render),
            _ => {}
        }
    }
    let mut config = config.clone();
    render(&mut config.0);
    config
}
