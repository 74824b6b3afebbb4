//! The `routes` of a configuration.

use super::document::{AccessDocument, PathDocument, PreflightDocument, RouteDocument};
use super::policy::IssuerPolicy;
use super::problem::Problems;
use super::terms;
use crate::domain::{Issuer, Pattern};
use crate::route::{Access, PathMatch, Route, Routes};
use crate::token::Demand;

/// The rules, and what each asks of a token; the last demand is for requests under none.
pub(super) fn compile(
    documents: Vec<RouteDocument>,
    preflight: Option<PreflightDocument>,
    issuers: &[IssuerPolicy],
    problems: &Problems,
) -> (Routes, Vec<Demand>) {
    let mut rules = Vec::new();
    let mut demands = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = format!("routes[{index}]");
        if rules.last().is_some_and(matches_everything) {
            problems.add(&path, "the rule before it matches everything", "put it further up, or remove it");
        }
        rules.push(rule(document, &path, problems));
        demands.push(demand(document, issuers, &path, problems));
    }
    demands.push(Demand::default());
    let preflight = match preflight {
        None | Some(PreflightDocument::Check) => false,
        Some(PreflightDocument::Pass) => true,
    };
    (Routes::new(rules, preflight), demands)
}

fn matches_everything(rule: &Route) -> bool {
    let everywhere = PathMatch::Prefix(String::new());
    let any_path = rule.path.as_ref().is_none_or(|path| *path == everywhere);
    any_path && rule.hosts.is_empty() && rule.methods.is_empty()
}

fn rule(document: &RouteDocument, path: &str, problems: &Problems) -> Route {
    // In an expression, `\D` is the opposite of `\d`.
    let lower = |host: &String| match host.starts_with("regex:") {
        true => host.clone(),
        false => host.to_ascii_lowercase(),
    };
    let hosts: Vec<_> = document.hosts.iter().map(lower).collect();
    for (index, host) in hosts.iter().enumerate().filter(|(_, host)| !may_be_host(host)) {
        let what = format!("`{host}` is no host");
        problems.add(format!("{path}.hosts[{index}]"), what, "write it without port and path, as in a URL");
    }
    for (index, method) in document.methods.iter().enumerate() {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            let path = format!("{path}.methods[{index}]");
            problems.add(path, format!("`{method}` is no method"), "write methods in capitals: GET");
        }
    }
    Route {
        hosts: terms::patterns(&hosts, &format!("{path}.hosts"), problems),
        methods: document.methods.clone(),
        path: document
            .path
            .as_ref()
            .and_then(|written| path_match(written, &format!("{path}.path"), problems)),
        access: match document.access {
            None | Some(AccessDocument::Required) => Access::Required,
            Some(AccessDocument::Public) => Access::Public,
            Some(AccessDocument::Optional) => Access::Optional,
            Some(AccessDocument::Lenient) => Access::Lenient,
        },
    }
}

/// Whether a request's host may be what the pattern means: a name without the dot at its end, or an address.
fn may_be_host(pattern: &str) -> bool {
    let part = pattern.trim_matches('*');
    let is_address = part.contains(['[', ']']);
    let fits = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'*' => true,
        b'[' | b']' | b':' => is_address,
        _ => byte.is_ascii_alphanumeric(),
    };
    pattern.starts_with("regex:") || part.bytes().all(fits) && !pattern.ends_with('.')
}

fn path_match(document: &PathDocument, path: &str, problems: &Problems) -> Option<PathMatch> {
    let hint = "write {prefix: /api}, {exact: /login}, {suffix: .css} or {regex: …}";
    let PathDocument { exact, prefix, suffix, regex } = document;
    if [suffix, regex].into_iter().flatten().any(String::is_empty) {
        problems.add(path, "it is empty", hint);
        return None;
    }
    match (exact, prefix, suffix, regex) {
        (Some(exact), None, None, None) => problems.take(PathMatch::exact(exact), path, hint),
        (None, Some(prefix), None, None) => problems.take(PathMatch::prefix(prefix), path, hint),
        (None, None, Some(suffix), None) => {
            problems.take(Pattern::parse(&format!("*{suffix}")), path, hint).map(PathMatch::Pattern)
        }
        (None, None, None, Some(regex)) => {
            problems.take(Pattern::parse(&format!("regex:{regex}")), path, hint).map(PathMatch::Pattern)
        }
        _ => {
            problems.add(path, "it names no path, or more than one", hint);
            None
        }
    }
}

fn demand(document: &RouteDocument, issuers: &[IssuerPolicy], path: &str, problems: &Problems) -> Demand {
    let asks = [
        ("audiences", document.audiences.is_some()),
        ("issuers", document.issuers.is_some()),
        ("require", document.require.is_some()),
    ];
    if matches!(document.access, Some(AccessDocument::Public)) {
        for (key, _) in asks.into_iter().filter(|(_, written)| *written) {
            problems.add(format!("{path}.{key}"), "a public route asks nothing of tokens", "remove it");
        }
    }
    for key in ["audiences", "issuers"] {
        let list = if key == "issuers" { &document.issuers } else { &document.audiences };
        if list.as_ref().is_some_and(|list| list.is_empty() || list.iter().any(String::is_empty)) {
            problems.add(format!("{path}.{key}"), "it accepts nobody", "name at least one, or leave it out");
        }
    }
    let known = |(index, name): (usize, &String)| -> Option<Issuer> {
        let found = issuers.iter().find(|known| known.trust.issuer.as_str() == name);
        if found.is_none() {
            let path = format!("{path}.issuers[{index}]");
            problems.add(path, "this issuer is not among `issuers`", "write it as it is written there");
        }
        found.map(|known| known.trust.issuer.clone())
    };
    Demand {
        audiences: document.audiences.clone(),
        issuers: document.issuers.as_ref().map(|names| names.iter().enumerate().filter_map(known).collect()),
        require: document
            .require
            .as_ref()
            .map(|written| terms::require(written, &format!("{path}.require"), problems))
            .unwrap_or_default(),
    }
}
