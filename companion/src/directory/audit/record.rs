//! One record of the audit, and the form over which its hash is made.

use super::super::lifecycle::{Cause, Event};
use firstsight::domain::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The `previous` of the first record.
pub(super) const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is to be recorded.
pub(in crate::directory) struct Entry<'a> {
    pub(in crate::directory) at: Timestamp,
    /// The account's id.
    pub(in crate::directory) account: &'a str,
    /// Empty as long as the account has no subject.
    pub(in crate::directory) subject_key: &'a str,
    pub(in crate::directory) event: Event,
    pub(in crate::directory) cause: Cause,
    /// Who did it.
    pub(in crate::directory) actor: &'a str,
    /// The gateway that asked for it, and the digest of its mapping.
    pub(in crate::directory) gateway: Option<(&'a str, &'a str)>,
    /// The dotted names of attributes that became others; never their values.
    pub(in crate::directory) attributes: Vec<String>,
    /// Why, in the words of whoever did it.
    pub(in crate::directory) reason: Option<&'a str>,
}

/// A record as it is exported. The canonical form is its JSON in one line, with the members in this order, without
/// `hash`; `hash` is the SHA-256 of that as 64 hexadecimal digits, and `previous` the hash of the record before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::directory) struct Record {
    /// 1 for the first record, and one more for each that follows.
    pub(super) sequence: i64,
    /// RFC 3339 time, UTC.
    pub(super) at: String,
    pub(super) account: String,
    pub(super) subject_key: String,
    pub(super) event: String,
    pub(super) cause: String,
    pub(super) actor: String,
    pub(super) gateway: Option<String>,
    pub(super) mapping: Option<String>,
    pub(super) attributes: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) previous: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) hash: String,
}

impl Record {
    /// The record of an entry after one whose sequence and hash are these.
    pub(super) fn new(entry: &Entry<'_>, (sequence, previous): (i64, String)) -> Self {
        let record = Self {
            sequence: sequence + 1,
            at: entry.at.rfc3339(),
            account: entry.account.to_owned(),
            subject_key: entry.subject_key.to_owned(),
            event: entry.event.word().to_owned(),
            cause: entry.cause.word().to_owned(),
            actor: entry.actor.to_owned(),
            gateway: entry.gateway.map(|(gateway, _)| gateway.to_owned()),
            mapping: entry.gateway.map(|(_, mapping)| mapping.to_owned()),
            attributes: entry.attributes.clone(),
            reason: entry.reason.map(str::to_owned),
            previous,
            hash: String::new(),
        };
        Self { hash: record.digest(), ..record }
    }

    /// The hash that the record should have.
    pub(super) fn digest(&self) -> String {
        let unsealed = Self { hash: String::new(), ..self.clone() };
        format!("{:x}", Sha256::digest(unsealed.line()))
    }

    /// The record as one line of JSON.
    pub(super) fn line(&self) -> String {
        // Text, numbers and lists of text always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let at: i64 = row.try_get("at")?;
        let at = u64::try_from(at).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let attributes: String = row.try_get("attributes")?;
        Ok(Self {
            sequence: row.try_get("sequence")?,
            at: Timestamp::from_millis(at).rfc3339(),
            account: row.try_get("account")?,
            subject_key: row.try_get("subject_key")?,
            event: row.try_get("event")?,
            cause: row.try_get("cause")?,
            actor: row.try_get("actor")?,
            gateway: row.try_get("gateway")?,
            mapping: row.try_get("mapping")?,
            attributes: serde_json::from_str(&attributes)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            reason: row.try_get("reason")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_record_is_the_same_in_every_release() {
        let entry = Entry {
            at: Timestamp::from_secs(1_795_458_540),
            account: "0199",
            subject_key: "2974",
            event: Event::Arrival,
            cause: Cause::Gateway(firstsight::wire::Cause::Arrival),
            actor: "gateway",
            gateway: Some(("edge-1", "mapping-1")),
            attributes: vec!["name.givenName".into(), "userName".into()],
            reason: None,
        };
        let record = Record::new(&entry, (0, BEGINNING.into()));
        let unsealed = format!(
            r#"{{"sequence":1,"at":"2026-11-23T18:29:00.000Z","account":"0199","subject_key":"2974","event":"arrival","cause":"arrival","actor":"gateway","gateway":"edge-1","mapping":"mapping-1","attributes":["name.givenName","userName"],"reason":null,"previous":"{BEGINNING}""#
        );
        assert_eq!(record.line(), format!(r#"{unsealed},"hash":"{}"}}"#, record.hash));
        // The line without its hash, through sha256sum.
        assert_eq!(record.hash, format!("{:x}", Sha256::digest(format!("{unsealed}}}"))));
    }
}
