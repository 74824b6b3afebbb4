//! The house rules, held to the code: floors, dependencies, the size and the opening of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The longest file, in lines.
const LONGEST: usize = 400;

#[test]
fn imports_go_strictly_downward() {
    let floors = floors();
    assert!(floors.len() >= 9, "the table of floors in src/lib.rs is not read: {floors:?}");
    let mut checked = 0;
    for path in sources("src").iter().filter(|path| !path.ends_with("lib.rs")) {
        let own = module_of(path);
        let floor = floors.get(&own).unwrap_or_else(|| panic!("{own} has no floor in src/lib.rs"));
        for (line, other) in crate_paths(&read(path)) {
            let below = floors.get(&other).unwrap_or_else(|| panic!("{other} has no floor in src/lib.rs"));
            let allowed = below < floor || other == own;
            assert!(allowed, "{}:{line}: {own} (floor {floor}) uses {other} (floor {below})", path.display());
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} imports were found");
}

#[test]
fn modules_are_declared_in_the_order_of_their_floors() {
    let floors = floors();
    let text = read(&Path::new(ROOT).join("src/lib.rs"));
    let declared = text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let declared: Vec<_> = declared.map(|line| line.trim_end_matches(';').to_owned()).collect();
    let mut by_floor = declared.clone();
    by_floor.sort_by_key(|module| floors.get(module));
    assert_eq!(declared, by_floor);
    assert_eq!(declared.len(), floors.len(), "a module without a floor, or a floor without a module");
}

#[test]
fn the_proxys_sdk_is_named_in_the_adapter_alone() {
    for path in sources("src").iter().filter(|path| module_of(path) != "envoy") {
        for (number, line) in code_lines(&read(path)) {
            assert!(!line.contains("proxy_wasm"), "{}:{number} names the SDK", path.display());
        }
    }
}

#[test]
fn every_callback_that_is_answered_is_exported() {
    let kept = read(&Path::new(ROOT).join("scripts/wasm-exports.py"));
    let mut checked = 0;
    for (number, line) in code_lines(&read(&Path::new(ROOT).join("src/envoy/contexts.rs"))) {
        let Some(rest) = line.trim_start().strip_prefix("fn on_") else { continue };
        let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        // The ABI says `proxy_on_request_headers` where the SDK says `on_http_request_headers`.
        let spellings = [name.as_str(), name.trim_start_matches("http_")];
        let exported = spellings.iter().any(|name| kept.contains(&format!("\"proxy_on_{name}\"")));
        assert!(exported, "src/envoy/contexts.rs:{number}: on_{name} is taken out of the module");
        checked += 1;
    }
    assert!(checked >= 6, "only {checked} callbacks were found");
}

#[test]
fn the_proxys_sdk_is_a_dependency_on_the_proxys_target_alone() {
    assert!(!tree("firstsight", None).contains("proxy-wasm"));
    assert!(tree("firstsight", Some("wasm32-wasip1")).contains("proxy-wasm"));
}

#[test]
fn servers_and_databases_stay_in_the_companion() {
    for target in [None, Some("wasm32-wasip1")] {
        let tree = tree("firstsight", target);
        for foreign in ["tokio", "axum", "sqlx", "hyper", "reqwest", "schemars"] {
            let found = tree.lines().find(|line| line.split(' ').next() == Some(foreign));
            assert_eq!(found, None, "the root package depends on it");
        }
    }
    assert!(tree("firstsight-companion", None).contains("axum"), "the companion lost its server");
}

#[test]
fn no_file_is_too_long() {
    for path in everything() {
        let lines = read(&path).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    for path in everything() {
        assert!(read(&path).starts_with("//! "), "{} does not open with `//!`", path.display());
    }
}

#[test]
fn a_lint_is_expected_with_a_reason_and_never_allowed() {
    let allow = ["#[", "#!["].map(|open| format!("{open}allow"));
    for path in everything() {
        for (number, line) in code_lines(&read(&path)) {
            let allowed = allow.iter().any(|start| line.trim_start().starts_with(start));
            assert!(!allowed, "{}:{number} allows a lint", path.display());
        }
    }
}

/// The table in src/lib.rs: `| 2     | `mapping` | … |`.
fn floors() -> BTreeMap<String, u32> {
    let text = read(&Path::new(ROOT).join("src/lib.rs"));
    let row = |line: &str| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        let floor = cells.next()?.parse().ok()?;
        Some((cells.next()?.trim_matches('`').to_owned(), floor))
    };
    text.lines().filter_map(row).collect()
}

/// `src/token/jws.rs` and `src/token.rs` belong to `token`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(ROOT).join("src")).expect("it is in src");
    let first = inside.components().next().expect("it has a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Every `crate::module` in code, grouped imports included, with its line.
fn crate_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = vec![];
    for (number, line) in code_lines(text) {
        for rest in line.split("crate::").skip(1) {
            let heads = match rest.strip_prefix('{') {
                Some(group) => group.split(',').collect(),
                None => vec![rest],
            };
            for head in heads {
                let name: String =
                    head.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                assert!(!name.is_empty(), "line {number} is not understood: {line}");
                found.push((number, name));
            }
        }
    }
    found
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What cargo says a package needs, dev-dependencies included, one package a line.
fn tree(package: &str, target: Option<&str>) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(ROOT).args(["tree", "--locked", "--prefix", "none", "-e", "normal,build,dev"]);
    cargo.args(["-p", package]);
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every Rust file of ours.
fn everything() -> Vec<PathBuf> {
    let folders = ["src", "tests", "testkit", "companion", "bench", "benches", "fuzz", "abi"];
    let files: Vec<_> = folders.iter().flat_map(|folder| sources(folder)).collect();
    assert!(files.len() > 60, "only {} files were found", files.len());
    files
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let foreign = path.ends_with("node_modules") || path.ends_with("target");
            if path.is_dir() && !foreign {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
