//! What is written about what the filter calls beside issuers: the directory, in all of its parts.

use super::KeysRefreshDocument;
use super::amounts::{Count, Patience, Period, Range, Skew};
#[cfg(feature = "schema")]
use crate::config::schema;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["cluster"])))]
pub(in crate::config) struct ProvisioningDocument {
    /// The proxy's cluster of the directory.
    pub(in crate::config) cluster: Option<String>,
    /// Host the directory is asked under; without it the cluster's name.
    pub(in crate::config) authority: Option<String>,
    /// `firstsight`, or `scim` (SCIM 2.0, RFC 7644).
    pub(in crate::config) protocol: Option<ProtocolDocument>,
    /// What only SCIM has.
    pub(in crate::config) scim: Option<ScimDocument>,
    /// The endpoint; with SCIM the base, below which `/Users` is.
    pub(in crate::config) path: Option<String>,
    /// What the directory is asked with.
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    /// `hold`: a first request waits for the directory; `background`: it goes on at once, without account headers.
    pub(in crate::config) mode: Option<PaceDocument>,
    /// Of one call.
    pub(in crate::config) timeout: Option<Patience>,
    /// Of requests that wait.
    pub(in crate::config) retry: RetryDocument,
    /// When the directory is left alone.
    pub(in crate::config) breaker: BreakerDocument,
    /// What becomes of a request whose subject cannot be asked about.
    pub(in crate::config) when_unavailable: Option<PostureDocument>,
    /// An active account is asked about again after this long.
    pub(in crate::config) refresh: Option<Period>,
    /// A subject's drift is told at most once in this time.
    pub(in crate::config) drift_every: Option<Period>,
}

impl ProvisioningDocument {
    pub(in crate::config) fn speaks_scim(&self) -> bool {
        matches!(self.protocol, Some(ProtocolDocument::Scim))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum ProtocolDocument {
    Firstsight,
    Scim,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct ScimDocument {
    /// What an account's `externalId` is; never change it while accounts exist.
    pub(in crate::config) external_id: Option<ExternalIdDocument>,
    /// The attribute `groups` becomes memberships.
    pub(in crate::config) groups: Option<GroupsDocument>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ExternalIdDocument {
    Sub,
    Key,
    IssuerAndSub,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct GroupsDocument {
    /// Groups that a subject is taken out of when the attribute no longer names them.
    pub(in crate::config) managed: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum PaceDocument {
    Hold,
    Background,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct RetryDocument {
    /// Tries for requests that wait.
    pub(in crate::config) attempts: Option<Count>,
    /// Pauses between tries, doubling.
    pub(in crate::config) backoff: Option<Range>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct BreakerDocument {
    /// After so many failures in a row no worker of the process asks.
    pub(in crate::config) failures: Option<Count>,
    /// For how long, doubling.
    pub(in crate::config) pause: Option<Range>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["env"])))]
pub(in crate::config) struct AuthorizationDocument {
    /// Environment variable that holds the bearer token.
    pub(in crate::config) env: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum PostureDocument {
    Deny,
    Allow,
    AllowKnown,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct LastSeenDocument {
    /// The proxy's cluster, if not that of `provisioning`.
    pub(in crate::config) cluster: Option<String>,
    /// Host it is asked under.
    pub(in crate::config) authority: Option<String>,
    /// The endpoint.
    pub(in crate::config) path: Option<String>,
    /// What it is asked with.
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    /// Of one call.
    pub(in crate::config) timeout: Option<Patience>,
    /// A subject is told once in this time.
    pub(in crate::config) every: Option<Period>,
    /// Most sightings in one call.
    pub(in crate::config) batch: Option<Count>,
    /// Most sightings kept while they cannot be sent.
    pub(in crate::config) buffer: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct DeparturesDocument {
    /// The proxy's cluster, if not that of `provisioning`.
    pub(in crate::config) cluster: Option<String>,
    /// Host it is asked under.
    pub(in crate::config) authority: Option<String>,
    /// The directory's feed, the users of a SCIM directory, or the events of a Shared Signals transmitter.
    pub(in crate::config) protocol: Option<FeedProtocolDocument>,
    /// What only SCIM has.
    pub(in crate::config) scim: Option<ScimFeedDocument>,
    /// What only a transmitter has.
    pub(in crate::config) ssf: Option<TransmitterDocument>,
    /// Where they are.
    pub(in crate::config) path: Option<String>,
    /// What it is asked with.
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    /// `firstsight` only: how long the directory waits for news.
    pub(in crate::config) wait: Option<Patience>,
    /// `scim` and `ssf` only: the pause between readings or polls.
    pub(in crate::config) every: Option<Patience>,
    /// Of one call; longer than `wait`.
    pub(in crate::config) timeout: Option<Patience>,
    /// Not heard for so long, what is known is stale.
    pub(in crate::config) stale_for: Option<Period>,
    /// `ask`: the directory is asked about each subject again; `deny`: 503; `allow`: as ever.
    pub(in crate::config) when_stale: Option<WhenStaleDocument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FeedProtocolDocument {
    Firstsight,
    Scim,
    Ssf,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["issuer", "audiences"])))]
pub(in crate::config) struct TransmitterDocument {
    /// Exact `iss` of the transmitter.
    pub(in crate::config) issuer: Option<String>,
    /// What must be in `aud` of its events.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub(in crate::config) audiences: Vec<String>,
    /// What it signs with.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::algorithms"))]
    pub(in crate::config) algorithms: Option<Vec<String>>,
    /// How far its clock may be from ours; ten minutes at most.
    pub(in crate::config) clock_skew: Option<Skew>,
    /// The proxy's cluster through which its keys are fetched, if not `departures.cluster`.
    pub(in crate::config) cluster: Option<String>,
    /// Where its keys are, if not where its discovery document says.
    pub(in crate::config) jwks_uri: Option<String>,
    /// The keys themselves.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::keys"))]
    pub(in crate::config) jwks: Option<Value>,
    /// When its keys are fetched.
    pub(in crate::config) keys_refresh: KeysRefreshDocument,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default)]
pub(in crate::config) struct ScimFeedDocument {
    /// How a user's `externalId` becomes a subject.
    pub(in crate::config) external_id: Option<ExternalIdDocument>,
    /// Whose subjects they are; with several issuers `sub` needs it.
    pub(in crate::config) issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum WhenStaleDocument {
    Ask,
    Deny,
    Allow,
}
