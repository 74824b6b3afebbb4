//! An OpenID provider that nobody here wrote: the npm package oidc-provider. Its tokens pass as they are. `make
//! test-oidc-provider` runs these tests alone.

mod login;

use crate::client;
use crate::directory;
use crate::process::Folder;
use crate::service::{Service, named};
use crate::support::config::{Config, usual};
use crate::support::message::{get, post};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use firstsight::domain::Kind;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

fn provider() -> Service {
    let launcher = named("FIRSTSIGHT_OIDC_PROVIDER", "tests/oidc-provider/server.mjs");
    Service::start(Command::new(named("FIRSTSIGHT_NODE", "node")).arg(launcher))
}

fn issuer(provider: &Service) -> String {
    format!("http://127.0.0.1:{}", provider.port)
}

/// The path of its second issuer.
const BRANCH: &str = "/branch";

fn config(provider: &Service) -> Config {
    usual()
        .set("/issuers/0/issuer", json!(issuer(provider)))
        .set("/headers/1", json!({"header": "x-tenant", "claim": "tenant", "when_missing": "omit"}))
        .set("/headers/4", json!({"header": "x-roles", "claim": "realm_access.roles", "format": "csv", "when_missing": "omit"}))
}

/// The token of this name in the answer to a login.
#[track_caller]
fn named_token(login: &Value, name: &str) -> String {
    login[name].as_str().unwrap_or_else(|| panic!("no {name}: {login}")).to_owned()
}

fn world(provider: &Service, config: &Config) -> EnvoyWorld {
    let others = Others { issuer: Some(provider.port), directory: None };
    EnvoyWorld::beside(Upstreams::default(), config, others).unwrap_or_else(|log| panic!("{log}"))
}

/// An access token by client credentials; `wish` is the query of the resource (see the launcher).
fn token(provider: &Service, wish: &str) -> String {
    let resource = format!("https://orders.example/?{wish}").replace('?', "%3F").replace('&', "%26");
    let form = format!(
        "grant_type=client_credentials&client_id=m2m&client_secret=s3cret-s3cret-s3cret&scope=api&resource={resource}"
    );
    let request =
        post("/token", form.into_bytes()).header("content-type", "application/x-www-form-urlencoded");
    let (status, answer) = provider.ask(&request);
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().expect("it gives a token").to_owned()
}

#[test]
fn its_tokens_pass_in_every_algorithm() {
    let provider = provider();
    let mut world = world(&provider, &config(&provider));
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let token = token(&provider, &format!("alg={algorithm}&aud=orders-api"));
        let seen = world.send(get("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("m2m"), "{algorithm}");
        assert_eq!(seen.header("x-user-groups").as_deref(), Some("ops,eng"), "{algorithm}");
        assert_eq!(seen.header("x-tenant").as_deref(), Some("acme"), "{algorithm}");
        assert_eq!(seen.header("x-account-id").as_deref(), Some("acct-1"), "{algorithm}");
        assert!(!world.log().contains(&token[token.len() - 40..]), "a token is in the log");
    }
    let arrivals = world.directory().arrivals();
    assert!(arrivals.iter().all(|arrival| arrival.kind == Kind::Service));
    assert_eq!(arrivals[0].subject.issuer, issuer(&provider));
}

#[test]
fn its_rotation_is_followed_without_a_restart() {
    let provider = provider();
    let mut world = world(&provider, &config(&provider));
    let before = token(&provider, "alg=ES256&aud=orders-api");
    world.send(get("/orders").bearer(&before)).forwarded();
    assert_eq!(provider.ask(&post("/__rotate", b"-".to_vec())).0, 200);
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let token = token(&provider, &format!("alg={algorithm}&aud=orders-api"));
        for _ in 0..4 {
            world.send(get("/orders").bearer(&token)).forwarded();
        }
    }
    let refused = (0..20).any(|_| world.send(get("/orders").bearer(&before)).seen.is_none());
    assert!(refused, "a key that it withdrew is still accepted everywhere");
}

#[test]
fn its_tokens_for_others_and_its_old_ones_are_refused() {
    let provider = provider();
    let mut world = world(&provider, &config(&provider).set("/issuers/0/clock_skew", json!("1ms")));
    let foreign = token(&provider, "alg=ES256&aud=invoices-api");
    world.send(get("/orders").bearer(&foreign)).refused(401, "audience-mismatch");
    let short = token(&provider, "alg=ES256&aud=orders-api&ttl=1");
    world.pass(Duration::from_millis(2100));
    world.send(get("/orders").bearer(&short)).refused(401, "token-expired");
}

#[test]
fn its_people_bring_groups_and_nested_roles() {
    let provider = provider();
    let mut world = world(&provider, &config(&provider));
    let login = login::log_in(&provider, "", "alice");
    let seen = world.send(get("/orders").bearer(&named_token(&login, "access_token"))).forwarded();
    assert_eq!(seen.header("x-user-id").as_deref(), Some("alice"));
    assert_eq!(seen.header("x-user-groups").as_deref(), Some("engineering,platform"));
    assert_eq!(seen.header("x-roles").as_deref(), Some("developer,on-call"));
    assert_eq!(world.directory().arrivals()[0].kind, Kind::Person);
}

#[test]
fn its_id_tokens_are_for_whoever_asks_for_them() {
    let provider = provider();
    let login = login::log_in(&provider, "", "alice");
    let [access, id] = ["access_token", "id_token"].map(|name| named_token(&login, name));
    let strict = config(&provider).set("/issuers/0/audiences", json!(["orders-cli"]));
    let wanted = strict.set("/issuers/0/token", json!("id"));
    let mut world = world(&provider, &wanted);
    let seen = world.send(get("/orders").bearer(&id)).forwarded();
    assert_eq!(seen.header("x-user-groups").as_deref(), Some("engineering,platform"));
    assert_eq!(seen.header("x-roles").as_deref(), Some("developer,on-call"));
    world.send(get("/orders").bearer(&access)).refused(401, "token-unsupported");
}

#[test]
fn two_of_its_issuers_have_people_of_their_own() {
    let provider = provider();
    let both = [issuer(&provider), issuer(&provider) + BRANCH];
    let issuers = both
        .each_ref()
        .map(|issuer| json!({"issuer": issuer, "cluster": "idp", "audiences": ["orders-api"]}));
    let config = config(&provider).set("/issuers", json!(issuers)).set("/headers/1/claim", json!("iss"));
    let mut world = world(&provider, &config);
    let accounts = ["", BRANCH].map(|path| {
        let token = named_token(&login::log_in(&provider, path, "alice"), "access_token");
        let seen = world.send(get("/orders").bearer(&token)).forwarded();
        assert_eq!(seen.header("x-tenant"), Some(issuer(&provider) + path), "who vouches for her");
        seen.header("x-account-id")
    });
    assert_ne!(accounts[0], accounts[1], "two people are called alice");
    let only = config.set("/issuers", json!([issuers[0]]));
    let stranger = named_token(&login::log_in(&provider, BRANCH, "alice"), "access_token");
    self::world(&provider, &only).send(get("/orders").bearer(&stranger)).refused(401, "issuer-unknown");
}

#[test]
fn somebody_whom_it_forgets_gets_no_other_token_and_the_directory_ends_the_one_there_is() {
    let provider = provider();
    let folder = Folder::new();
    let directory = directory::serve(&folder, 0);
    let others = Others { issuer: Some(provider.port), directory: Some(directory.port) };
    let config = config(&provider).set("/departures", json!({"wait": "2s"}));
    let mut world =
        EnvoyWorld::beside(Upstreams::default(), &config, others).unwrap_or_else(|log| panic!("{log}"));
    let login = login::log_in(&provider, "", "bob");
    let login = login::refresh(&provider, "", &login["refresh_token"]);
    let token = named_token(&login, "access_token");
    world.send(get("/orders").bearer(&token)).forwarded();
    assert_eq!(provider.ask(&post("/__forget?account=bob", b"-".to_vec())).0, 200);
    assert_eq!(login::refresh(&provider, "", &login["refresh_token"])["error"], "invalid_grant");
    // It tells nobody.
    world.send(get("/orders").bearer(&token)).forwarded();
    directory::decide(&directory, "depart");
    world.until("he is refused", |world| {
        let answer = client::receive(client::send(world.port(), &get("/orders").bearer(&token)));
        answer.is_some_and(|answer| answer.status == 403)
    });
}
