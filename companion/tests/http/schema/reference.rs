//! docs/configuration.md, held to the schema: each has every key that the other has.

use super::ROOT;
use firstsight::config::schema;
use serde_json::Value;
use std::collections::BTreeSet;

/// A member: the type that it belongs to, and its name.
type Member = (String, String);

/// The schema, to be walked by the members' names.
struct Types(Value);

impl Types {
    /// The name of the type that stands here, or of its items; empty for the whole configuration.
    fn named(place: &Value) -> Option<&str> {
        let place = place.get("items").unwrap_or(place);
        place["$ref"].as_str()?.strip_prefix("#/$defs/")
    }

    fn members_of(&self, name: &str) -> Option<&serde_json::Map<String, Value>> {
        let whole = if name.is_empty() { &self.0 } else { &self.0["$defs"][name] };
        whole["properties"].as_object()
    }

    /// Every member on the way to a key such as `issuers[].require.scopes`.
    fn resolve(&self, key: &str) -> Option<Vec<Member>> {
        let mut at = Some("");
        let mut found = Vec::new();
        for step in key.replace("[]", "").split('.') {
            let name = at?;
            let member = self.members_of(name)?.get(step)?;
            found.push((name.to_owned(), step.to_owned()));
            at = Self::named(member);
        }
        Some(found)
    }

    /// The type of a member, if it is an object with members.
    fn of(&self, (owner, name): &Member) -> Option<String> {
        let member = self.members_of(owner)?.get(name)?;
        Self::named(member).filter(|name| self.members_of(name).is_some()).map(str::to_owned)
    }

    fn all(&self) -> BTreeSet<Member> {
        let names = self.0["$defs"].as_object().unwrap().keys().map(String::as_str).chain([""]);
        let members = names.filter_map(|name| Some((name, self.members_of(name)?)));
        members.flat_map(|(name, members)| members.keys().map(|key| (name.to_owned(), key.clone()))).collect()
    }
}

/// The rows of the reference's tables: what stands in the column of keys, and the whole row.
fn rows() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/configuration.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    rows.map(|row| (row.split(" | ").next().unwrap().to_owned(), row.to_owned())).collect()
}

/// What stands in backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Every member that the reference names; fails at a key that the schema has not.
fn documented(types: &Types) -> BTreeSet<Member> {
    let mut found = BTreeSet::new();
    let (mut section, mut before) = (String::new(), String::new());
    for (cell, row) in rows() {
        let keys = code(&cell);
        if cell.contains("**") {
            section = keys[0].to_owned();
        }
        for key in &keys {
            let below =
                |parent: &str| format!("{parent}{}", key.trim_start_matches('…').trim_end_matches('…'));
            // Below the section; of one cell's keys, only the first may name what they are all members of.
            let sibling = before.rsplit_once('.').map(|(parent, _)| below(parent));
            let candidates = match key {
                _ if key.starts_with("….") => vec![below(&before)],
                _ if key.starts_with('.') => [Some(below(&section)), sibling].into_iter().flatten().collect(),
                _ => vec![below("")],
            };
            let resolved = candidates.iter().find_map(|path| Some((path, types.resolve(path)?)));
            let (path, members) = resolved.unwrap_or_else(|| panic!("the schema has no {key} of {section}"));
            before = path.clone();
            let (owner, last) = members.last().unwrap().clone();
            found.extend(members);
            // Members of a small object stand in its row: `{prefix: /api}`; a list's alternatives beside the first.
            let inner = types.of(&(owner.clone(), last));
            let beside = key.starts_with("….").then_some(owner);
            let words: BTreeSet<_> = row.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            for name in inner.into_iter().chain(beside) {
                let members =
                    types.members_of(&name).unwrap().keys().filter(|key| words.contains(key.as_str()));
                found.extend(members.map(|key| (name.clone(), key.clone())));
            }
        }
        // "…, as in `headers[]`": everything that the other has.
        if cell.trim_end().ends_with('…') {
            let as_in = |list: &str| types.of(types.resolve(list).unwrap().last().unwrap()).unwrap();
            let (own, other) = (as_in(&section), as_in("headers[]"));
            let same =
                found.iter().filter(|(owner, _)| *owner == other).map(|(_, key)| (own.clone(), key.clone()));
            let same: Vec<_> =
                same.filter(|(own, key)| types.members_of(own).unwrap().contains_key(key)).collect();
            found.extend(same);
        }
    }
    found
}

#[test]
fn the_reference_and_the_schema_have_the_same_keys() {
    let types = Types(schema());
    let all = types.all();
    assert!(all.len() > 120, "only {} members were found", all.len());
    let documented = documented(&types);
    let missing: Vec<_> = all.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/configuration.md does not have {missing:?}");
}
