//! The `provisioning` of a configuration, and what routes say about it.

use super::document::{
    PaceDocument, PostureDocument, ProvisioningDocument, RouteDocument, count, range, span,
};
use super::policy::{IssuerPolicy, Pace, Posture, Protocol, Provisioning, Upstream};
use super::problem::Problems;
use super::scim;
use super::upstream::{Env, TIMEOUT, authority, authorization, target};
use crate::domain::{Backoff, BreakerTerms};
use std::time::Duration;

pub(super) fn compile(
    document: Option<ProvisioningDocument>,
    issuers: &[IssuerPolicy],
    env: Env<'_>,
    problems: &Problems,
) -> Option<Provisioning> {
    let Some(document) = document else {
        problems.add(
            "provisioning",
            "it is missing",
            "name the cluster of the directory: {\"cluster\": \"directory\"}",
        );
        return None;
    };
    let speaks_scim = document.speaks_scim();
    let cluster = document.cluster.filter(|name| !name.is_empty()).ok_or("it is missing");
    let cluster = problems.take(cluster, "provisioning.cluster", "name the proxy's cluster of the directory");
    let usual_path = if speaks_scim { "/scim/v2" } else { "/v1/arrivals" };
    let path = target(document.path, usual_path, "provisioning.path", problems);
    let protocol = match (speaks_scim, document.scim) {
        (true, written) => scim::protocol(written.unwrap_or_default(), path.as_deref(), issuers, problems),
        (false, Some(_)) => {
            let what = "it is another one, and provisioning.scim is written";
            problems.add("provisioning.protocol", what, "write protocol: scim, or remove provisioning.scim");
            None
        }
        (false, None) => Some(Protocol::Firstsight),
    };
    let authorization = authorization(document.authorization, "provisioning.authorization", env, problems);
    let authority = authority(document.authority, cluster.as_deref(), "provisioning.authority", problems);
    let (second, millis) = (Duration::from_secs(1), Duration::from_millis);
    let breaker = BreakerTerms {
        failures: most(count(document.breaker.failures, 5)),
        pause: range(document.breaker.pause, Backoff { shortest: second, longest: 30 * second }),
    };
    Some(Provisioning {
        at: Upstream {
            cluster: cluster?,
            authority: authority?,
            path: path?,
            authorization,
            timeout: span(document.timeout, TIMEOUT),
        },
        protocol: protocol?,
        attempts: most(count(document.retry.attempts, 3)),
        backoff: range(document.retry.backoff, Backoff { shortest: millis(100), longest: 2 * second }),
        breaker,
        when_unavailable: match document.when_unavailable {
            None | Some(PostureDocument::Deny) => Posture::Deny,
            Some(PostureDocument::Allow) => Posture::Allow,
            Some(PostureDocument::AllowKnown) => Posture::AllowKnown,
        },
        refresh: span(document.refresh, Duration::from_secs(12 * 60 * 60)),
        drift_every: span(document.drift_every, Duration::from_secs(60)),
    })
}

/// Whether a first request waits, for each route and, at the end, for requests under none.
pub(super) fn paces(provisioning: Option<&ProvisioningDocument>, routes: &[RouteDocument]) -> Vec<Pace> {
    let usual = provisioning.and_then(|document| document.mode);
    let written = routes.iter().map(|route| route.provisioning).chain([None]);
    let pace = |written: Option<PaceDocument>| match written.or(usual) {
        None | Some(PaceDocument::Hold) => Pace::Hold,
        Some(PaceDocument::Background) => Pace::Background,
    };
    written.map(pace).collect()
}

fn most(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
