//! Wasm filters anywhere in a configuration of Envoy, or in a patch of one: listeners, LDS and ECDS resources, EnvoyFilter.

use super::found::{Environment, Found, is_ours, names_us, texts};
use serde_json::Value;

const FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
/// What a filter may be written in instead of its own type.
const STRUCTS: &[&str] = &["udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"];

/// The plugin configurations of all Wasm filters in a document; `resource` is what holds it, where something does.
pub(super) fn filters(document: &Value, resource: Option<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    walk(document, resource, &mut Vec::new(), &mut found);
    found
}

/// `names` are those of the things around `value`, outermost first: a listener's, …, the filter's.
fn walk<'a>(value: &'a Value, resource: Option<&str>, names: &mut Vec<&'a str>, found: &mut Vec<Found>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, resource, names, found)),
        Value::Object(members) => {
            let name = value.get("name").and_then(Value::as_str);
            names.extend(name);
            match plugin(value) {
                Some(plugin) => found.extend(configuration(plugin, whose(resource, names))),
                None => members.values().for_each(|member| walk(member, resource, names, found)),
            }
            names.truncate(names.len() - name.iter().len());
        }
        _ => {}
    }
}

fn whose(resource: Option<&str>, names: &[&str]) -> String {
    match (resource, names) {
        (Some(resource), [.., filter]) => format!("{resource}, filter {filter}"),
        (Some(resource), []) => resource.to_owned(),
        (None, [listener, .., filter]) => format!("filter {listener}/{filter}"),
        (None, [filter]) => format!("filter {filter}"),
        (None, []) => "filter without a name".to_owned(),
    }
}

/// The plugin of a Wasm filter, if `value` is one.
fn plugin(value: &Value) -> Option<&Value> {
    let message = |key: &str| field(value, key).and_then(Value::as_str)?.rsplit('/').next();
    let filter = match message("@type")? {
        FILTER => value,
        name if STRUCTS.contains(&name) && message("type_url") == Some(FILTER) => field(value, "value")?,
        _ => return None,
    };
    field(filter, "config")
}

fn configuration(plugin: &Value, whose: String) -> Option<Found> {
    let text = text(field(plugin, "configuration"));
    let parsed = text.as_ref().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let is_named = whose.contains("firstsight") || names_us(plugin, "configuration");
    if !is_named && !parsed.as_ref().is_some_and(is_ours) {
        return None;
    }
    let mut notes = Vec::new();
    let policy = field(plugin, "failure_policy").and_then(Value::as_str);
    let fails_open = field(plugin, "fail_open").and_then(Value::as_bool) == Some(true);
    match policy {
        Some("FAIL_OPEN") => notes.push("failure_policy is FAIL_OPEN: where the plugin fails, everybody is let through (write FAIL_RELOAD)"),
        None if fails_open => notes.push("fail_open is true: where the plugin fails, everybody is let through (write failure_policy: FAIL_RELOAD)"),
        Some("FAIL_RELOAD") => {}
        _ => notes.push("failure_policy is not FAIL_RELOAD: once a VM has trapped, every request gets a 503 until Envoy restarts (write FAIL_RELOAD)"),
    }
    let variables = field(plugin, "vm_config").and_then(|vm| field(vm, "environment_variables"));
    let of_host = texts(variables.and_then(|variables| field(variables, "host_env_keys")));
    let written = variables.and_then(|variables| field(variables, "key_values")).and_then(Value::as_object);
    let written = written.into_iter().flatten();
    let written = written.filter_map(|(name, value)| Some((name.clone(), Some(value.as_str()?.to_owned()))));
    let declared = of_host.map(|name| (name.to_owned(), None)).chain(written).collect();
    Some(Found { whose, text, environment: Environment::Declared(declared), notes })
}

/// What Envoy hands to the plugin.
fn text(configuration: Option<&Value>) -> Result<String, &'static str> {
    let Some(configuration) = configuration else { return Ok(String::new()) };
    let name = configuration.get("@type").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
    match (name, configuration.get("value")) {
        (Some("google.protobuf.StringValue"), Some(Value::String(text))) => Ok(text.clone()),
        (Some("google.protobuf.Struct"), Some(value)) => Ok(value.to_string()),
        _ => Err(
            "configuration: it is no text (write \"@type\": type.googleapis.com/google.protobuf.StringValue, and the JSON as its value)",
        ),
    }
}

/// A member of a message, in either of the spellings that Envoy reads: `vm_config`, `vmConfig`.
fn field<'a>(message: &'a Value, name: &str) -> Option<&'a Value> {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    let camel = parts.fold(first, |name, part| {
        let (head, rest) = part.split_at(part.len().min(1));
        name + &head.to_ascii_uppercase() + rest
    });
    [name, &camel].iter().find_map(|name| message.get(name)).filter(|value| !value.is_null())
}
