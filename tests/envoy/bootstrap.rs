//! What Envoy is configured with.

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

/// The listener with the plugin.
pub(crate) fn listener(module: &Path, config: &Config) -> Value {
    let environment: serde_json::Map<_, _> =
        ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let plugin = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "firstsight",
            "root_id": "firstsight",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module}},
                "environment_variables": {"key_values": environment},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": config.0.to_string(),
            },
        },
    });
    let router = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"});
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
        "http_filters": [
            {"name": "firstsight", "typed_config": plugin},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    });
    json!({
        "name": "edge",
        "address": address(0),
        "filter_chains": [{
            "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
        }],
    })
}

/// What the module uses of what a proxy may let it do.
const CAPABILITIES: &[&str] = &[
    "environ_get",
    "environ_sizes_get",
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_done",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_done",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "random_get",
];

/// Takes one of the module's capabilities away.
pub(crate) fn withhold(listener: &mut Value, capability: &str) {
    let left = CAPABILITIES.iter().filter(|name| **name != capability);
    let allowed: serde_json::Map<_, _> = left.map(|name| ((*name).to_owned(), json!({}))).collect();
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
    plugin["capability_restriction_config"] = json!({"allowed_capabilities": allowed});
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
