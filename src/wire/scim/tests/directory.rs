//! A SCIM directory in memory, as far as conversations go: users, groups, filters, pages, versions, uniqueness; and answers
//! that are put in its mouth.

use super::*;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;

#[derive(Default)]
pub(super) struct Directory {
    pub(super) users: Vec<Value>,
    pub(super) groups: Vec<Value>,
    pub(super) ignores_filters: bool,
    pub(super) tells_memberships: bool,
    /// Everything that was asked.
    pub(super) asked: Vec<ScimRequest>,
    pub(super) instead: Vec<Instead>,
}

/// An answer instead of the directory's own.
pub(super) struct Instead {
    method: Method,
    path: &'static str,
    passed_over: usize,
    times: usize,
    reply: Reply,
}

impl Directory {
    pub(super) fn of(users: Value) -> Self {
        Self { users: users.as_array().unwrap().clone(), ..Self::default() }
    }

    /// Answers requests to paths that begin so with `reply`, always.
    pub(super) fn says(self, method: Method, path: &'static str, reply: Reply) -> Self {
        self.instead(method, path, 0, usize::MAX, reply)
    }

    /// The same, `times` times, after `passed_over` such requests.
    pub(super) fn instead(
        mut self,
        method: Method,
        path: &'static str,
        passed_over: usize,
        times: usize,
        reply: Reply,
    ) -> Self {
        self.instead.push(Instead { method, path, passed_over, times, reply });
        self
    }

    /// The methods and paths of what was asked, queries left out, in order.
    pub(super) fn steps(&self) -> Vec<String> {
        let path = |request: &ScimRequest| request.path.split('?').next().unwrap().replace("/scim/v2/", "");
        self.asked.iter().map(|request| format!("{} {}", request.method, path(request))).collect()
    }

    /// The bodies that were sent.
    pub(super) fn sent(&self, method: &Method) -> Vec<Value> {
        let of = self.asked.iter().filter(|request| request.method == method);
        of.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    pub(super) fn answer(&mut self, request: &ScimRequest) -> Reply {
        self.asked.push(request.clone());
        let path = request.path.strip_prefix("/scim/v2/").expect("it is under the base");
        for instead in self.instead.iter_mut().filter(|it| it.times > 0) {
            if request.method != instead.method || !path.starts_with(instead.path) {
                continue;
            }
            if instead.passed_over > 0 {
                instead.passed_over -= 1;
                continue;
            }
            instead.times -= 1;
            return instead.reply.clone();
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        let headers: HeaderMap = request.headers.iter().cloned().collect();
        match (request.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
            ("GET", ["ServiceProviderConfig"]) => reply(
                200,
                json!({"patch": {"supported": true}, "filter": {"supported": true}, "etag": {"supported": true}}),
            ),
            ("GET", [kind]) => self.list(kind, query),
            ("POST", ["Users"]) => self.create(body),
            ("PATCH", [kind, id]) => self.patch(kind, id, &body, headers.get(header::IF_MATCH)),
            ("PUT", ["Users", id]) => {
                let user = self.users.iter_mut().find(|user| user["id"] == *id).expect("it is there");
                let own = user.clone();
                *user = body;
                user["id"] = own["id"].clone();
                reply(200, &*user)
            }
            _ => reply(404, ""),
        }
    }

    fn resources(&mut self, kind: &str) -> &mut Vec<Value> {
        if kind == "Users" { &mut self.users } else { &mut self.groups }
    }

    fn list(&mut self, kind: &str, query: &str) -> Reply {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').expect("a pair");
            (name.to_owned(), percent_decode_str(value).decode_utf8().unwrap().into_owned())
        };
        let query: std::collections::HashMap<_, _> = query.split('&').map(pair).collect();
        let filter = query.get("filter").filter(|_| !self.ignores_filters).map(|filter| {
            let (name, text) = filter.split_once(" eq ").expect("a comparison");
            (name.to_owned(), serde_json::from_str::<Value>(text).expect("a JSON string"))
        });
        let start: usize = query.get("startIndex").map_or(1, |start| start.parse().unwrap());
        let count: usize = query.get("count").map_or(50, |count| count.parse().unwrap());
        let mut all = self.resources(kind).clone();
        all.retain(|it| filter.as_ref().is_none_or(|(name, text)| it[name.as_str()] == *text));
        if self.tells_memberships && kind == "Users" {
            all.iter_mut().for_each(|user| user["groups"] = self.groups_of(user));
        }
        let page: Vec<_> = all.iter().skip(start - 1).take(count).collect();
        reply(200, json!({"totalResults": all.len(), "startIndex": start, "Resources": page}))
    }

    fn groups_of(&self, user: &Value) -> Value {
        let mine = self.groups.iter().filter(|group| {
            group["members"].as_array().is_some_and(|all| all.iter().any(|it| it["value"] == user["id"]))
        });
        mine.map(|group| json!({"value": group["id"], "display": group["displayName"]})).collect()
    }

    fn create(&mut self, mut made: Value) -> Reply {
        if self.users.iter().any(|other| other["userName"] == made["userName"]) {
            return reply(409, json!({"scimType": "uniqueness"}));
        }
        made["id"] = format!("users{}", self.users.len() + 1).into();
        self.users.push(made.clone());
        reply(201, made)
    }

    fn patch(&mut self, kind: &str, id: &str, body: &Value, if_match: Option<&http::HeaderValue>) -> Reply {
        let Some(resource) = self.resources(kind).iter_mut().find(|it| it["id"] == id) else {
            return reply(404, "");
        };
        let version = resource["meta"]["version"].as_str();
        if if_match.is_some_and(|said| said.to_str().ok() != version) {
            return reply(412, "");
        }
        for operation in body["Operations"].as_array().expect("operations") {
            change(resource, operation);
        }
        reply(204, "")
    }
}

/// `add` and `remove` of members, `replace` and `remove` of all else.
fn change(resource: &mut Value, operation: &Value) {
    let path = operation["path"].as_str().expect("a path");
    let value = &operation["value"];
    if path.starts_with("members") {
        let members = resource.as_object_mut().unwrap().entry("members").or_insert(json!([]));
        let members = members.as_array_mut().unwrap();
        match value.as_array() {
            Some(new) => members.extend(new.iter().cloned()),
            None => members.retain(|it| path != format!("members[value eq {}]", it["value"])),
        }
        return;
    }
    let (schema, rest) = match path.rsplit_once(':') {
        Some((schema, rest)) => (Some(schema), rest),
        None => (None, path),
    };
    let place = match schema {
        Some(schema) => &mut resource[schema],
        None => resource,
    };
    match rest.split_once('.') {
        Some((name, below)) => place[name][below] = value.clone(),
        None => place[rest] = value.clone(),
    }
}
