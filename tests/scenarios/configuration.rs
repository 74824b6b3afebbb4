//! A configuration is taken as a whole, or refused with everything that is wrong with it.

use crate::Here;
use crate::support::config::{Config, usual};
use crate::support::message::get;
use crate::support::world::{Upstreams, World};
use serde_json::json;

fn wrong() -> Config {
    usual()
        .set("/isuers", json!([]))
        .set("/issuers/0/algorithms", json!(["HS256"]))
        .set("/issuers/0/clock_skew", json!("soon"))
        .set("/headers/0/header", json!("no header"))
        .set("/provisioning/authorization/env", json!("NOBODY_SET_THIS"))
        .set("/limits/waiting", json!(0))
}

/// Every place that is wrong in it.
const PLACES: [&str; 6] = [
    "isuers: ",
    "issuers[0].algorithms[0]: ",
    "issuers[0].clock_skew: ",
    "headers[0].header: ",
    "provisioning.authorization.env: ",
    "limits.waiting: ",
];

#[test]
fn a_bad_configuration_is_refused_with_every_problem_at_once() {
    let told = Here::start(Upstreams::default(), &wrong()).err().expect("it is refused");
    for place in PLACES {
        assert!(told.contains(place), "{place} is not named:\n{told}");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    for config in [json!({}), json!([]), json!("text")] {
        let told = Here::start(Upstreams::default(), &Config(config)).err().expect("it is refused");
        assert!(told.contains("issuers: ") || told.contains("configuration: "), "{told}");
    }
}

#[test]
fn after_a_bad_update_the_old_configuration_serves_on() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    let told = world.update(&wrong()).expect_err("it is refused");
    for place in PLACES {
        assert!(told.contains(place), "{place} is not named:\n{told}");
    }
    for _ in 0..6 {
        let seen = world.visit("jane-4711").forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
    }
}

#[test]
fn a_good_update_takes_effect_for_every_request_after_it() {
    let mut world = Here::usual(&usual());
    world.visit("jane-4711").forwarded();
    let rules = json!([{"header": "x-login", "claim": "preferred_username"}]);
    world.update(&usual().set("/headers", rules)).unwrap();
    for _ in 0..6 {
        let token = world.token("jane-4711");
        let seen = world.send(get("/orders").bearer(&token).header("x-user-id", "mine now")).forwarded();
        assert_eq!(seen.header("x-login").as_deref(), Some("login-of-jane-4711"));
        assert_eq!(seen.header("x-user-id").as_deref(), Some("mine now"), "it is managed no longer");
    }
}
