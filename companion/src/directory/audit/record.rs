//! One record of the audit, and the form over which its hash is made.

use super::super::lifecycle::{Cause, Event};
use firstsight::domain::Timestamp;
use serde::{Deserialize, Serialize};
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

/// A token that a record is about, as it was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::directory) struct TokenNote {
    pub(in crate::directory) id: String,
    pub(in crate::directory) name: String,
    pub(in crate::directory) scopes: Vec<String>,
    /// RFC 3339 time, UTC.
    pub(in crate::directory) expires_at: Option<String>,
}

/// A record as it is exported. The canonical form is its JSON in one line, with the members in this order, without
/// `hash`; `hash` is the SHA-256 of that as 64 hexadecimal digits, and `previous` the hash of the record before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::directory) struct Record {
    /// 1 for the first record, and one more for each that follows.
    pub(in crate::directory) sequence: i64,
    /// RFC 3339 time, UTC.
    pub(in crate::directory) at: String,
    /// Empty, like the subject's key, if it is about no account.
    pub(in crate::directory) account: String,
    pub(in crate::directory) subject_key: String,
    pub(in crate::directory) event: String,
    pub(in crate::directory) cause: String,
    pub(in crate::directory) actor: String,
    pub(in crate::directory) gateway: Option<String>,
    pub(in crate::directory) mapping: Option<String>,
    pub(in crate::directory) attributes: Vec<String>,
    pub(in crate::directory) reason: Option<String>,
    /// Only there if the record is about a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::directory) token: Option<TokenNote>,
    pub(in crate::directory) previous: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::directory) hash: String,
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
            token: None,
            previous,
            hash: String::new(),
        };
        record.sealed()
    }

    /// The record of what somebody did to a token, likewise.
    pub(super) fn about_token(
        (at, event, actor): (Timestamp, &str, &str),
        token: &TokenNote,
        (sequence, previous): (i64, String),
    ) -> Self {
        let record = Self {
            sequence: sequence + 1,
            at: at.rfc3339(),
            account: String::new(),
            subject_key: String::new(),
            event: event.to_owned(),
            cause: Cause::Admin.word().to_owned(),
            actor: actor.to_owned(),
            gateway: None,
            mapping: None,
            attributes: Vec::new(),
            reason: None,
            token: Some(token.clone()),
            previous,
            hash: String::new(),
        };
        record.sealed()
    }

    fn sealed(self) -> Self {
        Self { hash: self.digest(), ..self }
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
        let token: Option<String> = row.try_get("token")?;
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
            token: token
                .map(|token| serde_json::from_str(&token))
                .transpose()
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
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

    #[test]
    fn a_record_about_a_token_names_it_and_no_account() {
        let (id, name, scopes) = ("0199".into(), "edge-1".into(), vec!["gateway".into()]);
        let token = TokenNote { id, name, scopes, expires_at: None };
        let done = (Timestamp::from_secs(1_795_458_540), "token-made", "environment");
        let record = Record::about_token(done, &token, (1, BEGINNING.into()));
        let unsealed = format!(
            r#"{{"sequence":2,"at":"2026-11-23T18:29:00.000Z","account":"","subject_key":"","event":"token-made","cause":"admin","actor":"environment","gateway":null,"mapping":null,"attributes":[],"reason":null,"token":{{"id":"0199","name":"edge-1","scopes":["gateway"],"expires_at":null}},"previous":"{BEGINNING}""#
        );
        assert_eq!(record.hash, format!("{:x}", Sha256::digest(format!("{unsealed}}}"))));
    }
}
