//! Paths that are not in their plainest form: none falls under a public rule if any reader, however lenient, would find it
//! under one that needs a token.
//!
//! Input: a character that chooses the rules, and a path.
#![no_main]

use firstsight::config::Policy;
use firstsight::route::{Access, Routes};
use firstsight_fuzz::{policy, request};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static RULES: LazyLock<Vec<Routes>> = LazyLock::new(|| {
    let public = json!({"access": "public", "path": {"prefix": "/public"}});
    let tables = [
        json!([public]),
        json!([{"path": {"prefix": "/public/admin"}}, public]),
        json!([{"path": {"exact": "/public/admin"}}, public]),
        json!([{"access": "public", "path": {"suffix": ".css"}}]),
        json!([{"path": {"suffix": ".jsp"}}, public]),
        json!([{"access": "public", "path": {"exact": "/health"}}]),
        json!([{"access": "public", "path": {"regex": "/(a|b)/[0-9]+"}}]),
    ];
    let routes = |table| -> Policy { policy(json!({"routes": table})) };
    tables.into_iter().map(|table| routes(table).routes).collect()
});

/// One thing that a reader may do with a path, in any order with others.
fn decode(path: &[u8]) -> Vec<u8> {
    let mut decoded = vec![];
    let mut at = 0;
    while at < path.len() {
        let escape = path.get(at + 1..at + 3).filter(|_| path[at] == b'%');
        let byte =
            escape.and_then(|digits| std::str::from_utf8(digits).ok()).filter(|digits| !digits.contains('+'));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(path[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn backslashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

fn parameters(path: &[u8]) -> Vec<u8> {
    let names = path
        .split(|byte| *byte == b'/')
        .map(|name| name.split(|byte| *byte == b';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(&b'/')
}

fn slashes(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|one, other| *one == b'/' && *other == b'/');
    merged
}

fn dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = vec![];
    let names: Vec<_> = path.split(|byte| *byte == b'/').skip(1).collect();
    for (at, name) in names.iter().enumerate() {
        let last = at + 1 == names.len();
        match *name {
            b".." => drop(kept.pop()),
            b"." => {}
            name => kept.push(name),
        }
        if last && matches!(*name, b"." | b"..") {
            kept.push(b"");
        }
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

/// Every way in which a path can be read; one that was encoded more than thrice is beyond any reader.
fn readings(path: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::from([(path.to_vec(), 0)]);
    let mut open = vec![(path.to_vec(), 0)];
    while let Some((path, decoded)) = open.pop() {
        let mut next: Vec<_> =
            [backslashes, parameters, slashes, dots].iter().map(|read| (read(&path), decoded)).collect();
        if decoded < 3 {
            next.push((decode(&path), decoded + 1));
        }
        for reading in next {
            if found.len() < 500 && found.insert(reading.clone()) {
                open.push(reading);
            }
        }
    }
    found.into_iter().map(|(path, _)| path).collect()
}

fn access(routes: &Routes, path: &str) -> Option<Access> {
    let headers = [(":method", "GET"), (":authority", "a"), (":path", path)];
    routes.choose(&request(&headers)).ok().map(|chosen| chosen.access)
}

/// The access of a path that is taken as it stands, found without the code that knows other readings.
fn plainly(table: usize, path: &str) -> Access {
    let below =
        |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let numbered = |path: &str| !path.is_empty() && path.bytes().all(|byte| byte.is_ascii_digit());
    let public = match table {
        0 => below("/public"),
        1 => below("/public") && !below("/public/admin"),
        2 => below("/public") && path != "/public/admin",
        3 => path.ends_with(".css"),
        4 => below("/public") && !path.ends_with(".jsp"),
        5 => path == "/health",
        _ => ["/a/", "/b/"].iter().any(|start| path.strip_prefix(start).is_some_and(numbered)),
    };
    if public { Access::Public } else { Access::Required }
}

fuzz_target!(|text: &str| {
    let mut characters = text.chars();
    let Some(choice) = characters.next() else { return };
    let target = characters.as_str();
    let table = choice.to_digit(36).unwrap_or_default() as usize % RULES.len();
    if !target.starts_with('/') {
        return;
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if path.len() > 200 || access(&RULES[table], target) != Some(Access::Public) {
        return;
    }
    for reading in readings(path.as_bytes()) {
        let read = String::from_utf8_lossy(&reading);
        assert_eq!(plainly(table, &read), Access::Public, "{target} may be read as {read}");
    }
});
