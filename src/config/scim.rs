//! The `provisioning.scim` of a configuration, and what SCIM asks of everything else in it.

use super::document::{ExternalIdDocument, ScimDocument};
use super::policy::{IssuerPolicy, Protocol};
use super::problem::Problems;
use crate::mapping::AttributeRule;
use crate::wire::scim::{ExternalId, GroupTerms, ScimTerms, check, is_reserved};

pub(super) fn protocol(
    document: ScimDocument,
    path: Option<&str>,
    issuers: &[IssuerPolicy],
    attributes: &[AttributeRule],
    problems: &Problems,
) -> Option<Protocol> {
    let has_groups = document.groups.is_some();
    for (index, rule) in attributes.iter().enumerate() {
        let (path, name) = (format!("attributes[{index}].attribute"), rule.attribute.root());
        if is_reserved(name) && !(has_groups && name.eq_ignore_ascii_case("groups")) {
            let hint = "memberships need provisioning.scim.groups; the rest is the directory's to say";
            problems.add(path, format!("`{name}` is written by no mapping"), hint);
        } else if let Err(what) = check(&rule.attribute) {
            let hint = r#"write userName, name.givenName or "urn:example:2.0:User".department"#;
            problems.add(path, what, hint);
        }
    }
    let groups = document.groups.map(|groups| GroupTerms { create: groups.create, managed: groups.managed });
    let base = path?.trim_end_matches('/').to_owned();
    let external_id = external_id(document.external_id, issuers, problems)?;
    Some(Protocol::Scim { terms: ScimTerms { base, groups }, external_id })
}

/// Two issuers may give the same `sub` to different people, so with several nobody chooses for the operator: what accounts
/// that exist are told by can not be changed later.
fn external_id(
    written: Option<ExternalIdDocument>,
    issuers: &[IssuerPolicy],
    problems: &Problems,
) -> Option<ExternalId> {
    let one_issuer = matches!(issuers, [issuer] if issuer.trust.tenants.is_none());
    let hint = "write external_id: key, or issuer_and_sub";
    match written {
        Some(ExternalIdDocument::Key) => Some(ExternalId::Key),
        Some(ExternalIdDocument::IssuerAndSub) => Some(ExternalId::IssuerAndSub),
        None | Some(ExternalIdDocument::Sub) if one_issuer => Some(ExternalId::Sub),
        Some(ExternalIdDocument::Sub) => {
            problems.add(
                "provisioning.scim.external_id",
                "two issuers may give the same sub to two people",
                hint,
            );
            None
        }
        None => {
            problems.add(
                "provisioning.scim.external_id",
                "it is missing, and there is more than one issuer",
                hint,
            );
            None
        }
    }
}
