//! The users of the scripted SCIM directory: what RFC 7643 and RFC 7644 ask of them, as far as a gateway sees it.

use firstsight::domain::Timestamp;
use serde_json::{Map, Value, json};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[derive(Default)]
pub(super) struct Users {
    users: Vec<User>,
    made: usize,
}

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) resource: Value,
    changes: u32,
}

/// Status, `scimType` and `detail` of an error (RFC 7644 §3.12).
#[derive(Debug)]
pub(super) struct Problem(pub(super) u16, pub(super) &'static str, pub(super) String);

impl Problem {
    pub(super) fn syntax(detail: &str) -> Self {
        Self(400, "invalidSyntax", detail.to_owned())
    }

    pub(super) fn absent() -> Self {
        Self(404, "", "nobody is there".to_owned())
    }
}

impl User {
    pub(super) fn version(&self) -> String {
        format!("W/\"{}\"", self.changes)
    }

    fn is(&self, id: &str) -> bool {
        self.resource["id"] == id
    }
}

impl Users {
    pub(super) fn all(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    pub(super) fn find(&self, id: &str) -> Result<&User, Problem> {
        self.users.iter().find(|user| user.is(id)).ok_or_else(Problem::absent)
    }

    pub(super) fn put_behind_everybodys_back(&mut self, mut resource: Value) {
        match self.users.iter_mut().find(|user| user.resource["id"] == resource["id"]) {
            Some(user) => {
                user.changes += 1;
                user.resource = resource;
            }
            None => {
                resource["schemas"] = json!([USER]);
                self.users.push(User { resource, changes: 1 });
            }
        }
    }

    pub(super) fn touch_all(&mut self) {
        self.users.iter_mut().for_each(|user| user.changes += 1);
    }

    pub(super) fn remove_first(&mut self) {
        if !self.users.is_empty() {
            self.users.remove(0);
        }
    }

    /// Users that a filter finds; `attribute eq "…"`, `active eq …` and `meta.lastModified ge "…"` are all it may say.
    pub(super) fn filtered(&self, filter: &str, folds: bool) -> Result<Vec<User>, Problem> {
        if let Some(active) = filter.strip_prefix("active eq ").and_then(|active| active.parse::<bool>().ok())
        {
            let same = |user: &&User| user.resource["active"].as_bool().unwrap_or(true) == active;
            return Ok(self.users.iter().filter(same).cloned().collect());
        }
        if let Some(since) = filter.strip_prefix("meta.lastModified ge ") {
            let time = |text: &Value| Timestamp::parse_rfc3339(text.as_str()?);
            let since = serde_json::from_str(since).ok().and_then(|since| time(&since));
            let since = since.ok_or_else(|| Problem(400, "invalidFilter", "it is no time".to_owned()))?;
            let later = |user: &&User| time(&user.resource["meta"]["lastModified"]) >= Some(since);
            return Ok(self.users.iter().filter(later).cloned().collect());
        }
        let wrong = || Problem(400, "invalidFilter", "only `attribute eq \"…\"` is understood".to_owned());
        let (attribute, value) = filter.split_once(" eq ").ok_or_else(wrong)?;
        let value: String = serde_json::from_str(value.trim()).map_err(|_| wrong())?;
        let folds = match attribute.trim() {
            "externalId" | "id" => folds,
            "userName" => true,
            _ => return Err(wrong()),
        };
        let same = |user: &&User| {
            let own = user.resource[attribute.trim()].as_str().unwrap_or_default();
            own == value || (folds && own.to_lowercase() == value.to_lowercase())
        };
        Ok(self.users.iter().filter(same).cloned().collect())
    }

    pub(super) fn create(&mut self, mut resource: Value, id: Option<String>) -> Result<User, Problem> {
        self.check(&resource, None)?;
        self.made += 1;
        resource["id"] = json!(id.unwrap_or_else(|| format!("user-{}", self.made)));
        resource["meta"] = json!({"resourceType": "User"});
        let user = User { resource, changes: 1 };
        self.users.push(user.clone());
        Ok(user)
    }

    /// Replaces all that a client may write: what is not there afterwards is gone (RFC 7644 §3.5.1).
    pub(super) fn put(
        &mut self,
        id: &str,
        mut resource: Value,
        may_change: impl Fn(&User) -> Result<(), Problem>,
    ) -> Result<User, Problem> {
        may_change(self.find(id)?)?;
        self.check(&resource, Some(id))?;
        resource["id"] = json!(id);
        resource["meta"] = json!({"resourceType": "User"});
        self.replace(id, resource)
    }

    /// Applies the operations of a PatchOp: with a path of attribute names, or with an object of attributes
    /// (RFC 7644 §3.5.2).
    pub(super) fn patch(
        &mut self,
        id: &str,
        patch: &Value,
        may_change: impl Fn(&User) -> Result<(), Problem>,
    ) -> Result<User, Problem> {
        may_change(self.find(id)?)?;
        let mut resource = self.find(id)?.resource.clone();
        if patch["schemas"] != json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"]) {
            return Err(Problem::syntax("it is no PatchOp"));
        }
        let operations = patch["Operations"].as_array().filter(|operations| !operations.is_empty());
        for operation in operations.ok_or_else(|| Problem::syntax("it has no Operations"))? {
            let value = &operation["value"];
            let op = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
            match (op.as_str(), operation["path"].as_str(), value.as_object()) {
                ("add" | "replace", Some(path), _) if !value.is_null() => {
                    *place(&mut resource, path)? = value.clone();
                }
                ("add" | "replace", None, Some(members)) => merge(&mut resource, members)?,
                ("remove", Some(path), _) => *place(&mut resource, path)? = Value::Null,
                _ => return Err(Problem::syntax("it is no operation")),
            }
        }
        self.check(&resource, Some(id))?;
        self.replace(id, resource)
    }

    fn replace(&mut self, id: &str, resource: Value) -> Result<User, Problem> {
        let user = self.users.iter_mut().find(|user| user.is(id)).ok_or_else(Problem::absent)?;
        user.changes += 1;
        user.resource = resource;
        user.resource
            .as_object_mut()
            .into_iter()
            .for_each(|members| members.retain(|_, value| !value.is_null()));
        Ok(user.clone())
    }

    /// What every user must be: one of its schema, with a userName that nobody else has. An externalId is not unique
    /// (RFC 7643 §3.1 leaves that to the client).
    fn check(&self, resource: &Value, own: Option<&str>) -> Result<(), Problem> {
        let invalid = |detail: &str| Err(Problem(400, "invalidValue", detail.to_owned()));
        let of_users = resource["schemas"].as_array().is_some_and(|all| all.contains(&json!(USER)));
        if !of_users {
            return Err(Problem::syntax("it is no user"));
        }
        let Some(name) = resource["userName"].as_str().filter(|name| !name.is_empty()) else {
            return invalid("userName is missing");
        };
        if !(resource["active"].is_boolean() || resource["active"].is_null()) {
            return invalid("active is true or false");
        }
        let is_list = |value: &Value| {
            value.as_array().is_some_and(|items| items.iter().all(|item| item["value"].is_string()))
        };
        if !resource["emails"].is_null() && !is_list(&resource["emails"]) {
            return invalid("emails is a list of {value: ...}");
        }
        let mut others = self.users.iter().filter(|user| own.is_none_or(|id| !user.is(id)));
        let same = |user: &User| {
            let taken = user.resource["userName"].as_str();
            taken.is_some_and(|taken| taken.to_lowercase() == name.to_lowercase())
        };
        if others.any(same) {
            return Err(Problem(409, "uniqueness", format!("{name} is taken")));
        }
        Ok(())
    }
}

/// The place of an attribute such as `userName` or `name.givenName`; `id` and the like are not to be written.
fn place<'a>(resource: &'a mut Value, path: &str) -> Result<&'a mut Value, Problem> {
    let is_name = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let steps: Vec<_> = path.split('.').collect();
    if !steps.iter().all(|step| is_name(step)) {
        return Err(Problem(400, "invalidPath", "it is no path".to_owned()));
    }
    if matches!(steps[0], "id" | "meta" | "schemas") {
        return Err(Problem(400, "mutability", "it is not to be written".to_owned()));
    }
    let mut place = resource;
    for step in steps {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    Ok(place)
}

fn merge(resource: &mut Value, members: &Map<String, Value>) -> Result<(), Problem> {
    for (name, value) in members {
        match (value.as_object(), name.as_str()) {
            (Some(parts), _) => {
                for (part, value) in parts {
                    *place(resource, &format!("{name}.{part}"))? = value.clone();
                }
            }
            (None, path) => *place(resource, path)? = value.clone(),
        }
    }
    Ok(())
}
