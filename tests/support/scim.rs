//! A scripted SCIM directory (RFC 7644): by itself a small and correct server of users and groups; a scenario gives it the
//! quirks of real ones, has it answer otherwise, changes its users behind everybody's back, or reads what it was asked.

mod groups;
mod operation;
mod service;
mod users;

pub(crate) use operation::Operation;

use super::behaviour::{Behaviour, Heard};
use firstsight::domain::Timestamp;
use serde_json::{Value, json};
use service::Service;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What its addresses begin with.
pub(crate) const BASE: &str = "/scim/v2";

/// A handle to it; clones are the same directory.
#[derive(Clone, Default)]
pub(crate) struct Scim(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    service: Service,
    scripts: HashMap<Operation, Script>,
    heard: Vec<(Operation, Heard)>,
}

/// What real servers do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quirk {
    /// Every lookup is answered with all users.
    IgnoresFilters,
    /// Every lookup but one by externalId is refused.
    KnowsOneFilter,
    /// There are at most so many users on a page.
    ShowsAtMost(usize),
    /// The case of an externalId makes no difference to a lookup.
    FoldsExternalIds,
    /// PATCH is answered with 501, and its configuration says so.
    HasNoPatch,
    /// PATCH is answered with 501, though its configuration promises it.
    PromisesPatch,
    /// There is no ServiceProviderConfig.
    HasNoConfig,
    /// Users have versions, and nobody changes one without naming the version that it was read in.
    WantsVersions,
    /// New users get this id.
    GivesId(String),
    /// Every answer takes this long.
    IsSlow(Duration),
}

#[derive(Clone)]
struct Script {
    takes_effect: bool,
    behaviour: Behaviour,
}

impl Scim {
    /// From now on it has this quirk as well.
    pub(crate) fn has(&self, quirk: Quirk) {
        self.lock().service.quirks.push(quirk);
    }

    /// From now on this is answered so, and not done.
    pub(crate) fn answers(&self, operation: Operation, behaviour: Behaviour) {
        self.lock().scripts.insert(operation, Script { takes_effect: false, behaviour });
    }

    /// From now on this is done, but answered so.
    pub(crate) fn does_but_answers(&self, operation: Operation, behaviour: Behaviour) {
        self.lock().scripts.insert(operation, Script { takes_effect: true, behaviour });
    }

    /// From now on it does and answers what it should, but for its quirks.
    pub(crate) fn behaves(&self) {
        self.lock().scripts.clear();
    }

    /// The next lookups find nobody, whoever is there.
    pub(crate) fn lags_behind(&self, lookups: usize) {
        self.lock().service.stale_lookups = lookups;
    }

    /// So many times, somebody else changes every user as soon as it was read.
    pub(crate) fn is_used_by_others(&self, times: usize) {
        self.lock().service.foreign_changes = times;
    }

    /// So many times, the first user is deleted as soon as a page was shown.
    pub(crate) fn loses_users(&self, times: usize) {
        self.lock().service.losses = times;
    }

    /// Somebody sets the user of this subject active or not, at that time.
    pub(crate) fn sets_active(&self, sub: &str, active: bool, at: Timestamp) {
        self.holds(json!({
            "id": format!("id-of-{sub}"), "userName": sub, "externalId": sub, "active": active,
            "meta": {"resourceType": "User", "lastModified": at.rfc3339()},
        }));
    }

    /// Somebody else makes a user, or changes the one with this `id`.
    pub(crate) fn holds(&self, user: Value) {
        self.lock().service.users.put_behind_everybodys_back(user);
    }

    /// Every user, as it is.
    pub(crate) fn users(&self) -> Vec<Value> {
        self.lock().service.users.all().map(|user| user.resource.clone()).collect()
    }

    /// The one user of this externalId.
    #[track_caller]
    pub(crate) fn user(&self, external_id: &str) -> Value {
        let mut found = self.users();
        found.retain(|user| user["externalId"] == external_id);
        assert_eq!(found.len(), 1, "users of {external_id}: {found:?}");
        found.remove(0)
    }

    /// Somebody else makes a group with these members.
    pub(crate) fn has_group(&self, name: &str, members: &[&str]) {
        self.lock().service.groups.put_behind_everybodys_back(name, members);
    }

    /// Names and members of its groups, in the order in which they were made.
    pub(crate) fn groups(&self) -> Vec<(String, Vec<String>)> {
        self.lock().service.groups.memberships()
    }

    /// Every request of this kind, in order, answered or not.
    pub(crate) fn heard(&self, operation: Operation) -> Vec<Heard> {
        let state = self.lock();
        let like = state.heard.iter().filter(|(done, _)| *done == operation);
        like.map(|(_, heard)| heard.clone()).collect()
    }

    /// How often users were asked for that are inactive, as at the beginning, and that were changed since, as later.
    pub(crate) fn readings(&self) -> (usize, usize) {
        let asked = self.heard(Operation::LookUp);
        let first = |filter: &str| {
            let of_first =
                |heard: &&Heard| heard.path.contains(filter) && heard.path.contains("startIndex=1&");
            asked.iter().filter(of_first).count()
        };
        (first("filter=active"), first("filter=meta.lastModified"))
    }

    /// How many requests there were that make or change somebody.
    pub(crate) fn writes(&self) -> usize {
        let reads = [Operation::Config, Operation::LookUp, Operation::Read, Operation::LookUpGroups];
        self.lock().heard.iter().filter(|(operation, _)| !reads.contains(operation)).count()
    }

    /// Answers, and remembers what it was asked.
    pub(super) fn hear(&self, heard: &Heard) -> Behaviour {
        let mut state = self.lock();
        let (operation, target) = Operation::of(heard);
        state.heard.push((operation, heard.clone()));
        let script = state.scripts.get(&operation).cloned();
        if let Some(Script { takes_effect: false, behaviour }) = script {
            return behaviour;
        }
        let done = state.service.perform(operation, &target, heard);
        if let Some(script) = script {
            return script.behaviour;
        }
        let slow = state.service.quirks.iter().find_map(|quirk| match quirk {
            Quirk::IsSlow(delay) => Some(*delay),
            _ => None,
        });
        match slow {
            Some(delay) => done.after(delay),
            None => done,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
