//! What tells an account of a SCIM directory from all others. E-mail addresses and user names change hands, so neither is it.

use crate::domain::Subject;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Issuer, SubjectId};

    #[test]
    fn an_external_id_is_what_the_operator_chose() {
        let issuer = Issuer::parse("https://idp.example.com").unwrap();
        let subject = Subject { issuer, id: SubjectId::parse("jane").unwrap() };
        assert_eq!(ExternalId::Sub.of(&subject), "jane");
        assert_eq!(ExternalId::Key.of(&subject), subject.key().to_string());
        assert_eq!(ExternalId::IssuerAndSub.of(&subject), "https://idp.example.com|jane");
    }
}
