//! Other words for what an issuer says: its groups as the application's roles.

use super::text::scalar;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Replaces a value, or each item of a list. Strings, numbers and bools are looked up as they are written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueMap {
    /// What stands for what.
    pub pairs: BTreeMap<String, String>,
    /// Whether what is not among them stays as it is, or is dropped.
    pub keeps_others: bool,
}

/// The claim, in other words where there are some; `None` if it is dropped.
pub(super) fn mapped<'a>(claim: &'a Value, map: Option<&ValueMap>) -> Option<Cow<'a, Value>> {
    match map {
        Some(map) => map.apply(claim),
        None => Some(Cow::Borrowed(claim)),
    }
}

impl ValueMap {
    /// The claim in other words; `None` if it is no list, and dropped. A list stays one, however little is left of it, and
    /// says nothing twice.
    fn apply<'a>(&self, claim: &'a Value) -> Option<Cow<'a, Value>> {
        let Value::Array(items) = claim else { return self.word_for(claim) };
        let mut said = BTreeSet::new();
        let mut list = Vec::new();
        for item in items.iter().filter_map(|item| self.word_for(item)) {
            let is_new = item.as_str().is_none_or(|text| said.insert(text.to_owned()));
            list.extend(is_new.then(|| item.into_owned()));
        }
        Some(Cow::Owned(list.into()))
    }

    fn word_for<'a>(&self, value: &'a Value) -> Option<Cow<'a, Value>> {
        match scalar(value).and_then(|text| self.pairs.get(&text)) {
            Some(word) => Some(Cow::Owned(word.as_str().into())),
            None => self.keeps_others.then_some(Cow::Borrowed(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapped(keeps_others: bool, claim: Value) -> Option<Value> {
        let pairs = [("eng", "developer"), ("sre", "developer"), ("7", "lead"), ("true", "yes")];
        let pairs = pairs.map(|(from, to)| (from.to_owned(), to.to_owned())).into();
        ValueMap { pairs, keeps_others }.apply(&claim).map(Cow::into_owned)
    }

    #[test]
    fn a_value_is_said_in_other_words() {
        for (claim, drops, keeps) in [
            (json!("eng"), Some(json!("developer")), json!("developer")),
            (json!(7), Some(json!("lead")), json!("lead")),
            (json!(true), Some(json!("yes")), json!("yes")),
            (json!("Eng"), None, json!("Eng")),
            (json!({"eng": 1}), None, json!({"eng": 1})),
            (json!([]), Some(json!([])), json!([])),
            (
                json!(["hr", {}, null, ["eng"], 7]),
                Some(json!(["lead"])),
                json!(["hr", {}, null, ["eng"], "lead"]),
            ),
        ] {
            assert_eq!(mapped(false, claim.clone()), drops, "{claim}");
            assert_eq!(mapped(true, claim.clone()), Some(keeps), "{claim}");
        }
    }

    #[test]
    fn two_items_that_become_one_word_are_one_item() {
        let claim = json!(["sre", "hr", "eng", "developer", "hr"]);
        assert_eq!(mapped(false, claim.clone()), Some(json!(["developer"])));
        assert_eq!(mapped(true, claim), Some(json!(["developer", "hr"])));
    }
}
