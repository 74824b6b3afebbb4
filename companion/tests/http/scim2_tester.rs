//! A tester of SCIM servers that nobody here wrote, the PyPI package scim2-tester, against the directory.

use crate::program::{Directory, TOKEN};
use std::path::Path;
use std::process::Command;

#[test]
fn a_tester_of_scim_servers_finds_nothing_wrong() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.setup/bin/scim2");
    assert!(program.exists(), "scripts/setup.py scim sets it up");
    let directory = Directory::start();
    let output = Command::new(program)
        .args(["--url", &format!("{}/scim/v2", directory.program.url), "test"])
        .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {TOKEN}"))
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let found: Vec<_> = report.lines().skip(1).filter(|line| !line.starts_with("SUCCESS")).collect();
    let wrong = output.status.code() != Some(0) || report.matches("SUCCESS").count() < 100;
    assert!(!wrong, "{}\n{}", found.join("\n"), String::from_utf8_lossy(&output.stderr));
}
