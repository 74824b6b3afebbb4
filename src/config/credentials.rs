//! The `credentials` of a configuration.

use super::document::{CredentialsDocument, SourceDocument};
use super::headers::is_reserved;
use super::problem::Problems;
use crate::token::{Credentials, Source};
use http::HeaderName;

pub(super) fn compile(document: Option<CredentialsDocument>, problems: &Problems) -> Credentials {
    let default = Credentials::default();
    let Some(document) = document else { return default };
    let from = match document.from {
        None => default.from,
        Some(list) => {
            if list.is_empty() {
                problems.add("credentials.from", "it names no place", "name one, or leave it out");
            }
            let mut places: Vec<Source> = Vec::new();
            for (index, written) in list.iter().enumerate() {
                let path = format!("credentials.from[{index}]");
                let Some(place) = source(written, &path, problems) else { continue };
                if places.iter().any(|other| overlap(other, &place)) {
                    problems.add(path, "this place is there already", "keep one of them");
                }
                places.push(place);
            }
            places
        }
    };
    Credentials { from, forward: document.forward.unwrap_or(default.forward) }
}

/// Whether a token in one place is in the other as well: each would be found twice, which refuses its request.
fn overlap(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Header { name, scheme }, Source::Header { name: other_name, scheme: other_scheme }) => {
            let schemes = scheme.as_deref().zip(other_scheme.as_deref());
            name == other_name && schemes.is_none_or(|(one, other)| one.eq_ignore_ascii_case(other))
        }
        _ => one == other,
    }
}

fn source(document: &SourceDocument, path: &str, problems: &Problems) -> Option<Source> {
    let hint =
        "write {header: authorization}, {header: x-token, scheme: JWT}, {cookie: NAME} or {query: NAME}";
    // RFC 6265 §4.1.1 and RFC 9110 §5.6.2: a token; a query's parameter keeps to what needs no escape.
    let is_name = |name: &str| !name.is_empty() && HeaderName::try_from(name).is_ok();
    let is_parameter = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match document {
        SourceDocument { header: Some(name), scheme, cookie: None, query: None } if is_name(name) => {
            let usual = || name.eq_ignore_ascii_case("authorization").then(|| "Bearer".to_owned());
            let scheme = scheme.clone().filter(|scheme| !scheme.is_empty()).or_else(usual);
            if scheme.as_deref().is_some_and(|scheme| !is_name(scheme)) {
                problems.add(format!("{path}.scheme"), "it is no scheme", "write a word such as Bearer");
            }
            let is_for_tokens = |name: &HeaderName| name == "authorization" || name == "proxy-authorization";
            let parsed = HeaderName::try_from(name.as_str()).ok();
            if parsed.is_some_and(|name| is_reserved(&name) && !is_for_tokens(&name)) {
                let what = format!("`{name}` carries something else");
                problems.add(format!("{path}.header"), what, "choose a header such as x-token");
            }
            Some(Source::Header { name: name.to_ascii_lowercase(), scheme })
        }
        SourceDocument { header: None, scheme: None, cookie: Some(name), query: None } if is_name(name) => {
            Some(Source::Cookie(name.clone()))
        }
        SourceDocument { header: None, scheme: None, cookie: None, query: Some(name) }
            if is_parameter(name) =>
        {
            Some(Source::Query(name.clone()))
        }
        _ => {
            problems.add(path, "it is no place where a token may be", hint);
            None
        }
    }
}
