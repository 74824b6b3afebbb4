//! The configuration as it is written, before anything is checked but its shape. Every member may be absent: what is
//! required, and what is used in its place, `compile` says.

mod amounts;
mod mapping;
mod upstream;

pub(super) use amounts::{Count, Patience, Period, Skew, count, range, span};
pub(super) use mapping::{
    AttributeDocument, AttributeFormatDocument, FallbackDocument, FilterStateDocument, FormatDocument,
    HeaderDocument, KindDocument, KindsDocument, NonAsciiDocument, OthersDocument, PayloadDocument,
    SignDocument, SyncDocument, TreatmentDocument,
};
pub(super) use upstream::{
    AuthorizationDocument, DeparturesDocument, ExternalIdDocument, FeedProtocolDocument, LastSeenDocument,
    PaceDocument, PostureDocument, ProvisioningDocument, ScimDocument, ScimFeedDocument, TransmitterDocument,
    WhenStaleDocument,
};

use serde::Deserialize;
use serde_json::{Map, Value};

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
    pub(super) departures: Option<DeparturesDocument>,
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
    pub(super) provisioning: Option<PaceDocument>,
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
pub(super) struct LimitsDocument {
    pub(super) token_bytes: Option<Count>,
    pub(super) tokens: Option<Count>,
    pub(super) tokens_bytes: Option<Count>,
    pub(super) subjects: Option<Count>,
    pub(super) departures: Option<Count>,
    pub(super) calls: Option<Count>,
    pub(super) owed: Option<Count>,
    pub(super) waiting: Option<Count>,
    pub(super) hold: Option<Patience>,
}
