//! The plugin configuration of a scenario: a usual one, changed where the scenario needs it.

use serde_json::{Value, json};

/// The issuer of every scenario. The proxy's cluster `idp` is where it is reached, whatever its name resolves to.
pub(crate) const ISSUER: &str = "http://idp.test/realms/acme";

/// What the directory wants to hear from the gateway.
pub(crate) const DIRECTORY_TOKEN: &str = "directory-token-8d3f1a";

/// The environment of the plugin's VM.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[("DIRECTORY_TOKEN", DIRECTORY_TOKEN)];

/// A plugin configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config(pub(crate) Value);

/// The usual configuration, with spans short enough for a clock on the wall.
pub(crate) fn usual() -> Config {
    Config(json!({
        "gateway": "edge-1",
        "issuers": [{"issuer": ISSUER, "cluster": "idp", "audiences": ["orders-api"]}],
        "headers": [
            {"header": "x-user-id", "claim": "sub"},
            {"header": "x-user-email", "claim": "email", "when_missing": "omit"},
            {"header": "x-user-groups", "claim": "groups", "format": "csv", "when_missing": "omit"},
            {"header": "x-account-id", "account": "id"},
        ],
        "attributes": [
            {"attribute": "userName", "claim": "preferred_username"},
            {"attribute": "name.givenName", "claim": "given_name"},
        ],
        "provisioning": {
            "cluster": "directory",
            "authority": "directory.test",
            "authorization": {"env": "DIRECTORY_TOKEN"},
            "timeout": "600ms",
        },
        "last_seen": {"every": "200ms"},
        "limits": {"hold": "2s"},
    }))
}

/// The same where it is heard who departed. The scripted feed tells news with the next poll, so polls are short.
pub(crate) fn departing() -> Config {
    let feed = json!({"wait": "100ms", "timeout": "800ms", "stale_for": "4s"});
    usual().set("/departures", feed)
}

/// The same where users of a SCIM directory are read for that.
pub(crate) fn departing_by_scim() -> Config {
    let users = json!({"protocol": "scim", "path": super::scim::BASE, "every": "200ms", "timeout": "800ms", "stale_for": "4s"});
    usual().set("/departures", users)
}

/// The same where a transmitter's events tell it.
pub(crate) fn departing_by_events() -> Config {
    let events = json!({
        "protocol": "ssf", "cluster": "directory", "path": "/ssf/poll", "timeout": "800ms", "stale_for": "4s",
        "ssf": {
            "issuer": super::transmitter::TRANSMITTER, "audiences": [super::transmitter::RECEIVER],
            "keys_refresh": {"unknown_kid": "300ms"},
        },
    });
    usual().set("/departures", events)
}

/// The same for a directory that speaks SCIM: of these attributes, all but the given name are kept as tokens have them.
pub(crate) fn scim() -> Config {
    usual()
        .set("/provisioning/protocol", json!("scim"))
        .set("/provisioning/path", json!(super::scim::BASE))
        .set("/provisioning/drift_every", json!("100ms"))
        .set("/last_seen/cluster", json!("directory"))
        .set(
            "/attributes",
            json!([
                {"attribute": "userName", "claim": "preferred_username", "sync": "always"},
                {"attribute": "emails", "claim": "email", "format": "scim", "sync": "always"},
                {"attribute": "name.givenName", "claim": "given_name", "sync": "arrival"},
            ]),
        )
}

/// The same, where every first sight is asked about once, and a directory that fails is never left alone.
pub(crate) fn scim_once() -> Config {
    scim()
        .set("/provisioning/retry", json!({"attempts": 1}))
        .set("/provisioning/breaker", json!({"failures": 1000}))
}

impl Config {
    /// Whether a request without a token reaches the application.
    pub(crate) fn only_reports(&self) -> bool {
        self.0["mode"] == "report"
    }

    /// Writes `value` at a JSON Pointer; members on the way are made where they are missing, and
    /// so is the next item of a list.
    pub(crate) fn set(mut self, pointer: &str, value: Value) -> Self {
        let steps = pointer.trim_start_matches('/').split('/');
        let place = steps.fold(&mut self.0, |place, step| match step.parse::<usize>() {
            Ok(index) => {
                let list = place.as_array_mut().expect("a number is a place in a list");
                list.extend((list.len() == index).then_some(Value::Null));
                &mut list[index]
            }
            Err(_) => &mut place[step],
        });
        *place = value;
        self
    }
}
