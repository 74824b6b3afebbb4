//! What is wrong with a configuration, where, and what to do about it.

use std::cell::RefCell;
use std::fmt;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it is, e.g. `issuers[0].audiences`; empty for the document as a whole.
    pub path: String,
    /// What is wrong there.
    pub what: String,
    /// How to mend it.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "configuration" } else { &self.path };
        write!(f, "{path}: {} ({})", self.what, self.hint)
    }
}

/// Collects problems, so that all are told at once.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Notes a problem, unless something at or around that place is known to be wrong already: a key that could not be
    /// read would otherwise be reported missing as well.
    pub(super) fn add(&self, path: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) {
        let (path, what, hint) = (path.into(), what.into(), hint.into());
        let mut known = self.0.borrow_mut();
        let covered = known.iter().any(|problem| {
            !problem.path.is_empty()
                && (is_at_or_below(&path, &problem.path) || has_item(&path, &problem.path))
        });
        if !covered {
            known.push(Problem { path, what, hint });
        }
    }

    /// The value, or a problem and nothing.
    pub(super) fn take<T, E: fmt::Display>(&self, result: Result<T, E>, path: &str, hint: &str) -> Option<T> {
        result.map_err(|error| self.add(path, error.to_string(), hint)).ok()
    }

    /// Everything noted, in the order of the document's paths.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.0.into_inner();
        problems.sort();
        problems
    }
}

/// A list with an item that could not be read is cut short, which is no problem of its own.
fn has_item(path: &str, place: &str) -> bool {
    place.strip_prefix(path).is_some_and(|rest| rest.starts_with('['))
}

fn is_at_or_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
