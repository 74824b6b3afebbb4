//! `docs/conformance.md` and the threats in `SECURITY.md` against the code: every clause and every threat names tests that
//! exist, or a clause says why it is an exception.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What the document is about, in its order.
const STANDARDS: &[&str] = &[
    "RFC 6750",
    "RFC 7515",
    "RFC 7517",
    "RFC 7518",
    "RFC 7519",
    "RFC 8725",
    "RFC 9068",
    "OpenID Connect Core",
    "OpenID Connect Discovery",
    "RFC 9457",
    "RFC 9728",
    "RFC 7643",
    "RFC 7644",
    "RFC 7643 as a service",
    "RFC 7644 as a service",
    "RFC 9865",
    "RFC 8417",
    "RFC 8935",
    "RFC 8936",
    "RFC 9493",
    "RFC 9967",
    "OpenID Shared Signals Framework",
    "OpenID Connect Back-Channel Logout",
];

struct Row {
    standard: String,
    clause: String,
    does: String,
    held_by: String,
}

#[test]
fn every_clause_is_held_by_tests_that_exist_or_is_a_reasoned_exception() {
    let tests = tests();
    let rows = rows();
    assert!(rows.len() > 80, "only {} clauses were found", rows.len());
    for Row { standard, clause, does, held_by } in &rows {
        let place = format!("{standard} {clause}");
        assert!(clause.starts_with('§') && clause.len() > 2, "{place} is no clause");
        assert!(does.ends_with('.'), "{place}: nothing is said");
        let named = named_in(held_by);
        if let Some(reason) = held_by.strip_prefix("Exception: ") {
            assert!(reason.len() > 30, "{place}: an exception wants a reason");
        } else {
            assert!(!named.is_empty(), "{place} names no test");
        }
        for name in named {
            assert!(tests.contains(name), "{place}: there is no test `{name}`");
        }
    }
}

#[test]
fn every_standard_has_its_table() {
    let mut standards: Vec<_> = rows().into_iter().map(|row| row.standard).collect();
    standards.dedup();
    assert_eq!(standards, STANDARDS);
}

#[test]
fn every_test_of_a_clause_is_in_the_document() {
    let document = fs::read_to_string(Path::new(ROOT).join("docs/conformance.md")).expect("it is there");
    for folder in ["tests/native/clauses", "tests/scenarios/standards.rs"] {
        for name in tests_in(&Path::new(ROOT).join(folder)) {
            assert!(document.contains(&format!("`{name}`")), "`{name}` holds no clause");
        }
    }
}

#[test]
fn every_threat_is_held_by_tests_that_exist() {
    let tests = tests();
    let text = fs::read_to_string(Path::new(ROOT).join("SECURITY.md")).expect("it is there");
    let section = text.split("\n## ").find(|section| section.starts_with("Threats\n"));
    let rows = section.expect("there are threats").lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
        let [threat, _, held_by] = cells.as_slice() else { panic!("three cells: {row}") };
        assert!(!named_in(held_by).is_empty(), "no test holds: {threat}");
        for name in named_in(held_by) {
            assert!(tests.contains(name), "{threat}: there is no test `{name}`");
        }
        count += 1;
    }
    assert!(count > 15, "only {count} threats were found");
}

/// The tests that a cell names. A sentence has more than one gap; a key of a configuration has one at most.
fn named_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 1).collect()
}

/// `## RFC 6750: …`, and below it `| §2.1 … | what is done | tests, or an exception and its tests |`.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/conformance.md")).expect("it is there");
    let (mut rows, mut standard) = (vec![], String::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.split(':').next().unwrap_or_default().clone_into(&mut standard);
        }
        let Some(row) = line.strip_prefix("| ").filter(|_| !standard.is_empty()) else { continue };
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").map(str::trim).collect();
        if cells.first() == Some(&"clause") {
            continue;
        }
        let [clause, does, held_by] = cells.as_slice() else { panic!("three cells: {line}") };
        let [clause, does, held_by] = [clause, does, held_by].map(|cell| (*cell).to_owned());
        rows.push(Row { standard: standard.clone(), clause, does, held_by });
    }
    rows
}

/// The names of all tests of the filter and of the directory.
fn tests() -> BTreeSet<String> {
    ["src", "tests", "companion"].iter().flat_map(|folder| tests_in(&Path::new(ROOT).join(folder))).collect()
}

fn tests_in(path: &Path) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![path.to_owned()]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path).expect("it can be listed").map(|entry| entry.expect("it can").path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(tests_of(&path));
        }
    }
    found
}

fn tests_of(path: &PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).expect("it can be read");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let marked = lines.windows(2).filter(|pair| matches!(pair[0], "#[test]" | "#[tokio::test]"));
    let name = |pair: &[&str]| {
        let named = pair[1].strip_prefix("async ").unwrap_or(pair[1]).strip_prefix("fn ")?;
        Some(named.split('(').next()?.to_owned())
    };
    marked.filter_map(name).collect()
}
