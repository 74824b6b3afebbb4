//! Verified claims become an [`Identity`]: the headers the application gets and the attributes the directory gets, exactly
//! as the operator wrote them down. Knows no proxy and no account.

mod attribute;
mod fallback;
mod header;
mod kinds;
mod managed;
mod rendering;
mod text;
mod value_map;

pub use attribute::{AttributeFormat, AttributeRule, Shape};
pub use fallback::{Fallback, Fallbacks, Lack};
pub use header::{FilterStateRule, HeaderRule, HeaderSourceRule};
pub use kinds::{KindRule, Kinds, Sign, Treatment};
pub use managed::Managed;
pub use rendering::{Format, NonAscii, Rendering, header_value};
pub use value_map::ValueMap;

use crate::domain::{Fingerprint, Identity, Reason};
use crate::token::Claims;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The operator's mapping, complete and without contradictions.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Claim (or account) to header, in the operator's order.
    pub headers: Vec<HeaderRule>,
    /// Claim (or account) to what the proxy's other filters and its log are told.
    pub filter_state: Vec<FilterStateRule>,
    /// Who is told from whom, and what is done for each.
    pub kinds: Kinds,
    /// Digest of the attribute rules, sent with every arrival: which mapping made this account? Two gateways with the same
    /// rules say the same.
    pub digest: String,
    /// Claim to account attribute, in the order of the attributes' names.
    attributes: Vec<AttributeRule>,
    initial: Vec<String>,
}

impl Mapping {
    /// The mapping of these rules; no two of them write the same header or attribute.
    pub fn new(
        headers: Vec<HeaderRule>,
        filter_state: Vec<FilterStateRule>,
        mut attributes: Vec<AttributeRule>,
        kinds: Kinds,
    ) -> Self {
        attributes.sort_by(|one, other| one.attribute.cmp(&other.attribute));
        // Strings, numbers and maps with string keys always serialise.
        let rules = serde_json::to_vec(&attributes).unwrap_or_default();
        let digest = format!("{:x}", Sha256::digest(rules)).chars().take(16).collect();
        let initial = attributes.iter().filter(|rule| !rule.is_kept_in_step);
        let initial = initial.map(|rule| rule.attribute.to_string()).collect();
        Self { headers, filter_state, kinds, digest, attributes, initial }
    }

    /// Makes the identity that `claims` stand for. `payload` is the part of the token that they were read from, as it
    /// stands there.
    ///
    /// # Errors
    /// `KindRefused`. `ClaimMissing` or `ClaimMalformed` if a claim is absent, or cannot become what a rule makes of it, and
    /// that rule says `refuse`; rules for attributes count only for whom there is to be an account.
    pub fn identify(&self, claims: &Claims, payload: &str) -> Result<Identity, Reason> {
        let kind = self.kinds.kind_of(claims);
        let fingerprint = match self.kinds.treatment(kind) {
            Treatment::Refuse => return Err(Reason::KindRefused),
            Treatment::Count => None,
            Treatment::Provision => self.fingerprint(claims.members())?,
        };
        let mut headers = Vec::with_capacity(self.headers.len());
        for rule in &self.headers {
            let source = rule.source.of(claims.members(), payload)?;
            headers.extend(source.map(|source| (rule.header.clone(), source)));
        }
        let mut filter_state = Vec::with_capacity(self.filter_state.len());
        for rule in &self.filter_state {
            let source = rule.source.of(claims.members(), payload)?;
            filter_state.extend(source.map(|source| (rule.key.clone(), source)));
        }
        let subject = claims.subject().clone();
        Ok(Identity {
            key: subject.key(),
            subject,
            kind,
            headers,
            filter_state,
            fingerprint,
            issued_at: claims.issued_at(),
        })
    }

    /// The account attributes of whom `claims` stand for, nested where their names are dotted. They are wanted only when
    /// the directory is asked.
    pub fn attributes(&self, claims: &Claims) -> Map<String, Value> {
        let mut attributes = Map::new();
        for rule in &self.attributes {
            // Whom a rule refuses has no identity, and the directory is not asked.
            if let Ok(Some(value)) = rule.value(claims.members()) {
                rule.attribute.put(&mut attributes, value.into_owned());
            }
        }
        attributes
    }

    /// The attributes (dotted names) that are for an account that is made now: one that exists keeps its own.
    pub fn initial(&self) -> &[String] {
        &self.initial
    }

    /// All attributes, by their dotted names.
    pub fn written(&self) -> impl Iterator<Item = String> {
        self.attributes.iter().map(|rule| rule.attribute.to_string())
    }

    /// Digest of the mapping and of what is kept in step with the claims, if anything is. The order of a list makes no
    /// difference: issuers do not keep to one.
    fn fingerprint(&self, claims: &Map<String, Value>) -> Result<Option<Fingerprint>, Reason> {
        let is_kept_in_step = self.attributes.iter().any(|rule| rule.is_kept_in_step);
        let mut digest = is_kept_in_step.then(|| Sha256::new_with_prefix(&self.digest));
        for rule in self.attributes.iter().filter(|rule| rule.is_kept_in_step || rule.may_refuse()) {
            let value = rule.value(claims)?.filter(|_| rule.is_kept_in_step);
            if let (Some(digest), Some(value)) = (&mut digest, value) {
                // A line feed is in no JSON.
                digest.update(format!("\n{}\n{}", rule.attribute, unordered(&value)));
            }
        }
        let digest: Option<[u8; 32]> = digest.map(|digest| digest.finalize().into());
        let start = digest.as_ref().and_then(|digest| digest.first_chunk());
        Ok(start.map(|start| Fingerprint(u64::from_be_bytes(*start))))
    }
}

/// The value as JSON, with the items of a list sorted.
fn unordered(value: &Value) -> String {
    let Value::Array(items) = value else { return value.to_string() };
    let mut items: Vec<_> = items.iter().map(Value::to_string).collect();
    items.sort_unstable();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ClaimPath;
    use serde_json::json;

    fn rule(attribute: &str, is_kept_in_step: bool) -> AttributeRule {
        let path = ClaimPath::parse(attribute).unwrap();
        let shape = Shape { format: AttributeFormat::AsIs, max_bytes: 100, max_items: 100 };
        let fallbacks = Fallbacks { missing: Fallback::Omit, malformed: Some(Fallback::Refuse) };
        AttributeRule { attribute: path.clone(), claim: path, map: None, shape, fallbacks, is_kept_in_step }
    }

    fn mapping(attributes: Vec<AttributeRule>) -> Mapping {
        Mapping::new(vec![], vec![], attributes, Kinds::default())
    }

    fn fingerprint(mapping: &Mapping, claims: Value) -> Result<Option<Fingerprint>, Reason> {
        mapping.fingerprint(claims.as_object().unwrap())
    }

    #[test]
    fn only_what_is_kept_in_step_makes_the_fingerprint() {
        let mapping =
            mapping(vec![rule("groups", true), rule("name.familyName", true), rule("login", false)]);
        let of = |claims: Value| fingerprint(&mapping, claims).unwrap().unwrap();
        let jane = of(json!({"groups": ["a", "b"], "name": {"familyName": "Doe"}, "login": "jane"}));
        assert_eq!(
            of(json!({"groups": ["b", "a"], "name": {"familyName": "Doe"}, "login": "j", "x": 1})),
            jane
        );
        for other in [
            json!({"groups": ["a"], "name": {"familyName": "Doe"}}),
            json!({"groups": ["a,b"], "name": {"familyName": "Doe"}}),
            json!({"groups": ["a", "b"], "name": {"familyName": "Roe"}}),
            json!({"groups": ["a", "b"]}),
            json!({}),
        ] {
            assert_ne!(of(other.clone()), jane, "{other}");
        }
        assert_ne!(of(json!({"groups": 1})), of(json!({"groups": [1]})));
    }

    #[test]
    fn another_mapping_makes_another_fingerprint_and_none_without_anything_to_keep_in_step() {
        let claims = || json!({"groups": ["a"], "login": "jane"});
        let one = mapping(vec![rule("groups", true)]);
        let other = mapping(vec![rule("groups", true), rule("login", false)]);
        assert_ne!(fingerprint(&one, claims()), fingerprint(&other, claims()));
        let swapped = mapping(vec![rule("login", false), rule("groups", true)]);
        assert_eq!(fingerprint(&swapped, claims()), fingerprint(&other, claims()));
        assert_eq!(fingerprint(&mapping(vec![rule("login", false)]), claims()), Ok(None));
    }

    #[test]
    fn whom_a_rule_refuses_has_no_fingerprint() {
        for is_kept_in_step in [true, false] {
            let mapping = mapping(vec![rule("login", is_kept_in_step)]);
            let refused = fingerprint(&mapping, json!({"login": "x".repeat(99)}));
            assert_eq!(refused, Err(Reason::ClaimMalformed));
        }
    }
}
