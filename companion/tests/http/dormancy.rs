//! Dormancy: what becomes of accounts that nobody uses, and what keeps that from going wrong.

use crate::database::Database;
use crate::dormitory::{Dormitory, RULES};
use crate::program::{Directory, answer, arrival};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn nothing_is_done_about_anybody_as_long_as_no_threshold_is_set() {
    let house = Dormitory::open("").await;
    let id = house.directory.account_of("jane").await;
    house.pass(5000);
    assert_eq!(house.sweep(json!({})).await["counts"], json!({}));
    assert_eq!(house.standing(&id).await, (Value::Null, json!("active")));
}

#[tokio::test]
async fn who_is_not_seen_for_long_is_put_up_for_review_then_warned_of_then_disabled() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.seen_now("1", "jane").await;
    for (days, counts, mark, state) in [
        (59, json!({}), Value::Null, "active"),
        (1, json!({"person": {"review": 1, "warn": 0, "disable": 0}}), json!("review"), "active"),
        (15, json!({}), json!("review"), "active"),
        (1, json!({"person": {"review": 0, "warn": 1, "disable": 0}}), json!("warned"), "active"),
        (13, json!({}), json!("warned"), "active"),
        (1, json!({"person": {"review": 0, "warn": 0, "disable": 1}}), json!("disabled"), "disabled"),
        (500, json!({}), json!("disabled"), "disabled"),
    ] {
        house.pass(days);
        assert_eq!(house.sweep(json!({})).await["counts"], counts);
        assert_eq!(house.sweep(json!({})).await["counts"], json!({}), "what is done again changes nothing");
        assert_eq!(house.standing(&id).await, (mark, json!(state)));
    }
    assert_eq!(
        house.events(&id).await,
        ["arrival", "dormant-review", "dormant-warning", "disable"].map(Value::from)
    );
    let story = house.directory.account(&id).await["story"].clone();
    for (record, begins) in [
        (1, "unused for 60d: last seen at 20"),
        (2, "to be disabled at 20"),
        (3, "unused for 90d: last seen at 20"),
    ] {
        let told = [&story[record]["cause"], &story[record]["actor"]];
        assert_eq!(told, ["dormancy", "environment"]);
        assert!(story[record]["reason"].as_str().unwrap().starts_with(begins), "{story}");
    }
    // Gateways hear of it like of any other that is disabled.
    let (_, feed) = answer(house.directory.get("/v1/departures")).await;
    assert_eq!(feed["departures"][0]["id"], "jane");
    assert_eq!(feed["departures"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_seen_now_and_then_is_never_dormant() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    for month in 0..6 {
        house.pass(59);
        assert_eq!(house.sweep(json!({})).await["counts"], json!({}));
        house.seen_now(&month.to_string(), "jane").await;
    }
    assert_eq!(house.events(&id).await, ["arrival"]);
    house.pass(60);
    house.sweep(json!({})).await;
    assert_eq!(house.standing(&id).await.0, "review");
}

#[tokio::test]
async fn each_kind_has_a_rule_of_its_own() {
    let rules = "[dormancy.service]\nreview = \"60d\"\n[dormancy.agent]\ndisable = \"60d\"\nwarn = \"0s\"\n";
    let house = Dormitory::open(rules).await;
    for kind in ["person", "service", "agent"] {
        let mut body = arrival(kind, json!({}));
        body["kind"] = json!(kind);
        assert_eq!(house.directory.arrival(&body).await.0, 201);
    }
    house.pass(60);
    let counts = house.sweep(json!({})).await["counts"].clone();
    let expected = json!({"service": {"review": 1, "warn": 0, "disable": 0}, "agent": {"review": 0, "warn": 0, "disable": 1}});
    assert_eq!(counts, expected);
    assert_eq!(house.queue("?kind=service").await["accounts"][0]["subject"]["id"], "service");
    assert_eq!(house.queue("?mark=disabled").await["accounts"][0]["subject"]["id"], "agent");
    assert_eq!(house.queue("?kind=person").await["accounts"], json!([]));
}

#[tokio::test]
async fn nothing_is_done_about_who_is_new_or_was_let_in_again_until_the_grace_is_over() {
    let rules = "[dormancy.person]\nreview = \"7d\"\ngrace = \"30d\"\n";
    let house = Dormitory::open(rules).await;
    let id = house.directory.account_of("jane").await;
    for (days, mark) in [(29, Value::Null), (1, json!("review"))] {
        house.pass(days);
        house.sweep(json!({})).await;
        assert_eq!(house.standing(&id).await.0, mark);
    }
    house.directory.act(&id, "disable").await;
    assert_eq!(
        house.standing(&id).await,
        (Value::Null, json!("disabled")),
        "whoever decides settles the mark"
    );
    house.directory.act(&id, "enable").await;
    for (days, mark) in [(29, Value::Null), (1, json!("review"))] {
        house.pass(days);
        house.sweep(json!({})).await;
        assert_eq!(house.standing(&id).await.0, mark);
    }
}

#[tokio::test]
async fn whoever_is_not_active_is_never_touched() {
    let house = Dormitory::on(Database::create(), RULES, &["--new-accounts", "pending"]).await;
    for sub in ["pending", "disable", "depart"] {
        assert_eq!(house.directory.arrival(&arrival(sub, json!({}))).await.0, 202);
    }
    let accounts = house.directory.page("").await["accounts"].clone();
    for account in &accounts.as_array().unwrap()[1..] {
        let action = account["subject"]["id"].as_str().unwrap();
        house.directory.act(account["id"].as_str().unwrap(), action).await;
    }
    house.pass(5000);
    let before = (house.directory.page("").await, house.directory.records("").await);
    assert_eq!(house.sweep(json!({})).await["counts"], json!({}));
    assert_eq!((house.directory.page("").await, house.directory.records("").await), before);
}

#[tokio::test]
async fn nobody_is_disabled_who_was_not_warned_even_if_the_threshold_is_set_late() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.pass(1000);
    house.sweep(json!({})).await;
    assert_eq!(house.standing(&id).await, (json!("warned"), json!("active")));
    house.pass(14);
    house.sweep(json!({})).await;
    assert_eq!(house.standing(&id).await, (json!("disabled"), json!("disabled")));
}

#[tokio::test]
async fn a_report_and_a_dry_run_say_what_a_sweep_would_do_and_change_nothing() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.pass(60);
    let before = (house.directory.page("").await, house.directory.records("").await);
    let dry = house.sweep(json!({"dry_run": true})).await;
    assert_eq!((&dry["done"], &dry["counts"]["person"]["review"]), (&json!(false), &json!(1)));
    let told: Value = serde_json::from_str(&house.output(&["report", "--json"])).unwrap();
    for report in [&dry, &told] {
        let due = &report["accounts"][0];
        assert_eq!(
            (&due["account"], &due["step"], &due["last_seen"]),
            (&json!(id), &json!("review"), &Value::Null)
        );
    }
    let text = house.output(&["sweep", "--dry-run"]);
    assert!(
        text.contains("person: 1 to be put up for review, 0 to be warned") && text.contains(&id),
        "{text}"
    );
    let later = house.output(&["report", "--at", "2099-12-24"]);
    assert!(later.contains("1 to be warned") && !later.contains("held"), "{later}");
    let earlier = house.output(&["report", "--at", "2001-01-01T00:00:00Z"]);
    assert!(earlier.contains("nobody is dormant who was not before"), "{earlier}");
    assert_eq!((house.directory.page("").await, house.directory.records("").await), before);

    let text = house.output(&["sweep"]);
    assert!(text.contains("person: 1 put up for review, 0 warned, 0 disabled"), "{text}");
    let story = house.directory.account(&id).await["story"].clone();
    assert_eq!(story[1]["actor"], "console");
}

#[tokio::test]
async fn more_than_may_be_at_once_are_disabled_only_if_somebody_confirms_it() {
    let rules = "[dormancy]\nmost_at_once = 2\n[dormancy.person]\ndisable = \"90d\"\nwarn = \"0s\"\n";
    let house = Dormitory::open(rules).await;
    for number in 0..3 {
        house.directory.account_of(&format!("sub-{number}")).await;
    }
    house.pass(90);
    let held = house.sweep(json!({})).await;
    assert_eq!((&held["held"], &held["counts"]), (&json!("most-at-once"), &json!({})));
    assert_eq!(house.queue("").await["last_sweep"]["held"], "most-at-once");
    assert_eq!(house.directory.page("?state=disabled").await["accounts"], json!([]));
    assert!(house.output(&["report"]).contains("held: too many"));

    let forced = house.sweep(json!({"force": true})).await;
    assert_eq!((&forced["held"], &forced["counts"]["person"]["disable"]), (&Value::Null, &json!(3)));
    let two = Dormitory::open(rules).await;
    for sub in ["jane", "john"] {
        two.directory.account_of(sub).await;
    }
    two.pass(90);
    assert_eq!(two.sweep(json!({})).await["counts"]["person"]["disable"], 2);
}

#[tokio::test]
async fn nobody_is_dormant_while_no_sightings_arrive_whoever_confirms_what() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.pass(1000);
    house.directory.database.execute("UPDATE sighting_receipts SET received_at = received_at - 86401000");
    for body in [json!({}), json!({"force": true})] {
        let held = house.sweep(body).await;
        assert_eq!((&held["held"], &held["counts"]), (&json!("stale-sightings"), &json!({})));
    }
    assert_eq!(house.standing(&id).await, (Value::Null, json!("active")));
    house.somebody_is_seen("again").await;
    house.sweep(json!({})).await;
    assert_eq!(house.standing(&id).await.0, "warned");
}

#[tokio::test]
async fn a_directory_sweeps_by_itself_and_processes_that_share_a_database_take_turns() {
    let house = Dormitory::open(RULES).await;
    let id = house.directory.account_of("jane").await;
    house.pass(60);
    house.directory.database.execute("UPDATE dormancy_sweep SET due_at = 0");
    // SQLite's one process is stopped first.
    let (database, shared) = (house.directory.database.clone(), house.directory.database.can_be_shared());
    let _other = shared.then_some(house.directory);
    let next = Directory::on(database, &["--config", &house.config]);
    while next.account(&id).await["dormancy"].is_null() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let story = next.account(&id).await["story"].clone();
    assert_eq!((&story[1]["event"], &story[1]["actor"]), (&json!("dormant-review"), &json!("sweeper")));
}

#[tokio::test]
async fn who_sweeps_at_the_same_time_does_everything_once() {
    let rules = "[dormancy.person]\ndisable = \"90d\"\nwarn = \"0s\"\n";
    let house = Dormitory::open(rules).await;
    for number in 0..50 {
        house.directory.account_of(&format!("sub-{number}")).await;
    }
    house.pass(90);
    let mut command = house.command(&["sweep", "--json"]);
    let beside = tokio::task::spawn_blocking(move || command.output().unwrap().stdout);
    let (one, other) = tokio::join!(house.sweep(json!({})), house.sweep(json!({})));
    let third: Value = serde_json::from_slice(&beside.await.unwrap()).unwrap();
    let done = [one, other, third].map(|report| report["counts"]["person"]["disable"].as_u64().unwrap_or(0));
    assert_eq!(done.iter().sum::<u64>(), 50, "{done:?}");
    let records = house.directory.records("?limit=1000").await;
    assert_eq!(records.iter().filter(|record| record["event"] == "disable").count(), 50);
}
