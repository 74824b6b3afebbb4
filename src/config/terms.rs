//! What an issuer's tokens must be like: the rules of an `issuers` entry beside its keys, audiences and algorithms.

use super::document::{
    IssuerDocument, RequireDocument, SubjectsDocument, TenantsDocument, TokenDocument, span,
};
use super::problem::Problems;
use crate::domain::{ClaimPath, Issuer, Pattern};
use crate::token::{Algorithm, ClaimValue, Require, SubjectRules, Tenants, TokenKind, Trust};
use serde_json::Value;
use std::time::Duration;

/// How a claim is named.
pub(super) const CLAIM_HINT: &str = r#"name a claim: email, realm_access.roles, resource_access."my.client".roles, /https:~1~1example.com~1groups"#;

pub(super) fn compile(
    document: &IssuerDocument,
    issuer: Option<&Issuer>,
    audiences: Option<Vec<String>>,
    algorithms: Vec<Algorithm>,
    path: &str,
    problems: &Problems,
) -> Option<Trust> {
    let subjects = subjects(document.subjects.as_ref(), &format!("{path}.subjects"), problems);
    let tenants = tenants(document.tenants.as_ref(), issuer, &format!("{path}.tenants"), problems);
    let require = require(&document.require, &format!("{path}.require"), problems);
    let max_age = document.max_age.map(|age| age.0);
    let require_exp = document.require_exp.unwrap_or(true);
    if !require_exp && max_age.is_none() {
        let hint = "write a max_age, which counts from `iat`";
        problems.add(format!("{path}.require_exp"), "without exp a token would work for ever", hint);
    }
    Some(Trust {
        issuer: issuer?.clone(),
        audiences,
        algorithms,
        kind: match document.token {
            None | Some(TokenDocument::Access) => TokenKind::Access,
            Some(TokenDocument::Rfc9068) => TokenKind::Rfc9068,
            Some(TokenDocument::Id) => TokenKind::Id,
            Some(TokenDocument::Any) => TokenKind::Any,
        },
        clock_skew: span(document.clock_skew, Duration::from_secs(30)),
        require_exp,
        max_age,
        max_lifetime: document.max_lifetime.map(|lifetime| lifetime.0),
        subjects,
        tenants,
        require,
    })
}

fn subjects(document: Option<&SubjectsDocument>, path: &str, problems: &Problems) -> SubjectRules {
    let Some(document) = document else { return SubjectRules::default() };
    let allow = document.allow.as_ref().map(|list| patterns(list, &format!("{path}.allow"), problems));
    if allow.as_ref().is_some_and(Vec::is_empty) {
        problems.add(format!("{path}.allow"), "it allows nobody", "name subjects, or leave it out");
    }
    SubjectRules { allow, deny: patterns(&document.deny, &format!("{path}.deny"), problems) }
}

/// Every pattern of a list.
pub(super) fn patterns(list: &[String], path: &str, problems: &Problems) -> Vec<Pattern> {
    let parsed =
        list.iter().enumerate().map(|(index, text)| pattern(text, &format!("{path}[{index}]"), problems));
    parsed.flatten().collect()
}

/// One pattern.
pub(super) fn pattern(text: &str, path: &str, problems: &Problems) -> Option<Pattern> {
    problems.take(Pattern::parse(text), path, "write a whole name, prefix*, *suffix or regex:EXPRESSION")
}

fn tenants(
    document: Option<&TenantsDocument>,
    issuer: Option<&Issuer>,
    path: &str,
    problems: &Problems,
) -> Option<Tenants> {
    let braces = issuer.is_some_and(|issuer| issuer.as_str().contains(['{', '}']));
    let Some(document) = document else {
        if braces {
            problems.add(
                path,
                "the issuer has a tenant in its name",
                "say which: {claim: tid, allow: [...]}",
            );
        }
        return None;
    };
    let name = document.claim.clone().unwrap_or_default();
    let claim =
        problems.take(ClaimPath::parse(&name), &format!("{path}.claim"), "name the tenant's claim, as tid");
    // A tenant whose name held a slash or braces could make one issuer's name look like another's.
    let is_plain =
        |tenant: &&String| tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let allow: Vec<_> =
        document.allow.iter().filter(is_plain).filter(|tenant| !tenant.is_empty()).cloned().collect();
    if allow.is_empty() || allow.len() < document.allow.len() {
        problems.add(
            format!("{path}.allow"),
            "it names no tenants, or one that is none",
            "list the tenants as their tokens name them, with letters, digits and - . _ ~",
        );
    }
    let tenants = Tenants { name, claim: claim?, allow };
    if issuer.is_some_and(|issuer| braces && !tenants.are_in(issuer)) {
        let hint = "the issuer's {…} names the claim that is written here";
        problems.add(format!("{path}.claim"), "it is not what stands in the issuer's name", hint);
    }
    Some(tenants)
}

/// Scopes and claim values that are required.
pub(super) fn require(document: &RequireDocument, path: &str, problems: &Problems) -> Require {
    // RFC 6749 §3.3; anything else could not be told to a client either.
    let is_scope = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    for (index, scope) in document.scopes.iter().enumerate().filter(|(_, scope)| !is_scope(scope)) {
        let path = format!("{path}.scopes[{index}]");
        problems.add(
            path,
            format!("`{scope}` is no scope"),
            "write one scope an item, without blanks and quotes",
        );
    }
    let claims = document.claims.iter().filter_map(|(name, wanted)| {
        let path = format!("{path}.claims.{name}");
        let claim = problems.take(ClaimPath::parse(name), &path, CLAIM_HINT)?;
        Some(ClaimValue { claim, any_of: any_of(wanted, &path, problems) })
    });
    Require { scopes: document.scopes.clone(), claims: claims.collect() }
}

/// A value, or a list of which one will do.
pub(super) fn any_of(wanted: &Value, path: &str, problems: &Problems) -> Vec<Value> {
    let any_of = match wanted {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let comparable = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    if any_of.is_empty() || !any_of.iter().all(comparable) {
        problems.add(
            path,
            "a token's claim cannot be compared with it",
            "write text, a number, a bool, or a list",
        );
    }
    any_of
}
