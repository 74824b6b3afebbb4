//! The `headers` of a configuration.

use super::document::count;
use super::document::{FallbackDocument, FormatDocument, HeaderDocument, NonAsciiDocument, PayloadDocument};
use super::fallbacks::{fallbacks, value_map};
use super::problem::Problems;
use super::terms::CLAIM_HINT;
use crate::domain::{AccountMember, ClaimPath};
use crate::mapping::{Fallback, Format, HeaderRule, HeaderSourceRule, Managed, NonAscii, Rendering};
use http::{HeaderName, HeaderValue};
use std::cell::RefCell;

/// The longest header value that is sent unless the operator says otherwise.
const MAX_BYTES: usize = 4096;
/// The same of a payload: no shorter than the longest token that is read by default.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

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

/// The names of the account's headers that rules mention, each once.
#[derive(Default)]
pub(super) struct AccountHeaders(RefCell<Vec<String>>);

impl AccountHeaders {
    /// The place of a header of the account's.
    fn place(&self, name: &str) -> usize {
        let mut names = self.0.borrow_mut();
        names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.0.into_inner()
    }
}

pub(super) fn compile(
    documents: Vec<HeaderDocument>,
    account: &AccountHeaders,
    problems: &Problems,
) -> Vec<HeaderRule> {
    let mut rules: Vec<HeaderRule> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("headers[{index}]");
        let name = name(document.header.as_deref(), &path, problems);
        let source = source(&document, account, &path, problems);
        let (Some(header), Some(source)) = (name, source) else {
            continue;
        };
        if Managed::by(&rules).owns(header.as_str().as_bytes()) {
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
    let reserved = is_reserved(&name);
    if reserved {
        problems.add(path, format!("`{name}` carries the request itself"), "choose a name such as x-user-id");
    }
    (!reserved).then_some(name)
}

/// Whether a header of this name is somebody else's. As everywhere, `_` counts as `-`: a managed `content_type` would take
/// every client's content-type away.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let folded = name.as_str().replace('_', "-");
    RESERVED.contains(&folded.as_str()) || folded.starts_with("x-envoy-")
}

pub(super) fn source(
    document: &HeaderDocument,
    account: &AccountHeaders,
    path: &str,
    problems: &Problems,
) -> Option<HeaderSourceRule> {
    match (document.claim.as_deref(), document.account.as_deref(), document.payload) {
        (Some(claim), None, None) => {
            let claim = problems.take(ClaimPath::parse(claim), &format!("{path}.claim"), CLAIM_HINT);
            let map = value_map(document.map.clone(), document.map_others, path, problems);
            let rendering = rendering(document, path, problems);
            // A default is written as the claim would have been.
            let default = |value: &_| rendering.render(value).map_err(|_| "it cannot be sent in this header");
            let hint = "write what a claim could be in this format, within max_bytes";
            let fallbacks = fallbacks(written(document), MISSING, default, hint, path, problems);
            Some(HeaderSourceRule::Claim { claim: claim?, map, rendering, fallbacks })
        }
        (None, Some(member), None) => {
            let others = [
                ("when_missing", document.when_missing.is_some()),
                ("when_malformed", document.when_malformed.is_some()),
                ("max_bytes", document.max_bytes.is_some()),
            ];
            foreign_keys(document, &others, path, problems);
            match (member, member.strip_prefix("headers.")) {
                ("id", _) => Some(HeaderSourceRule::Account(AccountMember::Id)),
                (_, Some(name)) if !name.is_empty() => {
                    Some(HeaderSourceRule::Account(AccountMember::Header(account.place(name))))
                }
                _ => {
                    let hint = "write account: id, or account: headers.NAME";
                    problems.add(format!("{path}.account"), "the account has no such member", hint);
                    None
                }
            }
        }
        (None, None, Some(payload)) => {
            foreign_keys(document, &[], path, problems);
            let default = |_: &_| Err("nothing stands in for a payload");
            let fallbacks =
                fallbacks(written(document), MISSING, default, "write refuse or omit", path, problems);
            Some(HeaderSourceRule::Payload {
                padded: matches!(payload, PayloadDocument::Base64urlPadded),
                max_bytes: count(document.max_bytes, MAX_PAYLOAD_BYTES),
                fallbacks,
            })
        }
        (None, None, None) => {
            problems.add(path, "it has no source", SOURCES);
            None
        }
        _ => {
            problems.add(path, "it has more than one source", SOURCES);
            None
        }
    }
}

/// Without a word of the operator a missing claim refuses the request: a header the application relies on is not left out
/// by accident.
const MISSING: Fallback<HeaderValue> = Fallback::Refuse;

fn written(document: &HeaderDocument) -> [Option<&FallbackDocument>; 2] {
    [document.when_missing.as_ref(), document.when_malformed.as_ref()]
}

const SOURCES: &str = "write one of claim: NAME, account: id and payload: base64url";

/// Keys that say how a claim is written, beside another source.
fn foreign_keys(document: &HeaderDocument, others: &[(&str, bool)], path: &str, problems: &Problems) {
    let of_claims = [
        ("format", document.format.is_some()),
        ("non_ascii", document.non_ascii.is_some()),
        ("map", document.map.is_some()),
        ("map_others", document.map_others.is_some()),
    ];
    for (key, _) in of_claims.iter().chain(others).filter(|(_, written)| *written) {
        problems.add(format!("{path}.{key}"), "it belongs to claims", "remove it");
    }
}

fn rendering(document: &HeaderDocument, path: &str, problems: &Problems) -> Rendering {
    let format = match document.format {
        None | Some(FormatDocument::Plain) => Format::Plain,
        Some(FormatDocument::Csv) => Format::Csv,
        Some(FormatDocument::Json) => Format::Json,
        Some(FormatDocument::Base64Json) => Format::Base64Json,
    };
    if document.non_ascii.is_some() && matches!(format, Format::Json | Format::Base64Json) {
        problems.add(format!("{path}.non_ascii"), "this format is ASCII anyway", "remove it");
    }
    let non_ascii = match document.non_ascii {
        None | Some(NonAsciiDocument::Utf8) => NonAscii::Utf8,
        Some(NonAsciiDocument::Percent) => NonAscii::Percent,
        Some(NonAsciiDocument::Missing) => NonAscii::Missing,
    };
    Rendering { format, non_ascii, max_bytes: count(document.max_bytes, MAX_BYTES) }
}
