//! The configuration as it is written, before anything is checked but its shape. Every member may be absent: what is
//! required, and what is used in its place, `compile` says.

use super::mapping_document::{AttributeDocument, FilterStateDocument, HeaderDocument, KindsDocument};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Map, Value};
use std::time::Duration;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) gateway: Option<String>,
    pub(super) mode: Option<ModeDocument>,
    pub(super) credentials: Option<CredentialsDocument>,
    pub(super) cors_preflight: Option<PreflightDocument>,
    pub(super) routes: Vec<RouteDocument>,
    pub(super) issuers: Vec<IssuerDocument>,
    pub(super) headers: Vec<HeaderDocument>,
    pub(super) filter_state: Vec<FilterStateDocument>,
    pub(super) attributes: Vec<AttributeDocument>,
    pub(super) kinds: KindsDocument,
    pub(super) provisioning: Option<ProvisioningDocument>,
    pub(super) last_seen: Option<LastSeenDocument>,
    pub(super) realm: Option<String>,
    pub(super) resource_metadata: Option<String>,
    pub(super) limits: LimitsDocument,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IssuerDocument {
    pub(super) issuer: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) jwks: Option<Value>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) any_audience: bool,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) token: Option<TokenDocument>,
    pub(super) clock_skew: Option<Skew>,
    pub(super) require_exp: Option<bool>,
    pub(super) max_age: Option<Period>,
    pub(super) max_lifetime: Option<Period>,
    pub(super) subjects: Option<SubjectsDocument>,
    pub(super) tenants: Option<TenantsDocument>,
    pub(super) require: RequireDocument,
    pub(super) keys_refresh: KeysRefreshDocument,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeDocument {
    Enforce,
    Report,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PreflightDocument {
    Check,
    Pass,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenDocument {
    Access,
    Rfc9068,
    Id,
    Any,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SubjectsDocument {
    pub(super) allow: Option<Vec<String>>,
    pub(super) deny: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TenantsDocument {
    pub(super) claim: Option<String>,
    pub(super) allow: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RequireDocument {
    pub(super) scopes: Vec<String>,
    pub(super) claims: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CredentialsDocument {
    pub(super) from: Option<Vec<SourceDocument>>,
    pub(super) forward: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SourceDocument {
    pub(super) header: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) query: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RouteDocument {
    pub(super) hosts: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) path: Option<PathDocument>,
    pub(super) access: Option<AccessDocument>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) issuers: Option<Vec<String>>,
    pub(super) require: Option<RequireDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PathDocument {
    pub(super) exact: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) regex: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccessDocument {
    Public,
    Optional,
    Lenient,
    Required,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeysRefreshDocument {
    pub(super) every: Option<Period>,
    pub(super) at_least: Option<Period>,
    pub(super) at_most: Option<Period>,
    pub(super) stale_for: Option<Period>,
    pub(super) unknown_kid: Option<Period>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProvisioningDocument {
    pub(super) cluster: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) path: Option<String>,
    pub(super) authorization: Option<AuthorizationDocument>,
    pub(super) timeout: Option<Patience>,
    pub(super) when_unavailable: Option<PostureDocument>,
    pub(super) refresh: Option<Period>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthorizationDocument {
    pub(super) env: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PostureDocument {
    Deny,
    Allow,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LastSeenDocument {
    pub(super) cluster: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) path: Option<String>,
    pub(super) authorization: Option<AuthorizationDocument>,
    pub(super) timeout: Option<Patience>,
    pub(super) every: Option<Period>,
    pub(super) batch: Option<Count>,
    pub(super) buffer: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LimitsDocument {
    pub(super) token_bytes: Option<Count>,
    pub(super) tokens: Option<Count>,
    pub(super) tokens_bytes: Option<Count>,
    pub(super) subjects: Option<Count>,
    pub(super) waiting: Option<Count>,
    pub(super) hold: Option<Patience>,
}

/// A span of time such as `100ms`, `30s`, `10m`, `12h` or `1h 30m`, within bounds given in milliseconds: a proxy cuts
/// shorter or longer ones off, and a time-out of nothing is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<const LEAST: u64, const MOST: u64>(pub(super) Duration);

/// How often something is done, or how long something holds: 100 ms to a year.
pub(super) type Period = Span<100, 31_536_000_000>;
/// How long something may take: 1 ms to an hour.
pub(super) type Patience = Span<1, 3_600_000>;
/// How far clocks may be apart: 1 ms to ten minutes.
pub(super) type Skew = Span<1, 600_000>;

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Span<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text).map_err(|_| {
            D::Error::custom(format!("`{text}` is no span of time such as \"30s\" or \"12h\""))
        })?;
        let (least, most) = (Duration::from_millis(LEAST), Duration::from_millis(MOST));
        if (least..=most).contains(&span) {
            return Ok(Self(span));
        }
        let (least, most) = (humantime::format_duration(least), humantime::format_duration(most));
        Err(D::Error::custom(format!("`{text}` is not within {least} and {most}")))
    }
}

/// A number of things, at least one. Istio renders every number of a plugin's configuration as a double, so `100.0` is
/// 100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count(pub(super) usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let whole = number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
        if whole { Ok(Self(number as usize)) } else { Err(D::Error::custom(format!("{number} is no count"))) }
    }
}

/// The span that was written, or `default`.
pub(super) fn span<const LEAST: u64, const MOST: u64>(
    written: Option<Span<LEAST, MOST>>,
    default: Duration,
) -> Duration {
    written.map_or(default, |Span(span)| span)
}

/// The count that was written, or `default`.
pub(super) fn count(written: Option<Count>, default: usize) -> usize {
    written.map_or(default, |Count(count)| count)
}
