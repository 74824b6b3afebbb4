//! Document to Policy.

use super::document::{LimitsDocument, ModeDocument, count, span};
use super::headers::AccountHeaders;
use super::policy::{Limits, Mode, Policy};
use super::problem::{Problem, Problems};
use super::{
    attributes, challenge, credentials, departures, filter_state, headers, issuers, kinds, provisioning,
    read, routes, upstream,
};
use crate::mapping::{Managed, Mapping};
use crate::token::Crypto;
use std::time::Duration;

/// What a configuration is read in.
pub struct Surroundings<'a> {
    /// Looks up a variable of the plugin's environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The proxy's own name, used where the configuration names no gateway.
    pub node: &'a str,
    /// Who checks signatures.
    pub crypto: Crypto,
}

/// Reads a plugin's configuration; `text` is the JSON the proxy hands over.
///
/// # Errors
/// Everything that is wrong with it, sorted by place; never just the first thing.
pub fn compile(text: &str, surroundings: &Surroundings<'_>) -> Result<Policy, Vec<Problem>> {
    let Surroundings { env, node, crypto } = *surroundings;
    let problems = Problems::default();
    let document = read::read(text, &problems);
    let issuers = issuers::compile(document.issuers, crypto, &problems);
    let credentials = credentials::compile(document.credentials, &problems);
    let paces = provisioning::paces(document.provisioning.as_ref(), &document.routes);
    let (routes, demands) = routes::compile(document.routes, document.cors_preflight, &issuers, &problems);
    let account_headers = AccountHeaders::default();
    let headers = headers::compile(document.headers, &account_headers, &problems);
    let filter_state = filter_state::compile(document.filter_state, &account_headers, &problems);
    let attributes = attributes::compile(document.attributes, document.provisioning.as_ref(), &problems);
    let kinds = kinds::compile(document.kinds, &problems);
    let provisioning = provisioning::compile(document.provisioning, &issuers, env, &problems);
    let beside = departures::Beside { provisioning: provisioning.as_ref(), issuers: &issuers, crypto, env };
    let (departures, transmitter) = departures::compile(document.departures, &beside, &problems).unzip();
    let last_seen = upstream::last_seen(document.last_seen, provisioning.as_ref(), env, &problems);
    let challenge = challenge::compile(document.realm, document.resource_metadata, &problems);
    let limits = limits(&document.limits);
    let gateway = gateway(document.gateway, node, &problems);
    let problems = problems.into_sorted();
    match (provisioning, gateway) {
        (Some(provisioning), Some(gateway)) if problems.is_empty() => Ok(Policy {
            gateway,
            mode: match document.mode {
                None | Some(ModeDocument::Enforce) => Mode::Enforce,
                Some(ModeDocument::Report) => Mode::Report,
            },
            credentials,
            routes,
            demands,
            paces,
            issuers,
            account_headers: account_headers.into_names(),
            managed: Managed::by(&headers),
            mapping: Mapping::new(headers, filter_state, attributes, kinds),
            provisioning,
            departures,
            transmitter: transmitter.flatten(),
            last_seen,
            challenge,
            limits,
        }),
        _ => Err(problems),
    }
}

/// The gateway's name ends up in a URI reference (CloudEvents `source`), so it keeps to characters that need no escape.
/// The proxy's own node id, which nobody chose for this, is made to fit.
fn gateway(written: Option<String>, node: &str, problems: &Problems) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let Some(name) = written else {
        let name: String = node.chars().map(|c| if fits(c) { c } else { '-' }).collect();
        return Some(if name.is_empty() { "gateway".to_owned() } else { name });
    };
    if !name.is_empty() && name.chars().all(fits) {
        return Some(name);
    }
    problems.add("gateway", format!("`{name}` is no gateway name"), "use letters, digits, and - . _ ~");
    None
}

fn limits(document: &LimitsDocument) -> Limits {
    Limits {
        token_bytes: count(document.token_bytes, 16 * 1024),
        tokens: count(document.tokens, 10_000),
        tokens_bytes: count(document.tokens_bytes, 16 * 1024 * 1024),
        subjects: count(document.subjects, 100_000),
        departures: count(document.departures, 100_000),
        calls: count(document.calls, 100),
        owed: count(document.owed, 10_000),
        waiting: count(document.waiting, 1000),
        hold: span(document.hold, Duration::from_secs(5)),
    }
}
