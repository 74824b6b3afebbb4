//! A scripted SCIM directory (RFC 7644): by itself a small and correct server of users; a scenario gives it the quirks of
//! real ones, has it answer otherwise, changes its users behind everybody's back, or reads what it was asked.

mod users;

use super::behaviour::{Behaviour, Heard};
use super::config::DIRECTORY_TOKEN;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use users::{Problem, User, Users};

/// What its addresses begin with.
pub(crate) const BASE: &str = "/scim/v2";

/// A handle to it; clones are the same directory.
#[derive(Clone, Default)]
pub(crate) struct Scim(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    users: Users,
    quirks: Vec<Quirk>,
    scripts: HashMap<Operation, Script>,
    heard: Vec<(Operation, Heard)>,
    /// So many more lookups find nobody: they are answered by a copy that lags behind.
    stale_lookups: usize,
    /// So many more times somebody else changes every user as soon as it was read.
    foreign_changes: usize,
}

/// What it is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Config,
    LookUp,
    Create,
    Read,
    Patch,
    Put,
    /// Nothing that it knows.
    Unknown,
}

/// What real servers do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quirk {
    /// Every lookup is answered with all users.
    IgnoresFilters,
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
        self.lock().quirks.push(quirk);
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
        self.lock().stale_lookups = lookups;
    }

    /// So many times, somebody else changes every user as soon as it was read.
    pub(crate) fn is_used_by_others(&self, times: usize) {
        self.lock().foreign_changes = times;
    }

    /// Somebody else makes a user, or changes the one with this `id`.
    pub(crate) fn holds(&self, user: Value) {
        self.lock().users.put_behind_everybodys_back(user);
    }

    /// Every user, as it is.
    pub(crate) fn users(&self) -> Vec<Value> {
        self.lock().users.all().map(|user| user.resource.clone()).collect()
    }

    /// The one user of this externalId.
    #[track_caller]
    pub(crate) fn user(&self, external_id: &str) -> Value {
        let mut found = self.users();
        found.retain(|user| user["externalId"] == external_id);
        assert_eq!(found.len(), 1, "users of {external_id}: {found:?}");
        found.remove(0)
    }

    /// Every request of this kind, in order, answered or not.
    pub(crate) fn heard(&self, operation: Operation) -> Vec<Heard> {
        let state = self.lock();
        let like = state.heard.iter().filter(|(done, _)| *done == operation);
        like.map(|(_, heard)| heard.clone()).collect()
    }

    /// How many requests there were that make or change somebody.
    pub(crate) fn writes(&self) -> usize {
        let reads = [Operation::Config, Operation::LookUp, Operation::Read];
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
        let done = state.perform(operation, &target, heard);
        if let Some(script) = script {
            return script.behaviour;
        }
        let slow = state.quirks.iter().find_map(|quirk| match quirk {
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

impl Operation {
    /// What a request wants, and of whom: the query of a lookup, or the id of a user.
    fn of(heard: &Heard) -> (Self, String) {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        let place = path.strip_prefix(BASE).unwrap_or_default();
        match (heard.method.as_str(), place) {
            ("GET", "/ServiceProviderConfig") => (Self::Config, String::new()),
            // As a form has it: a plus is a space.
            ("GET", "/Users") => (Self::LookUp, query.replace('+', " ")),
            ("POST", "/Users") => (Self::Create, String::new()),
            (method, place) => {
                let id = place.strip_prefix("/Users/").filter(|id| !id.is_empty() && !id.contains('/'));
                match (method, id) {
                    ("GET", Some(id)) => (Self::Read, decoded(id)),
                    ("PATCH", Some(id)) => (Self::Patch, decoded(id)),
                    ("PUT", Some(id)) => (Self::Put, decoded(id)),
                    _ => (Self::Unknown, String::new()),
                }
            }
        }
    }
}

impl State {
    fn perform(&mut self, operation: Operation, target: &str, heard: &Heard) -> Behaviour {
        let has = |quirk: &Quirk| self.quirks.contains(quirk);
        let patches = !has(&Quirk::HasNoPatch) && !has(&Quirk::PromisesPatch);
        if heard.header("authorization") != Some(format!("Bearer {DIRECTORY_TOKEN}")) {
            return problem(&Problem(401, "", "who are you?".into()));
        }
        let body = || serde_json::from_slice(&heard.body).map_err(|_| Problem::syntax("it is no JSON"));
        let if_match = heard.header("if-match");
        let wants_version = has(&Quirk::WantsVersions);
        let version = |user: &User| match &if_match {
            None if wants_version => Err(Problem(428, "", "which version?".into())),
            Some(known) if known != "*" && *known != user.version() => {
                Err(Problem(412, "", "somebody was faster".into()))
            }
            _ => Ok(()),
        };
        let done = match operation {
            Operation::Config if !has(&Quirk::HasNoConfig) => {
                return scim(
                    200,
                    &json!({
                        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
                        "patch": {"supported": !has(&Quirk::HasNoPatch)},
                        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
                        "filter": {"supported": true, "maxResults": 100},
                        "changePassword": {"supported": false},
                        "sort": {"supported": false},
                        "etag": {"supported": wants_version},
                        "authenticationSchemes": [],
                    }),
                );
            }
            Operation::LookUp => return self.look_up(target),
            Operation::Create => {
                let id = self.quirks.iter().find_map(|quirk| match quirk {
                    Quirk::GivesId(id) => Some(id.clone()),
                    _ => None,
                });
                body().and_then(|user| self.users.create(user, id)).map(|user| (201, user))
            }
            Operation::Read => self.users.find(target).map(|user| (200, user.clone())),
            Operation::Patch if patches => {
                body().and_then(|patch| self.users.patch(target, &patch, version)).map(|user| (200, user))
            }
            Operation::Patch => Err(Problem(501, "", "PATCH is not implemented".into())),
            Operation::Put => {
                body().and_then(|user| self.users.put(target, user, version)).map(|user| (200, user))
            }
            Operation::Config | Operation::Unknown => Err(Problem::absent()),
        };
        match done {
            Ok((status, user)) => {
                self.others_change_what_was_read(operation);
                let answer = scim(status, &self.shown(&user));
                if wants_version { answer.with_header("etag", user.version().as_bytes()) } else { answer }
            }
            Err(wrong) => problem(&wrong),
        }
    }

    fn look_up(&mut self, query: &str) -> Behaviour {
        let members = query.split('&').filter_map(|member| member.split_once('='));
        let value_of = |name: &str| {
            let found = members.clone().find(|(key, _)| *key == name);
            found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
        };
        let folds = self.quirks.contains(&Quirk::FoldsExternalIds);
        let mut found: Vec<User> = match value_of("filter") {
            Some(_) if self.quirks.contains(&Quirk::IgnoresFilters) => self.users.all().cloned().collect(),
            Some(filter) => match self.users.filtered(&filter, folds) {
                Ok(found) => found,
                Err(wrong) => return problem(&wrong),
            },
            None => self.users.all().cloned().collect(),
        };
        if self.stale_lookups > 0 {
            self.stale_lookups -= 1;
            found.clear();
        }
        let total = found.len();
        let number = |name, usual| value_of(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
        let start = number("startIndex", 1).max(1);
        let found: Vec<_> = found.into_iter().skip(start - 1).take(number("count", 100).min(100)).collect();
        let shown: Vec<_> = found.iter().map(|user| self.shown(user)).collect();
        self.others_change_what_was_read(Operation::LookUp);
        scim(
            200,
            &json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": total,
                "startIndex": start,
                "itemsPerPage": shown.len(),
                "Resources": shown,
            }),
        )
    }

    fn shown(&self, user: &User) -> Value {
        let mut shown = user.resource.clone();
        if self.quirks.contains(&Quirk::WantsVersions) {
            shown["meta"]["version"] = json!(user.version());
        }
        shown
    }

    fn others_change_what_was_read(&mut self, operation: Operation) {
        if self.foreign_changes > 0 && matches!(operation, Operation::LookUp | Operation::Read) {
            self.foreign_changes -= 1;
            self.users.touch_all();
        }
    }
}

fn scim(status: u16, body: &Value) -> Behaviour {
    Behaviour::text(status, body.to_string()).with_header("content-type", b"application/scim+json")
}

fn problem(Problem(status, kind, detail): &Problem) -> Behaviour {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
    let mut body = json!({"schemas": schemas, "status": status.to_string(), "detail": detail});
    if !kind.is_empty() {
        body["scimType"] = json!(kind);
    }
    scim(*status, &body)
}
