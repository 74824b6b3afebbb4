//! An OpenID provider that nobody here wrote: Keycloak, with the realm of envoy/compose. Where there is one is said by
//! FIRSTSIGHT_KEYCLOAK: its distribution's folder, then it is started once for all of this; or the address of one that runs,
//! whose administrator's password is KEYCLOAK_ADMIN_PASSWORD. `make test-keycloak` runs these tests alone.

mod realm;
mod server;

use crate::process::Folder;
use crate::service::{Service, named};
use crate::support::config::{Config, DIRECTORY_TOKEN, usual};
use crate::support::message::{Answer, get};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use firstsight::domain::Kind;
use realm::Realm;
use serde_json::json;
use server::Keycloak;
use std::process::Command;
use std::time::Duration;

/// Its client credentials tokens, and no others, say `client_id`.
fn config(realms: &[&Realm]) -> Config {
    let issuer =
        |realm: &&Realm| json!({"issuer": realm.issuer, "cluster": "idp", "audiences": ["orders-api"]});
    usual()
        .set("/issuers", realms.iter().map(issuer).collect())
        .set("/kinds", json!({"service": {"when": [{"claim": "client_id"}]}}))
        .set("/headers/1/claim", json!("iss"))
        .set("/headers/4", json!({"header": "x-roles", "claim": "realm_access.roles", "format": "csv", "when_missing": "omit"}))
}

fn world(keycloak: &Keycloak, config: &Config) -> EnvoyWorld {
    let others = Others { issuer: Some(keycloak.port), directory: None };
    EnvoyWorld::beside(Upstreams::default(), config, others).unwrap_or_else(|log| panic!("{log}"))
}

#[test]
fn its_access_tokens_bring_groups_and_nested_roles() {
    let keycloak = server::keycloak();
    let realm = Realm::new(keycloak, "roles");
    let mut world = world(keycloak, &config(&[&realm]));
    let seen = world.send(get("/orders").bearer(&realm.access_token("alice"))).forwarded();
    assert_eq!(seen.header("x-user-groups").as_deref(), Some("engineering,platform"));
    let roles = seen.header("x-roles").expect("she has roles");
    assert!(roles.split(',').any(|role| role == "developer"), "of one group: {roles}");
    assert!(roles.split(',').any(|role| role == "on-call"), "of a group below it: {roles}");
    let arrivals = world.directory().arrivals();
    assert_eq!(arrivals[0].kind, Kind::Person);
    assert_eq!(arrivals[0].subject.issuer, realm.issuer);
    assert_eq!(arrivals[0].attributes["userName"], "alice");
}

#[test]
fn its_id_tokens_are_for_whoever_asks_for_them() {
    let keycloak = server::keycloak();
    let realm = Realm::new(keycloak, "identity");
    let token = realm.id_token("alice");
    let strict = config(&[&realm]);
    world(keycloak, &strict.clone().set("/issuers/0/audiences", json!(["orders-cli"])))
        .send(get("/orders").bearer(&token))
        .refused(401, "token-unsupported");
    let wanted =
        strict.set("/issuers/0/audiences", json!(["orders-cli"])).set("/issuers/0/token", json!("id"));
    let mut world = world(keycloak, &wanted);
    let seen = world.send(get("/orders").bearer(&token)).forwarded();
    assert_eq!(seen.header("x-user-groups").as_deref(), Some("engineering,platform"));
    world.send(get("/orders").bearer(&realm.access_token("alice"))).refused(401, "token-unsupported");
}

#[test]
fn its_clients_with_credentials_of_their_own_are_services() {
    let keycloak = server::keycloak();
    let realm = Realm::new(keycloak, "service");
    let mut world = world(keycloak, &config(&[&realm]));
    world.send(get("/orders").bearer(&realm.service_token())).forwarded();
    world.send(get("/orders").bearer(&realm.access_token("alice"))).forwarded();
    let kinds: Vec<_> = world.directory().arrivals().into_iter().map(|arrival| arrival.kind).collect();
    assert_eq!(kinds, [Kind::Service, Kind::Person]);
}

#[test]
fn its_rotation_is_followed_until_a_key_is_withdrawn() {
    let keycloak = server::keycloak();
    let realm = Realm::new(keycloak, "rotation");
    let often = json!({"every": "1s", "at_least": "1s", "at_most": "1s", "unknown_kid": "100ms"});
    let mut world = world(keycloak, &config(&[&realm]).set("/issuers/0/keys_refresh", often));
    let old = realm.access_token("alice");
    world.send(get("/orders").bearer(&old)).forwarded();
    realm.add_key("rsa-generated", &json!({"priority": ["200"], "algorithm": ["RS256"]}));
    let new = realm.access_token("alice");
    assert_ne!(realm::header(&old)["kid"], realm::header(&new)["kid"]);
    // Both workers, and both keys.
    for token in [&new, &old].repeat(4) {
        world.send(get("/orders").bearer(token)).forwarded();
    }
    realm.withdraw_key(&realm::header(&old)["kid"]);
    refused_in_the_end(&mut world, &old).refused(401, "key-unknown");
    world.send(get("/orders").bearer(&new)).forwarded();
}

#[test]
fn its_other_signatures_hold_too() {
    let keycloak = server::keycloak();
    let realm = Realm::new(keycloak, "algorithms");
    let mut world = world(keycloak, &config(&[&realm]));
    realm.add_key("ecdsa-generated", &json!({"priority": ["50"], "ecdsaEllipticCurveKey": ["P-256"]}));
    realm.add_key("eddsa-generated", &json!({"priority": ["50"], "eddsaEllipticCurveKey": ["Ed25519"]}));
    for algorithm in ["ES256", "EdDSA"] {
        realm.sign_with(algorithm);
        let token = realm.access_token("alice");
        assert_eq!(realm::header(&token)["alg"], algorithm);
        world.send(get("/orders").bearer(&token)).forwarded();
    }
}

#[test]
fn two_realms_have_people_of_their_own() {
    let keycloak = server::keycloak();
    let realms = [Realm::new(keycloak, "north"), Realm::new(keycloak, "south")];
    let mut world = world(keycloak, &config(&[&realms[0], &realms[1]]));
    let accounts = realms.each_ref().map(|realm| {
        let seen = world.send(get("/orders").bearer(&realm.access_token("alice"))).forwarded();
        assert_eq!(seen.header("x-user-email").as_deref(), Some(&*realm.issuer), "who vouches for her");
        seen.header("x-account-id")
    });
    assert_ne!(accounts[0], accounts[1], "two people are called alice");
    let stranger = Realm::new(keycloak, "elsewhere");
    world.send(get("/orders").bearer(&stranger.access_token("alice"))).refused(401, "issuer-unknown");
}

#[test]
fn somebody_disabled_and_signed_out_there_loses_access_without_a_login() {
    let keycloak = server::keycloak();
    // One that runs elsewhere does not reach a directory here; `make compose-demo` shows it there.
    if !keycloak.is_own() {
        return;
    }
    let folder = Folder::new();
    let directory = hears_of(&folder, &realm::issuer(keycloak, "disabled"));
    let realm = Realm::telling(keycloak, "disabled", directory.port);
    let config = config(&[&realm]).set("/departures", json!({"wait": "2s"}));
    let others = Others { issuer: Some(keycloak.port), directory: Some(directory.port) };
    let mut world =
        EnvoyWorld::beside(Upstreams::default(), &config, others).unwrap_or_else(|log| panic!("{log}"));
    let (alice, bob) = (realm.access_token("alice"), realm.access_token("bob"));
    world.send(get("/orders").bearer(&bob)).forwarded();
    realm.disable("bob");
    assert_eq!(realm.login("bob")["error_description"], "Account disabled");
    refused_in_the_end(&mut world, &bob).refused(401, "token-outdated");
    world.send(get("/orders").bearer(&alice)).forwarded();
}

/// A directory that takes this issuer's security events.
fn hears_of(folder: &Folder, issuer: &str) -> Service {
    let settings = format!("[[signals]]\nissuer = \"{issuer}\"\naudiences = [\"firstsight-directory\"]\n");
    let file = folder.file("directory.toml");
    std::fs::write(&file, settings).expect("a file can be written");
    let mut command = Command::new(named("FIRSTSIGHT_BIN", "target/debug/firstsight"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(file);
    command.arg(format!("--database=sqlite:{}", folder.file("accounts.db").display()));
    Service::start(command.env("FIRSTSIGHT_TOKEN", DIRECTORY_TOKEN))
}

/// Sends requests with this token until one is refused.
#[track_caller]
fn refused_in_the_end(world: &mut EnvoyWorld, token: &str) -> Answer {
    let refused = (0..400).find_map(|_| {
        world.pass(Duration::from_millis(50));
        let answer = world.send(get("/orders").bearer(token));
        answer.seen.is_none().then_some(answer)
    });
    refused.expect("it is refused in the end")
}
