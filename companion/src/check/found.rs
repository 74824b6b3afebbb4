//! A plugin configuration where it was found, with what stands beside it. Knows nothing of what is in it.

use serde_json::Value;
use std::collections::BTreeMap;

/// One configuration of the plugin.
pub(super) struct Found {
    /// The kind and name of what holds it: `WasmPlugin orders/firstsight`.
    pub(super) whose: String,
    /// The JSON that the proxy hands over; or why it hands over none.
    pub(super) text: Result<String, &'static str>,
    /// The variables that the plugin can see.
    pub(super) environment: Environment,
    /// What is allowed beside it, and dangerous.
    pub(super) notes: Vec<&'static str>,
}

/// The plugin's environment, as far as it is written down.
pub(super) enum Environment {
    /// Nothing is said of it.
    Unknown,
    /// It has these; a value that is the machine's own is not known here.
    Declared(BTreeMap<String, Option<String>>),
}

/// Whether this is a configuration of our plugin, and not of another.
pub(super) fn is_ours(configuration: &Value) -> bool {
    ["issuers", "provisioning"].iter().any(|key| configuration.get(key).is_some())
}

/// Whether what holds a configuration names our plugin anywhere but in the configuration itself.
pub(super) fn names_us(holder: &Value, configuration: &str) -> bool {
    match holder {
        Value::String(text) => text.contains("firstsight"),
        Value::Array(items) => items.iter().any(|item| names_us(item, configuration)),
        Value::Object(members) => {
            members.iter().any(|(key, value)| key != configuration && names_us(value, configuration))
        }
        _ => false,
    }
}

/// Every text in a list.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
