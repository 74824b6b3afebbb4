//! Departures in a process of several workers: one polls, all refuse, whoever of them is lost.

use crate::process::Process;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, departing};
use crate::support::feed::Feed;
use crate::support::world::{Upstreams, millis};
use firstsight::domain::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// A process whose workers have read the feed.
fn process(workers: usize, config: &Config) -> Process {
    let mut process = Process::of(workers, Upstreams::default(), config);
    process.pass(millis(1000));
    process
}

fn feed(process: &Process) -> Feed {
    process.upstreams.directory.feed()
}

/// When the directory was asked for news last.
fn polls(process: &Process) -> usize {
    feed(process).polls()
}

#[track_caller]
fn all_refuse(process: &mut Process, token: &str) {
    for worker in 0..process.workers.len() {
        if process.workers[worker].filter.is_some() {
            process.send(worker, token).refused(403, "account-departed");
        }
    }
}

#[test]
fn one_worker_polls_for_all_and_all_refuse_a_quarter_of_a_second_later() {
    let mut process = process(8, &departing());
    assert_eq!(feed(&process).readings(), 8);
    let before = polls(&process);
    let token = process.token();
    for worker in 0..8 {
        process.send(worker, &token).forwarded();
    }
    let at = process.now();
    feed(&process).departs("jane-4711", at);
    process.until("one has heard", |process| process.counter("firstsight.departures.heard") == 1);
    process.pass(millis(250));
    let sent = process.now();
    all_refuse(&mut process, &token);
    assert_eq!(process.now(), sent, "nobody had to wait for anything");
    assert!(sent.since(at) <= millis(100 + 250 + 10), "{:?}", sent.since(at));
    process.pass(millis(10_000));
    let polls = polls(&process) - before;
    assert!((90..=110).contains(&polls), "{polls} polls of 100 ms in ten seconds");
    assert_eq!(feed(&process).readings(), 8);
}

#[test]
fn a_poll_that_takes_long_keeps_nobody_and_nothing_else_waiting() {
    let config = departing().set("/departures", json!({"wait": "20s"}));
    let mut process = process(3, &config);
    for worker in 0..3 {
        process.visit(worker).forwarded();
    }
    process.pass(millis(60_000));
    assert!((3..=5).contains(&polls(&process)), "{}", polls(&process));
    assert_eq!(feed(&process).readings(), 3);
    assert!(process.counter("firstsight.sightings.sent") > 0);
    assert_eq!(process.counter("firstsight.departures.failed"), 0);
}

#[test]
fn a_worker_that_dies_while_it_polls_is_followed_by_another_in_seconds() {
    let config = departing().set("/departures", json!({"wait": "20s"}));
    let mut process = process(3, &config);
    let token = process.token();
    process.send(2, &token).forwarded();
    let (before, at) = (polls(&process), process.now());
    // Whoever began first polls.
    process.loses(0);
    feed(&process).departs("jane-4711", at);
    process.until("another polls", |process| polls(process) > before);
    process.pass(millis(260));
    let waited = process.now().since(at);
    assert!(waited <= millis(3000 + 250 + 260), "{waited:?}");
    all_refuse(&mut process, &token);
    assert_eq!(feed(&process).readings(), 3, "nothing had to be read anew");
}

#[test]
fn a_worker_that_is_removed_leaves_the_feed_to_the_others_at_once() {
    let config = departing().set("/departures", json!({"wait": "20s"}));
    let mut process = process(2, &config);
    let (before, at) = (polls(&process), process.now());
    process.removes(0);
    process.until("another polls", |process| polls(process) > before);
    assert!(process.now().since(at) <= millis(250), "{:?}", process.now().since(at));
}

#[test]
fn a_worker_that_starts_anew_reads_the_feed_and_then_follows() {
    let mut process = process(2, &departing());
    let at = process.now();
    feed(&process).departs("jane-4711", at);
    process.pass(millis(500));
    process.loses(1);
    process.starts_a_worker();
    process.pass(millis(300));
    assert_eq!(feed(&process).readings(), 3);
    let token = process.token();
    all_refuse(&mut process, &token);
    let now = process.now();
    feed(&process).departs("john-4712", now);
    process.pass(millis(400));
    let john = process.token_of("john-4712");
    all_refuse(&mut process, &john);
    assert_eq!((feed(&process).readings(), process.upstreams.directory.arrivals().len()), (3, 0));
}

#[test]
fn a_worker_that_lags_behind_the_ring_asks_for_what_it_missed_itself() {
    let mut process = process(2, &departing());
    let at = process.now();
    feed(&process).pages_of(1);
    let filter = process.workers[1].filter.take();
    (0..100).for_each(|number| feed(&process).departs(&format!("crowd-{number}"), at));
    process.until("all are heard", |process| process.counter("firstsight.departures.heard") == 100);
    process.workers[1].filter = filter;
    process.pass(millis(1000));
    assert_eq!(feed(&process).readings(), 2, "nothing had to be read anew");
    for number in [0, 50, 99] {
        let token = process.token_of(&format!("crowd-{number}"));
        all_refuse(&mut process, &token);
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 0);
}

#[test]
fn whatever_others_write_into_the_records_whoever_departed_stays_out() {
    let mut process = process(3, &departing());
    let at = process.now();
    let shared = process.workers[0].proxy.shared_data();
    feed(&process).departs("josh-4713", at);
    process.pass(millis(400));
    for (number, rubbish) in [vec![], vec![0; 4], vec![0xff; 300], b"{}".to_vec()].into_iter().enumerate() {
        let sub = format!("crowd-{number}");
        feed(&process).departs(&sub, at);
        let mut records = 0;
        for (name, (value, version)) in shared.borrow_mut().iter_mut() {
            if name.contains("/departures/") {
                (*value, *version, records) = (rubbish.clone(), *version + 1000, records + 1);
            }
        }
        assert_eq!(records, 2, "the head, and what was told");
        process.pass(millis(4500));
        let token = process.token_of(&sub);
        all_refuse(&mut process, &token);
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 0);
}

#[test]
fn where_nothing_is_shared_each_worker_polls_for_itself() {
    let mut process = Process::of(2, Upstreams::default(), &departing());
    process.workers.iter().for_each(|worker| worker.state().shares = false);
    process.pass(millis(1000));
    let at = process.now();
    feed(&process).departs("jane-4711", at);
    process.pass(millis(400));
    let token = process.token();
    all_refuse(&mut process, &token);
    assert_eq!(process.counter("firstsight.departures.heard"), 2);
}

#[test]
fn a_clock_that_is_set_back_stops_neither_polls_nor_refusals() {
    let mut process = process(2, &departing());
    let earlier = Timestamp::from_millis(process.now().as_millis() - 3_600_000);
    process.set_clock(earlier);
    process.workers.iter().for_each(|worker| worker.state().rings_in(millis(250)));
    process.pass(millis(5000));
    let (before, at) = (polls(&process), process.now());
    feed(&process).departs("jane-4711", at);
    process.pass(millis(1000));
    assert!(polls(&process) > before);
    let token = process.token();
    all_refuse(&mut process, &token);
    assert!(process.counter("firstsight.departures.lag_seconds") <= 2);
}

#[test]
fn a_return_is_believed_by_no_worker_before_the_directory_was_asked_again() {
    let config = departing().set("/provisioning/mode", json!("hold"));
    let mut process = process(2, &config);
    let token = process.token();
    process.send(0, &token).forwarded();
    process.send(1, &token).forwarded();
    let at = process.now();
    feed(&process).departs("jane-4711", at);
    feed(&process).returns("jane-4711", at.after(millis(1)));
    process.pass(millis(2500));
    process.upstreams.directory.answers(Behaviour::json(403, &json!({"status": "denied"})));
    for worker in [1, 0] {
        process.visit(worker).refused(403, "account-denied");
        process.send(worker, &token).refused(401, "token-outdated");
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 2);
}

#[test]
fn a_worker_that_has_not_read_the_feed_relies_on_nothing_that_was_known_before() {
    let mut process = process(1, &departing());
    process.visit(0).forwarded();
    feed(&process).answers(Behaviour::Hangs);
    process.starts_a_worker();
    process.pass(millis(50));
    process.upstreams.directory.answers(Behaviour::json(410, &json!({})));
    process.visit(1).refused(403, "account-departed");
    assert_eq!(process.upstreams.directory.arrivals().len(), 2);
}

#[test]
fn while_the_feed_is_stale_what_is_known_is_relied_on_for_half_a_minute() {
    for (posture, arrivals) in [("ask", 2), ("allow", 1)] {
        let mut process = process(2, &departing().set("/departures/when_stale", json!(posture)));
        process.visit(0).forwarded();
        feed(&process).answers(Behaviour::text(503, ""));
        process.pass(millis(25_000));
        process.visit(1).forwarded();
        assert_eq!(process.upstreams.directory.arrivals().len(), 1);
        process.pass(millis(6000));
        for worker in [0, 1] {
            process.visit(worker).forwarded();
        }
        assert_eq!(process.upstreams.directory.arrivals().len(), arrivals, "{posture}");
        feed(&process).behaves();
        process.pass(millis(40_000));
        process.visit(0).forwarded();
        assert_eq!(process.upstreams.directory.arrivals().len(), arrivals, "{posture}: it is heard again");
    }
}

/// What may happen to a process and its directory.
#[derive(Debug, Clone)]
enum Weather {
    Departs(u8),
    Returns(u8),
    Passes(u64),
    FeedFails,
    FeedBehaves,
    BeginsAnew,
    IsLost(usize),
    Rubbish(u8),
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Weather::Departs),
        4 => (0..6_u8).prop_map(Weather::Returns),
        6 => (1..1500_u64).prop_map(Weather::Passes),
        1 => Just(Weather::FeedFails),
        2 => Just(Weather::FeedBehaves),
        1 => Just(Weather::BeginsAnew),
        1 => (0..3_usize).prop_map(Weather::IsLost),
        1 => any::<u8>().prop_map(Weather::Rubbish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_worker_comes_to_know_who_departed(happens in vec(weather(), 1..40)) {
        let mut process = process(3, &departing());
        let mut departed = [false; 6];
        let sub = |number: u8| format!("crowd-{number}");
        for event in happens {
            let now = process.now();
            match event {
                Weather::Departs(number) => {
                    departed[usize::from(number)] = true;
                    feed(&process).departs(&sub(number), now);
                }
                Weather::Returns(number) => {
                    departed[usize::from(number)] = false;
                    feed(&process).returns(&sub(number), now);
                }
                Weather::Passes(span) => process.pass(millis(span)),
                Weather::FeedFails => feed(&process).answers(Behaviour::Resets),
                Weather::FeedBehaves => feed(&process).behaves(),
                Weather::BeginsAnew => {
                    feed(&process).begins_anew();
                    let gone = (0..6).filter(|number| departed[usize::from(*number)]);
                    gone.for_each(|number| feed(&process).departs(&sub(number), now));
                }
                Weather::IsLost(worker) => {
                    process.loses(worker);
                    process.starts_a_worker();
                    let anew = process.workers.pop().expect("it was just started");
                    process.workers[worker] = anew;
                }
                Weather::Rubbish(byte) => {
                    let shared = process.workers[0].proxy.shared_data();
                    let mut shared = shared.borrow_mut();
                    let records = shared.iter_mut().filter(|(name, _)| name.contains("/departures/"));
                    records.for_each(|(_, (value, version))| (*value, *version) = (vec![byte; 9], *version + 1000));
                }
            }
        }
        feed(&process).behaves();
        process.pass(millis(8000));
        for (number, is_departed) in (0..).zip(departed) {
            for worker in 0..3 {
                let token = process.token_of(&sub(number));
                let answer = process.send(worker, &token);
                if is_departed {
                    answer.refused(403, "account-departed");
                } else {
                    answer.forwarded();
                }
            }
        }
    }
}
