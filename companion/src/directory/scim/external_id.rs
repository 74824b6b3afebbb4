//! Which subject an `externalId` names: the forms that a gateway writes, read again. Knows neither HTTP nor the database.

use firstsight::domain::{Issuer, Subject, SubjectId};
use firstsight::wire::scim::ExternalId;

/// How subjects are named.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Names {
    /// Whose `sub` an external id is that names no issuer.
    pub(super) issuer: Option<Issuer>,
}

/// The longest external id, in bytes: what an index takes.
const LONGEST: usize = 2048;

impl Names {
    /// The subject of an external id; `None` if none can be told from it.
    pub(super) fn subject(&self, external_id: &str) -> Option<Subject> {
        let with_issuer = external_id.split_once('|').and_then(|(issuer, id)| {
            Some(Subject { issuer: Issuer::parse(issuer).ok()?, id: SubjectId::parse(id)? })
        });
        with_issuer
            .or_else(|| Some(Subject { issuer: self.issuer.clone()?, id: SubjectId::parse(external_id)? }))
    }

    /// The external id of an account that nobody gave one: of the issuer whose `sub` needs no issuer, that alone.
    pub(super) fn external_id(&self, issuer: &str, id: &str) -> String {
        match Issuer::parse(issuer).ok().zip(SubjectId::parse(id)) {
            Some((issuer, id)) if self.issuer.as_ref() == Some(&issuer) => {
                ExternalId::Sub.of(&Subject { issuer, id })
            }
            Some((issuer, id)) => ExternalId::IssuerAndSub.of(&Subject { issuer, id }),
            None => format!("{issuer}|{id}"),
        }
    }
}

/// Whether an account can have it.
pub(super) fn fits(external_id: &str) -> bool {
    (1..=LONGEST).contains(&external_id.len()) && !external_id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://idp.example.com";

    fn told(issuer: Option<&str>, external_id: &str) -> Option<(String, String)> {
        let names = Names { issuer: issuer.map(|issuer| Issuer::parse(issuer).unwrap()) };
        let subject = names.subject(external_id)?;
        let told = (subject.issuer.as_str().to_owned(), subject.id.as_str().to_owned());
        assert_eq!(names.external_id(&told.0, &told.1), external_id, "it is written as it is read");
        Some(told)
    }

    #[test]
    fn an_external_id_names_the_subject_that_a_gateway_means_by_it() {
        let jane = |id: &str| Some((ISSUER.to_owned(), id.to_owned()));
        assert_eq!(told(None, "https://idp.example.com|auth0|jane"), jane("auth0|jane"));
        assert_eq!(told(Some(ISSUER), "jane"), jane("jane"));
        assert_eq!(told(Some(ISSUER), "auth0|jane"), jane("auth0|jane"));
        assert_eq!(told(None, "jane"), None);
        assert_eq!(told(None, "auth0|jane"), None);
    }

    #[test]
    fn another_issuers_subject_keeps_its_issuer() {
        let other = Some(("https://other.example.com".to_owned(), "jane".to_owned()));
        assert_eq!(told(Some(ISSUER), "https://other.example.com|jane"), other);
    }

    #[test]
    fn an_external_id_that_an_index_does_not_take_is_none() {
        assert!(fits("jane") && !fits("") && !fits("a\nb") && !fits(&"x".repeat(2049)));
    }
}
