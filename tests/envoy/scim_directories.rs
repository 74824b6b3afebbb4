//! Real SCIM directories behind real Envoys: one that nobody here wrote, the PyPI package scim2-server, and our own. One
//! user for each subject.

use crate::client;
use crate::process::Folder;
use crate::server::Server;
use crate::service::{Service, named};
use crate::several::{first_requests, gateways, patient};
use crate::support::config::{Config, DIRECTORY_TOKEN, ISSUER};
use crate::support::directory::Directory;
use crate::support::message::{Answer, Request, get, post};
use crate::support::scim::{self, Quirk};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// A directory that speaks SCIM.
struct Peer {
    service: Service,
    /// The path of its service.
    base: &'static str,
    _folder: Folder,
}

impl Peer {
    fn scim2_server() -> Self {
        let mut command = Command::new(named("FIRSTSIGHT_SCIM2_SERVER", "scim2-server"));
        command.args(["--bearer-token", DIRECTORY_TOKEN, "--port", &free_port().to_string()]);
        Self { service: Service::start(&mut command), base: "/v2", _folder: Folder::new() }
    }

    /// Ours, which takes an external id for the `sub` of the usual issuer.
    fn own() -> Self {
        let folder = Folder::new();
        let settings = folder.file("directory.toml");
        std::fs::write(&settings, format!("[scim]\nissuer = \"{ISSUER}\"\n")).expect("a file can be written");
        let database = format!("sqlite:{}", folder.file("accounts.db").display());
        let mut command = Command::new(named("FIRSTSIGHT_BIN", "target/debug/firstsight"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", &database, "--config"]).arg(settings);
        let service = Service::start(command.env("FIRSTSIGHT_TOKEN", DIRECTORY_TOKEN));
        Self { service, base: "/scim/v2", _folder: folder }
    }

    fn config(&self) -> Config {
        patient(crate::support::config::scim().set("/provisioning/path", json!(self.base)))
    }
}

macro_rules! suites {
    ($($name:ident)*) => {
        mod scim2_server {
            $(#[test] fn $name() { super::$name(&super::Peer::scim2_server()); })*
        }
        mod our_own {
            $(#[test] fn $name() { super::$name(&super::Peer::own()); })*
        }
    };
}

suites! {
    a_first_sight_makes_the_user
    parallel_first_requests_through_two_workers_make_one_user
    several_gateways_that_see_new_subjects_at_once_make_one_user_of_each
    a_user_that_is_there_is_found_and_not_made
    a_user_who_was_set_inactive_is_refused_and_stays_inactive
    a_user_who_is_set_inactive_loses_access_and_needs_a_newer_token_afterwards
    a_changed_attribute_in_a_newer_token_arrives
    a_login_that_belongs_to_somebody_else_adopts_nobody
    quotes_and_backslashes_in_a_subject_find_nobody_else
    the_scripted_directory_answers_as_it_does
}

/// It cannot be told to take any port. Below those that the kernel gives to clients nobody takes one before it does.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn world(directory: &Peer) -> EnvoyWorld {
    let others = Others { issuer: None, directory: Some(directory.service.port) };
    EnvoyWorld::beside(Upstreams::default(), &directory.config(), others)
        .unwrap_or_else(|log| panic!("{log}"))
}

fn users(directory: &Peer) -> Vec<Value> {
    let (status, list) =
        directory.service.ask(&get(&format!("{}/Users?count=1000", directory.base)).bearer(DIRECTORY_TOKEN));
    assert_eq!(status, 200, "{list}");
    list["Resources"].as_array().cloned().unwrap_or_default()
}

/// The one user of this externalId.
#[track_caller]
fn user(directory: &Peer, external_id: &str) -> Value {
    let mut found = users(directory);
    found.retain(|user| user["externalId"] == external_id);
    assert_eq!(found.len(), 1, "users of {external_id}: {found:?}");
    found.remove(0)
}

/// Somebody else makes a user; its id.
#[track_caller]
fn make(directory: &Peer, mut user: Value) -> String {
    user["schemas"] = json!([USER]);
    let request =
        post(&format!("{}/Users", directory.base), user.to_string().into_bytes()).bearer(DIRECTORY_TOKEN);
    let (status, made) = directory.service.ask(&request.header("content-type", "application/scim+json"));
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().expect("a user has an id").to_owned()
}

fn bearing(token: &str) -> Request {
    get("/orders").bearer(token)
}

#[track_caller]
fn account(answer: Answer) -> String {
    answer.forwarded().header("x-account-id").expect("a user has an id")
}

fn a_first_sight_makes_the_user(directory: &Peer) {
    let mut world = world(directory);
    let id = account(world.visit("jane-4711"));
    assert_eq!(users(directory).len(), 1);
    let user = user(directory, "jane-4711");
    assert_eq!(user["id"], id);
    assert_eq!(user["userName"], "login-of-jane-4711");
    assert_eq!(user["emails"], json!([{"value": "jane-4711@people.test"}]));
    assert_eq!(user["name"]["givenName"], "Given-jane-4711");
    assert_ne!(user["active"], false);
}

fn parallel_first_requests_through_two_workers_make_one_user(directory: &Peer) {
    let mut world = world(directory);
    let ids: Vec<_> = world.visits("jane-4711", 24).into_iter().map(account).collect();
    let user = user(directory, "jane-4711");
    assert!(ids.iter().all(|id| user["id"] == *id), "{ids:?}");
    assert_eq!(users(directory).len(), 1);
}

fn several_gateways_that_see_new_subjects_at_once_make_one_user_of_each(directory: &Peer) {
    let mut gateways = gateways(3, &directory.config(), directory.service.port);
    let subjects: Vec<_> = (0..30).map(|number| format!("crowd-{number}")).collect();
    for crowd in subjects.chunks(6) {
        for (sub, answers) in first_requests(&mut gateways, crowd) {
            let user = user(directory, &sub);
            assert!(answers.into_iter().map(account).all(|id| user["id"] == id), "{sub}");
        }
    }
    assert_eq!(users(directory).len(), subjects.len());
}

fn a_user_that_is_there_is_found_and_not_made(directory: &Peer) {
    let id = make(
        directory,
        json!({"userName": "login-of-jane-4711", "externalId": "jane-4711", "title": "Tour Guide"}),
    );
    let mut world = world(directory);
    for _ in 0..6 {
        assert_eq!(account(world.visit("jane-4711")), id);
    }
    assert_eq!(users(directory).len(), 1);
    assert_eq!(user(directory, "jane-4711")["title"], "Tour Guide");
}

fn a_user_who_was_set_inactive_is_refused_and_stays_inactive(directory: &Peer) {
    make(directory, json!({"userName": "login-of-jane-4711", "externalId": "jane-4711", "active": false}));
    let before = users(directory);
    let mut world = world(directory);
    for _ in 0..6 {
        world.visit("jane-4711").refused(403, "account-departed");
    }
    let token = world.token_with("jane-4711", &json!({"email": "new@people.test"}));
    world.send(bearing(&token)).refused(403, "account-departed");
    assert_eq!(users(directory), before);
}

/// Sends the same until both workers have answered it, most probably.
#[track_caller]
fn refused(world: &mut EnvoyWorld, token: &str, status: u16, slug: &str) {
    for _ in 0..8 {
        world.send(bearing(token)).refused(status, slug);
    }
}

fn a_user_who_is_set_inactive_loses_access_and_needs_a_newer_token_afterwards(directory: &Peer) {
    let crowd = (0..130).map(|number| format!("crowd-{number}"));
    for sub in crowd.clone() {
        make(directory, json!({"userName": sub, "externalId": sub, "active": false}));
    }
    let readings = json!({"protocol": "scim", "every": "200ms", "stale_for": "10s"});
    let others = Others { issuer: None, directory: Some(directory.service.port) };
    let config = directory.config().set("/departures", readings);
    let mut world =
        EnvoyWorld::beside(Upstreams::default(), &config, others).unwrap_or_else(|log| panic!("{log}"));
    world.until("all have read who is inactive", |world| {
        world.counter("firstsight.departures.heard") >= 130 * EnvoyWorld::VMS as u64
    });
    for sub in crowd.step_by(43) {
        let token = world.token(&sub);
        refused(&mut world, &token, 403, "account-departed");
    }
    let jane = world.token("jane-4711");
    let id = account(world.send(bearing(&jane)));
    let set_active = |active: bool| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let operation = json!({"op": "replace", "path": "active", "value": active});
        let patch = json!({"schemas": schemas, "Operations": [operation]}).to_string().into_bytes();
        let patch = Request { method: "PATCH", ..post(&format!("{}/Users/{id}", directory.base), patch) };
        let patch = patch.bearer(DIRECTORY_TOKEN).header("content-type", "application/scim+json");
        let (status, told) = directory.service.ask(&patch.header("if-match", "*"));
        assert!(matches!(status, 200 | 204), "{told}");
    };
    set_active(false);
    world.pass(Duration::from_millis(1500));
    refused(&mut world, &jane, 403, "account-departed");
    set_active(true);
    world.pass(Duration::from_millis(1500));
    refused(&mut world, &jane, 401, "token-outdated");
    let newer = world.token_with("jane-4711", &json!({"iat": world.now().as_millis() / 1000 + 5}));
    assert_eq!(account(world.send(bearing(&newer))), id);
    assert_eq!(world.counter("firstsight.departures.failed"), 0, "{}", world.log());
}

fn a_changed_attribute_in_a_newer_token_arrives(directory: &Peer) {
    let mut world = world(directory);
    let now = world.now().as_millis() / 1000;
    let older = world.token_with("jane-4711", &json!({"iat": now - 60}));
    let id = account(world.send(bearing(&older)));
    world.pass(Duration::from_millis(200));
    let changes = json!({"iat": now, "email": "jane@married.test", "preferred_username": "jane-married"});
    let newer = world.token_with("jane-4711", &changes);
    assert_eq!(account(world.send(bearing(&newer))), id);
    world.until("the change has arrived", |_| {
        let user = user(directory, "jane-4711");
        user["emails"] == json!([{"value": "jane@married.test"}]) && user["userName"] == "jane-married"
    });
    let version = user(directory, "jane-4711")["meta"]["version"].clone();
    for _ in 0..6 {
        assert_eq!(account(world.send(bearing(&older))), id, "an older token changes nothing back");
    }
    let user = user(directory, "jane-4711");
    assert_eq!((&user["id"], &user["meta"]["version"]), (&json!(id), &version));
    assert_eq!(user["name"]["givenName"], "Given-jane-4711");
}

fn a_login_that_belongs_to_somebody_else_adopts_nobody(directory: &Peer) {
    make(directory, json!({"userName": "LOGIN-of-jane-4711", "externalId": "somebody-else"}));
    make(directory, json!({"userName": "login-of-john-4712"}));
    let before = users(directory);
    let mut world = world(directory);
    for sub in ["jane-4711", "john-4712"] {
        world.visit(sub).refused(403, "account-invalid");
    }
    assert_eq!(users(directory), before);
}

fn quotes_and_backslashes_in_a_subject_find_nobody_else(directory: &Peer) {
    let victim = make(directory, json!({"userName": "victim", "externalId": "victim-1"}));
    let mut world = world(directory);
    let odd =
        [r#"quo"te"#, r"back\slash", r#"\""#, r#"x" or externalId eq "victim-1"#, "per%22cent+plus&amp=#1"];
    for (number, sub) in odd.into_iter().enumerate() {
        let claims = json!({"preferred_username": format!("odd-{number}"), "email": null});
        let token = world.token_with(sub, &claims);
        let id = account(world.send(bearing(&token)));
        assert_ne!(id, victim);
        assert_eq!(user(directory, sub)["id"], id);
        assert_eq!(account(world.send(bearing(&token))), id);
    }
    assert_eq!(users(directory).len(), 1 + odd.len());
}

/// What a SCIM server says to a client that tries what a gateway does, and what it should not: status, kind of error, and
/// all of the user but what is the server's own, or how many were found.
fn conversation(port: u16, base: &str) -> Vec<(u16, Value, Value)> {
    let ask = |method: &'static str, place: &str, body: &Value, if_match: Option<&str>| {
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        let request = Request { method, ..post(&format!("{base}{place}"), body) };
        let request = request.bearer(DIRECTORY_TOKEN).header("content-type", "application/scim+json");
        let request =
            if_match.into_iter().fold(request, |request, version| request.header("if-match", version));
        let answer = client::receive(client::send(port, &request)).expect("it answers");
        match (method, answer.status) {
            // One shows what became of a user, the other says that there is nothing to say.
            ("PATCH", 200 | 204) => (204, json!({})),
            (_, status) => (status, serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()),
        }
    };
    let nothing = Value::Null;
    let jane = json!({
        "schemas": [USER], "userName": "jane", "externalId": r#"ja"n\e"#, "emails": [{"value": "jane@people.test"}],
    });
    let (_, made) = ask("POST", "/Users", &jane, None);
    let own = format!("/Users/{}", made["id"].as_str().expect("a user has an id"));
    let version = made["meta"]["version"].as_str().expect("a user has a version").to_owned();
    let patch = |operations: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let renamed = json!([{"op": "replace", "path": "name.givenName", "value": "Jane"}]);
    let married =
        json!([{"op": "Replace", "value": {"emails": [{"value": "jane@married.test"}], "title": "CEO"}}]);
    let left =
        json!([{"op": "replace", "path": "active", "value": false}, {"op": "remove", "path": "title"}]);
    let replaced =
        json!({"schemas": [USER], "userName": "janet", "externalId": r#"ja"n\e"#, "active": false});
    let said = [
        ask("POST", "/Users", &jane, None),
        ask("POST", "/Users", &json!({"schemas": [USER], "userName": "JANE"}), None),
        ask("POST", "/Users", &json!({"schemas": [USER]}), None),
        ask("POST", "/Users", &json!({"schemas": [USER], "userName": "j", "active": "perhaps"}), None),
        ask("POST", "/Users", &json!("jane"), None),
        ask("GET", "/Users/nobody", &nothing, None),
        ask("GET", "/Users?filter=externalId%20eq%20%22ja%5C%22n%5C%5Ce%22", &nothing, None),
        ask("GET", "/Users?filter=externalId%20eq%20%22JA%5C%22n%5C%5Ce%22", &nothing, None),
        ask("GET", "/Users?filter=userName%20eq%20%22JANE%22", &nothing, None),
        ask("GET", "/Users?filter=externalId%20eq%20jane", &nothing, None),
        ask("GET", "/Users?filter=active%20eq%20false&startIndex=1&count=100", &nothing, None),
        ask("GET", "/Users?filter=meta.lastModified%20ge%20%22tomorrow%22", &nothing, None),
        ask("GET", "/Users?filter=meta.lastModified%20ge%20%222999-01-01T00%3A00%3A00Z%22", &nothing, None),
        ask("PATCH", &own, &patch(renamed), Some(&version)),
        ask("GET", &own, &nothing, None),
        ask("PATCH", &own, &patch(married.clone()), Some(&version)),
        ask("PATCH", &own, &patch(married), Some("*")),
        ask("GET", &own, &nothing, None),
        ask("PATCH", &own, &patch(left), Some("*")),
        ask("GET", &own, &nothing, None),
        ask(
            "PATCH",
            "/Users/nobody",
            &patch(json!([{"op": "replace", "path": "title", "value": "x"}])),
            None,
        ),
        ask("PUT", &own, &replaced, Some("*")),
        ask("GET", &own, &nothing, None),
    ];
    let told = |(status, body): (u16, Value)| match (status, &body["totalResults"]) {
        (400.., _) => (status, body["scimType"].clone(), nothing.clone()),
        (_, Value::Null) => {
            let members = body.as_object().cloned().unwrap_or_default().into_iter();
            // Active is who is not said to be inactive.
            let ours = members.filter(|(name, value)| {
                !matches!(&**name, "id" | "meta" | "schemas") && (name != "active" || *value != true)
            });
            (status, nothing.clone(), ours.collect())
        }
        (_, found) => (status, nothing.clone(), found.clone()),
    };
    said.map(told).into_iter().collect()
}

fn the_scripted_directory_answers_as_it_does(directory: &Peer) {
    let scripted = Directory::default();
    scripted.scim().has(Quirk::WantsVersions);
    let server = Server::of(Arc::new(scripted));
    let real = conversation(directory.service.port, directory.base);
    let ours = conversation(server.port, scim::BASE);
    for (number, (real, ours)) in real.into_iter().zip(ours).enumerate() {
        assert_eq!(real, ours, "answer {number}");
    }
}
