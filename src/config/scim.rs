//! The `provisioning.scim` of a configuration, and what SCIM asks of everything else in it.

use super::document::{ExternalIdDocument, ProvisioningDocument, ScimDocument};
use super::policy::{IssuerPolicy, Protocol};
use super::problem::Problems;
use crate::domain::ClaimPath;
use crate::wire::scim::{ExternalId, GroupTerms, ScimTerms, check, is_reserved};

pub(super) fn protocol(
    document: ScimDocument,
    path: Option<&str>,
    issuers: &[IssuerPolicy],
    problems: &Problems,
) -> Option<Protocol> {
    let groups = document.groups.map(|groups| GroupTerms { managed: groups.managed });
    let external_id = external_id(document.external_id, issuers, problems);
    let base = path?;
    if base.contains(['?', '#']) {
        problems.add("provisioning.path", "users are below it, so it has no query", "write a path: /scim/v2");
    }
    let terms = ScimTerms { base: base.trim_end_matches('/').to_owned(), groups };
    Some(Protocol::Scim { terms, external_id: external_id? })
}

/// Whether SCIM has such an attribute, and a mapping may write it.
pub(super) fn attribute(
    name: &ClaimPath,
    provisioning: Option<&ProvisioningDocument>,
) -> Result<(), (String, &'static str)> {
    let Some(provisioning) = provisioning.filter(|it| it.speaks_scim()) else { return Ok(()) };
    let has_groups = provisioning.scim.as_ref().is_some_and(|scim| scim.groups.is_some());
    let is_groups = matches!(name.steps(), [whole] if whole.eq_ignore_ascii_case("groups"));
    if is_reserved(name.root()) && !(has_groups && is_groups) {
        let hint =
            "memberships are `groups` and need provisioning.scim.groups; the rest is the directory's to say";
        return Err((format!("`{name}` is written by no mapping"), hint));
    }
    let hint = r#"write userName, name.givenName or "urn:example:2.0:User".department"#;
    check(name).map_err(|what| (what.to_owned(), hint))
}

/// Two issuers may give the same `sub` to different people, so with several nobody chooses for the operator: what accounts
/// that exist are told by can not be changed later.
fn external_id(
    written: Option<ExternalIdDocument>,
    issuers: &[IssuerPolicy],
    problems: &Problems,
) -> Option<ExternalId> {
    let names: Vec<_> = issuers.iter().flat_map(|issuer| issuer.trust.names()).collect();
    let several = names.len() > 1;
    let (what, hint) = match written {
        Some(ExternalIdDocument::Key) => return Some(ExternalId::Key),
        Some(ExternalIdDocument::IssuerAndSub) if names.iter().any(|name| name.contains('|')) => {
            ("an issuer's name holds the bar that parts it from the sub", "write external_id: key")
        }
        Some(ExternalIdDocument::IssuerAndSub) => return Some(ExternalId::IssuerAndSub),
        None | Some(ExternalIdDocument::Sub) if !several => return Some(ExternalId::Sub),
        Some(ExternalIdDocument::Sub) => {
            ("two issuers may give the same sub to two people", "write external_id: key, or issuer_and_sub")
        }
        None => {
            ("it is missing, and there is more than one issuer", "write external_id: key, or issuer_and_sub")
        }
    };
    problems.add("provisioning.scim.external_id", what, hint);
    None
}
