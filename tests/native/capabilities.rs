//! The list of capabilities, and the example that is copied, against what else says the same.

use crate::support::capabilities;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("it can be read")
}

#[test]
fn every_callback_of_the_module_is_allowed_and_no_other() {
    let script = read("scripts/wasm-exports.py");
    let exported: BTreeSet<_> = script.split('"').filter(|word| word.starts_with("proxy_on_")).collect();
    let allowed = capabilities::allowed();
    let mut allowed: BTreeSet<_> =
        allowed.iter().map(String::as_str).filter(|name| name.starts_with("proxy_on_")).collect();
    // How a proxy gets memory for what it hands over is part of the ABI, and cannot be withheld.
    allowed.insert("proxy_on_memory_allocate");
    assert_eq!(exported, allowed);
}

/// Where the Envoy of the containers is another than the one on loopback, up to its plugin configuration.
const OTHERS: &[(&str, &str)] = &[
    ("address: 127.0.0.1, port_value: 10000", "address: 0.0.0.0, port_value: 10000"),
    ("dist/firstsight.wasm", "/etc/envoy/firstsight.wasm"),
    ("%UPSTREAM_CLUSTER%\\n", "%UPSTREAM_CLUSTER% %FILTER_STATE(wasm.firstsight.reason:PLAIN)%\\n"),
];

#[test]
fn the_envoy_of_the_containers_is_set_up_as_the_one_on_loopback() {
    let settings = |name: &str| {
        let text = read(name);
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
        let lines = lines.take_while(|line| line.trim() != "configuration:");
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let loopback = settings("envoy/envoy.yaml");
    let expected = OTHERS.iter().fold(loopback, |text, (here, there)| {
        assert!(text.contains(here), "{here} is not in envoy/envoy.yaml");
        text.replace(here, there)
    });
    assert_eq!(settings("envoy/compose/envoy.yaml"), expected);
}
