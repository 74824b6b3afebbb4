//! What Envoy is configured with.

use crate::support::capabilities;
use crate::support::config::{Config, ENVIRONMENT};
use serde_json::{Value, json};
use std::path::Path;

/// Where the clusters are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) issuer: u16,
    pub(crate) directory: u16,
    pub(crate) app: u16,
}

/// A bootstrap whose listener comes from the file `lds`, so that it can be replaced and removed; or, without one, is
/// part of it.
pub(crate) fn bootstrap(ports: Ports, lds: Option<&Path>, listener: Option<Value>) -> Value {
    let mut document = json!({
        "node": {"id": "node-1", "cluster": "tests"},
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": listener.into_iter().collect::<Vec<_>>(),
            "clusters": [
                cluster("idp", ports.issuer),
                cluster("directory", ports.directory),
                cluster("app", ports.app),
            ],
        },
    });
    if let Some(path) = lds {
        document["dynamic_resources"]["lds_config"] =
            json!({"resource_api_version": "V3", "path_config_source": {"path": path}});
    }
    document
}

/// What the file `lds` holds.
pub(crate) fn listeners(version: u32, mut listener: Option<Value>) -> Value {
    if let Some(listener) = &mut listener {
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    }
    json!({"version_info": version.to_string(), "resources": listener.into_iter().collect::<Vec<_>>()})
}

/// The listener with the plugin in it, which may do no more than users' proxies let it.
pub(crate) fn listener(module: &Path, config: &Config) -> Value {
    let environment: serde_json::Map<_, _> =
        ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let virtual_machine = json!({
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": module}},
        "environment_variables": {"key_values": environment},
    });
    let mut plugin = plugin("firstsight", virtual_machine, config);
    let allowed: serde_json::Map<_, _> =
        capabilities::allowed().into_iter().map(|name| (name, json!({}))).collect();
    // Every version of Envoy reads it here; 1.40 prefers it in `vm_config`, where older ones do not know it.
    plugin["config"]["capability_restriction_config"] = json!({"allowed_capabilities": allowed});
    listener_with(vec![json!({"name": "firstsight", "typed_config": plugin})])
}

/// The plugin with this name and this configuration, in a virtual machine like this.
pub(crate) fn plugin(name: &str, virtual_machine: Value, config: &Config) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": name,
            "root_id": "firstsight",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": virtual_machine,
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": config.0.to_string(),
            },
        },
    })
}

/// The listener with these filters before the router.
pub(crate) fn listener_with(mut filters: Vec<Value>) -> Value {
    let router = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"});
    filters.push(json!({"name": "envoy.filters.http.router", "typed_config": router}));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "access_log": [{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": {"text_format_source": {
                    "inline_string": "access: %RESPONSE_CODE% %FILTER_STATE(wasm.firstsight.reason:PLAIN)%\n",
                }},
            },
        }],
        // Above a megabyte, so that a token of that length reaches the plugin.
        "max_request_headers_kb": 2048,
        "route_config": {
            "virtual_hosts": [{
                "name": "app",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}],
                "request_headers_to_add": [{
                    "header": {"key": "x-filter-state", "value": "%FILTER_STATE(wasm.user:PLAIN)%"},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }],
            }],
        },
        "http_filters": filters,
    });
    json!({
        "name": "edge",
        "address": address(0),
        "filter_chains": [{
            "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
        }],
    })
}

/// The proxy's HTTP filters in a listener.
pub(crate) fn http_filters(listener: &mut Value) -> &mut Vec<Value> {
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["http_filters"].as_array_mut().expect("a manager has filters")
}

/// Takes one of the module's capabilities away.
pub(crate) fn withhold(listener: &mut Value, capability: &str) {
    let plugin = &mut http_filters(listener)[0]["typed_config"]["config"];
    let allowed = plugin["capability_restriction_config"]["allowed_capabilities"].as_object_mut();
    let taken = allowed.expect("a plugin has a list").remove(capability);
    assert!(taken.is_some(), "{capability} is not on the list");
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
