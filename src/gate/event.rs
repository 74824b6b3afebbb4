//! What happened, for counters and the log. Holds nothing from a token and no credentials.

use super::FeedFailure;
use crate::domain::{Issuer, Kind, Reason};
use crate::token::{EventRefusal, KeyringError};
use crate::wire::scim::Snag;
use crate::wire::{ArrivalAnswer, DiscoveryError};
use std::fmt;

/// Something worth counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An issuer's keys were fetched.
    KeysFetched {
        /// Whose.
        issuer: Issuer,
        /// How many of them are usable.
        usable: usize,
    },
    /// The word of an issuer was taken over from another worker.
    KeysShared,
    /// An issuer's keys could not be had.
    KeysFailed {
        /// Whose.
        issuer: Issuer,
        /// Why.
        why: KeysFailure,
    },
    /// The directory answered an arrival, or did not.
    Arrival(ArrivalOutcome),
    /// Somebody of a kind that has no accounts went on.
    Counted(Kind),
    /// What another worker learnt of a subject was taken over.
    ArrivalShared,
    /// The directory is tried again for somebody who waits.
    ArrivalRetried,
    /// Somebody goes on whom the directory has not confirmed: it is told later.
    ArrivalOwed,
    /// So many arrivals may never be told: too many are owed, or there is no other try.
    ArrivalsDropped(u64),
    /// What an operator should know of a directory that speaks SCIM.
    Snag(Snag),
    /// The directory stopped answering: the first failure after an answer.
    DirectoryLost,
    /// The directory answers again.
    DirectoryBack,
    /// The directory told of so many departures and returns, or of none.
    DeparturesHeard(u64),
    /// Its feed of them could not be heard.
    DeparturesFailed {
        /// Why.
        why: FeedFailure,
        /// Whether it could be before.
        is_first: bool,
    },
    /// It is heard again.
    DeparturesBack,
    /// An event that tells of them was refused for good.
    DeparturesInvalid(EventRefusal),
    /// So many that are departed, or none, had to be forgotten for want of room.
    DeparturesForgotten(u64),
    /// So many sightings arrived at the directory.
    SightingsSent(u64),
    /// So many sightings did not arrive, and are sent again.
    SightingsFailed(u64),
    /// So many sightings are lost: there was no room for them, or no other try.
    SightingsDropped(u64),
    /// So many sightings are lost: the directory refuses them for good.
    SightingsRefused(u64),
    /// So many requests would have been refused since this was told last, if the gateway did not only report.
    Reported {
        /// What for.
        reason: Reason,
        /// How many.
        count: u64,
    },
}

/// How an arrival ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of wire::ArrivalAnswer")]
pub enum ArrivalOutcome {
    Active,
    Exists,
    Pending,
    Denied,
    Departed,
    Invalid,
    Unavailable,
}

impl ArrivalOutcome {
    /// The word for an answer.
    pub(super) const fn of(answer: &ArrivalAnswer) -> Self {
        match answer {
            ArrivalAnswer::Active { existed: false, .. } => Self::Active,
            ArrivalAnswer::Active { existed: true, .. } => Self::Exists,
            ArrivalAnswer::Pending(_) => Self::Pending,
            ArrivalAnswer::Denied(_) => Self::Denied,
            ArrivalAnswer::Departed => Self::Departed,
            ArrivalAnswer::Invalid => Self::Invalid,
            ArrivalAnswer::Unavailable(_) => Self::Unavailable,
        }
    }
}

/// Why an issuer's keys could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysFailure {
    /// The issuer, or the proxy in its place, answered something else than 200.
    #[error("status {0}")]
    Status(u16),
    /// There was no answer.
    #[error("no answer; does the cluster exist and have an endpoint?")]
    NoAnswer,
    /// Its discovery document is unusable.
    #[error("discovery: {0}")]
    Discovery(#[from] DiscoveryError),
    /// Its key set is unusable.
    #[error("keys: {0}")]
    Keyring(#[from] KeyringError),
}

impl Event {
    /// The counter this adds to, and how much.
    pub const fn metric(&self) -> Option<(&'static str, u64)> {
        Some(match self {
            Self::KeysFetched { .. } => ("firstsight.keys.fetched", 1),
            Self::KeysShared => ("firstsight.keys.shared", 1),
            Self::KeysFailed { .. } => ("firstsight.keys.failed", 1),
            Self::Arrival(ArrivalOutcome::Active) => ("firstsight.arrivals.active", 1),
            Self::Arrival(ArrivalOutcome::Exists) => ("firstsight.arrivals.exists", 1),
            Self::Arrival(ArrivalOutcome::Pending) => ("firstsight.arrivals.pending", 1),
            Self::Arrival(ArrivalOutcome::Denied) => ("firstsight.arrivals.denied", 1),
            Self::Arrival(ArrivalOutcome::Departed) => ("firstsight.arrivals.departed", 1),
            Self::Arrival(ArrivalOutcome::Invalid) => ("firstsight.arrivals.invalid", 1),
            Self::Arrival(ArrivalOutcome::Unavailable) => ("firstsight.arrivals.unavailable", 1),
            Self::Counted(Kind::Person) => ("firstsight.counted.person", 1),
            Self::Counted(Kind::Service) => ("firstsight.counted.service", 1),
            Self::Counted(Kind::Agent) => ("firstsight.counted.agent", 1),
            Self::ArrivalShared => ("firstsight.arrivals.shared", 1),
            Self::ArrivalRetried => ("firstsight.arrivals.retried", 1),
            Self::ArrivalOwed => ("firstsight.arrivals.owed", 1),
            Self::ArrivalsDropped(count) => ("firstsight.arrivals.dropped", *count),
            Self::Snag(Snag::Ambiguous) => ("firstsight.scim.ambiguous", 1),
            Self::Snag(Snag::Malformed) => ("firstsight.scim.malformed", 1),
            Self::Snag(Snag::Unfiltered) => ("firstsight.scim.unfiltered", 1),
            Self::Snag(Snag::Refused) => ("firstsight.scim.refused", 1),
            Self::Snag(Snag::Late) => ("firstsight.scim.late", 1),
            Self::Snag(Snag::Memberships) => ("firstsight.scim.memberships", 1),
            Self::DeparturesHeard(count) => ("firstsight.departures.heard", *count),
            Self::DeparturesFailed { .. } => ("firstsight.departures.failed", 1),
            Self::DeparturesInvalid(_) => ("firstsight.departures.invalid", 1),
            Self::DeparturesForgotten(count) => ("firstsight.departures.forgotten", *count),
            Self::SightingsSent(count) => ("firstsight.sightings.sent", *count),
            Self::SightingsFailed(count) => ("firstsight.sightings.failed", *count),
            Self::SightingsDropped(count) => ("firstsight.sightings.dropped", *count),
            Self::SightingsRefused(count) => ("firstsight.sightings.refused", *count),
            // Requests are counted one by one, as they end.
            Self::DirectoryLost | Self::DirectoryBack | Self::DeparturesBack | Self::Reported { .. } => {
                return None;
            }
        })
    }

    /// Whether it is worth a line in the log, and if so whether the operator should look at it: what may happen with every
    /// request is only counted.
    pub const fn log(&self) -> Option<Tone> {
        match self {
            Self::KeysFetched { .. } | Self::DirectoryBack | Self::DeparturesBack => Some(Tone::Fine),
            Self::KeysFailed { .. } | Self::DirectoryLost => Some(Tone::Trouble),
            Self::SightingsFailed(_) | Self::SightingsRefused(_) => Some(Tone::Trouble),
            Self::Reported { .. } => Some(Tone::Trouble),
            Self::DeparturesFailed { is_first: true, .. } => Some(Tone::Trouble),
            Self::DeparturesInvalid(_) | Self::DeparturesForgotten(1..) => Some(Tone::SameTrouble),
            Self::Arrival(ArrivalOutcome::Invalid) | Self::Snag(_) => Some(Tone::SameTrouble),
            Self::DeparturesHeard(_) | Self::DeparturesFailed { .. } | Self::DeparturesForgotten(_) => None,
            Self::KeysShared | Self::Arrival(_) | Self::SightingsSent(_) | Self::SightingsDropped(_) => None,
            Self::Counted(_)
            | Self::ArrivalShared
            | Self::ArrivalRetried
            | Self::ArrivalOwed
            | Self::ArrivalsDropped(_) => None,
        }
    }
}

/// How a log line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As expected.
    Fine,
    /// Somebody should look.
    Trouble,
    /// The same, but it may come with every subject: once in a while is enough.
    SameTrouble,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeysFetched { issuer, usable } => {
                write!(f, "keys of {} fetched: {usable} usable", issuer.as_str())
            }
            Self::KeysShared => f.write_str("an issuer's word was taken over from another worker"),
            Self::KeysFailed { issuer, why } => write!(f, "keys of {} not fetched: {why}", issuer.as_str()),
            Self::Arrival(ArrivalOutcome::Invalid) => {
                f.write_str("the directory takes an account's attributes for invalid, or its account is; check the mapping")
            }
            Self::Arrival(outcome) => write!(f, "an arrival was answered: {outcome:?}"),
            Self::Counted(kind) => write!(f, "a {kind:?} went on without an account"),
            Self::ArrivalShared => f.write_str("another worker's word on a subject was taken over"),
            Self::ArrivalRetried => f.write_str("the directory is tried again"),
            Self::ArrivalOwed => f.write_str("a subject goes on unconfirmed, and is told later"),
            Self::ArrivalsDropped(count) => write!(f, "{count} arrivals may never be told"),
            Self::Snag(snag) => f.write_str(match snag {
                Snag::Ambiguous => {
                    "the directory has several accounts with one external id; none of them is taken"
                }
                Snag::Malformed => {
                    "the directory has an account with an unusable id, or does not say whether it is active; it is not taken"
                }
                Snag::Unfiltered => {
                    "the directory ignores filters, and has too many accounts to read them all"
                }
                Snag::Refused => {
                    "the directory does not take the attributes of an account that exists; check the mapping"
                }
                Snag::Late => "the directory could not bring an account up to date; it is tried again soon",
                Snag::Memberships => "the directory could not bring all memberships of an account up to date",
            }),
            Self::DirectoryLost => f.write_str(
                "the directory does not answer; whom it has not confirmed lately gets the posture",
            ),
            Self::DirectoryBack => f.write_str("the directory answers again"),
            Self::DeparturesHeard(count) => write!(f, "{count} departures and returns heard"),
            Self::DeparturesFailed { why, .. } => write!(f, "who departed cannot be heard: {why}"),
            Self::DeparturesBack => f.write_str("who departed is heard again"),
            Self::DeparturesInvalid(why) => write!(f, "an event of the transmitter was refused: {why}"),
            Self::DeparturesForgotten(_) => f.write_str(
                "more are departed than limits.departures: the directory is asked about everybody, again and again",
            ),
            Self::SightingsSent(count) => write!(f, "{count} sightings sent"),
            Self::SightingsFailed(count) => write!(f, "{count} sightings not sent, kept for the next try"),
            Self::SightingsDropped(count) => write!(f, "{count} sightings lost"),
            Self::SightingsRefused(count) => {
                write!(f, "{count} sightings lost: the directory does not take them")
            }
            Self::Reported { reason, count } => {
                let slug = reason.slug();
                write!(
                    f,
                    "report mode: {count} request(s) would have been refused since the last line: {slug}"
                )
            }
        }
    }
}
