//! The directory as a SCIM client sees it.

mod groups;
mod lists;
mod patches;
mod service;
mod subjects;
mod users;
mod versions;

use crate::program::{Directory, TOKEN, client};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::io::Write;
use tempfile::NamedTempFile;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What was answered.
struct Answer {
    status: u16,
    body: Value,
    etag: Option<String>,
    location: Option<String>,
    content_type: String,
}

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    fn fails(self, status: u16, kind: Option<&str>) {
        let said = (self.status, self.body["scimType"].as_str(), self.body["status"].as_str());
        assert_eq!(said, (status, kind, Some(status.to_string().as_str())), "{}", self.body);
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    }

    fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }
}

impl Directory {
    /// A request below the service's path.
    fn scim(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = client().request(method, format!("{}/scim/v2{path}", self.program.url));
        let request = request.bearer_auth(TOKEN);
        match body {
            Value::Null => request,
            body => request.header("content-type", "application/scim+json").body(body.to_string()),
        }
    }

    async fn scim_get(&self, path: &str) -> Answer {
        ask(self.scim(Method::GET, path, &Value::Null)).await
    }

    async fn scim_post(&self, path: &str, body: &Value) -> Answer {
        ask(self.scim(Method::POST, path, body)).await
    }

    async fn scim_put(&self, path: &str, body: &Value) -> Answer {
        ask(self.scim(Method::PUT, path, body)).await
    }

    async fn scim_delete(&self, path: &str) -> Answer {
        ask(self.scim(Method::DELETE, path, &Value::Null)).await
    }

    async fn scim_patch(&self, path: &str, operations: Value) -> Answer {
        ask(self.scim(Method::PATCH, path, &patch(operations))).await
    }

    /// Those that a filter finds.
    async fn scim_find(&self, kind: &str, filter: &str) -> Vec<Value> {
        let request = self.scim(Method::GET, &format!("/{kind}"), &Value::Null).query(&[("filter", filter)]);
        let answer = ask(request).await.is(200);
        let found = answer.body["Resources"].as_array().unwrap().clone();
        assert_eq!(answer.body["totalResults"], found.len(), "{}", answer.body);
        found
    }

    /// Makes a user; returns its path.
    async fn make_user(&self, mut user: Value) -> String {
        user["schemas"] = json!([USER]);
        format!("/Users/{}", self.scim_post("/Users", &user).await.is(201).id())
    }

    /// What a gateway is told about the subject with this `sub`.
    async fn arrives(&self, sub: &str) -> (u16, Value) {
        self.arrival(&crate::program::arrival(sub, json!({}))).await
    }
}

async fn ask(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Answer {
        status: response.status().as_u16(),
        etag: header("etag"),
        location: header("location"),
        content_type: header("content-type").unwrap_or_default(),
        body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default(),
    }
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// A directory that takes a plain `externalId` for the `sub` of the usual issuer.
fn of_the_usual_issuer() -> Directory {
    let mut settings = NamedTempFile::new().unwrap();
    writeln!(settings, "[scim]\nissuer = \"{}\"", crate::program::ISSUER).unwrap();
    Directory::with(&["--config", settings.path().to_str().unwrap()])
}

/// What became of an account: event, cause and actor of each record.
async fn story(directory: &Directory, id: &str) -> Vec<(String, String, String)> {
    let account = directory.account(id).await;
    let text = |record: &Value, member: &str| record[member].as_str().unwrap().to_owned();
    let told = |record: &Value| (text(record, "event"), text(record, "cause"), text(record, "actor"));
    account["story"].as_array().unwrap().iter().map(told).collect()
}
