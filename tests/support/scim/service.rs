//! The scripted SCIM directory's own answers (RFC 7644): right ones, but for its quirks.

use super::groups::Groups;
use super::users::{Problem, User, Users};
use super::{Operation, Quirk};
use crate::support::behaviour::{Behaviour, Heard};
use crate::support::config::DIRECTORY_TOKEN;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Service {
    pub(super) users: Users,
    pub(super) groups: Groups,
    pub(super) quirks: Vec<Quirk>,
    /// So many more lookups find nobody: they are answered by a copy that lags behind.
    pub(super) stale_lookups: usize,
    /// So many more times somebody else changes every user as soon as it was read.
    pub(super) foreign_changes: usize,
    /// So many more times the first user is deleted as soon as a page was shown.
    pub(super) losses: usize,
}

impl Service {
    pub(super) fn perform(&mut self, operation: Operation, target: &str, heard: &Heard) -> Behaviour {
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
                let id = self.quirks.iter().rev().find_map(|quirk| match quirk {
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
            Operation::LookUpGroups => return self.look_up_groups(target),
            Operation::PatchGroup if patches => {
                return answered(200, body().and_then(|patch| self.groups.patch(target, &patch)));
            }
            Operation::PatchGroup => Err(Problem(501, "", "PATCH is not implemented".into())),
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
        let folds = self.quirks.contains(&Quirk::FoldsExternalIds);
        let knows_one = self.quirks.contains(&Quirk::KnowsOneFilter);
        let found = match value_of(query, "filter").filter(|_| !self.quirks.contains(&Quirk::IgnoresFilters))
        {
            Some(filter) if knows_one && !filter.starts_with("externalId") => {
                Err(Problem(400, "invalidFilter", "only `externalId eq \"…\"` is understood".to_owned()))
            }
            Some(filter) => self.users.filtered(&filter, folds),
            None => Ok(self.users.all().cloned().collect()),
        };
        let mut shown = found.map(|found| found.iter().map(|user| self.shown(user)).collect::<Vec<_>>());
        if let (true, Ok(shown)) = (self.stale_lookups > 0, &mut shown) {
            self.stale_lookups -= 1;
            shown.clear();
        }
        self.others_change_what_was_read(Operation::LookUp);
        let most = self.quirks.iter().find_map(|quirk| match quirk {
            Quirk::ShowsAtMost(most) => Some(*most),
            _ => None,
        });
        if self.losses > 0 {
            self.losses -= 1;
            self.users.remove_first();
        }
        answered(200, shown.map(|shown| page(shown, query, most.unwrap_or(100))))
    }

    fn look_up_groups(&self, query: &str) -> Behaviour {
        let found = match value_of(query, "filter").filter(|_| !self.quirks.contains(&Quirk::IgnoresFilters))
        {
            Some(filter) => self.groups.filtered(&filter),
            None => Ok(self.groups.all()),
        };
        answered(200, found.map(|found| page(found, query, 100)))
    }

    fn shown(&self, user: &User) -> Value {
        let mut shown = user.resource.clone();
        let groups = self.groups.of(&user.resource["id"]);
        if !groups.is_empty() {
            shown["groups"] = json!(groups);
        }
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

/// The value of a member of a query.
fn value_of(query: &str, name: &str) -> Option<String> {
    let found = query.split('&').filter_map(|member| member.split_once('=')).find(|(key, _)| *key == name);
    found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// The page that a query asks for, of all that were found: at most so many.
fn page(found: Vec<Value>, query: &str, most: usize) -> Value {
    let number = |name, usual| value_of(query, name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (total, start) = (found.len(), number("startIndex", 1).max(1));
    let shown: Vec<_> = found.into_iter().skip(start - 1).take(number("count", most).min(most)).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": shown.len(),
        "Resources": shown,
    })
}

fn answered(status: u16, done: Result<Value, Problem>) -> Behaviour {
    done.map_or_else(|wrong| problem(&wrong), |body| scim(status, &body))
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
