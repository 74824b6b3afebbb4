//! Text that other text must match: what an operator writes where one name, or many alike, are meant.

use regex_lite::{Regex, RegexBuilder};

/// `exact`, `prefix*`, `*suffix` or `regex:…`. Compared as a whole and case-sensitively.
#[derive(Debug, Clone)]
pub struct Pattern {
    written: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Exact,
    Prefix(String),
    Suffix(String),
    Regex(Regex),
}

/// A longer expression is a mistake, and would be compiled in every worker.
const LONGEST_REGEX: usize = 1000;
/// How much an expression may take when it is compiled, in bytes: `((.{1,30}){1,30}){1,9}` is short, and would look at
/// every character thousands of times.
const LARGEST_REGEX: usize = 32 * 1024;

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = if let Some(expression) = text.strip_prefix("regex:") {
            Form::Regex(whole(expression)?)
        } else {
            match (text.strip_suffix('*'), text.strip_prefix('*')) {
                (Some(prefix), _) if !prefix.contains('*') => Form::Prefix(prefix.to_owned()),
                (None, Some(suffix)) if !suffix.contains('*') => Form::Suffix(suffix.to_owned()),
                (None, None) if text.is_empty() => return Err("it is empty".to_owned()),
                (None, None) if !text.contains('*') => Form::Exact,
                _ => return Err(format!("`{text}` has its * in the middle")),
            }
        };
        Ok(Self { written: text.to_owned(), form })
    }

    /// Whether `text` is meant.
    pub fn matches(&self, text: &str) -> bool {
        match &self.form {
            Form::Exact => self.written == text,
            Form::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Form::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Form::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether matching looks at a character more often than once.
    pub fn is_expression(&self) -> bool {
        matches!(self.form, Form::Regex(_))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

/// The expression, made to match whole texts only: one that matches somewhere inside is a hole nobody meant.
fn whole(expression: &str) -> Result<Regex, String> {
    if expression.len() > LONGEST_REGEX {
        return Err(format!("the expression is longer than {LONGEST_REGEX} characters"));
    }
    // By itself first: an unbalanced bracket must not close ours.
    Regex::new(expression)
        .and_then(|_| RegexBuilder::new(&format!("^(?:{expression})$")).size_limit(LARGEST_REGEX).build())
        .map_err(|error| format!("it is no regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_pattern_is_exact_a_prefix_a_suffix_or_an_expression() {
        for (pattern, yes, no) in [
            ("jane", "jane", "jane2"),
            ("svc-*", "svc-", "xsvc-1"),
            ("*@clients", "a@clients", "a@clients2"),
            ("*", "", "\u{0}never"),
            ("regex:a|b+", "bbb", "abb"),
            ("regex:[a-z]+", "abc", "abc\n"),
            ("regex:jane", "jane", "mary-jane"),
            (
                "regex:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                "9b2e1f00-0000-4000-8000-000000000000",
                "9b2e1f00",
            ),
            ("regex:([a-z0-9-]{1,63}[.]){1,2}[a-z]{2,63}", "a.test", "a..test"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !matches(pattern, no), "{pattern} {no}");
        }
        assert!(!matches("jane", "Jane"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let long = format!("regex:{}", "a".repeat(1001));
        for bad in ["", "a*b", "*a*", "**", "regex:(", "regex:a)(b", "regex:((.{1,30}){1,30}){1,9}", &long] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
