//! `[[signals]]`: which transmitters are listened to, and what about. Says everything that is wrong at once.

use super::keys::Keys;
use super::poll::Polled;
use super::source::Source;
use super::web;
use crate::directory::settings::Settings;
use firstsight::domain::Issuer;
use firstsight::token::{ALGORITHMS, Algorithm, Transmitter};
use firstsight::wire::signals::Alias;
use reqwest::Client;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::time::Duration;

/// One transmitter as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// The actor in the audit's records of what it brings about; without one its issuer.
    name: Option<String>,
    /// The exact `iss` of its tokens.
    issuer: String,
    /// What it calls this directory: one of these is in `aud`.
    audiences: Vec<String>,
    /// Where its keys are; without this and `jwks_file` they are discovered.
    jwks_uri: Option<String>,
    /// A file with its keys.
    jwks_file: Option<PathBuf>,
    /// Which document tells where its keys are.
    discovery: Option<DiscoveryKind>,
    /// Issuers whose subjects it may speak of; without any its own.
    #[serde(default)]
    subjects: Vec<String>,
    /// Under which other names it writes the `sub` of a subject of the first of these issuers.
    #[serde(default)]
    sub: Vec<SubName>,
    /// Members of a complex subject that must be understood: its `critical_subject_members`.
    #[serde(default)]
    critical: Vec<String>,
    /// What it may sign with; without any, every algorithm there is.
    #[serde(default)]
    algorithms: Vec<String>,
    #[serde(default = "week", deserialize_with = "span")]
    max_age: Duration,
    #[serde(default = "half_a_minute", deserialize_with = "span")]
    clock_skew: Duration,
    /// Whether its tokens are taken where they are pushed; without a word unless it is polled.
    push: Option<bool>,
    /// Whether whoever pushes them has to hold an API token with the scope `signals` besides.
    #[serde(default)]
    bearer: bool,
    /// Whether its logout tokens are taken.
    #[serde(default)]
    logout: bool,
    poll: Option<Poll>,
}

/// Where a transmitter is polled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    url: String,
    /// The environment variable that holds the bearer token for it.
    authorization_env: Option<String>,
    /// The most tokens in one answer.
    max_events: Option<u32>,
}

/// Which document tells where keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DiscoveryKind {
    /// OpenID Connect Discovery.
    Openid,
    /// The transmitter's configuration (Shared Signals Framework §7).
    Ssf,
}

/// See [`Alias`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum SubName {
    #[serde(rename = "opaque")]
    Opaque,
    #[serde(rename = "scim.id")]
    ScimId,
    #[serde(rename = "scim.externalId")]
    ScimExternalId,
}

/// Reads every `[[signals]]`.
///
/// # Errors
/// If there are some, and nobody can be asked over HTTPS: the system's certificates cannot be read.
pub(super) fn read(settings: &mut Settings) -> Result<Vec<Source>, reqwest::Error> {
    let sections = settings.sections::<Section>("signals");
    if sections.is_empty() {
        return Ok(Vec::new());
    }
    let client = web::client()?;
    let mut sources: Vec<Source> = Vec::new();
    for (place, section) in sections {
        let mut problems = Vec::new();
        if let Some(source) = section.resolve(&client, &mut problems) {
            let same =
                |other: &Source| other.terms.issuer == source.terms.issuer || other.name == source.name;
            if sources.iter().any(same) {
                problems.push(("issuer", "another section has the same issuer or name".to_owned()));
            }
            sources.push(source);
        }
        for (member, what) in problems {
            settings.problem(&format!("{place}.{member}"), &what);
        }
    }
    Ok(sources)
}

type Problems = Vec<(&'static str, String)>;

impl Section {
    fn resolve(self, client: &Client, problems: &mut Problems) -> Option<Source> {
        let issuer = protected_issuer(&self.issuer).map_err(|why| problems.push(("issuer", why))).ok();
        let mut subjects = Vec::new();
        for text in &self.subjects {
            match Issuer::parse(text) {
                Ok(issuer) => subjects.push(issuer),
                Err(why) => problems.push(("subjects", why.to_owned())),
            }
        }
        subjects.extend(issuer.clone().filter(|_| self.subjects.is_empty()));
        if self.audiences.is_empty() {
            problems
                .push(("audiences", "one is needed: what the transmitter calls this directory".to_owned()));
        }
        let algorithms = self.algorithms(problems);
        let actor = self.name.clone().unwrap_or_else(|| self.issuer.clone());
        if actor.is_empty() || actor.len() > 255 || actor.chars().any(char::is_control) {
            problems.push(("name", "1 to 255 bytes without control characters".to_owned()));
        }
        let keys = self.keys(issuer.as_ref(), problems);
        let polled = self.poll.as_ref().and_then(|poll| poll.resolve(problems));
        let push = self.push.unwrap_or(self.poll.is_none());
        if !push && !self.logout && self.poll.is_none() {
            problems.push(("push", "nothing would be taken: there is no poll and no logout".to_owned()));
        }
        let terms = Transmitter {
            issuer: issuer?,
            audiences: self.audiences,
            algorithms,
            clock_skew: self.clock_skew,
            max_age: self.max_age,
        };
        let aliases = self.sub.into_iter().map(SubName::alias).collect();
        Some(Source {
            name: actor,
            terms,
            keys: keys?,
            client: client.clone(),
            subjects,
            aliases,
            critical: self.critical,
            push,
            bearer: self.bearer,
            logout: self.logout,
            polled,
        })
    }

    fn algorithms(&self, problems: &mut Problems) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for name in &self.algorithms {
            match name.parse() {
                Ok(algorithm) => algorithms.push(algorithm),
                Err(()) => {
                    let names: Vec<_> = ALGORITHMS.iter().map(|algorithm| algorithm.name()).collect();
                    problems.push(("algorithms", format!("one of {}", names.join(", "))));
                }
            }
        }
        if self.algorithms.is_empty() { ALGORITHMS.to_vec() } else { algorithms }
    }

    fn keys(&self, issuer: Option<&Issuer>, problems: &mut Problems) -> Option<Keys> {
        let named = [self.jwks_uri.is_some(), self.jwks_file.is_some(), self.discovery.is_some()];
        if named.into_iter().filter(|named| *named).count() > 1 {
            let what = "one of jwks_uri, jwks_file and discovery says where the keys are";
            problems.push(("jwks_uri", what.to_owned()));
        }
        if let Some(file) = &self.jwks_file {
            let keys = Keys::in_file(file).map_err(|why| problems.push(("jwks_file", why)));
            return keys.ok();
        }
        if let Some(uri) = &self.jwks_uri {
            let url = web::protected(uri).map_err(|why| problems.push(("jwks_uri", why.to_owned())));
            return url.ok().map(Keys::at);
        }
        Some(Keys::discovered(issuer?.clone(), self.discovery.unwrap_or(DiscoveryKind::Openid)))
    }
}

impl Poll {
    fn resolve(&self, problems: &mut Problems) -> Option<Polled> {
        let url = web::protected(&self.url).map_err(|why| problems.push(("poll.url", why.to_owned())));
        let token = self.authorization_env.as_ref().map(|name| {
            let token = std::env::var(name).ok().filter(|token| is_token(token));
            token.ok_or_else(|| {
                problems
                    .push(("poll.authorization_env", format!("{name} holds no token in the environment")));
            })
        });
        if self.max_events == Some(0) {
            problems.push(("poll.max_events", "at least 1".to_owned()));
        }
        Some(Polled {
            url: url.ok()?,
            token: token.transpose().ok()?,
            max_events: self.max_events.unwrap_or(100),
        })
    }
}

impl SubName {
    const fn alias(self) -> Alias {
        match self {
            Self::Opaque => Alias::Opaque,
            Self::ScimId => Alias::ScimId,
            Self::ScimExternalId => Alias::ScimExternalId,
        }
    }
}

/// An issuer whose documents nobody can change on their way.
fn protected_issuer(text: &str) -> Result<Issuer, String> {
    let issuer = Issuer::parse(text).map_err(str::to_owned)?;
    web::protected(text)?;
    Ok(issuer)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn week() -> Duration {
    Duration::from_secs(7 * 24 * 3600)
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|_| serde::de::Error::custom("a time such as 30s, 5m or 7d"))
}
