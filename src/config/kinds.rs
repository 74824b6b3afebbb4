//! The `kinds` of a configuration: who is told from whom, and what is done for each.

use super::document::{KindDocument, KindsDocument, SignDocument, TreatmentDocument};
use super::problem::Problems;
use super::terms::{CLAIM_HINT, any_of, pattern};
use crate::domain::ClaimPath;
use crate::mapping::{KindRule, Kinds, Sign, Treatment};
use crate::token::ClaimValue;

pub(super) fn compile(document: KindsDocument, problems: &Problems) -> Kinds {
    let usual = Kinds::default();
    if document.person.when.is_some() {
        let what = "everybody whom the other kinds do not name is a person";
        problems.add("kinds.person.when", what, "write who is an agent, and who a service");
    }
    Kinds {
        agent: rule(document.agent, usual.agent, "kinds.agent", problems),
        service: rule(document.service, usual.service, "kinds.service", problems),
        person: treatment(document.person.treatment, usual.person),
    }
}

fn rule(document: KindDocument, usual: KindRule, path: &str, problems: &Problems) -> KindRule {
    let signs = |written: Vec<SignDocument>| {
        let signs = written.iter().enumerate();
        signs
            .filter_map(|(index, written)| sign(written, &format!("{path}.when[{index}]"), problems))
            .collect()
    };
    KindRule {
        when: document.when.map_or(usual.when, signs),
        treatment: treatment(document.treatment, usual.treatment),
    }
}

fn sign(document: &SignDocument, path: &str, problems: &Problems) -> Option<Sign> {
    let named = |name: Option<&str>, key: &str| {
        let claim = name.ok_or("it is missing").and_then(ClaimPath::parse);
        problems.take(claim, &format!("{path}.{key}"), CLAIM_HINT)
    };
    let claim = named(document.claim.as_deref(), "claim");
    match (&document.same_as, &document.equals, &document.matches) {
        (None, None, None) => claim.map(Sign::Present),
        (Some(other), None, None) => {
            let other = named(Some(other), "same_as");
            Some(Sign::Same(claim?, other?))
        }
        (None, Some(wanted), None) => {
            let any_of = any_of(wanted, &format!("{path}.equals"), problems);
            Some(Sign::Value(ClaimValue { claim: claim?, any_of }))
        }
        (None, None, Some(text)) => {
            let pattern = pattern(text, &format!("{path}.matches"), problems);
            Some(Sign::Matching(claim?, pattern?))
        }
        _ => {
            let hint = "write one of same_as, equals and matches; another sign is another item";
            problems.add(path, "it asks for more than one thing", hint);
            None
        }
    }
}

fn treatment(written: Option<TreatmentDocument>, usual: Treatment) -> Treatment {
    match written {
        None => usual,
        Some(TreatmentDocument::Provision) => Treatment::Provision,
        Some(TreatmentDocument::Count) => Treatment::Count,
        Some(TreatmentDocument::Refuse) => Treatment::Refuse,
    }
}
