//! A realm of a test's own, made of the one that users copy, and gone when it is dropped.

use super::server::Keycloak;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// For everything that the realm leaves to its environment.
const SECRET: &str = "a-secret-of-tests";

pub(crate) struct Realm {
    keycloak: &'static Keycloak,
    name: String,
    pub(crate) issuer: String,
}

impl Realm {
    pub(crate) fn new(keycloak: &'static Keycloak, name: &str) -> Self {
        Self::of(keycloak, name, &shipped())
    }

    /// That tells a directory on this port of sessions that end.
    pub(crate) fn telling(keycloak: &'static Keycloak, name: &str, port: u16) -> Self {
        Self::of(
            keycloak,
            name,
            &shipped().replace("http://directory:8090", &format!("http://127.0.0.1:{port}")),
        )
    }

    fn of(keycloak: &'static Keycloak, name: &str, text: &str) -> Self {
        let issuer = issuer(keycloak, name);
        let name = full(name);
        let mut realm: Value = serde_json::from_str(text).expect("it is JSON");
        realm["realm"] = json!(name);
        let clients = realm["clients"].as_array_mut().expect("it has clients");
        let people = clients.iter_mut().find(|client| client["clientId"] == "orders-cli");
        // The shortest way to a token; the tour of scripts/composed goes the way of users.
        people.expect("people have a client")["directAccessGrantsEnabled"] = json!(true);
        keycloak.administer("POST", "", &realm);
        Self { keycloak, name, issuer }
    }

    /// The answer to a login with a password.
    pub(crate) fn login(&self, person: &str) -> Value {
        let form = [("grant_type", "password"), ("client_id", "orders-cli"), ("scope", "openid")];
        self.keycloak.token(&self.name, &[&form[..], &[("username", person), ("password", SECRET)]].concat())
    }

    pub(crate) fn access_token(&self, person: &str) -> String {
        text(&self.login(person), "access_token")
    }

    pub(crate) fn id_token(&self, person: &str) -> String {
        text(&self.login(person), "id_token")
    }

    pub(crate) fn service_token(&self) -> String {
        let form =
            [("grant_type", "client_credentials"), ("client_id", "orders-job"), ("client_secret", SECRET)];
        text(&self.keycloak.token(&self.name, &form), "access_token")
    }

    /// As an administrator does it: disabled, and signed out everywhere.
    pub(crate) fn disable(&self, person: &str) {
        let found = self.administer("GET", &format!("/users?username={person}&exact=true"), &Value::Null);
        let id = text(&found[0], "id");
        self.administer("PUT", &format!("/users/{id}"), &json!({"enabled": false}));
        self.administer("POST", &format!("/users/{id}/logout"), &json!({}));
    }

    pub(crate) fn add_key(&self, kind: &str, config: &Value) {
        let key = json!({
            "name": kind, "providerId": kind, "providerType": "org.keycloak.keys.KeyProvider", "config": config,
        });
        self.administer("POST", "/components", &key);
    }

    pub(crate) fn withdraw_key(&self, kid: &Value) {
        let keys = self.administer("GET", "/keys", &Value::Null);
        let keys = keys["keys"].as_array().expect("it has keys");
        let key = keys.iter().find(|key| key["kid"] == *kid).expect("it has this one");
        self.administer("DELETE", &format!("/components/{}", text(key, "providerId")), &Value::Null);
    }

    /// Access tokens of people are signed with this algorithm from now on.
    pub(crate) fn sign_with(&self, algorithm: &str) {
        let found = self.administer("GET", "/clients?clientId=orders-cli", &Value::Null);
        let mut client = found[0].clone();
        client["attributes"]["access.token.signed.response.alg"] = json!(algorithm);
        self.administer("PUT", &format!("/clients/{}", text(&client, "id")), &client);
    }

    #[track_caller]
    fn administer(&self, method: &'static str, path: &str, body: &Value) -> Value {
        self.keycloak.administer(method, &format!("/{}{path}", self.name), body)
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        // A test that failed because Keycloak is gone says so itself.
        if !std::thread::panicking() {
            self.administer("DELETE", "", &Value::Null);
        }
    }
}

/// The realm that users copy, with what it leaves to its environment.
fn shipped() -> String {
    let shipped = include_str!("../../../envoy/compose/realm.json");
    shipped.replace("${DEMO_PASSWORD}", SECRET).replace("${JOB_SECRET}", SECRET)
}

/// The issuer that a realm of this name is.
pub(crate) fn issuer(keycloak: &Keycloak, name: &str) -> String {
    format!("{}/realms/{}", keycloak.url(), full(name))
}

fn full(name: &str) -> String {
    format!("test-{name}-{}", std::process::id())
}

/// The header of a token.
pub(crate) fn header(token: &str) -> Value {
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    header.and_then(|bytes| serde_json::from_slice(&bytes).ok()).expect("it is a JWT")
}

#[track_caller]
fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("there is no {name}: {answer}")).to_owned()
}
