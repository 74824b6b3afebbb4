//! First sight in a process of several workers: they ask once, whoever of them is lost.

use crate::process::Process;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::get;
use crate::support::world::{Upstreams, millis};
use crate::worker::Worker;
use serde_json::json;
use std::time::Duration;

/// A process whose workers have keys already.
fn process(workers: usize, config: &Config) -> Process {
    let mut process = Process::of(workers, Upstreams::default(), config);
    process.pass(millis(100));
    process
}

fn active() -> Behaviour {
    Behaviour::json(201, &json!({"status": "active", "account": {"id": "shared"}, "valid_for": 3600}))
}

#[test]
fn many_workers_make_one_call_and_whoever_waits_elsewhere_waits_hardly_longer() {
    for round_trip in [3, 20, 150, 500] {
        let mut process = process(4, &usual());
        process.upstreams.directory.answers(active().after(millis(round_trip)));
        let token = process.token();
        let before = process.now();
        let open: Vec<_> = (0..64).map(|index| (index % 4, process.open(index % 4, &token))).collect();
        let mut waits = Vec::new();
        for (worker, open) in open {
            let seen = process.answer(worker, open).forwarded();
            assert_eq!(seen.header("x-account-id").as_deref(), Some("shared"));
            waits.push(process.now().since(before));
        }
        assert_eq!(process.upstreams.directory.arrivals().len(), 1);
        let longest = waits.into_iter().max().unwrap_or_default();
        // A round trip, and the latency of the fake proxy.
        assert!(longest <= millis(round_trip + 1 + 6), "{longest:?} for a round trip of {round_trip} ms");
    }
}

#[test]
fn what_one_worker_learnt_all_know_even_one_that_starts_anew() {
    let mut process = process(2, &usual());
    process.visit(0).forwarded();
    process.visit(1).forwarded();
    process.loses(0);
    process.starts_a_worker();
    process.pass(millis(100));
    assert_eq!(process.visit(2).forwarded().header("x-account-id").as_deref(), Some("acct-1"));
    assert_eq!(process.upstreams.directory.arrivals().len(), 1);
    assert_eq!(process.counter("firstsight.arrivals.shared"), 2);
}

#[test]
fn a_worker_that_dies_with_the_call_in_its_hand_strands_nobody() {
    let config = usual().set("/provisioning/timeout", json!("1s")).set("/limits/hold", json!("5s"));
    let mut process = process(2, &config);
    process.upstreams.directory.answers(active().after(millis(300)));
    let token = process.token();
    let _lost = process.open(0, &token);
    let follower = process.open(1, &token);
    process.pass(millis(10));
    process.loses(0);
    let before = process.now();
    process.answer(1, follower).forwarded();
    let waited = process.now().since(before);
    assert!(waited <= millis(1000 + 1000 + 310), "{waited:?}");
    assert_eq!(process.upstreams.directory.arrivals().len(), 2);
}

#[test]
fn a_worker_that_is_removed_leaves_its_calls_to_the_others() {
    let mut process = process(2, &usual().set("/provisioning/timeout", json!("10s")));
    process.upstreams.directory.answers(active().after(millis(300)));
    let token = process.token();
    let open = process.open(0, &token);
    let follower = process.open(1, &token);
    process.pass(millis(10));
    process.workers[0].abort(open);
    process.removes(0);
    let before = process.now();
    process.answer(1, follower).forwarded();
    assert!(process.now().since(before) <= millis(320), "it waited for somebody who is gone");
}

#[test]
fn a_directory_that_fails_is_left_alone_by_all_workers_and_tried_by_one() {
    let config = usual()
        .set("/provisioning/retry", json!({"attempts": 1}))
        .set("/provisioning/breaker", json!({"failures": 3, "pause": "10s..10s"}));
    let mut process = process(3, &config);
    process.upstreams.directory.answers(Behaviour::text(500, ""));
    for number in 0..3 {
        let token = process.token_of(&format!("jane-{number}"));
        process.send(number, &token).refused(503, "directory-unavailable");
    }
    for number in 0..9 {
        let token = process.token_of(&format!("john-{number}"));
        let answer = process.send(number % 3, &token).refused(503, "directory-unavailable");
        let wait: u64 = answer.header("retry-after").and_then(|wait| wait.parse().ok()).unwrap_or(0);
        assert!((5..=10).contains(&wait), "{wait}");
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 3);
    process.pass(Duration::from_secs(13));
    process.upstreams.directory.answers(active().after(millis(200)));
    let tokens: Vec<_> = (0..9).map(|number| process.token_of(&format!("josh-{number}"))).collect();
    let open: Vec<_> =
        tokens.iter().enumerate().map(|(index, token)| (index % 3, process.open(index % 3, token))).collect();
    process.pass(millis(100));
    assert_eq!(process.upstreams.directory.arrivals().len(), 4, "one tries whether it is back");
    for (worker, open) in open {
        process.answer(worker, open).forwarded();
    }
}

#[test]
fn other_plugins_of_the_process_never_take_each_others_word() {
    let mut process = process(1, &usual());
    process.visit(0).forwarded();
    process.configures(&usual().set("/provisioning/authority", json!("other.test")));
    process.starts_a_worker();
    process.pass(millis(100));
    process.visit(1).forwarded();
    assert_eq!(process.upstreams.directory.arrivals().len(), 2);
}

#[test]
fn in_the_background_no_worker_lets_through_whom_another_knows_to_be_refused() {
    let mut process = process(2, &usual().set("/provisioning/mode", json!("background")));
    process.upstreams.directory.answers(Behaviour::json(410, &json!({})).after(millis(100)));
    for worker in [0, 1, 0, 1] {
        process.visit(worker).forwarded();
    }
    process.pass(millis(150));
    for worker in [1, 0] {
        process.visit(worker).refused(403, "account-departed");
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 1);
}

#[test]
fn whom_the_directory_turned_away_stays_away_at_workers_that_knew_an_account() {
    let config = usual().set("/provisioning/when_unavailable", json!("allow"));
    let mut process = process(2, &config.set("/provisioning/retry", json!({"attempts": 1})));
    let short = json!({"status": "active", "account": {"id": "shared"}, "valid_for": 60});
    process.upstreams.directory.answers(Behaviour::json(200, &short));
    process.visit(0).forwarded();
    process.visit(1).forwarded();
    process.pass(Duration::from_secs(61));
    process.upstreams.directory.answers(Behaviour::json(410, &json!({})));
    process.visit(0).refused(403, "account-departed");
    process.pass(Duration::from_secs(31));
    process.upstreams.directory.goes_down();
    process.visit(0).refused(403, "account-departed");
    process.visit(1).refused(403, "account-departed");
}

#[test]
fn what_is_owed_while_another_worker_tries_the_directory_is_counted_when_the_plugin_is_removed() {
    let config = usual()
        .set("/provisioning/when_unavailable", json!("allow"))
        .set("/provisioning/retry", json!({"attempts": 1, "backoff": "8s..8s"}))
        .set("/provisioning/breaker", json!({"failures": 1, "pause": "1s..1s"}));
    let mut process = process(2, &config);
    process.upstreams.directory.goes_down();
    let john = process.token_of("john-4712");
    process.send(0, &john).forwarded();
    assert_eq!(process.counter("firstsight.arrivals.owed"), 1);
    process.pass(millis(1100));
    process.upstreams.directory.comes_back();
    process.upstreams.directory.takes(millis(500));
    let token = process.token();
    let tries = process.open(1, &token);
    let Worker { proxy, filter, .. } = &process.workers[0];
    proxy.within(None, || filter.as_ref().expect("it is there").on_removal());
    process.until("the plugin is flushed", |process| process.workers[0].state().removed);
    process.loses(0);
    process.answer(1, tries).forwarded();
    process.pass(Duration::from_secs(30));
    let told = process.upstreams.directory.accounts() as u64 - 1;
    assert_eq!(told + process.counter("firstsight.arrivals.dropped"), 1);
}

#[test]
fn somebody_who_was_refused_in_the_background_is_asked_about_again() {
    let mut process = process(1, &usual().set("/provisioning/mode", json!("background")));
    process.upstreams.directory.answers(Behaviour::json(202, &json!({"status": "pending"})));
    process.visit(0).forwarded();
    process.pass(millis(100));
    process.visit(0).refused(403, "account-pending");
    process.upstreams.directory.behaves();
    process.pass(Duration::from_secs(31));
    process.visit(0).refused(403, "account-pending");
    process.pass(millis(100));
    process.visit(0).forwarded();
}

#[test]
fn whoever_waits_elsewhere_waits_no_longer_because_much_is_owed() {
    let config = usual()
        .set("/provisioning/when_unavailable", json!("allow"))
        .set("/provisioning/retry/attempts", json!(1))
        .set("/provisioning/breaker", json!({"failures": 100_000}))
        .set("/limits/subjects", json!(1_000_000));
    let mut process = process(2, &config);
    process.upstreams.directory.answers(Behaviour::text(503, "").with_header("retry-after", b"60"));
    for number in 0..700 {
        let token = process.token_of(&format!("crowd-{number}"));
        process.send(1, &token).forwarded();
    }
    process.upstreams.directory.answers(active().after(millis(3)));
    let token = process.token();
    let before = process.now();
    let asks = process.open(0, &token);
    let waits = process.open(1, &token);
    process.answer(0, asks).forwarded();
    process.answer(1, waits).forwarded();
    let waited = process.now().since(before);
    assert!(waited <= millis(3 + 1 + 6), "{waited:?}");
}

#[test]
fn whoever_begins_to_wait_for_a_subject_that_is_told_behind_overtakes_what_is_told_behind() {
    let config = usual()
        .set("/limits/calls", json!(1))
        .set("/routes", json!([{"path": {"prefix": "/static"}, "provisioning": "background"}]));
    let mut process = process(1, &config);
    process.upstreams.directory.takes(millis(50));
    let visits = [("a", "/orders"), ("b", "/static"), ("c", "/static"), ("c", "/orders"), ("d", "/orders")];
    for (sub, path) in visits {
        let token = process.token_of(sub);
        process.workers[0].open(&get(path).bearer(&token));
        process.pass(millis(5));
    }
    process.pass(millis(500));
    let arrivals = process.upstreams.directory.arrivals().into_iter();
    assert_eq!(arrivals.map(|arrival| arrival.subject.id).collect::<String>(), "acdb");
}

#[test]
fn what_there_is_no_room_to_owe_is_counted_once_for_a_subject() {
    let config = usual()
        .set("/provisioning/when_unavailable", json!("allow"))
        .set("/provisioning/retry/attempts", json!(1))
        .set("/limits/owed", json!(1));
    let mut process = process(1, &config);
    process.upstreams.directory.answers(Behaviour::text(500, "").after(millis(100)));
    for sub in ["jane-4711", "john-4712"] {
        let token = process.token_of(sub);
        let open: Vec<_> = (0..8).map(|_| process.open(0, &token)).collect();
        for open in open {
            process.answer(0, open).forwarded();
        }
    }
    let counted = ["owed", "dropped"].map(|what| process.counter(&format!("firstsight.arrivals.{what}")));
    assert_eq!(counted, [1, 1]);
}

#[test]
fn drifts_of_one_subject_are_told_once_in_their_time_by_all_workers() {
    let roles = json!([{"attribute": "roles", "claim": "groups", "sync": "always"}]);
    let config = usual().set("/attributes", roles).set("/provisioning/drift_every", json!("60s"));
    let mut process = process(3, &config);
    let begin = process.now().as_millis() / 1000;
    let token = |ago: u64, group: &str| {
        let claims = json!({"iat": begin - ago, "exp": begin + 10_000, "groups": [group]});
        process.upstreams.issuer.token("jane-4711", process.now(), &claims)
    };
    let tokens = [token(100, "dev"), token(80, "ops"), token(60, "all")];
    for worker in 0..3 {
        process.send(worker, &tokens[0]).forwarded();
    }
    process.pass(Duration::from_secs(61));
    for (worker, token) in tokens.iter().enumerate().skip(1) {
        process.send(worker, token).forwarded();
        process.pass(millis(100));
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 2, "the second within a minute");
    process.pass(Duration::from_secs(61));
    process.send(2, &tokens[2]).forwarded();
    process.pass(millis(100));
    assert_eq!(process.upstreams.directory.arrivals().len(), 3);
}
