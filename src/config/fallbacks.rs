//! What rules for headers and attributes have in common: value maps, and what becomes of a token without a usable value.

use super::document::{FallbackDocument, OthersDocument};
use super::problem::Problems;
use crate::mapping::{Fallback, Fallbacks, ValueMap};
use serde_json::{Map, Value};

/// The map of a rule, if it has one.
pub(super) fn value_map(
    pairs: Option<Map<String, Value>>,
    others: Option<OthersDocument>,
    path: &str,
    problems: &Problems,
) -> Option<ValueMap> {
    if pairs.is_none() && others.is_some() {
        problems.add(format!("{path}.map_others"), "there is no map", "write a map, or remove it");
    }
    let pairs = pairs?;
    if pairs.is_empty() {
        problems.add(format!("{path}.map"), "it is empty", "write pairs, as eng: developer, or remove it");
    }
    let pairs = pairs.into_iter().filter_map(|(from, to)| {
        let word = to.as_str().map(str::to_owned).ok_or("it is no text");
        let word = problems.take(word, &format!("{path}.map.{from}"), "write the other word in quotes")?;
        Some((from, word))
    });
    Some(ValueMap { pairs: pairs.collect(), keeps_others: matches!(others, Some(OthersDocument::Keep)) })
}

/// `when_missing` and `when_malformed` as they are `written`; without a word of the operator a claim that is missing has
/// the outcome `missing`. `read` makes a default into what is sent, and `hint` says what it could have been.
pub(super) fn fallbacks<T>(
    written: [Option<&FallbackDocument>; 2],
    missing: Fallback<T>,
    read: impl Fn(&Value) -> Result<T, &'static str>,
    hint: &str,
    path: &str,
    problems: &Problems,
) -> Fallbacks<T> {
    let fallback = |written: &FallbackDocument, key: &str| match written {
        FallbackDocument::Refuse => Fallback::Refuse,
        FallbackDocument::Omit => Fallback::Omit,
        FallbackDocument::Default(value) => {
            let value = problems.take(read(value), &format!("{path}.{key}.default"), hint);
            value.map_or(Fallback::Refuse, Fallback::Default)
        }
    };
    let [when_missing, when_malformed] = written;
    Fallbacks {
        missing: when_missing.map_or(missing, |written| fallback(written, "when_missing")),
        malformed: when_malformed.map(|written| fallback(written, "when_malformed")),
    }
}
