//! A transmitter of shared signals: whose events are believed.

use crate::config::document::{TransmitterDocument, span};
use crate::config::issuers::{WrittenKeys, algorithms, keys};
use crate::config::policy::TransmitterPolicy;
use crate::config::problem::Problems;
use crate::domain::Issuer;
use crate::token::{Crypto, Transmitter};
use crate::wire::ssf_configuration_path;
use std::time::Duration;

const PATH: &str = "departures.ssf";

/// The transmitter keeps an event until it is taken, so none is too old.
const MAX_AGE: Duration = Duration::MAX;

/// `cluster` is where it is polled: its keys are fetched through the same one, unless another is named.
pub(super) fn compile(
    document: TransmitterDocument,
    cluster: Option<&str>,
    crypto: Crypto,
    problems: &Problems,
) -> Option<TransmitterPolicy> {
    let issuer = document.issuer.as_deref().ok_or("it is missing").and_then(Issuer::parse);
    let issuer =
        problems.take(issuer, &format!("{PATH}.issuer"), "write the exact `iss` of the transmitter's events");
    let audiences = Some(document.audiences);
    let audiences = audiences.filter(|all| !all.is_empty() && !all.iter().any(String::is_empty));
    let audiences = audiences.ok_or("no audience is named");
    let audiences =
        problems.take(audiences, &format!("{PATH}.audiences"), "list what must be in `aud` of its events");
    let algorithms = algorithms(document.algorithms.as_deref(), crypto, PATH, problems);
    let written = WrittenKeys {
        cluster: document.cluster.as_deref().or(cluster),
        jwks_uri: document.jwks_uri.as_deref(),
        jwks: document.jwks.as_ref(),
        refresh: &document.keys_refresh,
        discovery_path: ssf_configuration_path,
    };
    let keys = keys(&written, issuer.as_ref(), crypto, PATH, problems);
    let clock_skew = span(document.clock_skew, Duration::from_secs(30));
    let terms =
        Transmitter { issuer: issuer?, audiences: audiences?, algorithms, clock_skew, max_age: MAX_AGE };
    Some(TransmitterPolicy { terms, keys: keys?, crypto })
}
