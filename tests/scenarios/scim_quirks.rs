//! What real SCIM servers do: less than the standard asks, more than it allows, slowly, wrongly or not at all. Nobody is
//! adopted, revived or made twice for it.

use crate::Here;
use crate::support::behaviour::{Behaviour, Said};
use crate::support::config::{scim, scim_once};
use crate::support::message::{Answer, account, get};
use crate::support::scim::{Operation, Quirk, Scim};
use crate::support::world::{World, millis};
use serde_json::{Value, json};

/// A request with a token that was issued two minutes ago.
#[track_caller]
fn visit_early(world: &mut Here, sub: &str) -> Answer {
    let token = world.token_with(sub, &json!({"iat": world.now().as_millis() / 1000 - 120}));
    world.send(get("/orders").bearer(&token))
}

/// Somebody is served, and later with a newer token that has another address.
#[track_caller]
fn marries(world: &mut Here, sub: &str) {
    let now = world.now().as_millis() / 1000;
    for (issued, email) in [(now - 60, "jane@people.test"), (now, "jane@married.test")] {
        let token = world.token_with(sub, &json!({"iat": issued, "email": email}));
        world.send(get("/orders").bearer(&token)).forwarded();
        world.pass(millis(200));
    }
}

fn is_married(scim: &Scim, sub: &str) -> bool {
    scim.user(sub)["emails"] == json!([{"value": "jane@married.test"}])
}

/// What an upstream may do that is no answer to anything.
fn no_answers() -> Vec<Behaviour> {
    let half =
        Said { status: 200, headers: vec![], body: br#"{"totalResults": 0, "Resources": []}"#.to_vec() };
    vec![
        Behaviour::Resets,
        Behaviour::Babbles(b"SSH-2.0-OpenSSH_9.6\r\n"),
        Behaviour::BreaksOff(half.clone()),
        Behaviour::Stalls(half),
        Behaviour::Hangs,
        Behaviour::text(200, ""),
        Behaviour::text(200, "<html>Please log in to the hotel's network</html>"),
        Behaviour::text(200, b"\xff\xfe\x00".to_vec()),
        Behaviour::text(200, "[".repeat(100_000)),
        Behaviour::text(200, "x".repeat(3_000_000)),
        Behaviour::text(200, "null"),
        Behaviour::text(200, r#"{"Resources": {}}"#),
        Behaviour::text(200, r#"{"totalResults": 1, "Resources": [1, null, "user", {"id": 7}]}"#),
        Behaviour::text(302, "").with_header("location", b"http://attacker.test/"),
        Behaviour::text(401, ""),
        Behaviour::text(403, "<html>blocked by a firewall</html>"),
        Behaviour::text(404, "<html>"),
        Behaviour::text(429, "").with_header("retry-after", b"\xff"),
        Behaviour::text(500, r#"{"id": "user-7", "externalId": "crowd-0"}"#),
        Behaviour::text(503, "").with_header("retry-after", b"99999999999999999999"),
    ]
}

#[test]
fn whatever_it_answers_a_new_subject_gets_the_posture() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    for operation in [Operation::LookUp, Operation::Create] {
        for (number, behaviour) in no_answers().into_iter().enumerate() {
            let sub = format!("crowd-{operation:?}-{number}");
            let shown = format!("{operation:?} {behaviour:?}").chars().take(200).collect::<String>();
            scim.answers(operation, behaviour);
            let answer = world.visit(&sub);
            assert!(answer.seen.is_none(), "{shown} let somebody through");
            assert!(matches!(answer.status, 503 | 403), "{shown}: {}", answer.status);
            assert!(scim.users().is_empty(), "{shown} made somebody");
            scim.behaves();
        }
    }
    assert!(account(world.visit("jane-4711")).is_some());
    assert_eq!(scim.users().len(), 1);
}

#[test]
fn whatever_it_answers_when_it_is_asked_what_it_can_do_users_are_made() {
    for behaviour in [
        Behaviour::Hangs,
        Behaviour::text(200, "<html>Please log in to the hotel's network</html>"),
        Behaviour::text(200, r#"{"patch": [{"supported": "perhaps"}], "filter": true, "etag": null}"#),
    ] {
        let shown = format!("{behaviour:?}");
        let mut world = Here::usual(&scim_once());
        let scim = world.directory().scim();
        scim.answers(Operation::Config, behaviour);
        let answer = world.visit("jane-4711");
        assert!(answer.seen.is_some() || answer.status == 503, "{shown}: {}", answer.status);
        scim.behaves();
        assert!(account(world.visit("jane-4711")).is_some(), "{shown}");
        assert_eq!(scim.users().len(), 1, "{shown}");
    }
}

#[test]
fn a_user_whose_making_was_never_confirmed_is_found() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    for (number, behaviour) in no_answers().into_iter().enumerate() {
        let sub = format!("crowd-{number}");
        let shown = format!("{behaviour:?}").chars().take(200).collect::<String>();
        scim.does_but_answers(Operation::Create, behaviour);
        let answer = world.visit(&sub);
        scim.behaves();
        let id = scim.user(&sub)["id"].as_str().map(str::to_owned);
        if answer.seen.is_some() {
            assert_eq!(account(answer), id, "{shown}");
        } else if answer.status == 503 {
            assert_eq!(account(world.visit(&sub)), id, "{shown}");
        }
    }
}

#[test]
fn a_server_that_ignores_filters_adopts_nobody() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::IgnoresFilters);
    scim.holds(json!({"id": "first", "userName": "first", "externalId": "first-1"}));
    scim.holds(json!({"id": "gone", "userName": "gone", "externalId": "gone-1", "active": false}));
    scim.holds(json!({"id": "nameless", "userName": "nameless"}));
    let before = scim.users();
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));
    assert_eq!(account(world.visit("john-4712")).as_deref(), Some("user-2"));
    assert_eq!(scim.users()[..3], before);
    assert_eq!(scim.users().len(), 5);
    world.visit("gone-1").refused(403, "account-departed");
}

#[test]
fn a_server_that_ignores_filters_is_read_to_its_end_if_that_is_not_too_far() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::IgnoresFilters);
    let crowd = |numbers: std::ops::Range<u32>| {
        for id in numbers.map(|number| format!("crowd-{number}")) {
            scim.holds(json!({"id": id, "userName": id, "externalId": id}));
        }
    };
    crowd(0..300);
    scim.holds(json!({"id": "there", "userName": "login-of-jane-4711", "externalId": "jane-4711"}));
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("there"));
    crowd(300..2000);
    let answers = scim.heard(Operation::LookUp).len();
    world.visit("john-4712").refused(503, "directory-unavailable");
    assert!(world.counter("firstsight.scim.unfiltered") > 0);
    assert!(scim.heard(Operation::LookUp).len() - answers < 40);
    assert!(scim.heard(Operation::Create).is_empty());
}

#[test]
fn a_change_that_is_not_taken_turns_nobody_away() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    for (number, no) in no_answers().into_iter().chain([Behaviour::text(400, "")]).enumerate() {
        let sub = format!("crowd-{number}");
        scim.answers(Operation::Patch, no.clone());
        scim.answers(Operation::Put, no);
        marries(&mut world, &sub);
        world.visit(&sub).forwarded();
        scim.behaves();
    }
    assert!(world.counter("firstsight.scim.refused") > 0);
    assert!(world.counter("firstsight.scim.late") > 0);
}

#[test]
fn a_server_that_takes_upper_case_for_lower_adopts_nobody() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::FoldsExternalIds);
    scim.holds(json!({"id": "other", "userName": "other", "externalId": "JANE-4711"}));
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("user-1"));
    let claims = json!({"preferred_username": "other"});
    let token = world.token_with("JANE-4711", &claims);
    assert_eq!(account(world.send(get("/orders").bearer(&token))).as_deref(), Some("other"));
    assert_eq!(scim.users().len(), 2);
}

#[test]
fn of_two_users_with_one_external_id_none_is_taken() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    scim.holds(json!({"id": "one", "userName": "one", "externalId": "jane-4711"}));
    scim.holds(json!({"id": "two", "userName": "two", "externalId": "jane-4711"}));
    world.visit("jane-4711").refused(403, "account-invalid");
    scim.holds(json!({"id": "two", "userName": "two", "externalId": "john-4712", "active": false}));
    scim.holds(json!({"id": "three", "userName": "three", "externalId": "john-4712"}));
    world.visit("john-4712").refused(403, "account-invalid");
    assert_eq!(scim.writes(), 0);
    assert_eq!(world.counter("firstsight.scim.ambiguous"), 2);
}

#[test]
fn a_user_that_a_lagging_copy_does_not_show_yet_is_found_after_the_conflict() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.holds(json!({"id": "there", "userName": "login-of-jane-4711", "externalId": "jane-4711"}));
    scim.lags_behind(1);
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("there"));
    scim.holds(json!({
        "id": "left", "userName": "login-of-john-4712", "externalId": "john-4712", "active": false,
    }));
    scim.lags_behind(1);
    world.visit("john-4712").refused(403, "account-departed");
    assert_eq!(scim.users().len(), 2);
}

#[test]
fn without_patch_users_are_replaced_and_keep_what_is_not_ours() {
    for quirk in [Quirk::HasNoPatch, Quirk::PromisesPatch] {
        let mut world = Here::usual(&scim());
        let scim = world.directory().scim();
        scim.has(quirk.clone());
        visit_early(&mut world, "jane-4711").forwarded();
        let mut user = scim.user("jane-4711");
        user["title"] = json!("Tour Guide");
        user["name"]["familyName"] = json!("Jensen");
        scim.holds(user.clone());
        marries(&mut world, "jane-4711");
        world.until("it has arrived", |_| is_married(&scim, "jane-4711"));
        user["emails"] = json!([{"value": "jane@married.test"}]);
        assert_eq!(scim.user("jane-4711"), user, "{quirk:?}");
        assert_eq!(scim.heard(Operation::Patch).is_empty(), quirk == Quirk::HasNoPatch);
    }
}

#[test]
fn without_a_word_on_what_it_can_do_users_are_made_and_changed() {
    let mut world = Here::usual(&scim());
    let scim = world.directory().scim();
    scim.has(Quirk::HasNoConfig);
    marries(&mut world, "jane-4711");
    world.until("it has arrived", |_| is_married(&scim, "jane-4711"));
    assert!(scim.heard(Operation::Config).len() <= Here::WORKERS);
    assert_eq!(scim.users().len(), 1);
}

#[test]
fn a_change_says_which_version_it_changes_and_is_tried_again_when_somebody_was_faster() {
    for quirks in [vec![Quirk::WantsVersions], vec![Quirk::WantsVersions, Quirk::HasNoPatch]] {
        let mut world = Here::usual(&scim());
        let scim = world.directory().scim();
        quirks.iter().for_each(|quirk| scim.has(quirk.clone()));
        visit_early(&mut world, "jane-4711").forwarded();
        scim.is_used_by_others(1);
        marries(&mut world, "jane-4711");
        world.until("it has arrived", |_| is_married(&scim, "jane-4711"));
        assert_eq!(scim.users().len(), 1, "{quirks:?}");
    }
}

#[test]
fn a_user_who_was_set_inactive_meanwhile_is_not_revived_by_a_change() {
    for quirks in [vec![], vec![Quirk::HasNoPatch]] {
        let mut world = Here::usual(&scim());
        let scim = world.directory().scim();
        quirks.iter().for_each(|quirk| scim.has(quirk.clone()));
        let now = world.now().as_millis() / 1000;
        visit_early(&mut world, "jane-4711").forwarded();
        let mut user = scim.user("jane-4711");
        user["active"] = json!(false);
        scim.holds(user);
        world.pass(millis(200));
        let newer = world.token_with("jane-4711", &json!({"iat": now, "email": "jane@married.test"}));
        world.send(get("/orders").bearer(&newer)).forwarded();
        world.until("it is known", |world| world.counter("firstsight.arrivals.departed") > 0);
        assert_eq!(scim.user("jane-4711")["active"], false, "{quirks:?}");
        let asked = scim.heard(Operation::Patch).into_iter().chain(scim.heard(Operation::Put));
        let says = |heard: &crate::support::behaviour::Heard| {
            let body: Value = serde_json::from_slice(&heard.body).unwrap_or_default();
            body["active"] == true || body["Operations"].to_string().contains("active")
        };
        assert!(!asked.into_iter().any(|heard| says(&heard)), "{quirks:?}");
    }
}

#[test]
fn a_slow_server_makes_one_user_and_all_are_answered() {
    let mut world =
        Here::usual(&scim().set("/provisioning/timeout", json!("2s")).set("/limits/hold", json!("6s")));
    let scim = world.directory().scim();
    scim.has(Quirk::IsSlow(millis(250)));
    for answer in world.visits("jane-4711", 6) {
        assert_eq!(account(answer).as_deref(), Some("user-1"));
    }
    assert_eq!(scim.users().len(), 1);
}

#[test]
fn a_server_that_is_too_slow_is_answered_by_the_posture() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    scim.has(Quirk::IsSlow(millis(900)));
    for answer in world.visits("jane-4711", 6) {
        answer.refused(503, "directory-unavailable");
    }
    assert!(scim.users().is_empty());
}

#[test]
fn strange_ids_lead_to_no_other_user_and_break_no_header() {
    let mut world = Here::usual(&scim_once());
    let scim = world.directory().scim();
    scim.holds(json!({"id": "x", "userName": "x", "externalId": "x-4799"}));
    let long = "x".repeat(10_000);
    let odd =
        ["../x", "a/b?c#d%2F e", "line\r\nx-admin: yes", "\u{0}\u{1b}[2J", "", ".", "..", &long, "Grüße"];
    for (number, id) in odd.into_iter().enumerate() {
        let shown: String = id.chars().take(30).collect();
        let sub = format!("crowd-{number}");
        let before = scim.users();
        scim.has(Quirk::GivesId(id.to_owned()));
        let answer = visit_early(&mut world, &sub);
        assert!(answer.seen.is_some() || answer.status == 403, "{shown:?}: {}", answer.status);
        assert!(answer.header("x-admin").is_none());
        if let Some(seen) = answer.seen {
            assert_eq!(seen.header("x-admin"), None);
            assert_eq!(seen.header("x-account-id").as_deref(), Some(id));
            marries(&mut world, &sub);
            world.until("it has arrived", |_| is_married(&scim, &sub));
        }
        assert_eq!(scim.users()[..before.len()], before, "{shown:?}");
        assert!(scim.heard(Operation::Unknown).is_empty(), "{shown:?}");
    }
}
