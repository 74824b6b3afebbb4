//! The `issuers` of a configuration.

use super::document::{IssuerDocument, KeysRefreshDocument, span};
use super::policy::{IssuerPolicy, KeySource, KeysRefresh, Upstream};
use super::problem::Problems;
use super::terms;
use crate::domain::Issuer;
use crate::token::{ALGORITHMS, Algorithm, Crypto, Keyring};
use crate::wire::discovery_path;
use http::Uri;
use serde_json::Value;
use std::time::Duration;

/// How long fetching an issuer's keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// When keys are fetched unless the operator says otherwise.
const EVERY: Duration = Duration::from_secs(10 * 60);
const AT_LEAST: Duration = Duration::from_secs(60);
const AT_MOST: Duration = Duration::from_secs(60 * 60);
const STALE_FOR: Duration = Duration::from_secs(24 * 60 * 60);
const UNKNOWN_KID: Duration = Duration::from_secs(10);

pub(super) fn compile(
    documents: Vec<IssuerDocument>,
    crypto: Crypto,
    problems: &Problems,
) -> Vec<IssuerPolicy> {
    if documents.is_empty() {
        problems.add("issuers", "there is none", "name at least one issuer whose tokens are accepted");
    }
    let mut issuers: Vec<IssuerPolicy> = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let path = format!("issuers[{index}]");
        let Some(issuer) = issuer(document, crypto, &path, problems) else {
            continue;
        };
        // The first that recognises a token is the one whose terms count: one that others have as well would be lost.
        let names = issuer.trust.names();
        let is_known = |other: &IssuerPolicy| {
            other.trust.issuer == issuer.trust.issuer
                || names.iter().any(|name| other.trust.recognise(name).is_some())
        };
        if issuers.iter().any(is_known) {
            problems.add(format!("{path}.issuer"), "this issuer is there already", "merge the two");
        }
        issuers.push(issuer);
    }
    issuers
}

fn issuer(document: IssuerDocument, crypto: Crypto, path: &str, problems: &Problems) -> Option<IssuerPolicy> {
    let name_path = format!("{path}.issuer");
    let name = document.issuer.as_deref().ok_or("it is missing").and_then(Issuer::parse);
    let name = problems.take(name, &name_path, "write the exact `iss` of its tokens");
    let audiences = audiences(&document, path, problems);
    let algorithms = algorithms(document.algorithms.as_deref(), crypto, path, problems);
    let written = WrittenKeys {
        cluster: document.cluster.as_deref(),
        jwks_uri: document.jwks_uri.as_deref(),
        jwks: document.jwks.as_ref(),
        refresh: &document.keys_refresh,
        discovery_path,
    };
    let keys = keys(&written, name.as_ref(), crypto, path, problems);
    let trust = terms::compile(&document, name.as_ref(), audiences, algorithms, path, problems)?;
    let keys = keys?;
    if let KeySource::Inline(keyring) = &keys
        && !trust.algorithms.iter().any(|algorithm| keyring.serves(*algorithm))
    {
        problems.add(
            format!("{path}.jwks"),
            "no key in it fits the algorithms",
            "add the key, or its algorithm",
        );
    }
    Some(IssuerPolicy { trust, keys, crypto })
}

/// An audience is required unless the operator writes out that any will do: a token for another application of the same
/// issuer is the commonest confusion there is (RFC 8725 §3.9).
fn audiences(document: &IssuerDocument, path: &str, problems: &Problems) -> Option<Vec<String>> {
    let named =
        document.audiences.clone().filter(|list| !list.is_empty() && !list.iter().any(String::is_empty));
    match (&document.audiences, named, document.any_audience) {
        (Some(_), Some(list), false) => return Some(list),
        (None, _, true) => {}
        (Some(_), _, true) => problems.add(
            format!("{path}.any_audience"),
            "it contradicts `audiences`",
            "keep `audiences`, or any_audience: true alone",
        ),
        _ => problems.add(
            format!("{path}.audiences"),
            "no audience is named",
            "list what must be in `aud`, or write any_audience: true",
        ),
    }
    None
}

pub(super) fn algorithms(
    names: Option<&[String]>,
    crypto: Crypto,
    path: &str,
    problems: &Problems,
) -> Vec<Algorithm> {
    let supported = || ALGORITHMS.iter().copied().filter(|algorithm| crypto.supports(*algorithm));
    let Some(names) = names else {
        return supported().collect();
    };
    let known = || supported().map(Algorithm::name).collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        problems.add(format!("{path}.algorithms"), "it is empty", format!("choose among {}", known()));
    }
    let parse = |(index, name): (usize, &String)| match name.parse() {
        Ok(algorithm) if crypto.supports(algorithm) => Some(algorithm),
        Ok(algorithm) => {
            let name = algorithm.name();
            let hint = format!("{name} needs a proxy that verifies signatures itself: Envoy 1.30 or newer");
            problems.add(
                format!("{path}.algorithms[{index}]"),
                format!("this proxy cannot verify {name}"),
                hint,
            );
            None
        }
        Err(()) => {
            let what = format!("`{name}` is no algorithm that is accepted here");
            problems.add(format!("{path}.algorithms[{index}]"), what, format!("choose among {}", known()));
            None
        }
    };
    names.iter().enumerate().filter_map(parse).collect()
}

/// What is written about where keys are.
pub(super) struct WrittenKeys<'a> {
    pub(super) cluster: Option<&'a str>,
    pub(super) jwks_uri: Option<&'a str>,
    pub(super) jwks: Option<&'a Value>,
    pub(super) refresh: &'a KeysRefreshDocument,
    /// Where the issuer's document is that says it, if nothing else does.
    pub(super) discovery_path: fn(&Uri) -> String,
}

pub(super) fn keys(
    written: &WrittenKeys<'_>,
    issuer: Option<&Issuer>,
    crypto: Crypto,
    path: &str,
    problems: &Problems,
) -> Option<KeySource> {
    if let Some(jwks) = written.jwks {
        let jwks_path = format!("{path}.jwks");
        if written.jwks_uri.is_some() {
            problems.add(&jwks_path, "keys are given twice", "keep one of jwks and jwks_uri");
        }
        let keyring = Keyring::from_value(jwks, crypto);
        return problems
            .take(keyring, &jwks_path, "write {\"keys\": [...]} with public keys")
            .map(KeySource::Inline);
    }
    let cluster_path = format!("{path}.cluster");
    let cluster = written.cluster.filter(|name| !name.is_empty()).map(str::to_owned).ok_or("it is missing");
    let cluster =
        problems.take(cluster, &cluster_path, "name the proxy's cluster through which the keys are fetched");
    let refresh = refresh(written.refresh, path, problems);
    match written.jwks_uri {
        Some(address) => {
            let address = absolute(address);
            let at =
                problems.take(address, &format!("{path}.jwks_uri"), "write an absolute http or https URL")?;
            Some(KeySource::Address { at: upstream(cluster?, &at, path_of(&at)), refresh })
        }
        None if issuer.is_some_and(|issuer| issuer.as_str().contains('{')) => {
            let what = "an issuer with a tenant in its name has no discovery document";
            problems.add(format!("{path}.jwks_uri"), what, "write where the keys of all its tenants are");
            None
        }
        None => {
            let at: Uri = issuer?.as_str().parse().ok()?;
            Some(KeySource::Discovery { at: upstream(cluster?, &at, (written.discovery_path)(&at)), refresh })
        }
    }
}

/// What is written bounds the defaults of what is not. Contradictions are told at the key that has to give way.
fn refresh(document: &KeysRefreshDocument, path: &str, problems: &Problems) -> KeysRefresh {
    let least = span(document.at_least, Duration::ZERO);
    let most = span(document.at_most, Duration::MAX);
    let every = span(document.every, EVERY.max(least).min(most));
    let stale_for = span(document.stale_for, STALE_FOR);
    let refresh = KeysRefresh {
        every,
        at_least: span(document.at_least, AT_LEAST.min(every)),
        at_most: span(document.at_most, AT_MOST.max(every).max(least).min(stale_for)),
        stale_for,
        unknown_kid: span(document.unknown_kid, UNKNOWN_KID),
    };
    let outlast = "keys must outlast the time after which they are fetched again";
    let contradictions = [
        (least > most, "at_least", "it is longer than `at_most`", "swap the two"),
        (
            every < least && least <= most,
            "every",
            "it is shorter than `at_least`",
            "write a time between at_least and at_most",
        ),
        (every > most, "every", "it is longer than `at_most`", "write a time between at_least and at_most"),
        (stale_for < every, "stale_for", "it is shorter than `every`", outlast),
        (stale_for < refresh.at_most, "stale_for", "it is shorter than `at_most`", outlast),
    ];
    for (_, key, what, hint) in contradictions.into_iter().filter(|(is_so, ..)| *is_so) {
        problems.add(format!("{path}.keys_refresh.{key}"), what, hint);
    }
    refresh
}

pub(super) fn absolute(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
    match uri.scheme_str() {
        Some("http" | "https")
            if uri.authority().is_some_and(|at| !at.host().is_empty() && !at.as_str().contains('@')) =>
        {
            Ok(uri)
        }
        _ => Err("it is no absolute URL"),
    }
}

fn path_of(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned())
}

fn upstream(cluster: String, at: &Uri, path: String) -> Upstream {
    let authority = at.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    Upstream { cluster, authority, path, authorization: None, timeout: FETCH_TIMEOUT }
}
