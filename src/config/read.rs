//! Text to [`Document`], collecting every problem of shape on the way: what cannot be read is noted, cut out, and the
//! rest is read again.

use super::document::Document;
use super::problem::Problems;
use crate::domain::strict_object;
use serde_json::Value;
use serde_path_to_error::{Deserializer, Segment, Track};
use std::fmt::Write;

const SHAPE_HINT: &str = "see the configuration reference in docs/configuration.md";

/// Reads `text`, JSON as the proxy hands it over. What could not be read is absent from the document and noted in
/// `problems`.
pub(super) fn read(text: &str, problems: &Problems) -> Document {
    let hint = "the proxy hands over the plugin's configuration as one JSON object";
    let mut value = problems
        .take(serde_json::from_str(text), "", hint)
        .unwrap_or_else(|| Value::Object(Default::default()));
    if value.is_object() && strict_object(text.as_bytes()).is_none() {
        problems.add("", "a key is there twice in one object", "keep one of them");
    }
    cut_lists(&mut value, &mut Vec::new(), problems);
    let mut cut: Vec<Vec<Step>> = Vec::new();
    loop {
        let mut unknown = Vec::new();
        let mut track = Track::new();
        let deserializer = Deserializer::new(&value, &mut track);
        match serde_ignored::deserialize(deserializer, |path| unknown.push(ignored_path(&path))) {
            Ok(document) => {
                for path in unknown {
                    problems.add(
                        path,
                        "there is no such key",
                        "remove it, or correct its spelling or its place",
                    );
                }
                return document;
            }
            Err(error) => {
                let mut steps: Vec<Step> = track.path().iter().filter_map(Step::of).collect();
                problems.add(path_text(&steps), told(&error), SHAPE_HINT);
                // A place that was cut and is wrong still cannot be left out by itself: its surroundings go with it.
                while cut.contains(&steps) && steps.pop().is_some() {}
                remove(&mut value, &steps);
                cut.push(steps);
            }
        }
    }
}

/// The keys whose values are lists. (serde would take a list in place of an object, its items for members in order.)
const LISTS: &[&str] = &[
    "algorithms",
    "allow",
    "attributes",
    "audiences",
    "deny",
    "filter_state",
    "from",
    "headers",
    "hosts",
    "issuers",
    "managed",
    "methods",
    "routes",
    "scopes",
    "when",
];
/// The keys whose values are anybody's.
const FREE: &[&str] = &["claims", "default", "equals", "jwks"];

/// Cuts out every list where none belongs.
fn cut_lists(value: &mut Value, steps: &mut Vec<Step>, problems: &Problems) {
    let misplaced =
        |value: &Value, key: Option<&str>| value.is_array() && !key.is_some_and(|key| LISTS.contains(&key));
    let mut visit = |value: &mut Value, step: Step, key: Option<&str>| {
        steps.push(step);
        if misplaced(value, key) {
            problems.add(path_text(steps), "a list is not expected here", SHAPE_HINT);
            *value = Value::Object(Default::default());
        }
        cut_lists(value, steps, problems);
        steps.pop();
    };
    match value {
        Value::Object(members) => {
            for (key, value) in members.iter_mut().filter(|(key, _)| !FREE.contains(&key.as_str())) {
                visit(value, Step::Key(key.clone()), Some(key));
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                visit(value, Step::Index(index), None);
            }
        }
        _ => {}
    }
}

/// What is wrong, without the value that stands there: it may be a secret in the wrong place.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(", expected ") {
        Some((_, expected)) => format!("something else is expected here: {expected}"),
        None => text,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    fn of(segment: &Segment) -> Option<Self> {
        match segment {
            Segment::Map { key } => Some(Self::Key(key.clone())),
            Segment::Seq { index } => Some(Self::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        }
    }
}

/// Cuts out the place `steps` lead to. A list keeps its length, so that later problems name the right items.
fn remove(value: &mut Value, steps: &[Step]) {
    match (steps, value) {
        ([Step::Key(key)], Value::Object(members)) => drop(members.remove(key)),
        ([Step::Key(key), rest @ ..], Value::Object(members)) => {
            if let Some(inner) = members.get_mut(key) {
                remove(inner, rest);
            }
        }
        ([Step::Index(index), rest @ ..], Value::Array(items)) => {
            if let Some(inner) = items.get_mut(*index) {
                remove(inner, rest);
            }
        }
        (_, place) => *place = Value::Object(Default::default()),
    }
}

fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        // Writing to a String does not fail.
        let _ = match step {
            Step::Key(key) if text.is_empty() => write!(text, "{key}"),
            Step::Key(key) => write!(text, ".{key}"),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

fn ignored_path(path: &serde_ignored::Path<'_>) -> String {
    fn steps(path: &serde_ignored::Path<'_>, into: &mut Vec<Step>) {
        use serde_ignored::Path;
        match path {
            Path::Root => {}
            Path::Seq { parent, index } => {
                steps(parent, into);
                into.push(Step::Index(*index));
            }
            Path::Map { parent, key } => {
                steps(parent, into);
                into.push(Step::Key(key.clone()));
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                steps(parent, into)
            }
        }
    }
    let mut found = Vec::new();
    steps(path, &mut found);
    path_text(&found)
}
