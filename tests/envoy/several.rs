//! Several gateways, each an Envoy process of its own, in front of one directory: what they make together.

use crate::client;
use crate::directory::{accounts, decide, serve};
use crate::process::Folder;
use crate::support::config::{Config, usual};
use crate::support::message::{Answer, get};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Envoys with the same issuer and the same directory; each says its own name.
pub(crate) fn gateways(count: usize, config: &Config, directory: u16) -> Vec<EnvoyWorld> {
    let upstreams = Upstreams::default();
    let start = |number: usize| {
        let config = config.clone().set("/gateway", json!(format!("edge-{number}")));
        let others = Others { issuer: None, directory: Some(directory) };
        EnvoyWorld::beside(upstreams.clone(), &config, others).unwrap_or_else(|log| panic!("{log}"))
    };
    (1..=count).map(start).collect()
}

/// Sends a first request of every one of these subjects to every gateway, all at once; the answers are by subject.
pub(crate) fn first_requests(
    gateways: &mut [EnvoyWorld],
    subjects: &[String],
) -> BTreeMap<String, Vec<Answer>> {
    let mut open = vec![];
    for sub in subjects {
        let token = gateways[0].token(sub);
        for (number, gateway) in gateways.iter_mut().enumerate() {
            open.push((sub, number, gateway.open(get("/orders").bearer(&token))));
        }
    }
    let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for (sub, number, request) in open {
        answers.entry(sub.clone()).or_default().push(gateways[number].answer(request));
    }
    answers
}

/// Spans that hold on a machine that has much else to do.
pub(crate) fn patient(config: Config) -> Config {
    config
        .set("/provisioning/timeout", json!("8s"))
        .set("/provisioning/retry", json!({"attempts": 10}))
        .set("/provisioning/breaker", json!({"failures": 1000}))
        .set("/limits/hold", json!("15s"))
}

#[test]
fn a_hundred_subjects_that_three_gateways_see_at_once_are_a_hundred_accounts() {
    let folder = Folder::new();
    let directory = serve(&folder, 0);
    let mut gateways = gateways(3, &patient(usual()), directory.port);
    let subjects: Vec<_> = (0..100).map(|number| format!("crowd-{number}")).collect();
    let mut answered = BTreeMap::new();
    for crowd in subjects.chunks(25) {
        answered.extend(first_requests(&mut gateways, crowd));
    }
    let accounts = accounts(&directory);
    assert_eq!(accounts.len(), subjects.len());
    for account in accounts {
        let sub = account["subject"]["id"].as_str().expect("an account has a subject");
        for answer in answered.remove(sub).unwrap_or_else(|| panic!("{sub} has two accounts")) {
            assert_eq!(answer.forwarded().header("x-account-id").as_deref(), account["id"].as_str(), "{sub}");
        }
    }
}

#[test]
fn a_departure_ends_access_at_every_gateway_without_a_login_and_a_return_needs_a_new_token() {
    let folder = Folder::new();
    let directory = serve(&folder, 0);
    let config = patient(usual()).set("/departures", json!({"wait": "5s"}));
    let mut gateways = gateways(2, &config, directory.port);
    let token = gateways[0].token("jane-4711");
    let request = || get("/orders").bearer(&token);
    for gateway in &mut gateways {
        gateway.send(request()).forwarded();
    }
    decide(&directory, "depart");
    for gateway in &mut gateways {
        gateway.until("both of its workers refuse her", |gateway| {
            (0..6).all(|_| {
                client::receive(client::send(gateway.port(), &request())).is_some_and(|one| one.status == 403)
            })
        });
    }
    decide(&directory, "return");
    let newer = {
        gateways[0].pass(Duration::from_millis(1100));
        gateways[0].token("jane-4711")
    };
    for gateway in &mut gateways {
        gateway.until("she is back", |gateway| {
            let again = get("/orders").bearer(&newer);
            (0..6).all(|_| {
                client::receive(client::send(gateway.port(), &again)).is_some_and(|one| one.status == 200)
            })
        });
        gateway.send(request()).refused(401, "token-outdated");
    }
}
