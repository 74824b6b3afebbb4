//! A directory that speaks SCIM 2.0: subjects are its users by externalId, looked up, made, kept up to date, and never
//! adopted or revived.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{DIRECTORY_TOKEN, ISSUER, scim, scim_once};
use crate::support::message::{Answer, account, get};
use crate::support::scim::{Operation, Quirk};
use crate::support::world::{World, millis, unavailable};
use firstsight::domain::{Issuer, Subject, SubjectId};
use serde_json::{Value, json};

/// Sends a request with a token that was issued so many seconds ago.
#[track_caller]
fn visit_with(world: &mut Here, sub: &str, seconds_ago: u64, claims: Value) -> Answer {
    let mut claims = claims;
    claims["iat"] = json!(world.now().as_millis() / 1000 - seconds_ago);
    let token = world.token_with(sub, &claims);
    world.send(get("/orders").bearer(&token))
}

#[test]
fn the_first_sight_of_a_subject_makes_its_user_before_the_request_goes_on() {
    let mut world = Here::usual(&scim());
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));

    let directory = world.directory();
    let user = directory.scim().user("jane-4711");
    assert_eq!(user["userName"], "login-of-jane-4711");
    assert_eq!(user["emails"], json!([{"value": "jane-4711@people.test"}]));
    assert_eq!(user["name"], json!({"givenName": "Given-jane-4711"}));
    assert_eq!(directory.scim().users().len(), 1);

    assert_eq!(directory.scim().heard(Operation::LookUp).len(), 1);
    let heard = directory.scim().heard(Operation::Create);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].header("authorization"), Some(format!("Bearer {DIRECTORY_TOKEN}")));
    assert_eq!(heard[0].header("content-type").as_deref(), Some("application/scim+json"));
    assert_eq!(heard[0].header("host").as_deref(), Some("directory.test"));
    assert!(directory.arrivals().is_empty(), "it is told in SCIM alone");
    assert_eq!(world.counter("firstsight.arrivals.active"), 1);
}

#[test]
fn a_known_user_is_served_without_asking_again() {
    let mut world = Here::usual(&scim());
    for _ in 0..12 {
        assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));
    }
    let scim = world.directory().scim();
    assert!(scim.heard(Operation::LookUp).len() <= Here::WORKERS);
    assert_eq!(scim.writes(), 1);
}

#[test]
fn concurrent_first_requests_make_one_user_and_all_are_answered() {
    let mut world = Here::usual(&scim());
    world.directory().scim().has(Quirk::IsSlow(millis(60)));
    for answer in world.visits("jane-4711", 16) {
        assert_eq!(account(answer).as_deref(), Some("user-1"));
    }
    let scim = world.directory().scim();
    assert_eq!(scim.users().len(), 1);
    assert!(scim.heard(Operation::Create).len() <= Here::WORKERS);
}

#[test]
fn what_the_server_can_do_is_asked_once_by_each_worker() {
    let mut world = Here::usual(&scim());
    for number in 0..12 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    let asked = world.directory().scim().heard(Operation::Config).len();
    assert!(asked <= Here::WORKERS, "{asked} times");
}

#[test]
fn a_user_that_is_there_is_found_and_not_made() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    let user = json!({
        "id": "from-hr",
        "userName": "login-of-jane-4711",
        "externalId": "jane-4711",
        "emails": [{"value": "jane-4711@people.test"}],
        "title": "Tour Guide",
    });
    scim.holds(user);
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("from-hr"));
    assert!(scim.heard(Operation::Create).is_empty());
    assert_eq!(scim.users().len(), 1);
    assert_eq!(scim.user("jane-4711")["title"], "Tour Guide");
}

#[test]
fn nobody_is_adopted_by_login_or_address() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    let address = json!([{"value": "jane-4711@people.test"}]);
    scim.holds(json!({"id": "by-login", "userName": "LOGIN-OF-JOHN-4712"}));
    scim.holds(json!({"id": "by-address", "userName": "jane", "emails": address, "externalId": "other-77"}));
    let before = scim.users();
    world.visit("john-4712").refused(403, "account-invalid");
    assert_eq!(scim.users(), before);
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));
    assert_eq!(scim.users()[..2], before);
    assert_eq!(world.counter("firstsight.arrivals.invalid"), 1);
}

#[test]
fn an_inactive_user_is_refused_and_never_revived() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.holds(json!({"id": "left", "userName": "old-login", "externalId": "jane-4711", "active": false}));
    for seconds_ago in [60, 0] {
        let login = json!({"preferred_username": format!("login-{seconds_ago}")});
        visit_with(&mut world, "jane-4711", seconds_ago, login).refused(403, "account-departed");
    }
    world.pass(millis(300));
    assert_eq!(scim.writes(), 0);
    assert_eq!(scim.user("jane-4711")["active"], false);
    assert!(world.counter("firstsight.arrivals.departed") > 0);
}

#[test]
fn a_user_who_is_set_inactive_later_is_refused_when_it_is_asked_again() {
    let mut world = Here::usual(&scim().set("/provisioning/refresh", json!("200ms")));
    let scim = world.directory().scim();
    world.visit("jane-4711").forwarded();
    let mut user = scim.user("jane-4711");
    user["active"] = json!(false);
    scim.holds(user);
    let mut refused = 0;
    for _ in 0..40 {
        world.pass(millis(100));
        let answer = world.visit("jane-4711");
        match answer.seen {
            Some(_) => refused = 0,
            None => refused += usize::from(answer.refused(403, "account-departed").status == 403),
        }
        if refused > 4 * Here::WORKERS {
            break;
        }
    }
    assert!(refused > 4 * Here::WORKERS, "she is still served");
    assert_eq!(scim.user("jane-4711")["active"], false);
}

#[test]
fn a_newer_token_with_another_attribute_changes_the_user_and_an_older_one_does_not() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    let changes = json!({"email": "jane@married.test", "given_name": "Janet"});
    for _ in 0..6 {
        let answer = visit_with(&mut world, "jane-4711", 60, json!({}));
        assert_eq!(account(answer).as_deref(), Some("user-1"));
    }
    assert_eq!(scim.writes(), 1);
    world.pass(millis(200));
    visit_with(&mut world, "jane-4711", 5, changes.clone()).forwarded();
    let arrived = [json!({"value": "jane@married.test"})];
    world.until("it has arrived", |_| scim.user("jane-4711")["emails"] == json!(arrived));
    for seconds_ago in [60, 5].repeat(6) {
        let claims = if seconds_ago == 5 { changes.clone() } else { json!({}) };
        visit_with(&mut world, "jane-4711", seconds_ago, claims).forwarded();
        world.pass(millis(50));
    }
    world.pass(millis(300));
    let user = scim.user("jane-4711");
    assert_eq!(user["emails"], json!(arrived), "the newest token wins");
    assert_eq!(user["userName"], "login-of-jane-4711");
    assert_eq!(user["name"]["givenName"], "Given-jane-4711", "it was written once and is left alone");
    assert!(scim.heard(Operation::Put).is_empty());
    assert!(scim.heard(Operation::Create).len() == 1 && scim.users().len() == 1);
}

#[test]
fn an_older_token_changes_nothing_back_when_a_user_is_asked_about_again() {
    let mut world = Here::usual(&scim().set("/provisioning/refresh", json!("200ms")));
    let scim = world.directory().scim();
    visit_with(&mut world, "jane-4711", 60, json!({})).forwarded();
    world.pass(millis(300));
    visit_with(&mut world, "jane-4711", 0, json!({"email": "jane@married.test"})).forwarded();
    let arrived = json!([{"value": "jane@married.test"}]);
    world.until("it has arrived", |_| scim.user("jane-4711")["emails"] == arrived);
    let asked = scim.heard(Operation::LookUp).len();
    for _ in 0..6 {
        world.pass(millis(300));
        visit_with(&mut world, "jane-4711", 60, json!({})).forwarded();
    }
    assert!(scim.heard(Operation::LookUp).len() > asked, "she was asked about");
    assert_eq!(scim.user("jane-4711")["emails"], arrived);
}

#[test]
fn an_attribute_that_is_only_written_at_first_sight_changes_nobody_later() {
    let mut world = Here::usual(&scim());
    visit_with(&mut world, "jane-4711", 60, json!({})).forwarded();
    world.pass(millis(200));
    for _ in 0..6 {
        visit_with(&mut world, "jane-4711", 0, json!({"given_name": "Janet"})).forwarded();
    }
    world.pass(millis(500));
    assert_eq!(world.directory().scim().writes(), 1);
}

#[test]
fn whatever_a_subject_is_called_it_finds_nobody_else() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.holds(json!({"id": "victim", "userName": "victim", "externalId": "victim-1"}));
    let odd = [
        r#"quo"te"#,
        r"back\slash",
        r#"\""#,
        r"victim-1\",
        r#"x" or externalId eq "victim-1"#,
        "per%22cent+plus&filter=none#1",
        "  spaces  ",
        "crlf\r\nhost: elsewhere.test",
        "null\u{0}byte",
        "Grüße-日本-\u{1F980}",
        "VICTIM-1",
    ];
    for (number, sub) in odd.into_iter().enumerate() {
        let claims =
            json!({"preferred_username": format!("odd-{number}"), "email": null, "given_name": null});
        let token = world.token_with(sub, &claims);
        let answer = world.send(get("/orders").bearer(&token));
        if answer.seen.is_some() {
            let id = scim.user(sub)["id"].as_str().map(str::to_owned);
            assert_eq!(account(answer), id, "{sub:?}");
        } else {
            // What cannot be a header stops at the mapping, before the directory is asked.
            assert!(sub.contains(char::is_control) || sub.trim() != sub, "{sub:?}: {}", answer.status);
        }
    }
    assert!(scim.heard(Operation::Unknown).is_empty());
    assert!(scim.heard(Operation::Patch).is_empty());
}

#[test]
fn subjects_may_be_known_by_their_key_or_by_issuer_and_sub() {
    let (issuer, id) = (Issuer::parse(ISSUER).unwrap(), SubjectId::parse("jane-4711").unwrap());
    let key = Subject { issuer, id }.key().to_string();
    for (choice, external_id) in [("key", key), ("issuer_and_sub", format!("{ISSUER}|jane-4711"))] {
        let mut world = Here::usual(&scim().set("/provisioning/scim", json!({"external_id": choice})));
        for _ in 0..4 {
            assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));
        }
        assert_eq!(world.directory().scim().user(&external_id)["id"], "user-1");
    }
}

#[test]
fn what_the_directory_says_no_to_is_told_apart() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    let invalid =
        json!({"status": "400", "scimType": "invalidValue", "detail": "login-of-crowd-0 is no login"});
    for (number, operation, answer, status, slug) in [
        (0, Operation::Create, Behaviour::json(400, &invalid), 403, "account-invalid"),
        (1, Operation::LookUp, Behaviour::text(401, ""), 503, "directory-unavailable"),
        (2, Operation::Create, Behaviour::text(401, ""), 503, "directory-unavailable"),
        (3, Operation::Create, Behaviour::text(500, ""), 503, "directory-unavailable"),
        (4, Operation::LookUp, Behaviour::text(404, "no such tenant"), 503, "directory-unavailable"),
    ] {
        scim.answers(operation, answer);
        world.visit(&format!("crowd-{number}")).refused(status, slug);
        scim.behaves();
    }
    for operation in [Operation::LookUp, Operation::Create] {
        scim.answers(operation, unavailable());
        let answer = world.visit("jane-4711").refused(503, "directory-unavailable");
        assert_eq!(answer.header("retry-after").as_deref(), Some("7"), "as the directory asked");
        scim.behaves();
    }
    assert!(scim.users().is_empty());
    world.visit("jane-4711").forwarded();
}
