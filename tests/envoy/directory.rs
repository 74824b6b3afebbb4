//! The real directory with its real database, behind a real Envoy.

use crate::process::Folder;
use crate::service::{Service, named};
use crate::support::config::{DIRECTORY_TOKEN, usual};
use crate::support::message::{get, post};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

pub(crate) fn serve(folder: &Folder, port: u16) -> Service {
    let database = format!("sqlite:{}", folder.file("accounts.db").display());
    let mut command = Command::new(named("FIRSTSIGHT_BIN", "target/debug/firstsight"));
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--database", &database]);
    Service::start(command.env("FIRSTSIGHT_TOKEN", DIRECTORY_TOKEN))
}

fn world(directory: &Service) -> EnvoyWorld {
    let others = Others { issuer: None, directory: Some(directory.port) };
    EnvoyWorld::beside(Upstreams::default(), &usual(), others).unwrap_or_else(|log| panic!("{log}"))
}

pub(crate) fn accounts(directory: &Service) -> Vec<Value> {
    let (status, page) = directory.ask(&get("/v1/accounts?limit=1000").bearer(DIRECTORY_TOKEN));
    assert_eq!(status, 200, "{page}");
    page["accounts"].as_array().expect("a page of accounts").clone()
}

/// An administrator decides about the only account there is.
#[track_caller]
pub(crate) fn decide(directory: &Service, action: &str) {
    let id = accounts(directory)[0]["id"].as_str().expect("an account has an id").to_owned();
    let reason = json!({"reason": "the story wants it"}).to_string().into_bytes();
    let request = post(&format!("/v1/accounts/{id}/{action}"), reason).bearer(DIRECTORY_TOKEN);
    let (status, said) = directory.ask(&request.header("content-type", "application/json"));
    assert_eq!(status, 200, "{said}");
}

fn served(directory: &Service) -> u64 {
    accounts(directory).iter().filter_map(|account| account["sightings"].as_u64()).sum()
}

#[test]
fn parallel_first_requests_through_two_workers_make_one_account() {
    let folder = Folder::new();
    let directory = serve(&folder, 0);
    let mut world = world(&directory);
    let ids: Vec<_> =
        world.visits("jane-4711", 24).into_iter().map(|one| one.forwarded().header("x-account-id")).collect();
    let accounts = accounts(&directory);
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    let account = &accounts[0];
    assert!(ids.iter().all(|id| id.as_deref() == account["id"].as_str()), "{ids:?}");
    assert_eq!(account["subject"]["id"], "jane-4711");
    assert_eq!(account["attributes"]["userName"], "login-of-jane-4711");
    assert_eq!(account["attributes"]["name"]["givenName"], "Given-jane-4711");
    world.visit("john-4712").forwarded();
    assert_eq!(self::accounts(&directory).len(), 2);
}

#[test]
fn last_seen_moves_with_every_window() {
    let folder = Folder::new();
    let directory = serve(&folder, 0);
    let mut world = world(&directory);
    let last_seen = || accounts(&directory)[0]["last_seen"].as_str().map(str::to_owned);
    let mut earlier = None;
    for count in 1..=3 {
        let before = world.now().rfc3339();
        world.visit("jane-4711").forwarded();
        world.until("it is told", |_| served(&directory) == count);
        let now = last_seen();
        assert!(now > earlier && now >= Some(before), "{now:?} after {earlier:?}");
        earlier = now;
    }
}

#[test]
fn a_restart_of_the_directory_loses_no_sighting() {
    let folder = Folder::new();
    let first = serve(&folder, 0);
    let port = first.port;
    let mut world = world(&first);
    for answer in world.visits("jane-4711", 16) {
        answer.forwarded();
    }
    first.stop();
    // Whoever is known is served on; a worker that had not met jane yet says that it cannot ask.
    for answer in world.visits("jane-4711", 16) {
        assert!(answer.seen.is_some() || answer.status == 503, "{}", answer.status);
    }
    world.visit("john-4712").refused(503, "directory-unavailable");
    world.until("sightings fail", |world| world.counter("firstsight.sightings.failed") > 0);
    world.pass(Duration::from_millis(300));
    let second = serve(&folder, port);
    world.visit("john-4712").forwarded();
    let forwarded = world.counter("firstsight.requests.forwarded");
    world.until("every sighting has arrived", |_| served(&second) >= forwarded);
    assert_eq!(served(&second), forwarded, "none is counted twice");
    assert_eq!(accounts(&second).len(), 2);
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
}
