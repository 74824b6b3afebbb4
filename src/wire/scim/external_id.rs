//! What tells an account of a SCIM directory from all others. E-mail addresses and user names change hands, so neither is it.

use crate::domain::{Issuer, Subject, SubjectId, SubjectKey};

/// What an account's `externalId` is made of. It is compared to the letter (RFC 7643 §3.1: `caseExact`), and must never
/// change for accounts that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalId {
    /// The `sub` as it stands: for one issuer alone, as two may give the same to different people.
    Sub,
    /// The subject's key, 64 hexadecimal digits: for any number of issuers, and tells nobody who it is.
    Key,
    /// The issuer, a bar and the `sub`: for any number of issuers, and can be read by people.
    IssuerAndSub,
}

impl ExternalId {
    /// The external id of `subject`.
    pub fn of(self, subject: &Subject) -> String {
        match self {
            Self::Sub => subject.id.as_str().to_owned(),
            Self::Key => subject.key().to_string(),
            Self::IssuerAndSub => format!("{}|{}", subject.issuer.as_str(), subject.id.as_str()),
        }
    }
}

/// The way back: whose account it is that has an external id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// It is the `sub` of this issuer's subject.
    Sub(Issuer),
    /// It is the subject's key.
    Key,
    /// It is the issuer, a bar and the `sub`. No issuer's name holds a bar; a `sub` may.
    IssuerAndSub,
}

impl Whose {
    /// The subject with that external id; `None` if it is of another make, as somebody else's account may have one.
    pub fn key(&self, external_id: &str) -> Option<SubjectKey> {
        let (issuer, id) = match self {
            Self::Key => return SubjectKey::parse(external_id),
            Self::Sub(issuer) => (issuer.clone(), external_id),
            Self::IssuerAndSub => {
                let (issuer, id) = external_id.split_once('|')?;
                (Issuer::parse(issuer).ok()?, id)
            }
        };
        Some(Subject { issuer, id: SubjectId::parse(id)? }.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_what_the_operator_chose() {
        let issuer = Issuer::parse("https://idp.example.com").unwrap();
        let subject = Subject { issuer, id: SubjectId::parse("jane").unwrap() };
        assert_eq!(ExternalId::Sub.of(&subject), "jane");
        assert_eq!(ExternalId::Key.of(&subject), subject.key().to_string());
        assert_eq!(ExternalId::IssuerAndSub.of(&subject), "https://idp.example.com|jane");
    }

    #[test]
    fn an_external_id_leads_back_to_its_subject() {
        let issuer = Issuer::parse("https://idp.example.com").unwrap();
        for sub in ["jane", "auth0|jane", "jörg"] {
            let subject = Subject { issuer: issuer.clone(), id: SubjectId::parse(sub).unwrap() };
            for (form, whose) in [
                (ExternalId::Sub, Whose::Sub(issuer.clone())),
                (ExternalId::Key, Whose::Key),
                (ExternalId::IssuerAndSub, Whose::IssuerAndSub),
            ] {
                assert_eq!(whose.key(&form.of(&subject)), Some(subject.key()), "{form:?}");
            }
        }
        for odd in ["", "E-4711", "idp|jane", "https://idp.example.com|"] {
            assert_eq!([Whose::Key, Whose::IssuerAndSub].map(|whose| whose.key(odd)), [None, None], "{odd}");
        }
    }
}
