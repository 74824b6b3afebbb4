//! Where in a token, or in an account's attributes, a value is.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::{self, Write};

/// The place of a value within nested objects, step by step. Written with dots, `realm_access.roles`; a step that holds
/// dots itself in quotes, `resource_access."my.client".roles`, where `\"` and `\\` stand for a quote and a backslash; or
/// as a JSON Pointer (RFC 6901), `/https:~1~1example.com~1groups`. Shown with dots and quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The place of a claim of this name.
    pub fn named(name: &'static str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// Reads a path; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let steps = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescaped).collect::<Result<Vec<_>, _>>()?,
            None => dotted(text)?,
        };
        if steps.iter().any(String::is_empty) {
            return Err("a step of its path is empty");
        }
        Ok(Self(steps))
    }

    /// The value at this place, if every step on the way is an object. `null` is none.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let found = rest.iter().try_fold(claims.get(first)?, |value, step| value.as_object()?.get(step));
        found.filter(|value| !value.is_null())
    }

    /// Puts a value at this place; objects on the way are made where they are missing.
    pub fn put(&self, members: &mut Map<String, Value>, value: Value) {
        let Some((last, way)) = self.0.split_last() else { return };
        let mut place = members;
        for step in way {
            match place.entry(step.clone()).or_insert_with(|| Map::new().into()) {
                Value::Object(inner) => place = inner,
                _ => return,
            }
        }
        place.insert(last.clone(), value);
    }

    /// Whether one of the two places is the other, or lies within it. Case makes no difference, as in names of attributes
    /// (RFC 7643 §2.1).
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own.eq_ignore_ascii_case(other))
    }

    /// The names on the way, the last one included.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// The first step.
    pub fn root(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('.')?;
            }
            if step.contains(['.', '"']) || step.starts_with('/') {
                write!(f, "\"{}\"", step.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(step)?;
            }
        }
        Ok(())
    }
}

/// One step of a JSON Pointer (RFC 6901 §4).
fn unescaped(step: &str) -> Result<String, &'static str> {
    let rest = step.replace("~0", "").replace("~1", "");
    if rest.contains('~') {
        return Err("`~` in a JSON Pointer is written ~0");
    }
    Ok(step.replace("~1", "/").replace("~0", "~"))
}

fn dotted(text: &str) -> Result<Vec<String>, &'static str> {
    let (mut steps, mut rest) = (Vec::new(), text);
    loop {
        let (step, after) = match rest.strip_prefix('"') {
            Some(quoted) => up_to_quote(quoted)?,
            None => {
                let (step, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                (step.to_owned(), after)
            }
        };
        if !rest.starts_with('"') && step.contains('"') {
            return Err("quotes belong around a whole step of a path");
        }
        steps.push(step);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(steps),
            None => return Err("after a closing quote a path ends, or goes on with a dot"),
        }
    }
}

/// What is before the closing quote, and what is after it.
fn up_to_quote(text: &str) -> Result<(String, &str), &'static str> {
    let (mut step, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok((step, characters.as_str())),
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => step.push(escaped),
                _ => return Err("within quotes a backslash comes before a quote or another backslash"),
            },
            other => step.push(other),
        }
    }
    Err("a quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn find(path: &str) -> Option<Value> {
        let claims = json!({
            "email": "a@b", "a.b": 1, "https://example.com/groups": ["x"], "realm_access": {"roles": ["r"]}, "~": 2,
            "resource_access": {"my.client": {"roles": ["c"]}}, "say \"hi\"": {"\\": 3}, "nothing": null,
        });
        ClaimPath::parse(path).unwrap().find(claims.as_object().unwrap()).cloned()
    }

    #[test]
    fn a_claim_is_found_by_name_by_dots_by_quotes_or_by_pointer() {
        for (path, value) in [
            ("email", json!("a@b")),
            ("realm_access.roles", json!(["r"])),
            ("/realm_access/roles", json!(["r"])),
            ("/a.b", json!(1)),
            (r#""a.b""#, json!(1)),
            ("/https:~1~1example.com~1groups", json!(["x"])),
            (r#""https://example.com/groups""#, json!(["x"])),
            (r#"resource_access."my.client".roles"#, json!(["c"])),
            (r#""resource_access"."my.client"."roles""#, json!(["c"])),
            (r#""say \"hi\""."\\""#, json!(3)),
            (r#""say \"hi\"".\"#, json!(3)),
            (r#"/say "hi"/\"#, json!(3)),
            ("/~0", json!(2)),
            ("~", json!(2)),
        ] {
            assert_eq!(find(path), Some(value), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_finds_nothing() {
        for path in ["a.b", "email.x", "realm_access.roles.0", "/realm_access/roles/0", "nobody", "nothing"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_path_is_told() {
        for (path, told) in [
            ("", "is empty"),
            (".", "is empty"),
            ("a.", "is empty"),
            ("a..b", "is empty"),
            ("/", "is empty"),
            ("/a//b", "is empty"),
            (r#""""#, "is empty"),
            (r#"a."""#, "is empty"),
            (r#""a.b"#, "not closed"),
            (r#"a."b\""#, "not closed"),
            (r#"""#, "not closed"),
            (r#""a"b"#, "after a closing quote"),
            (r#""a""b""#, "after a closing quote"),
            (r#"a"b".c"#, "around a whole step"),
            (r#""a\n""#, "backslash"),
            (r#""a\"#, "backslash"),
            ("/~", "~0"),
            ("/a~2", "~0"),
        ] {
            let error = ClaimPath::parse(path).unwrap_err();
            assert!(error.contains(told), "{path}: {error}");
        }
    }

    #[test]
    fn places_overlap_if_one_lies_within_the_other_in_any_case() {
        let overlap = |a: &str, b: &str| ClaimPath::parse(a).unwrap().overlaps(&ClaimPath::parse(b).unwrap());
        for (a, b) in [("name", "name"), ("userName", "username"), ("name", "Name.givenName"), ("/a/b", "a")]
        {
            assert!(overlap(a, b) && overlap(b, a), "{a} {b}");
        }
        for (a, b) in [("name", "names"), ("name.a", "name.b"), (r#""a.b""#, "a.b")] {
            assert!(!overlap(a, b) && !overlap(b, a), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn a_path_is_read_as_it_is_shown(steps in prop::collection::vec(r#"[a~/."\\ é]{1,4}"#, 1..4)) {
            let path = ClaimPath(steps);
            prop_assert_eq!(ClaimPath::parse(&path.to_string()), Ok(path));
        }
    }
}
