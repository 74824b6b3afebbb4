//! The `attributes` of a configuration.

use super::document::count;
use super::document::{AttributeDocument, AttributeFormatDocument, ProvisioningDocument, SyncDocument};
use super::fallbacks::{fallbacks, value_map};
use super::problem::Problems;
use super::scim;
use super::terms::CLAIM_HINT;
use crate::domain::ClaimPath;
use crate::mapping::{AttributeFormat, AttributeRule, Fallback, Shape};
use serde_json::Value;
use std::borrow::Cow;

/// The longest attribute that is sent unless the operator says otherwise, in bytes of its JSON.
const MAX_BYTES: usize = 4096;
/// The same of a list, in items.
const MAX_ITEMS: usize = 256;

/// What the directory itself says of an account (RFC 7643 §3.1, §4.1.1): issuer and sub are its key, not an e-mail address
/// that changes hands, and no claim brings back whoever has departed.
const RESERVED: &[&str] = &["active", "externalid", "id", "meta", "schemas"];

pub(super) fn compile(
    documents: Vec<AttributeDocument>,
    provisioning: Option<&ProvisioningDocument>,
    problems: &Problems,
) -> Vec<AttributeRule> {
    let mut rules: Vec<AttributeRule> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("attributes[{index}]");
        let name = name(document.attribute.as_deref(), provisioning, &path, problems);
        let claim = document.claim.as_deref().ok_or("it is missing").and_then(ClaimPath::parse);
        let claim = problems.take(claim, &format!("{path}.claim"), CLAIM_HINT);
        let map = value_map(document.map, document.map_others, &path, problems);
        let shape = Shape {
            format: format(document.format),
            max_bytes: count(document.max_bytes, MAX_BYTES),
            max_items: count(document.max_items, MAX_ITEMS),
        };
        if document.max_items.is_some() && shape.format == AttributeFormat::Text {
            problems.add(format!("{path}.max_items"), "this format takes no list", "remove it");
        }
        // A default is made into what the claim would have been.
        let default = |value: &Value| {
            let formed = shape.form(Cow::Borrowed(value)).map_err(|_| "it cannot be this attribute");
            formed.map(Cow::into_owned)
        };
        let written = [document.when_missing.as_ref(), document.when_malformed.as_ref()];
        let hint = "write what a claim could be in this format, within max_bytes and max_items";
        let fallbacks = fallbacks(written, Fallback::Omit, default, hint, &path, problems);
        let is_kept_in_step = matches!(document.sync, Some(SyncDocument::Always));
        let (Some(attribute), Some(claim)) = (name, claim) else {
            continue;
        };
        if rules.iter().any(|rule| rule.attribute.overlaps(&attribute)) {
            let what = "it, or a part of it, is written already";
            problems.add(format!("{path}.attribute"), what, "give each attribute one rule");
        }
        rules.push(AttributeRule { attribute, claim, map, shape, fallbacks, is_kept_in_step });
    }
    rules
}

fn name(
    written: Option<&str>,
    provisioning: Option<&ProvisioningDocument>,
    path: &str,
    problems: &Problems,
) -> Option<ClaimPath> {
    let path = format!("{path}.attribute");
    let name = written.ok_or("it is missing").and_then(ClaimPath::parse);
    let hint = r#"name an attribute: userName, name.givenName, or "urn:example:2.0:User".department"#;
    let name = problems.take(name, &path, hint)?;
    let is_reserved = RESERVED.contains(&name.root().to_ascii_lowercase().as_str());
    if is_reserved {
        let what = format!("`{name}` is for the directory to say");
        problems.add(path, what, "an account belongs to issuer and sub; give the claim a name of its own");
    } else if let Err((what, hint)) = scim::attribute(&name, provisioning) {
        problems.add(path, what, hint);
    }
    (!is_reserved).then_some(name)
}

fn format(written: Option<AttributeFormatDocument>) -> AttributeFormat {
    match written {
        None | Some(AttributeFormatDocument::AsIs) => AttributeFormat::AsIs,
        Some(AttributeFormatDocument::Text) => AttributeFormat::Text,
        Some(AttributeFormatDocument::Csv) => AttributeFormat::Csv,
        Some(AttributeFormatDocument::Json) => AttributeFormat::Json,
        Some(AttributeFormatDocument::List) => AttributeFormat::List,
        Some(AttributeFormatDocument::Scim) => AttributeFormat::Scim,
    }
}
