//! Memberships, kept at the groups (RFC 7643 §4.1.2 makes a user's own `groups` read-only). Groups are known by their
//! `displayName`, to the letter; where two have the same, neither is touched.

use super::GroupTerms;
use super::reply::{self, Page, member};
use super::request::{ScimRequest, equals, resource_path};
use super::resource::usable_id;
use crate::domain::Reply;
use crate::wire::answer::retry_after;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// Memberships of one account, being brought into step.
#[derive(Debug, Clone)]
pub(super) struct Memberships {
    base: String,
    account: String,
    left: VecDeque<Task>,
    at: Option<At>,
    /// Not all could be done.
    pub(super) flawed: bool,
}

/// What comes next of them.
pub(super) enum Turn {
    Ask(ScimRequest),
    Over,
    /// The directory cannot be asked now; the wait it asked for.
    Later(Option<Duration>),
}

/// An account's groups, as far as they are known: each name with the group's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// The account is new: it is in none.
    None,
    /// The account says which.
    These(Vec<(String, String)>),
    /// The account does not say.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    /// Out of the group of this id.
    Quit(String),
    /// Out of the group of this name, if it is in it.
    Leave(String),
    /// Into the group of this name.
    Join(String),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// The group of this name.
    Lookup { name: String, join: bool },
    /// The change of a group; whether somebody is taken out.
    Change { out: bool },
}

/// The most groups that one account is put into at once, and the most that it is taken out of.
const MOST_GROUPS: usize = 20;
/// The longest name of a group, in bytes.
const LONGEST_NAME: usize = 256;
/// How many groups of a name are asked for: one, and others that ought not to be.
const PAGE: u64 = 10;

/// The names of groups that a mapping made; `None` if it is no text and no list of texts.
pub(super) fn names(mapped: &Value) -> Option<Vec<String>> {
    let items = match mapped {
        Value::Array(items) => items.as_slice(),
        item => std::slice::from_ref(item),
    };
    let name = |item: &Value| {
        let name = item.as_str()?;
        ((1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(char::is_control))
            .then(|| name.to_owned())
    };
    items.iter().map(name).collect()
}

impl Known {
    /// What an account says of its own groups. Those it is in by way of others are not its own.
    pub(super) fn read(account: &Map<String, Value>) -> Self {
        let Some(groups) = member(account, "groups").and_then(Value::as_array) else {
            return Self::Unknown;
        };
        let direct = groups.iter().filter(|group| group.get("type").is_none_or(|way| way != "indirect"));
        let read = |group: &Value| {
            let group = group.as_object()?;
            Some((member(group, "display")?.as_str()?.to_owned(), usable_id(member(group, "value")?)?))
        };
        direct.map(read).collect::<Option<_>>().map_or(Self::Unknown, Self::These)
    }
}

impl Memberships {
    /// Plans what makes `account` a member of the groups `wanted`, and of no managed group beside them. Whoever loses a
    /// group loses it first.
    pub(super) fn begin(
        base: &str,
        account: &str,
        terms: &GroupTerms,
        wanted: &[String],
        known: &Known,
    ) -> Self {
        let unwanted = |name: &&String| !wanted.contains(name);
        let is_managed = |name: &String| terms.managed.contains(name);
        let is_in = |name: &String| matches!(known, Known::These(groups) if groups.iter().any(|(display, _)| display == name));
        let mut left: Vec<Task> = match known {
            Known::None => vec![],
            Known::Unknown => terms.managed.iter().filter(unwanted).cloned().map(Task::Leave).collect(),
            Known::These(groups) => {
                let leaving = groups.iter().filter(|(name, _)| is_managed(name) && !wanted.contains(name));
                leaving.map(|(_, id)| Task::Quit(id.clone())).collect()
            }
        };
        let mut joining = Vec::new();
        for name in wanted.iter().filter(|name| !is_in(name)) {
            let task = Task::Join(name.clone());
            if !joining.contains(&task) {
                joining.push(task);
            }
        }
        let flawed = left.len().max(joining.len()) > MOST_GROUPS;
        left.truncate(MOST_GROUPS);
        left.extend(joining.into_iter().take(MOST_GROUPS));
        Self { base: base.to_owned(), account: account.to_owned(), left: left.into(), at: None, flawed }
    }

    /// The next request, if there is anything left to do.
    pub(super) fn next(&mut self) -> Turn {
        match self.left.pop_front() {
            None => Turn::Over,
            Some(Task::Quit(group)) => self.change(&group, false),
            Some(Task::Leave(name)) => self.look_for(name, false),
            Some(Task::Join(name)) => self.look_for(name, true),
        }
    }

    /// Reads an answer.
    pub(super) fn hear(&mut self, reply: &Reply) -> Turn {
        if reply::is_passing(reply) {
            return Turn::Later(retry_after(reply));
        }
        match self.at.take() {
            None => Turn::Over,
            Some(At::Lookup { name, join }) => self.hear_lookup(reply, &name, join),
            Some(At::Change { out }) => match reply::status(reply) {
                Some(200 | 204) => self.next(),
                Some(404) if out => self.next(),
                Some(400) if out && reply::says(reply, "noTarget") => self.next(),
                Some(405 | 501) => {
                    self.left.clear();
                    self.skip()
                }
                _ => self.skip(),
            },
        }
    }

    fn hear_lookup(&mut self, reply: &Reply, name: &str, join: bool) -> Turn {
        let Some(page) = Page::read(reply) else {
            return self.skip();
        };
        let shown = u64::try_from(page.resources.len()).unwrap_or(u64::MAX);
        let is_it =
            |group: &&Map<String, Value>| member(group, "displayName").is_some_and(|said| said == name);
        let mut groups = page.resources.iter().filter(is_it);
        match (groups.next(), groups.next()) {
            _ if page.total > shown => self.skip(),
            (Some(group), None) => match member(group, "id").and_then(usable_id) {
                Some(id) => self.change(&id, join),
                None => self.skip(),
            },
            (None, _) if !join => self.next(),
            _ => self.skip(),
        }
    }

    fn look_for(&mut self, name: String, join: bool) -> Turn {
        let filter = equals("displayName", &name);
        let path = format!("{}/Groups?{filter}&excludedAttributes=members&count={PAGE}", self.base);
        self.at = Some(At::Lookup { name, join });
        Turn::Ask(ScimRequest::get(path))
    }

    fn change(&mut self, group: &str, join: bool) -> Turn {
        let account = Value::from(self.account.as_str());
        let operation = match join {
            true => json!({"op": "add", "path": "members", "value": [{"value": account}]}),
            false => json!({"op": "remove", "path": format!("members[value eq {account}]")}),
        };
        self.at = Some(At::Change { out: !join });
        Turn::Ask(ScimRequest::patch(resource_path(&self.base, "Groups", group), vec![operation]))
    }

    /// Leaves a group as it is, and goes on with the next.
    fn skip(&mut self) -> Turn {
        self.flawed = true;
        self.next()
    }
}
