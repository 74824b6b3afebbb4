//! What the workers of one process share: one asks an issuer for all of them, whatever becomes of it.

use crate::process::Process;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::world::{Upstreams, millis};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Longer than a lease lasts.
const LEASE: Duration = Duration::from_millis(6500);

fn three(config: &Config) -> Process {
    Process::of(3, Upstreams::default(), config)
}

/// How often the issuer's documents were asked for.
fn asked(process: &Process) -> (usize, usize) {
    (process.upstreams.issuer.discoveries(), process.upstreams.issuer.fetches())
}

#[test]
fn one_worker_asks_for_all_again_and_again() {
    let mut process = three(&usual());
    process.pass(SECOND);
    assert_eq!(asked(&process), (1, 1));
    for worker in 0..3 {
        process.visit(worker).forwarded();
    }
    assert_eq!(
        (process.counter("firstsight.keys.fetched"), process.counter("firstsight.keys.shared")),
        (1, 2)
    );
    process.pass(60 * MINUTE);
    let (documents, sets) = asked(&process);
    assert!((7..=9).contains(&sets) && documents == sets, "{documents} and {sets} in an hour");
    assert_eq!(process.counter("firstsight.keys.fetched"), sets as u64);
    assert_eq!(process.counter("firstsight.keys.failed"), 0);
}

#[test]
fn requests_at_every_worker_go_on_as_soon_as_one_has_the_keys() {
    let upstreams = Upstreams::default();
    let keys = upstreams.issuer.jwks();
    upstreams.issuer.answers_jwks(Behaviour::json(200, &keys).after(millis(400)));
    let mut process = Process::of(3, upstreams, &usual());
    let token = process.token();
    let begin = process.now();
    let open: Vec<_> = (0..3).map(|worker| process.open(worker, &token)).collect();
    for (worker, open) in open.into_iter().enumerate() {
        process.answer(worker, open).forwarded();
    }
    let waited = process.now().since(begin);
    assert!(waited < millis(450), "{waited:?}");
    assert_eq!(asked(&process), (1, 1));
}

#[test]
fn a_rotation_costs_the_process_one_fetch() {
    let mut process = three(&usual());
    process.pass(MINUTE);
    process.upstreams.issuer.rotates();
    for worker in 0..3 {
        process.visit(worker).forwarded();
    }
    assert_eq!(asked(&process), (2, 2));
}

#[test]
fn what_was_fetched_before_a_rotation_is_no_answer_to_an_unknown_key() {
    let mut process = three(&usual().set("/issuers/0/keys_refresh", json!({"unknown_kid": "10s"})));
    process.pass(MINUTE);
    process.upstreams.issuer.rotates();
    process.visit(0).forwarded();
    process.pass(MINUTE);
    process.upstreams.issuer.rotates();
    process.visit(1).forwarded();
    assert_eq!(asked(&process), (3, 3));
}

#[test]
fn an_issuer_that_is_down_is_tried_by_the_process_and_not_by_each_worker() {
    let tries = |workers: usize| {
        let upstreams = Upstreams::default();
        upstreams.issuer.answers_discovery(Behaviour::text(500, ""));
        let mut process = Process::of(workers, upstreams, &usual());
        process.pass(10 * MINUTE);
        asked(&process).0
    };
    let (one, eight) = (tries(1), tries(8));
    // Of eight the first one tries, so the pauses are nearer to half of their length.
    assert!(
        (23..=46).contains(&one) && (23..=46).contains(&eight),
        "one {one}, eight {eight} in ten minutes"
    );
}

/// The pauses between the first tries of a worker, in milliseconds, while its issuer fails.
fn pauses(worker: usize) -> Vec<u128> {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::text(500, ""));
    let mut process = Process::of(worker + 1, upstreams, &usual());
    (0..worker).for_each(|other| process.loses(other));
    let mut tries = vec![];
    for number in 1..=8 {
        process.until("it is tried again", |process| asked(process).0 == number);
        tries.push(process.now());
    }
    tries.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect()
}

#[test]
fn pauses_grow_and_are_nowhere_the_same() {
    let (one, another) = (pauses(0), pauses(1));
    for pauses in [&one, &another] {
        for (pause, longest) in pauses.iter().zip([1, 2, 4, 8, 16, 30, 30]) {
            let longest = longest * 1000;
            assert!((longest / 2..longest + 20).contains(pause), "{pause} ms of {longest}");
        }
    }
    let same = one.iter().zip(&another).filter(|(one, another)| one == another).count();
    assert!(same < 3, "{one:?} {another:?}");
}

#[test]
fn when_the_issuer_is_back_every_worker_serves() {
    let upstreams = Upstreams::default();
    upstreams.issuer.goes_down();
    let mut process = Process::of(3, upstreams, &usual());
    process.pass(MINUTE);
    process.upstreams.issuer.comes_back();
    process.pass(35 * SECOND);
    for worker in 0..3 {
        process.visit(worker).forwarded();
    }
    assert_eq!(asked(&process).1, 1);
}

#[test]
fn a_worker_that_dies_while_it_asks_keeps_the_others_waiting_no_longer_than_a_call() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_jwks(Behaviour::Hangs);
    let mut process = Process::of(3, upstreams, &usual());
    process.until("one asks", |process| asked(process).1 == 1);
    let keys = process.upstreams.issuer.jwks();
    process.upstreams.issuer.answers_jwks(Behaviour::json(200, &keys));
    process.loses(0);
    process.pass(LEASE);
    assert_eq!(asked(&process), (1, 2));
    for worker in 1..3 {
        process.visit(worker).forwarded();
    }
}

#[test]
fn a_request_that_ends_while_it_asks_for_all_leaves_nobody_waiting() {
    let upstreams = Upstreams::default();
    let keys = upstreams.issuer.jwks();
    let mut process = Process::of(2, upstreams, &usual());
    process.pass(MINUTE);
    process.upstreams.issuer.rotates();
    let token = process.token();
    process.upstreams.issuer.answers_jwks(Behaviour::json(200, &keys).after(SECOND));
    let gone = process.open(0, &token);
    process.pass(millis(100));
    let waits = process.open(1, &token);
    process.workers[0].abort(gone);
    let keys = process.upstreams.issuer.jwks();
    process.upstreams.issuer.answers_jwks(Behaviour::json(200, &keys));
    let begin = process.now();
    process.answer(1, waits).forwarded();
    let waited = process.now().since(begin);
    assert!(waited < millis(100), "it waited for {waited:?}, as long as the lease");
}

#[test]
fn a_plugin_that_is_removed_while_it_asks_lets_go() {
    let upstreams = Upstreams::default();
    upstreams.issuer.answers_discovery(Behaviour::Hangs);
    let mut process = Process::of(2, upstreams, &usual());
    process.until("one asks", |process| asked(process).0 == 1);
    let removed = &process.workers[0];
    let filter = removed.filter.as_ref().expect("it is there");
    removed.proxy.within(None, || filter.on_removal());
    process.loses(0);
    process.pass(millis(100));
    assert_eq!(asked(&process).0, 2);
}

#[test]
fn a_worker_that_starts_anew_has_the_keys_of_the_others_even_while_the_issuer_is_away() {
    let mut process = three(&usual());
    process.pass(15 * MINUTE);
    let before = asked(&process);
    process.starts_a_worker();
    process.pass(millis(10));
    process.visit(3).forwarded();
    assert_eq!(asked(&process), before);

    process.upstreams.issuer.goes_down();
    process.pass(120 * MINUTE);
    process.starts_a_worker();
    process.pass(millis(10));
    process.visit(4).forwarded();
    process.pass(23 * 60 * MINUTE);
    process.starts_a_worker();
    process.visit(5).refused(503, "keys-unavailable");

    let mut process = three(&usual());
    process.pass(SECOND);
    process.upstreams.issuer.answers_jwks(Behaviour::text(200, "<html>"));
    process.pass(15 * MINUTE);
    process.starts_a_worker();
    process.pass(millis(10));
    process.visit(3).forwarded();
}

#[test]
fn a_worker_that_starts_after_a_rotation_asks_for_newer_keys_than_those_it_took_over() {
    let mut process = three(&usual());
    process.pass(SECOND);
    process.visit(0).forwarded();
    process.upstreams.issuer.rotates();
    process.starts_a_worker();
    // Its first request is there before its first keys.
    process.visit(3).forwarded();
    process.visit(3).forwarded();
    assert_eq!(asked(&process), (2, 2));
}

#[test]
fn keys_that_were_taken_over_are_as_old_as_they_are() {
    let mut process = Process::of(1, Upstreams::default(), &usual());
    process.pass(8 * MINUTE);
    process.starts_a_worker();
    process.pass(millis(10));
    process.loses(0);
    process.pass(150 * SECOND);
    assert_eq!(asked(&process), (2, 2));
}

#[test]
fn what_another_plugin_writes_over_ours_is_nothing() {
    let garbage: [&[u8]; 8] = [
        b"",
        b"\n",
        b"\xff\xfe\n{",
        b"{}",
        b"{}\n",
        b"[1,2]\nxyz",
        b"{\"question\":7}\n",
        br#"{"question":"","lease":{"holder":0,"until":18446744073709551615},"good":null,"failed":null}"#,
    ];
    let mut other = three(&usual());
    other.pass(SECOND);
    let places: Vec<_> = other.workers[0].proxy.shared_data().borrow().keys().cloned().collect();
    assert_eq!(places.len(), 2, "one record for each document");
    for bytes in garbage {
        let mut process = three(&usual());
        let written = places.iter().map(|place| (place.clone(), (bytes.to_vec(), 7)));
        process.workers[0].proxy.shared_data().borrow_mut().extend(written);
        process.pass(SECOND);
        for worker in 0..3 {
            process.visit(worker).forwarded();
        }
        assert_eq!(asked(&process), (1, 1), "{bytes:?}");
    }
}

#[test]
fn a_record_that_is_true_to_form_but_not_to_time_is_nothing() {
    let mut process = three(&usual());
    process.pass(SECOND);
    let shared = process.workers[0].proxy.shared_data();
    let later = process.now().after(240 * 60 * MINUTE).as_millis();
    for (value, version) in shared.borrow_mut().values_mut() {
        let text = String::from_utf8(value.clone()).unwrap();
        let (head, body) = text.split_once('\n').unwrap();
        let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
        head["good"]["at"] = json!(later);
        head["lease"] = json!({"holder": 0, "until": later});
        (*value, *version) = (format!("{head}\n{body}").into_bytes(), *version + 1);
    }
    process.starts_a_worker();
    process.pass(millis(10));
    process.visit(3).forwarded();
    assert_eq!(asked(&process), (2, 2));
}

#[test]
fn a_lease_that_nobody_lets_go_is_waited_for_only_so_long() {
    let mut process = three(&usual());
    process.pass(SECOND);
    let shared = process.workers[0].proxy.shared_data();
    let until = process.now().after(59 * SECOND).as_millis();
    for (value, version) in shared.borrow_mut().values_mut() {
        let text = String::from_utf8(value.clone()).unwrap();
        let mut head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        (head["good"], head["lease"]) = (json!(null), json!({"holder": 0, "until": until}));
        (*value, *version) = (format!("{head}\n").into_bytes(), *version + 1);
    }
    process.starts_a_worker();
    process.pass(11 * SECOND);
    assert_eq!(asked(&process), (1, 1));
    process.pass(14 * SECOND);
    process.visit(3).forwarded();
}

#[test]
fn a_clock_that_is_set_back_leaves_the_keys_fresh() {
    let mut process = three(&usual());
    process.pass(5 * MINUTE);
    process.set_clock(process.now().before(60 * MINUTE));
    for worker in &process.workers {
        worker.state().rings_in(SECOND);
    }
    process.pass(30 * MINUTE);
    let (_, sets) = asked(&process);
    assert!((3..=5).contains(&sets), "{sets} in half an hour");
    process.upstreams.issuer.rotates();
    process.visit(1).forwarded();
}

#[test]
fn a_proxy_that_shares_nothing_is_served_by_each_worker_itself() {
    let mut process = Process::of(0, Upstreams::default(), &usual());
    for _ in 0..3 {
        process.starts_a_worker();
        process.workers.last().unwrap().state().shares = false;
    }
    process.pass(SECOND);
    assert_eq!(asked(&process), (3, 3));
    for worker in 0..3 {
        process.visit(worker).forwarded();
    }
}

#[test]
fn what_is_remembered_in_the_process_does_not_grow_with_what_an_issuer_says() {
    let upstreams = Upstreams::default();
    let mut process =
        Process::of(2, upstreams, &usual().set("/issuers/0/keys_refresh", json!({"every": "1s"})));
    let keys = process.upstreams.issuer.jwks();
    process.upstreams.issuer.answers_odd((0..50).map(|_| Behaviour::json(200, &keys)).collect());
    for number in 0..50 {
        let document = json!({"issuer": crate::support::config::ISSUER, "jwks_uri": format!("http://idp.test/odd/{number}")});
        process.upstreams.issuer.answers_discovery(Behaviour::json(200, &document));
        process.pass(SECOND);
    }
    process.visit(1).forwarded();
    let shared = process.workers[0].proxy.shared_data();
    let about_keys = shared.borrow().keys().filter(|key| !key.contains("/subjects/")).count();
    assert_eq!(about_keys, 2);
}
