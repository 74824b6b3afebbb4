//! The configuration, resolved: no options left open, nothing that can be wrong.

use crate::domain::{Backoff, BreakerTerms};
use crate::mapping::{Managed, Mapping};
use crate::route::Routes;
use crate::token::{Credentials, Crypto, Demand, Keyring, Transmitter, Trust};
use crate::wire::ChallengeTerms;
use crate::wire::scim::{ExternalId, ScimTerms, Whose};
use http::HeaderValue;
use std::time::Duration;

/// Everything a gate is told before its first request.
#[derive(Clone)]
pub struct Policy {
    /// This gateway's name, in arrivals and sightings.
    pub gateway: String,
    /// Whether anybody is refused.
    pub mode: Mode,
    /// Where tokens may be.
    pub credentials: Credentials,
    /// Which rule a request falls under.
    pub routes: Routes,
    /// What each route asks of a token, in the order of the routes; the last is for requests under none.
    pub demands: Vec<Demand>,
    /// Whether a first request waits, in the same order.
    pub paces: Vec<Pace>,
    /// At least one, no two alike.
    pub issuers: Vec<IssuerPolicy>,
    /// What the application and the directory are told of a subject.
    pub mapping: Mapping,
    /// The account's headers that the mapping names, as the directory names them; an account holds them in this order.
    pub account_headers: Vec<String>,
    /// The headers that are ours alone.
    pub managed: Managed,
    /// Where and how accounts are made.
    pub provisioning: Provisioning,
    /// Where and how it is heard who departed, if it is.
    pub departures: Option<DeparturesFeed>,
    /// Whose events tell it, where that is done by events.
    pub transmitter: Option<TransmitterPolicy>,
    /// Where and how sightings are reported.
    pub last_seen: Option<LastSeen>,
    /// What every challenge says.
    pub challenge: ChallengeTerms,
    /// The bounds of everything that grows.
    pub limits: Limits,
}

/// Whether decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Enforce,
    /// Who would be refused goes on without an identity, and is counted.
    Report,
}

/// One issuer.
#[derive(Clone)]
pub struct IssuerPolicy {
    /// The terms its tokens must meet.
    pub trust: Trust,
    /// Where its keys are.
    pub keys: KeySource,
    /// Who checks with them.
    pub crypto: Crypto,
}

/// A transmitter of shared signals.
#[derive(Clone)]
pub struct TransmitterPolicy {
    /// The terms its events must meet.
    pub terms: Transmitter,
    /// Where its keys are.
    pub keys: KeySource,
    /// Who checks with them.
    pub crypto: Crypto,
}

/// Where an issuer's keys are.
#[derive(Clone)]
pub enum KeySource {
    /// In the configuration.
    Inline(Keyring),
    /// At an address the operator wrote down.
    Address {
        /// Where, and through which cluster.
        at: Upstream,
        /// When they are fetched.
        refresh: KeysRefresh,
    },
    /// At an address the issuer's discovery document tells.
    Discovery {
        /// Where the document is, and through which cluster both are fetched.
        at: Upstream,
        /// When they are fetched.
        refresh: KeysRefresh,
    },
}

/// When keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysRefresh {
    /// This long after they were fetched they are fetched again, if the issuer does not say how long they are fresh.
    pub every: Duration,
    /// If it does, they are fetched again after that, but not before this.
    pub at_least: Duration,
    /// And no later than this.
    pub at_most: Duration,
    /// This long after they were fetched they are still used, while the issuer cannot be reached.
    pub stale_for: Duration,
    /// At most one fetch in this time is made because a token named an unknown key.
    pub unknown_kid: Duration,
}

/// Something that is called through one of the proxy's clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The proxy's name for where it is.
    pub cluster: String,
    /// The `:authority` it is asked under.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// The `authorization` header it wants, marked sensitive.
    pub authorization: Option<HeaderValue>,
    /// How long one call may take.
    pub timeout: Duration,
}

/// Where and how accounts are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioning {
    /// The directory: its endpoint for arrivals, or the base of its SCIM service.
    pub at: Upstream,
    /// What is spoken with it.
    pub protocol: Protocol,
    /// How often it is tried for one request.
    pub attempts: u32,
    /// The pauses between tries; what has to be told sooner or later is tried on, in pauses up to [`Self::RARELY`].
    pub backoff: Backoff,
    /// When it is left alone, by all workers of the process.
    pub breaker: BreakerTerms,
    /// What becomes of a new subject while the directory cannot be reached.
    pub when_unavailable: Posture,
    /// An account that the directory called active is asked about again after this long.
    pub refresh: Duration,
    /// A drift of one subject is told at most once in this time.
    pub drift_every: Duration,
}

impl Provisioning {
    /// How seldom at least an arrival that is owed to the directory is tried; ten times as seldom, if the directory wants it.
    pub const RARELY: Duration = Duration::from_secs(30);
}

/// What is spoken with the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /v1/arrivals`.
    Firstsight,
    /// SCIM 2.0 (RFC 7644).
    Scim {
        /// Where it is, and what it does.
        terms: ScimTerms,
        /// What tells one account from another.
        external_id: ExternalId,
    },
}

/// Whether a request of somebody new waits for the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It is held until the directory has answered.
    Hold,
    /// It goes on at once, and the directory is asked behind it.
    Background,
}

/// What becomes of a request when an upstream that should decide cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posture {
    /// It is refused with 503 and `Retry-After`.
    Deny,
    /// It goes on, without the headers that only an account has.
    Allow,
    /// It goes on if the gateway knows an account of its subject, however long ago the directory said so.
    AllowKnown,
}

/// Where and how it is heard who departed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeparturesFeed {
    /// The source: the directory's feed, the base of its SCIM service, or where a transmitter is polled.
    pub at: Upstream,
    /// What is spoken with it.
    pub protocol: FeedProtocol,
    /// Not heard for so long, the feed is stale.
    pub stale_for: Duration,
    /// What becomes of everybody then.
    pub when_stale: WhenStale,
}

/// What is spoken with a source of departures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedProtocol {
    /// `GET /v1/departures`.
    Firstsight {
        /// How long the directory waits for news before it says that there are none.
        wait: Duration,
    },
    /// SCIM 2.0 (RFC 7644): users are read again and again.
    Scim(ScimFeed),
    /// Events of a transmitter of shared signals are polled for (RFC 8936).
    Ssf {
        /// The pause between polls; `None` if the transmitter waits for events.
        every: Option<Duration>,
    },
}

/// How users of a SCIM directory are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimFeed {
    /// Which subject a user is.
    pub whose: Whose,
    /// The pause between readings.
    pub every: Duration,
}

/// What is relied on while nobody knows who departed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// The directory's word on each subject, for half a minute; then it is asked about again.
    Ask,
    /// Nothing: whoever needs an account is refused with 503.
    Deny,
    /// Everything, as ever.
    Allow,
}

/// Where and how sightings are reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSeen {
    /// The directory's endpoint for sightings.
    pub at: Upstream,
    /// The window: a subject is reported once in this time.
    pub every: Duration,
    /// The most sightings in one call.
    pub batch: usize,
    /// The most sightings kept while they cannot be sent.
    pub buffer: usize,
}

/// The bounds of everything that grows with what clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest token that is read, in bytes.
    pub token_bytes: usize,
    /// The most verified tokens that are remembered, in each worker.
    pub tokens: usize,
    /// The most memory that they take, in bytes.
    pub tokens_bytes: usize,
    /// The most subjects that are remembered, by all workers together.
    pub subjects: usize,
    /// The most departures and returns that are remembered, by each worker.
    pub departures: usize,
    /// The most subjects that the directory is asked about at a time, by each worker.
    pub calls: usize,
    /// The most arrivals, in each worker, that the directory is told later.
    pub owed: usize,
    /// The most requests that wait at a time, in each worker.
    pub waiting: usize,
    /// The longest time that a request waits.
    pub hold: Duration,
}
