//! Where in a token a value is.

use serde_json::{Map, Value};

/// The place of a claim: `email`, `realm_access.roles`, or, for names that hold dots themselves, a JSON Pointer
/// (RFC 6901) such as `/https:~1~1example.com~1groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads a path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let steps: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => {
                pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
            }
            None => text.split('.').map(str::to_owned).collect(),
        };
        if steps.iter().any(String::is_empty) {
            return Err("a claim is named like email, realm_access.roles or /https:~1~1example.com~1groups");
        }
        Ok(Self(steps))
    }

    /// The value at this place, if every step on the way is an object.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, step| value.as_object()?.get(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find(path: &str) -> Option<Value> {
        let claims = json!({
            "email": "a@b", "a.b": 1, "https://example.com/groups": ["x"], "realm_access": {"roles": ["r"]}, "~": 2
        });
        ClaimPath::parse(path).unwrap().find(claims.as_object().unwrap()).cloned()
    }

    #[test]
    fn a_claim_is_found_by_name_by_dots_or_by_pointer() {
        assert_eq!(find("email"), Some(json!("a@b")));
        assert_eq!(find("realm_access.roles"), Some(json!(["r"])));
        assert_eq!(find("/realm_access/roles"), Some(json!(["r"])));
        assert_eq!(find("/a.b"), Some(json!(1)));
        assert_eq!(find("/https:~1~1example.com~1groups"), Some(json!(["x"])));
        assert_eq!(find("/~0"), Some(json!(2)));
    }

    #[test]
    fn a_path_that_leads_nowhere_finds_nothing() {
        for path in ["a.b", "email.x", "realm_access.roles.0", "/realm_access/roles/0", "nobody"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_with_an_empty_step_is_refused() {
        for path in ["", ".", "a.", "a..b", "/", "/a//b"] {
            assert!(ClaimPath::parse(path).is_err(), "{path}");
        }
    }
}
