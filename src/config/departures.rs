//! The `departures` of a configuration.

use super::document::{
    DeparturesDocument, ExternalIdDocument, ProtocolDocument, ScimFeedDocument, WhenStaleDocument, span,
};
use super::policy::{
    DeparturesFeed, FeedProtocol, IssuerPolicy, Protocol, Provisioning, ScimFeed, Upstream, WhenStale,
};
use super::problem::Problems;
use super::upstream::{Beside, Env, beside};
use crate::domain::Issuer;
use crate::wire::scim::{ExternalId, Whose};
use std::time::Duration;

/// How much longer than the directory waits for news a call may take.
const GRACE: Duration = Duration::from_secs(2);
/// How long a page of users may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn compile(
    document: Option<DeparturesDocument>,
    provisioning: Option<&Provisioning>,
    issuers: &[IssuerPolicy],
    env: Env<'_>,
    problems: &Problems,
) -> Option<DeparturesFeed> {
    let document = document?;
    let is_scim = matches!(document.protocol, Some(ProtocolDocument::Scim));
    let wait = span(document.wait, Duration::from_secs(20));
    let every = span(document.every, Duration::from_secs(30));
    let usual_timeout = if is_scim { PAGE_TIMEOUT } else { wait.saturating_add(GRACE) };
    let timeout = span(document.timeout, usual_timeout);
    let stale_for = span(document.stale_for, Duration::from_secs(5 * 60));
    let hint = if is_scim { "it belongs to protocol: firstsight" } else { "it belongs to protocol: scim" };
    let foreign = [
        ("wait", document.wait.is_some() && is_scim),
        ("every", document.every.is_some() && !is_scim),
        ("scim", document.scim.is_some() && !is_scim),
    ];
    for (key, _) in foreign.into_iter().filter(|(_, is_foreign)| *is_foreign) {
        problems.add(format!("departures.{key}"), "this protocol has none", hint);
    }
    if !is_scim && timeout <= wait {
        let hint = "a call has to last longer than the directory waits for news";
        problems.add("departures.timeout", "it is not longer than `wait`", hint);
    }
    match (is_scim, stale_for) {
        (false, stale_for) if stale_for <= timeout => {
            let hint = "while nobody departs, the feed is heard once in `wait`";
            problems.add("departures.stale_for", "it is not longer than `timeout`", hint);
        }
        (true, stale_for) if stale_for <= every.saturating_add(timeout) => {
            let hint = "users are read once in `every`";
            problems.add("departures.stale_for", "it is not longer than `every` and `timeout`", hint);
        }
        _ => {}
    }
    let protocol = match is_scim {
        true => {
            let whose = whose(document.scim.unwrap_or_default(), provisioning, issuers, problems);
            whose.map(|whose| FeedProtocol::Scim(ScimFeed { whose, every }))
        }
        false => Some(FeedProtocol::Firstsight { wait }),
    };
    let written = Beside {
        name: "departures",
        is_scim,
        usual_path: if is_scim { "/scim/v2" } else { "/v1/departures" },
        path: document
            .path
            .or_else(|| scim_base(provisioning, document.cluster.as_deref()).filter(|_| is_scim)),
        cluster: document.cluster,
        authority: document.authority,
        authorization: document.authorization,
    };
    let at = beside(written, provisioning, env, problems);
    if is_scim && at.as_ref().is_some_and(|at| at.path.contains(['?', '#'])) {
        problems.add("departures.path", "users are below it, so it has no query", "write a path: /scim/v2");
    }
    let when_stale = match document.when_stale {
        None | Some(WhenStaleDocument::Ask) => WhenStale::Ask,
        Some(WhenStaleDocument::Deny) => WhenStale::Deny,
        Some(WhenStaleDocument::Allow) => WhenStale::Allow,
    };
    Some(DeparturesFeed { at: Upstream { timeout, ..at? }, protocol: protocol?, stale_for, when_stale })
}

/// Where accounts are made, if that is by SCIM and at the same place.
fn scim_base(provisioning: Option<&Provisioning>, cluster: Option<&str>) -> Option<String> {
    let Provisioning { at, protocol: Protocol::Scim { .. }, .. } = provisioning? else { return None };
    cluster.is_none_or(|cluster| cluster == at.cluster).then(|| at.path.clone())
}

/// Without a word of the operator's, users are told by what accounts are made with.
fn whose(
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
