//! What the module may do in a proxy: the list in `envoy/envoy.yaml`, the only one there is.

use std::path::Path;

/// The names of all capabilities that a user's proxy allows.
pub(crate) fn allowed() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/envoy.yaml");
    let text = std::fs::read_to_string(path).expect("it is there");
    let lines = text.lines().map(str::trim).skip_while(|line| *line != "allowed_capabilities:").skip(1);
    let entries = lines.filter(|line| !line.starts_with('#')).map_while(|line| line.strip_suffix(": {}"));
    let names: Vec<_> = entries.map(str::to_owned).collect();
    assert!(names.len() > 20, "only {names:?}");
    names
}
