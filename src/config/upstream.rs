//! What the filter calls beside issuers; and `last_seen` of a configuration.

use super::document::{AuthorizationDocument, LastSeenDocument, count, span};
use super::policy::{LastSeen, Protocol, Provisioning, Upstream};
use super::problem::Problems;
use http::{HeaderValue, Uri};
use std::time::Duration;

/// How long one call to the directory may take unless the operator says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is written about another of the directory's endpoints than that for arrivals.
pub(super) struct Beside {
    pub(super) name: &'static str,
    /// Whether it is SCIM's, and not ours.
    pub(super) is_scim: bool,
    pub(super) usual_path: &'static str,
    pub(super) cluster: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) path: Option<String>,
    pub(super) authorization: Option<AuthorizationDocument>,
}

/// All goes where arrivals go, unless the operator says otherwise. The same cluster is asked under the same name with the
/// same credentials; another one gets neither. A SCIM directory has no other endpoints of ours: there the cluster has to
/// be named.
pub(super) fn beside(
    written: Beside,
    provisioning: Option<&Provisioning>,
    env: Env<'_>,
    problems: &Problems,
) -> Option<Upstream> {
    let within = |key| format!("{}.{key}", written.name);
    let path = target(written.path, written.usual_path, &within("path"), problems);
    let own = authorization(written.authorization, &within("authorization"), env, problems);
    let arrivals = provisioning.map(|provisioning| &provisioning.at);
    let cluster = written.cluster.filter(|name| !name.is_empty());
    if cluster.is_none() && !written.is_scim && provisioning.is_some_and(speaks_scim) {
        let hint = format!("name the cluster of a service that has it, or remove {}", written.name);
        problems.add(within("cluster"), "it is missing, and a SCIM directory has no such endpoint", hint);
        return None;
    }
    let cluster = cluster.or_else(|| arrivals.map(|at| at.cluster.clone()))?;
    let same = arrivals.filter(|at| at.cluster == cluster);
    let named = written.authority.or_else(|| same.map(|at| at.authority.clone()));
    let authority = authority(named, Some(&cluster), &within("authority"), problems);
    let authorization = own.or_else(|| same.and_then(|at| at.authorization.clone()));
    Some(Upstream { cluster, authority: authority?, path: path?, authorization, timeout: TIMEOUT })
}

/// Without a word of the operator's a SCIM directory is told of no sightings.
pub(super) fn last_seen(
    document: Option<LastSeenDocument>,
    provisioning: Option<&Provisioning>,
    env: Env<'_>,
    problems: &Problems,
) -> Option<LastSeen> {
    if document.is_none() && provisioning.is_some_and(speaks_scim) {
        return None;
    }
    let document = document.unwrap_or_default();
    let batch = count(document.batch, 500);
    let buffer = count(document.buffer, 10_000);
    if buffer < batch {
        problems.add("last_seen.buffer", "it is smaller than one batch", "keep at least as many as `batch`");
    }
    let written = Beside {
        name: "last_seen",
        is_scim: false,
        usual_path: "/v1/sightings",
        cluster: document.cluster,
        authority: document.authority,
        path: document.path,
        authorization: document.authorization,
    };
    let at = beside(written, provisioning, env, problems)?;
    Some(LastSeen {
        at: Upstream { timeout: span(document.timeout, TIMEOUT), ..at },
        every: span(document.every, Duration::from_secs(60)),
        batch,
        buffer,
    })
}

pub(super) fn speaks_scim(provisioning: &Provisioning) -> bool {
    provisioning.protocol != Protocol::Firstsight
}

pub(super) fn target(
    written: Option<String>,
    default: &str,
    path: &str,
    problems: &Problems,
) -> Option<String> {
    let target = written.unwrap_or_else(|| default.to_owned());
    let sound = target.starts_with('/') && target.parse::<Uri>().is_ok();
    if !sound {
        problems.add(path, format!("`{target}` is no path"), format!("write a path such as {default}"));
    }
    sound.then_some(target)
}

/// Without a word of the operator an upstream is asked under its cluster's name, as nobody knows a better one.
pub(super) fn authority(
    written: Option<String>,
    cluster: Option<&str>,
    path: &str,
    problems: &Problems,
) -> Option<String> {
    let Some(authority) = written else {
        // Istio names clusters `outbound|443||host`: the host is what it is asked under.
        return cluster.map(|name| name.rsplit('|').find(|part| !part.is_empty()).unwrap_or(name).to_owned());
    };
    let sound = authority.parse::<http::uri::Authority>().ok();
    let sound = sound.filter(|at| !at.host().is_empty() && !at.as_str().contains('@'));
    let sound = sound.ok_or("it is no name of a host");
    problems.take(sound, path, "write host or host:port").map(|authority| authority.to_string())
}

/// The credentials come from the environment, so that no configuration dump holds them.
pub(super) fn authorization(
    document: Option<AuthorizationDocument>,
    path: &str,
    env: Env<'_>,
    problems: &Problems,
) -> Option<HeaderValue> {
    let document = document?;
    let path = format!("{path}.env");
    // Whoever writes the token itself here must not find it in the log.
    let is_name = |text: &String| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && text.len() <= 64
    };
    let name = document.env.filter(|name| !name.is_empty()).filter(is_name).ok_or("no variable is named");
    let name = problems.take(name, &path, "name the environment variable that holds the token")?;
    let Some(token) = env(&name).map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
    else {
        let hint = "give the plugin's VM this variable (vm_config.environment_variables, Istio vmConfig.env)";
        problems.add(path, format!("the environment has no {name}"), hint);
        return None;
    };
    let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = visible.then(|| HeaderValue::try_from(format!("Bearer {token}")).ok()).flatten();
    let mut value = problems.take(
        value.ok_or("it holds no token"),
        &path,
        "a token is one word of visible ASCII characters",
    )?;
    value.set_sensitive(true);
    Some(value)
}
