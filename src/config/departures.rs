//! The `departures` of a configuration.

mod transmitter;
mod users;

use super::document::{DeparturesDocument, FeedProtocolDocument, WhenStaleDocument, span};
use super::policy::{
    DeparturesFeed, FeedProtocol, IssuerPolicy, Provisioning, ScimFeed, TransmitterPolicy, Upstream,
    WhenStale,
};
use super::problem::Problems;
use super::upstream::{self, Env};
use crate::token::Crypto;
use std::time::Duration;

/// What else stands in the configuration.
pub(super) struct Beside<'a> {
    pub(super) provisioning: Option<&'a Provisioning>,
    pub(super) issuers: &'a [IssuerPolicy],
    pub(super) crypto: Crypto,
    pub(super) env: Env<'a>,
}

/// How much longer than the directory waits for news a call may take.
const GRACE: Duration = Duration::from_secs(2);
/// How long an answer may take that is not waited with.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a transmitter may wait for events.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn compile(
    document: Option<DeparturesDocument>,
    beside: &Beside<'_>,
    problems: &Problems,
) -> Option<(DeparturesFeed, Option<TransmitterPolicy>)> {
    let document = document?;
    let speaks = document.protocol.unwrap_or(FeedProtocolDocument::Firstsight);
    misplaced(&document, speaks, problems);
    let (protocol, transmitter) = match speaks {
        FeedProtocolDocument::Firstsight => {
            (Some(FeedProtocol::Firstsight { wait: span(document.wait, Duration::from_secs(20)) }), None)
        }
        FeedProtocolDocument::Scim => {
            let every = span(document.every, Duration::from_secs(30));
            let written = document.scim.unwrap_or_default();
            let whose = users::whose(written, beside.provisioning, beside.issuers, problems);
            (whose.map(|whose| FeedProtocol::Scim(ScimFeed { whose, every })), None)
        }
        FeedProtocolDocument::Ssf => {
            let every = document.every.map(|every| every.0);
            let written = document.ssf.unwrap_or_default();
            let transmitter =
                transmitter::compile(written, document.cluster.as_deref(), beside.crypto, problems);
            (transmitter.is_some().then_some(FeedProtocol::Ssf { every }), transmitter)
        }
    };
    let usual_path = match speaks {
        FeedProtocolDocument::Firstsight => "/v1/departures",
        FeedProtocolDocument::Scim => "/scim/v2",
        FeedProtocolDocument::Ssf => "/poll",
    };
    let is_scim = speaks == FeedProtocolDocument::Scim;
    let base = || users::base(beside.provisioning, document.cluster.as_deref()).filter(|_| is_scim);
    let path = document.path.or_else(base);
    let written = upstream::Beside {
        name: "departures",
        is_scim,
        usual_path,
        path,
        cluster: document.cluster,
        authority: document.authority,
        authorization: document.authorization,
    };
    let at = upstream::beside(written, beside.provisioning, beside.env, problems);
    if is_scim && at.as_ref().is_some_and(|at| at.path.contains(['?', '#'])) {
        problems.add("departures.path", "users are below it, so it has no query", "write a path: /scim/v2");
    }
    let when_stale = match document.when_stale {
        None | Some(WhenStaleDocument::Ask) => WhenStale::Ask,
        Some(WhenStaleDocument::Deny) => WhenStale::Deny,
        Some(WhenStaleDocument::Allow) => WhenStale::Allow,
    };
    let (protocol, timeout) = (protocol?, document.timeout.map(|timeout| timeout.0));
    let timeout = timeout_of(&protocol, timeout, problems);
    let stale_for = span(document.stale_for, Duration::from_secs(5 * 60));
    let silence = match &protocol {
        FeedProtocol::Firstsight { .. } | FeedProtocol::Ssf { every: None } => timeout,
        FeedProtocol::Scim(ScimFeed { every, .. }) | FeedProtocol::Ssf { every: Some(every) } => {
            timeout.saturating_add(*every)
        }
    };
    if stale_for <= silence {
        let hint = "while nobody departs, the feed is heard no more often";
        problems.add("departures.stale_for", "it is not longer than `timeout`, and `every` before it", hint);
    }
    let at = Upstream { timeout, ..at? };
    Some((DeparturesFeed { at, protocol, stale_for, when_stale }, transmitter))
}

/// Keys of one protocol mean nothing to another.
fn misplaced(document: &DeparturesDocument, speaks: FeedProtocolDocument, problems: &Problems) {
    use FeedProtocolDocument::{Firstsight, Scim, Ssf};
    let of_one = [
        ("wait", document.wait.is_some(), speaks == Firstsight, "it is for protocol: firstsight"),
        ("every", document.every.is_some(), speaks != Firstsight, "it is for protocol: scim, or ssf"),
        ("scim", document.scim.is_some(), speaks == Scim, "it is for protocol: scim"),
        ("ssf", document.ssf.is_some(), speaks == Ssf, "it is for protocol: ssf"),
    ];
    for (key, _, _, hint) in of_one.into_iter().filter(|(_, is_there, fits, _)| *is_there && !fits) {
        problems.add(format!("departures.{key}"), "the protocol is another one", hint);
    }
    if speaks != Ssf {
        return;
    }
    let missing = [
        ("cluster", document.cluster.is_none(), "name the cluster of the transmitter"),
        ("path", document.path.is_none(), "write the path at which your stream is polled"),
    ];
    for (key, _, hint) in missing.into_iter().filter(|(_, is_missing, _)| *is_missing) {
        problems.add(format!("departures.{key}"), "it is missing", hint);
    }
}

/// How long a call may take: longer than the other side waits for news.
fn timeout_of(protocol: &FeedProtocol, written: Option<Duration>, problems: &Problems) -> Duration {
    let usual = match protocol {
        FeedProtocol::Firstsight { wait } => wait.saturating_add(GRACE),
        FeedProtocol::Ssf { every: None } => PATIENCE,
        FeedProtocol::Scim(_) | FeedProtocol::Ssf { every: Some(_) } => TIMEOUT,
    };
    let timeout = written.unwrap_or(usual);
    if matches!(protocol, FeedProtocol::Firstsight { wait } if timeout <= *wait) {
        let hint = "a call has to last longer than the directory waits for news";
        problems.add("departures.timeout", "it is not longer than `wait`", hint);
    }
    timeout
}
