//! An OpenID provider that nobody here wrote: the npm package oidc-provider. Its tokens pass as they are.

use crate::service::{Service, named};
use crate::support::config::{Config, usual};
use crate::support::message::{get, post};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use firstsight::domain::Kind;
use serde_json::json;
use std::process::Command;
use std::time::Duration;

fn provider() -> Service {
    let launcher = named("FIRSTSIGHT_OIDC_PROVIDER", "tests/oidc-provider/server.mjs");
    Service::start(Command::new(named("FIRSTSIGHT_NODE", "node")).arg(launcher))
}

fn issuer(provider: &Service) -> String {
    format!("http://127.0.0.1:{}", provider.port)
}

fn config(provider: &Service) -> Config {
    usual()
        .set("/issuers/0/issuer", json!(issuer(provider)))
        .set("/headers/1", json!({"header": "x-tenant", "claim": "tenant"}))
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
