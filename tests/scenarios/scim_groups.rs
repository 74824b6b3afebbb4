//! Groups of a directory that speaks SCIM: a subject is put into those its token names, and out of those that the operator
//! gave into the gateway's hands. Whatever becomes of that, the subject is served.

use crate::Here;
use crate::support::config::{Config, scim};
use crate::support::message::{Answer, get};
use crate::support::scim::{Operation, Quirk};
use crate::support::world::World;
use serde_json::{Value, json};
use std::time::Duration;

fn with_groups(terms: Value) -> Config {
    scim()
        .set("/attributes/3", json!({"attribute": "groups", "claim": "groups", "sync": "always"}))
        .set("/provisioning/scim", json!({"groups": terms}))
}

/// Sends a request with a token that names these groups and was issued so many seconds ago.
fn visit(world: &mut Here, sub: &str, seconds_ago: u64, groups: &[&str]) -> Answer {
    let issued = world.now().as_millis() / 1000 - seconds_ago;
    let token = world.token_with(sub, &json!({"iat": issued, "groups": groups}));
    world.send(get("/orders").bearer(&token))
}

fn group(name: &str, members: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), members.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn a_subject_is_put_into_the_groups_of_its_token() {
    let mut world = Here::usual(&with_groups(json!({"create": true})));
    let scim = world.directory().scim();
    scim.has_group("staff", &["somebody"]);
    visit(&mut world, "jane-4711", 0, &["staff", "admins"]).forwarded();
    let both = [group("staff", &["somebody", "user-1"]), group("admins", &["user-1"])];
    world.until("she is in both", |_| scim.groups() == both);
    visit(&mut world, "john-4712", 0, &["admins"]).forwarded();
    world.until("he is in it", |_| scim.groups()[1] == group("admins", &["user-1", "user-2"]));
    assert_eq!(scim.heard(Operation::CreateGroup).len(), 1);
}

#[test]
fn a_newer_token_takes_a_subject_out_of_managed_groups_alone() {
    let mut world = Here::usual(&with_groups(json!({"managed": ["staff", "admins"]})));
    let scim = world.directory().scim();
    for (name, members) in [("staff", vec![]), ("admins", vec!["somebody"]), ("chess club", vec!["user-1"])] {
        scim.has_group(name, &members);
    }
    visit(&mut world, "jane-4711", 60, &["staff", "admins"]).forwarded();
    world.until("she is in both", |_| scim.groups()[1] == group("admins", &["somebody", "user-1"]));
    world.pass(Duration::from_millis(200));
    visit(&mut world, "jane-4711", 0, &["staff"]).forwarded();
    world.until("she is out of one", |_| scim.groups()[1] == group("admins", &["somebody"]));
    world.pass(Duration::from_millis(300));
    assert_eq!(scim.groups()[0], group("staff", &["user-1"]));
    assert_eq!(scim.groups()[2], group("chess club", &["user-1"]));
}

#[test]
fn a_group_that_is_not_there_is_not_made_unless_the_operator_says_so() {
    let mut world = Here::usual(&with_groups(json!({"create": false})));
    let scim = world.directory().scim();
    visit(&mut world, "jane-4711", 0, &["staff"]).forwarded();
    world.pass(Duration::from_millis(300));
    assert!(scim.groups().is_empty() && scim.heard(Operation::CreateGroup).is_empty());
}

#[test]
fn a_group_is_known_by_its_whole_name() {
    let mut world = Here::usual(&with_groups(json!({"create": false})));
    let scim = world.directory().scim();
    for name in ["admins", "twins", "twins", "staff"] {
        scim.has_group(name, &[]);
    }
    let before = scim.groups();
    let names = ["ADMINS", "admin", r#"x" or displayName eq "admins"#, r"admins\", "twins"];
    for sub in ["jane-4711", "john-4712"] {
        visit(&mut world, sub, 0, &names).forwarded();
        world.pass(Duration::from_millis(300));
        assert_eq!(scim.groups(), before);
        scim.has(Quirk::IgnoresFilters);
    }
    assert!(world.counter("firstsight.scim.memberships") > 0);
}

#[test]
fn who_left_is_put_into_no_group() {
    let mut world = Here::usual(&with_groups(json!({"create": true, "managed": ["staff"]})));
    let scim = world.directory().scim();
    scim.has_group("staff", &["left"]);
    scim.holds(json!({"id": "left", "userName": "left", "externalId": "jane-4711", "active": false}));
    visit(&mut world, "jane-4711", 0, &["admins"]).refused(403, "account-departed");
    world.pass(Duration::from_millis(300));
    assert_eq!(scim.writes(), 0);
}
