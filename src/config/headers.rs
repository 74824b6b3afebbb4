//! The `headers` of a configuration.

use super::document::{FormatDocument, HeaderDocument, WhenMissingDocument, count};
use super::problem::Problems;
use crate::domain::ClaimPath;
use crate::mapping::{Format, HeaderRule, HeaderSourceRule, Managed, WhenMissing};
use http::{HeaderName, HeaderValue};

/// The longest header value that is sent unless the operator says otherwise.
const MAX_BYTES: usize = 4096;

/// Headers that carry the request itself, or that a proxy reads: writing claims into them breaks it or opens it.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

pub(super) fn compile(documents: Vec<HeaderDocument>, problems: &Problems) -> Vec<HeaderRule> {
    let mut rules: Vec<HeaderRule> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("headers[{index}]");
        let name = name(document.header.as_deref(), &path, problems);
        let source = source(&document, &path, problems);
        let (Some(header), Some(source)) = (name, source) else {
            continue;
        };
        if Managed::by(&rules).owns(header.as_str()) {
            let what = format!("`{header}` is written already, and `_` counts as `-`");
            problems.add(format!("{path}.header"), what, "give each header one rule");
        }
        rules.push(HeaderRule { header, source });
    }
    rules
}

fn name(written: Option<&str>, path: &str, problems: &Problems) -> Option<HeaderName> {
    let path = format!("{path}.header");
    let name = written
        .ok_or("it is missing".to_owned())
        .and_then(|text| HeaderName::try_from(text).map_err(|_| format!("`{text}` is no header name")));
    let name = problems.take(name, &path, "use a name such as x-user-id")?;
    // As everywhere, `_` counts as `-`: a managed `content_type` would take every client's content-type away.
    let folded = name.as_str().replace('_', "-");
    let reserved = RESERVED.contains(&folded.as_str()) || folded.starts_with("x-envoy-");
    if reserved {
        problems.add(path, format!("`{name}` carries the request itself"), "choose a name such as x-user-id");
    }
    (!reserved).then_some(name)
}

fn source(document: &HeaderDocument, path: &str, problems: &Problems) -> Option<HeaderSourceRule> {
    match (document.claim.as_deref(), document.account.as_deref()) {
        (Some(claim), None) => {
            let claim = problems.take(ClaimPath::parse(claim), &format!("{path}.claim"), "name the claim");
            let format = match document.format {
                None | Some(FormatDocument::Plain) => Format::Plain,
                Some(FormatDocument::Csv) => Format::Csv,
            };
            let max_bytes = count(document.max_bytes, MAX_BYTES);
            let when_missing =
                when_missing(document.when_missing.as_ref(), format, max_bytes, path, problems);
            Some(HeaderSourceRule::Claim { claim: claim?, format, when_missing, max_bytes })
        }
        (None, Some("id")) => {
            let claims_only = [
                ("format", document.format.is_some()),
                ("when_missing", document.when_missing.is_some()),
                ("max_bytes", document.max_bytes.is_some()),
            ];
            for (key, _) in claims_only.into_iter().filter(|(_, written)| *written) {
                problems.add(
                    format!("{path}.{key}"),
                    "it belongs to claims, not to the account",
                    "remove it",
                );
            }
            Some(HeaderSourceRule::AccountId)
        }
        (None, Some(_)) => {
            problems.add(format!("{path}.account"), "the account has no such member", "write account: id");
            None
        }
        (claim, _) => {
            let what = if claim.is_some() { "it has two sources" } else { "it has no source" };
            problems.add(path, what, "write one of claim: NAME and account: id");
            None
        }
    }
}

/// Without a word of the operator a missing claim refuses the request: a header the application relies on is not left out
/// by accident.
fn when_missing(
    written: Option<&WhenMissingDocument>,
    format: Format,
    max_bytes: usize,
    path: &str,
    problems: &Problems,
) -> WhenMissing<HeaderValue> {
    match written {
        None | Some(WhenMissingDocument::Refuse) => WhenMissing::Refuse,
        Some(WhenMissingDocument::Omit) => WhenMissing::Omit,
        Some(WhenMissingDocument::Default(value)) => {
            let value = format.render(value, max_bytes).ok_or("it cannot be sent in this header");
            let hint =
                "write what a claim could be: text, number or bool within max_bytes; a list with format: csv";
            let value = problems.take(value, &format!("{path}.when_missing.default"), hint);
            value.map_or(WhenMissing::Refuse, WhenMissing::Default)
        }
    }
}
