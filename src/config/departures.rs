//! The `departures` of a configuration.

use super::document::{DeparturesDocument, WhenStaleDocument, span};
use super::policy::{DeparturesFeed, Provisioning, Upstream, WhenStale};
use super::problem::Problems;
use super::upstream::{Beside, Env, beside};
use std::time::Duration;

/// How much longer than the directory waits for news a call may take.
const GRACE: Duration = Duration::from_secs(2);

pub(super) fn compile(
    document: Option<DeparturesDocument>,
    provisioning: Option<&Provisioning>,
    env: Env<'_>,
    problems: &Problems,
) -> Option<DeparturesFeed> {
    let document = document?;
    let wait = span(document.wait, Duration::from_secs(20));
    let timeout = span(document.timeout, wait.saturating_add(GRACE));
    let stale_for = span(document.stale_for, Duration::from_secs(5 * 60));
    if timeout <= wait {
        let hint = "a call has to last longer than the directory waits for news";
        problems.add("departures.timeout", "it is not longer than `wait`", hint);
    }
    if stale_for <= timeout {
        let hint = "while nobody departs, the feed is heard once in `wait`";
        problems.add("departures.stale_for", "it is not longer than `timeout`", hint);
    }
    let written = Beside {
        name: "departures",
        usual_path: "/v1/departures",
        cluster: document.cluster,
        authority: document.authority,
        path: document.path,
        authorization: document.authorization,
    };
    let at = beside(written, provisioning, env, problems)?;
    let when_stale = match document.when_stale {
        None | Some(WhenStaleDocument::Ask) => WhenStale::Ask,
        Some(WhenStaleDocument::Deny) => WhenStale::Deny,
        Some(WhenStaleDocument::Allow) => WhenStale::Allow,
    };
    Some(DeparturesFeed { at: Upstream { timeout, ..at }, wait, stale_for, when_stale })
}
