//! What is written about what the filter calls beside issuers: the directory, in all of its parts.

use super::KeysRefreshDocument;
use super::amounts::{Count, Patience, Period, Range, Skew};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct ProvisioningDocument {
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) authority: Option<String>,
    pub(in crate::config) protocol: Option<ProtocolDocument>,
    pub(in crate::config) scim: Option<ScimDocument>,
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    pub(in crate::config) mode: Option<PaceDocument>,
    pub(in crate::config) timeout: Option<Patience>,
    pub(in crate::config) retry: RetryDocument,
    pub(in crate::config) breaker: BreakerDocument,
    pub(in crate::config) when_unavailable: Option<PostureDocument>,
    pub(in crate::config) refresh: Option<Period>,
    pub(in crate::config) drift_every: Option<Period>,
}

impl ProvisioningDocument {
    pub(in crate::config) fn speaks_scim(&self) -> bool {
        matches!(self.protocol, Some(ProtocolDocument::Scim))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum ProtocolDocument {
    Firstsight,
    Scim,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct ScimDocument {
    pub(in crate::config) external_id: Option<ExternalIdDocument>,
    pub(in crate::config) groups: Option<GroupsDocument>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ExternalIdDocument {
    Sub,
    Key,
    IssuerAndSub,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct GroupsDocument {
    pub(in crate::config) managed: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum PaceDocument {
    Hold,
    Background,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct RetryDocument {
    pub(in crate::config) attempts: Option<Count>,
    pub(in crate::config) backoff: Option<Range>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct BreakerDocument {
    pub(in crate::config) failures: Option<Count>,
    pub(in crate::config) pause: Option<Range>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct AuthorizationDocument {
    pub(in crate::config) env: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum PostureDocument {
    Deny,
    Allow,
    AllowKnown,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct LastSeenDocument {
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) authority: Option<String>,
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    pub(in crate::config) timeout: Option<Patience>,
    pub(in crate::config) every: Option<Period>,
    pub(in crate::config) batch: Option<Count>,
    pub(in crate::config) buffer: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct DeparturesDocument {
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) authority: Option<String>,
    pub(in crate::config) protocol: Option<FeedProtocolDocument>,
    pub(in crate::config) scim: Option<ScimFeedDocument>,
    pub(in crate::config) ssf: Option<TransmitterDocument>,
    pub(in crate::config) path: Option<String>,
    pub(in crate::config) authorization: Option<AuthorizationDocument>,
    pub(in crate::config) wait: Option<Patience>,
    pub(in crate::config) every: Option<Patience>,
    pub(in crate::config) timeout: Option<Patience>,
    pub(in crate::config) stale_for: Option<Period>,
    pub(in crate::config) when_stale: Option<WhenStaleDocument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FeedProtocolDocument {
    Firstsight,
    Scim,
    Ssf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct TransmitterDocument {
    pub(in crate::config) issuer: Option<String>,
    pub(in crate::config) audiences: Vec<String>,
    pub(in crate::config) algorithms: Option<Vec<String>>,
    pub(in crate::config) clock_skew: Option<Skew>,
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) jwks_uri: Option<String>,
    pub(in crate::config) jwks: Option<Value>,
    pub(in crate::config) keys_refresh: KeysRefreshDocument,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::config) struct ScimFeedDocument {
    pub(in crate::config) external_id: Option<ExternalIdDocument>,
    pub(in crate::config) issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum WhenStaleDocument {
    Ask,
    Deny,
    Allow,
}
