//! The `attributes` of a configuration.

use super::document::{AttributeDocument, WhenMissingDocument};
use super::problem::Problems;
use crate::domain::ClaimPath;
use crate::mapping::{AttributeRule, WhenMissing};
use sha2::{Digest, Sha256};

/// The rules, and the digest that names them in every arrival: two gateways with the same rules say the same.
pub(super) fn compile(
    documents: Vec<AttributeDocument>,
    problems: &Problems,
) -> (Vec<AttributeRule>, String) {
    let mut digest = Sha256::new();
    let mut rules: Vec<AttributeRule> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("attributes[{index}]");
        let written =
            serde_json::json!([document.attribute, document.claim, document.when_missing]).to_string();
        digest.update(written.as_bytes());
        digest.update(b"\n");
        let name = name(document.attribute.as_deref(), &path, problems);
        let claim = document.claim.as_deref().ok_or("it is missing").and_then(ClaimPath::parse);
        let claim = problems.take(claim, &format!("{path}.claim"), "name the claim its value comes from");
        let (Some(attribute), Some(claim)) = (name, claim) else {
            continue;
        };
        if rules
            .iter()
            .any(|rule| rule.attribute.starts_with(&attribute) || attribute.starts_with(&rule.attribute))
        {
            let what = "it, or a part of it, is written already";
            problems.add(format!("{path}.attribute"), what, "give each attribute one rule");
        }
        let when_missing = match document.when_missing {
            None | Some(WhenMissingDocument::Omit) => WhenMissing::Omit,
            Some(WhenMissingDocument::Refuse) => WhenMissing::Refuse,
            Some(WhenMissingDocument::Default(value)) => WhenMissing::Default(value),
        };
        rules.push(AttributeRule { attribute, claim, when_missing });
    }
    let digest = format!("{:x}", digest.finalize());
    (rules, digest.chars().take(16).collect())
}

fn name(written: Option<&str>, path: &str, problems: &Problems) -> Option<Vec<String>> {
    let steps: Vec<String> = written.unwrap_or_default().split('.').map(str::to_owned).collect();
    if steps.iter().any(String::is_empty) {
        problems.add(
            format!("{path}.attribute"),
            "it is no attribute name",
            "write userName, or name.givenName",
        );
        return None;
    }
    Some(steps)
}
