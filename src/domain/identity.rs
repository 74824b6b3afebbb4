//! What the mapping makes of verified claims.

use super::{Kind, Subject, SubjectKey, Timestamp};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who asks, in the operator's words: made only from verified claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The durable key of whoever asks.
    pub subject: Subject,
    /// Its digest.
    pub key: SubjectKey,
    /// Person, service or agent.
    pub kind: Kind,
    /// Headers for the application, in the operator's order.
    pub headers: Vec<(HeaderName, HeaderSource)>,
    /// The same for the proxy's other filters and its log, by their keys.
    pub filter_state: Vec<(Arc<str>, HeaderSource)>,
    /// Of the attributes that are kept in step with the claims; `None` if there are none.
    pub fingerprint: Option<Fingerprint>,
    /// When the issuer made the token (`iat`), if it says so: of two tokens the newer one tells how somebody is now.
    pub issued_at: Option<Timestamp>,
}

/// A digest of the attributes that are kept in step (`sync: always`), as a mapping makes them: another fingerprint is a
/// drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

/// An account, as the directory names it. Every text in it can be a header's value as it stands: the directory is
/// believed, not trusted with bytes, and whoever reads its answer leaves out what cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The directory's own id of it.
    pub id: Option<Box<str>>,
    /// Headers of it that the mapping names, each in its place.
    pub headers: Box<[Option<Box<str>>]>,
}

/// Where a header's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// A claim's value, ready to send.
    Claim(HeaderValue),
    /// Something of the account, known once the directory has answered.
    Account(AccountMember),
}

/// What a header may hold of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountMember {
    /// The directory's id of it.
    Id,
    /// One of its headers, by its place.
    Header(usize),
}

impl Account {
    /// What it has for a header.
    pub fn member(&self, member: AccountMember) -> Option<&str> {
        match member {
            AccountMember::Id => self.id.as_deref(),
            AccountMember::Header(place) => self.headers.get(place)?.as_deref(),
        }
    }

    /// Every text in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.id.iter().chain(self.headers.iter().flatten()).map(|text| &**text)
    }
}
