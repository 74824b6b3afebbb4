//! Which subjects the users of a SCIM directory are, and where they are.

use crate::config::document::{ExternalIdDocument, ScimFeedDocument};
use crate::config::policy::{IssuerPolicy, Protocol, Provisioning};
use crate::config::problem::Problems;
use crate::domain::Issuer;
use crate::wire::scim::{ExternalId, Whose};

/// Where accounts are made, if that is by SCIM and at the same place.
pub(super) fn base(provisioning: Option<&Provisioning>, cluster: Option<&str>) -> Option<String> {
    let Provisioning { at, protocol: Protocol::Scim { .. }, .. } = provisioning? else { return None };
    cluster.is_none_or(|cluster| cluster == at.cluster).then(|| at.path.clone())
}

/// Without a word of the operator's, users are told by what accounts are made with.
pub(super) fn whose(
    document: ScimFeedDocument,
    provisioning: Option<&Provisioning>,
    issuers: &[IssuerPolicy],
    problems: &Problems,
) -> Option<Whose> {
    let names: Vec<_> = issuers.iter().flat_map(|issuer| issuer.trust.names()).collect();
    let made_with = match provisioning.map(|provisioning| &provisioning.protocol) {
        Some(Protocol::Scim { external_id: ExternalId::Key, .. }) => ExternalIdDocument::Key,
        Some(Protocol::Scim { external_id: ExternalId::IssuerAndSub, .. }) => {
            ExternalIdDocument::IssuerAndSub
        }
        _ => ExternalIdDocument::Sub,
    };
    let external_id = document.external_id.unwrap_or(made_with);
    let is_sub = matches!(external_id, ExternalIdDocument::Sub);
    let problem = match (external_id, document.issuer, names.as_slice()) {
        (ExternalIdDocument::Sub, None, [name]) => return Issuer::parse(name).ok().map(Whose::Sub),
        (ExternalIdDocument::Sub, Some(name), names) if names.contains(&name) => {
            return Issuer::parse(&name).ok().map(Whose::Sub);
        }
        (ExternalIdDocument::Sub, Some(_), _) => "there is no such issuer",
        (ExternalIdDocument::Sub, None, _) => "it is missing, and there is more than one issuer",
        (_, Some(_), _) => "the external id says which issuer it is",
        (ExternalIdDocument::Key, None, _) => return Some(Whose::Key),
        (ExternalIdDocument::IssuerAndSub, None, names) => {
            if names.iter().all(|name| !name.contains('|')) {
                return Some(Whose::IssuerAndSub);
            }
            let what = "an issuer's name holds the bar that parts it from the sub";
            problems.add("departures.scim.external_id", what, "write external_id: key");
            return None;
        }
    };
    let hint = match is_sub {
        true => {
            "name the one of `issuers` whose subjects the users are, or write external_id: key or issuer_and_sub"
        }
        false => "remove it, or write external_id: sub",
    };
    // Where no issuer can be read, that is the problem, and it is told.
    if !names.is_empty() {
        problems.add("departures.scim.issuer", problem, hint);
    }
    None
}
