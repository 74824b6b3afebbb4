//! Who is a person, a service or an agent, and what is done for each. Knows claims only.

use crate::domain::{ClaimPath, Kind, Pattern};
use crate::token::{ClaimValue, Claims};
use serde_json::{Map, Value};

/// Tried in this order: an agent is told first, then a service; everybody else is a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Kinds {
    /// Who is an agent.
    pub agent: KindRule,
    /// Who is a service.
    pub service: KindRule,
    /// What is done for everybody else.
    pub person: Treatment,
}

/// How a kind is told, and what is done for it.
#[derive(Debug, Clone, PartialEq)]
pub struct KindRule {
    /// One of these signs is enough; without any, nobody is of this kind.
    pub when: Vec<Sign>,
    /// What is done.
    pub treatment: Treatment,
}

/// What is done for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The directory makes an account for it.
    Provision,
    /// It goes on without an account, and its sightings are told.
    Count,
    /// It is refused.
    Refuse,
}

/// Something that tells a kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Sign {
    /// The claim is there.
    Present(ClaimPath),
    /// Both claims are there and say the same.
    Same(ClaimPath, ClaimPath),
    /// The claim has one of these values.
    Value(ClaimValue),
    /// The claim is a text that matches, or a list that holds one.
    Matching(ClaimPath, Pattern),
}

/// The longest text that is matched: an expression looks at it more than once.
const LONGEST_TEXT: usize = 1024;

impl Default for Kinds {
    /// An agent acts for somebody (`act`, RFC 8693 §4.1); a service acts for itself, its `sub` being its own `client_id`
    /// (RFC 9068 §2.2). All of them get accounts.
    fn default() -> Self {
        let own = |claim| Sign::Same(ClaimPath::named(claim), ClaimPath::named("sub"));
        let rule = |when| KindRule { when, treatment: Treatment::Provision };
        Self {
            agent: rule(vec![Sign::Present(ClaimPath::named("act"))]),
            service: rule(vec![own("client_id"), own("azp")]),
            person: Treatment::Provision,
        }
    }
}

impl Kinds {
    /// What a token's subject is.
    pub fn kind_of(&self, claims: &Claims) -> Kind {
        self.kind(claims.members())
    }

    /// What is done for this kind.
    pub fn treatment(&self, kind: Kind) -> Treatment {
        match kind {
            Kind::Agent => self.agent.treatment,
            Kind::Service => self.service.treatment,
            Kind::Person => self.person,
        }
    }

    fn kind(&self, claims: &Map<String, Value>) -> Kind {
        let is = |rule: &KindRule| rule.when.iter().any(|sign| sign.is_in(claims));
        if is(&self.agent) {
            Kind::Agent
        } else if is(&self.service) {
            Kind::Service
        } else {
            Kind::Person
        }
    }
}

impl Sign {
    fn is_in(&self, claims: &Map<String, Value>) -> bool {
        match self {
            Self::Present(claim) => claim.find(claims).is_some(),
            Self::Same(claim, other) => {
                claim.find(claims).is_some_and(|value| other.find(claims) == Some(value))
            }
            Self::Value(value) => value.is_in(claims),
            Self::Matching(claim, pattern) => {
                let matches = |value: &Value| {
                    value.as_str().is_some_and(|text| text.len() <= LONGEST_TEXT && pattern.matches(text))
                };
                match claim.find(claims) {
                    Some(Value::Array(items)) => items.iter().any(matches),
                    Some(value) => matches(value),
                    None => false,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(kinds: &Kinds, claims: &Value) -> Kind {
        kinds.kind(claims.as_object().unwrap())
    }

    #[test]
    fn a_service_acts_for_itself_and_an_agent_for_somebody_else() {
        for (claims, expected) in [
            (json!({"sub": "jane"}), Kind::Person),
            (json!({"sub": "jane", "client_id": "web", "azp": "web"}), Kind::Person),
            (json!({"sub": "web", "client_id": "web"}), Kind::Service),
            (json!({"sub": "web", "azp": "web"}), Kind::Service),
            (json!({"sub": "web", "client_id": ["web"]}), Kind::Person),
            (json!({"sub": "web", "client_id": "web", "act": {"sub": "bot"}}), Kind::Agent),
            (json!({"sub": "jane", "act": null}), Kind::Person),
        ] {
            assert_eq!(kind(&Kinds::default(), &claims), expected, "{claims}");
        }
    }

    #[test]
    fn one_sign_is_enough_and_without_signs_nobody_is_of_a_kind() {
        let claim = |name: &str| ClaimPath::parse(name).unwrap();
        let pattern = Pattern::parse("regex:svc-.*").unwrap();
        let any_of = vec![json!("app"), json!(1)];
        let mut kinds = Kinds::default();
        kinds.agent.when = vec![];
        kinds.service.when = vec![
            Sign::Value(ClaimValue { claim: claim("idtyp"), any_of }),
            Sign::Matching(claim("a.b"), pattern),
        ];
        for (claims, expected) in [
            (json!({"act": {"sub": "bot"}}), Kind::Person),
            (json!({"sub": "web", "client_id": "web"}), Kind::Person),
            (json!({"idtyp": "app"}), Kind::Service),
            (json!({"idtyp": 1.0}), Kind::Service),
            (json!({"idtyp": "user"}), Kind::Person),
            (json!({"a": {"b": "svc-1"}}), Kind::Service),
            (json!({"a": {"b": ["x", "svc-1"]}}), Kind::Service),
            (json!({"a": {"b": "my-svc-1"}}), Kind::Person),
            (json!({"a": {"b": format!("svc-{}", "1".repeat(LONGEST_TEXT))}}), Kind::Person),
            (json!({"a": {"b": 7}}), Kind::Person),
        ] {
            assert_eq!(kind(&kinds, &claims), expected, "{claims}");
        }
    }
}
