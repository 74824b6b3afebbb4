//! The configuration as it is written, before anything is checked but its shape. Every member may be absent: what is
//! required, and what is used in its place, `compile` says.

mod amounts;
mod mapping;
mod upstream;

pub(super) use amounts::{Count, Patience, Period, Skew, count, range, span};
#[cfg(feature = "schema")]
pub(super) use amounts::{Range, Span};
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

#[cfg(feature = "schema")]
use super::schema;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["issuers", "provisioning"])))]
pub(super) struct Document {
    /// This gateway's name in arrivals and sightings; without it the proxy's node id.
    pub(super) gateway: Option<String>,
    /// `report` decides, counts and logs what it would refuse, and refuses nobody.
    pub(super) mode: Option<ModeDocument>,
    /// Where the token is.
    pub(super) credentials: Option<CredentialsDocument>,
    /// `pass`: a browser's preflight goes on without a token.
    pub(super) cors_preflight: Option<PreflightDocument>,
    /// The first rule that matches counts; a request that none matches needs a token.
    pub(super) routes: Vec<RouteDocument>,
    /// Whose tokens are accepted.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) issuers: Vec<IssuerDocument>,
    /// Request headers for the application; a client's own are removed, in every spelling.
    pub(super) headers: Vec<HeaderDocument>,
    /// Values that RBAC, CEL and access logs read as `wasm.KEY`.
    pub(super) filter_state: Vec<FilterStateDocument>,
    /// Account attributes for the directory.
    pub(super) attributes: Vec<AttributeDocument>,
    /// Who is a person, a service or an agent, and what becomes of each.
    pub(super) kinds: KindsDocument,
    /// Where accounts are made.
    pub(super) provisioning: Option<ProvisioningDocument>,
    /// Where it is heard who departed; without it nobody is heard to depart.
    pub(super) departures: Option<DeparturesDocument>,
    /// Where sightings are told; by default through the cluster of `provisioning`.
    pub(super) last_seen: Option<LastSeenDocument>,
    /// The realm of every challenge.
    pub(super) realm: Option<String>,
    /// URL of the resource's metadata (RFC 9728), named in every challenge.
    pub(super) resource_metadata: Option<String>,
    /// Bounds of each worker, except for `subjects`.
    pub(super) limits: LimitsDocument,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["issuer"], "allOf" = schema::either([["cluster", "jwks"], ["audiences", "any_audience"]]))))]
pub(super) struct IssuerDocument {
    /// Exact `iss`, an http(s) URL; with a tenant in it as `{tid}`, together with `tenants` and `jwks_uri`.
    pub(super) issuer: Option<String>,
    /// The proxy's cluster through which keys are fetched; required unless `jwks`.
    pub(super) cluster: Option<String>,
    /// Where the keys are, if not where the issuer's discovery document says.
    pub(super) jwks_uri: Option<String>,
    /// The keys themselves.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::keys"))]
    pub(super) jwks: Option<Value>,
    /// One of these must be in `aud`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) audiences: Option<Vec<String>>,
    /// Written out, accepts tokens for any audience.
    pub(super) any_audience: bool,
    /// What the issuer signs with; without it, every algorithm that the proxy can check.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::algorithms"))]
    pub(super) algorithms: Option<Vec<String>>,
    /// `access`: access tokens; `rfc9068`: those with `typ: at+jwt`; `id`: ID tokens for a client in `audiences`;
    /// `any`: either.
    pub(super) token: Option<TokenDocument>,
    /// How far its clock may be from ours; ten minutes at most.
    pub(super) clock_skew: Option<Skew>,
    /// `false` accepts tokens without `exp`, and needs a `max_age`.
    pub(super) require_exp: Option<bool>,
    /// A token is refused this long after its `iat`.
    pub(super) max_age: Option<Period>,
    /// A token that was made to live longer than this, or still would, is refused.
    pub(super) max_lifetime: Option<Period>,
    /// Patterns for `sub`.
    pub(super) subjects: Option<SubjectsDocument>,
    /// The tenants that are served.
    pub(super) tenants: Option<TenantsDocument>,
    /// What its tokens must say, else 403.
    pub(super) require: RequireDocument,
    /// When its keys are fetched.
    pub(super) keys_refresh: KeysRefreshDocument,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeDocument {
    Enforce,
    Report,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum PreflightDocument {
    Check,
    Pass,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenDocument {
    Access,
    Rfc9068,
    Id,
    Any,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct SubjectsDocument {
    /// Who is accepted; without it anybody.
    pub(super) allow: Option<Vec<String>>,
    /// Who is not, all the same.
    pub(super) deny: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["claim", "allow"])))]
pub(super) struct TenantsDocument {
    /// The claim that names the tenant, as `tid`.
    pub(super) claim: Option<String>,
    /// The tenants that are served.
    pub(super) allow: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct RequireDocument {
    /// Scopes (`scope` or `scp`) that must all be there.
    pub(super) scopes: Vec<String>,
    /// Claim to a value, or to a list of which one must match.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::claims"))]
    pub(super) claims: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct CredentialsDocument {
    /// Every place that is looked at; more than one token in a request is a 400.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(super) from: Option<Vec<SourceDocument>>,
    /// `false`: the token is taken out of header, cookie or query before the request goes on.
    pub(super) forward: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1)))]
pub(super) struct SourceDocument {
    /// A header; behind a scheme, or its whole value.
    pub(super) header: Option<String>,
    /// `Bearer` for `authorization`, else none.
    pub(super) scheme: Option<String>,
    /// A cookie of this name.
    pub(super) cookie: Option<String>,
    /// A parameter of the query; always taken out before the request goes on.
    pub(super) query: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct RouteDocument {
    /// Patterns for the host, without port and final dot.
    pub(super) hosts: Vec<String>,
    /// Methods, in capitals.
    pub(super) methods: Vec<String>,
    /// The path, without query.
    pub(super) path: Option<PathDocument>,
    /// `public`: its token is not looked at; `optional`: goes on without one; `lenient`: goes on whatever its token
    /// is.
    pub(super) access: Option<AccessDocument>,
    /// Other audiences than the issuer's.
    pub(super) audiences: Option<Vec<String>>,
    /// Certain issuers.
    pub(super) issuers: Option<Vec<String>>,
    /// More scopes and claims.
    pub(super) require: Option<RequireDocument>,
    /// Whether a first request waits on this route.
    pub(super) provisioning: Option<PaceDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
pub(super) struct PathDocument {
    /// This path alone.
    pub(super) exact: Option<String>,
    /// This path and everything below it.
    pub(super) prefix: Option<String>,
    /// Paths that end so.
    pub(super) suffix: Option<String>,
    /// Paths that match as a whole.
    pub(super) regex: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum AccessDocument {
    Public,
    Optional,
    Lenient,
    Required,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct KeysRefreshDocument {
    /// Keys are fetched again after this long, if the issuer does not say how long they are fresh.
    pub(super) every: Option<Period>,
    /// If it does, not before this.
    pub(super) at_least: Option<Period>,
    /// And no later than this.
    pub(super) at_most: Option<Period>,
    /// Old keys are used this long while the issuer is away.
    pub(super) stale_for: Option<Period>,
    /// At most one extra fetch in this time because a token names an unknown key.
    pub(super) unknown_kid: Option<Period>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(super) struct LimitsDocument {
    /// Longest token that is read.
    pub(super) token_bytes: Option<Count>,
    /// Verified tokens remembered.
    pub(super) tokens: Option<Count>,
    /// Most memory for them.
    pub(super) tokens_bytes: Option<Count>,
    /// Subjects that the process remembers.
    pub(super) subjects: Option<Count>,
    /// Departures and returns remembered.
    pub(super) departures: Option<Count>,
    /// Subjects that the directory is asked about at a time.
    pub(super) calls: Option<Count>,
    /// Arrivals of subjects who went on unconfirmed, to be told when the directory is back.
    pub(super) owed: Option<Count>,
    /// Requests that wait at a time.
    pub(super) waiting: Option<Count>,
    /// Longest wait of a request.
    pub(super) hold: Option<Patience>,
}
