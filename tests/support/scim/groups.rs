//! The groups of the scripted SCIM directory: names that need not be unique (RFC 7643 §4.2), and members that are changed one
//! by one.

use super::users::Problem;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

#[derive(Default)]
pub(super) struct Groups(Vec<Group>);

struct Group {
    id: String,
    name: String,
    /// Ids of users.
    members: BTreeSet<String>,
}

impl Group {
    fn shown(&self) -> Value {
        json!({"schemas": [GROUP], "id": self.id, "displayName": self.name, "meta": {"resourceType": "Group"}})
    }
}

impl Groups {
    pub(super) fn all(&self) -> Vec<Value> {
        self.0.iter().map(Group::shown).collect()
    }

    pub(super) fn put_behind_everybodys_back(&mut self, name: &str, members: &[&str]) {
        let id = format!("group-{}", self.0.len() + 1);
        let members = members.iter().map(|id| (*id).to_owned()).collect();
        self.0.push(Group { id, name: name.to_owned(), members });
    }

    /// Names and members of all groups.
    pub(super) fn memberships(&self) -> Vec<(String, Vec<String>)> {
        let shown = |group: &Group| (group.name.clone(), group.members.iter().cloned().collect());
        self.0.iter().map(shown).collect()
    }

    /// What a user says of its groups.
    pub(super) fn of(&self, user: &Value) -> Vec<Value> {
        let own = self.0.iter().filter(|group| user.as_str().is_some_and(|id| group.members.contains(id)));
        own.map(|group| json!({"value": group.id, "display": group.name, "type": "direct"})).collect()
    }

    /// Groups that a filter finds; `displayName eq "…"` is all it may say.
    pub(super) fn filtered(&self, filter: &str) -> Result<Vec<Value>, Problem> {
        let name = filter.strip_prefix("displayName eq ");
        let name: Option<String> = name.and_then(|text| serde_json::from_str(text.trim()).ok());
        let name = name.ok_or_else(|| Problem(400, "invalidFilter", "it is not understood".to_owned()))?;
        // Names are compared without regard to case (RFC 7643 §4.2).
        let same = |group: &&Group| group.name.to_lowercase() == name.to_lowercase();
        Ok(self.0.iter().filter(same).map(Group::shown).collect())
    }

    /// Applies the operations of a PatchOp: members are added as a list, and removed by their id.
    pub(super) fn patch(&mut self, id: &str, patch: &Value) -> Result<Value, Problem> {
        let group = self.0.iter_mut().find(|group| group.id == id).ok_or_else(Problem::absent)?;
        for operation in patch["Operations"].as_array().into_iter().flatten() {
            let path = operation["path"].as_str().unwrap_or_default();
            let one = path.strip_prefix("members[value eq ").and_then(|rest| rest.strip_suffix(']'));
            match (operation["op"].as_str(), path, one) {
                (Some("add"), "members", _) => group.members.extend(members(&operation["value"])?),
                (Some("remove"), _, Some(member)) => {
                    let member: String = serde_json::from_str(member)
                        .map_err(|_| Problem(400, "invalidPath", "it is no path".to_owned()))?;
                    if !group.members.remove(&member) {
                        return Err(Problem(400, "noTarget", "it is no member".to_owned()));
                    }
                }
                _ => return Err(Problem::syntax("it is no operation on members")),
            }
        }
        Ok(group.shown())
    }
}

/// The ids in a list of members.
fn members(list: &Value) -> Result<BTreeSet<String>, Problem> {
    let id = |member: &Value| member["value"].as_str().map(str::to_owned);
    let ids = list.as_array().map_or(Some(BTreeSet::new()), |list| list.iter().map(id).collect());
    ids.ok_or_else(|| Problem::syntax("members have a value"))
}
