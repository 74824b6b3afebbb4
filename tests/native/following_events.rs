//! Departures that a transmitter's events tell of, in a process of several workers: one polls, all refuse, and what was told
//! once is known to whoever comes later.

use crate::process::Process;
use crate::support::behaviour::Behaviour;
use crate::support::config::departing_by_events;
use crate::support::transmitter::Transmitter;
use crate::support::world::{Upstreams, millis};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

/// A process of which one worker polls.
fn process(workers: usize) -> Process {
    let mut process = Process::of(workers, Upstreams::default(), &departing_by_events());
    process.pass(millis(1000));
    process
}

fn transmitter(process: &Process) -> Transmitter {
    process.upstreams.directory.transmitter()
}

fn disables(process: &Process, sub: &str) -> String {
    transmitter(process).disables(sub, process.now())
}

#[track_caller]
fn all_refuse(process: &mut Process, sub: &str) {
    let token = process.token_of(sub);
    for worker in 0..process.workers.len() {
        if process.workers[worker].filter.is_some() {
            process.send(worker, &token).refused(403, "account-departed");
        }
    }
}

#[test]
fn one_worker_polls_and_an_event_is_taken_once_all_can_know_of_it() {
    let mut process = process(8);
    let name = disables(&process, "jane-4711");
    process.until("it is taken", |process| transmitter(process).is_done());
    process.pass(millis(260));
    all_refuse(&mut process, "jane-4711");
    let before = transmitter(&process).polls();
    process.pass(millis(9000));
    let polls = transmitter(&process).polls() - before;
    assert!((25..=35).contains(&polls), "{polls} polls of 300 ms in nine seconds");
    assert_eq!(transmitter(&process).taken(), [name]);
    assert_eq!(process.counter("firstsight.departures.heard"), 1);
    assert_eq!(process.upstreams.directory.arrivals().len(), 0);
}

#[test]
fn what_cannot_be_told_to_others_is_not_taken() {
    let mut process = Process::of(2, Upstreams::default(), &departing_by_events());
    process.workers.iter().for_each(|worker| worker.state().shares = false);
    process.pass(millis(1000));
    disables(&process, "jane-4711");
    process.pass(millis(2500));
    all_refuse(&mut process, "jane-4711");
    assert_eq!(transmitter(&process).taken().len(), 0);
}

#[test]
fn a_worker_that_comes_later_or_lags_behind_knows_what_was_told_before() {
    let mut process = process(3);
    let lagging = process.workers[2].filter.take();
    for number in 0..100 {
        disables(&process, &format!("crowd-{number}"));
        process.until("it is taken", |process| transmitter(process).is_done());
    }
    process.workers[2].filter = lagging;
    process.loses(1);
    process.starts_a_worker();
    process.pass(millis(1000));
    for number in [0, 1, 50, 99] {
        all_refuse(&mut process, &format!("crowd-{number}"));
    }
    assert_eq!(process.upstreams.directory.arrivals().len(), 0);
}

#[test]
fn a_worker_that_dies_is_followed_by_another_and_what_it_did_not_take_comes_again() {
    let mut process = process(3);
    disables(&process, "john-4712");
    process.until("it is taken", |process| transmitter(process).is_done());
    disables(&process, "jane-4711");
    process.loses(0);
    process.pass(millis(4500));
    assert!(transmitter(&process).is_done());
    all_refuse(&mut process, "jane-4711");
    all_refuse(&mut process, "john-4712");
}

#[test]
fn where_what_was_told_is_lost_the_directory_is_asked_about_everybody() {
    let mut process = process(1);
    disables(&process, "jane-4711");
    process.until("it is taken", |process| transmitter(process).is_done());
    let shared = process.workers[0].proxy.shared_data();
    let mut shared = shared.borrow_mut();
    let book = shared.iter_mut().find(|(name, _)| name.ends_with("/book")).expect("a book is kept");
    book.1.0 = b"rubbish".to_vec();
    drop(shared);
    process.loses(0);
    process.starts_a_worker();
    process.pass(millis(5000));
    process.upstreams.directory.answers(Behaviour::json(410, &json!({})));
    process.visit(1).refused(403, "account-departed");
    let asked = process.upstreams.directory.arrivals().len();
    process.pass(millis(31_000));
    process.visit(1).refused(403, "account-departed");
    assert!(process.upstreams.directory.arrivals().len() > asked, "its word is relied on for half a minute");
    disables(&process, "john-4712");
    process.until("it is taken", |process| transmitter(process).is_done());
}

/// What may happen to a process and a transmitter.
#[derive(Debug, Clone)]
enum Weather {
    Disables(u8),
    Enables(u8),
    Revokes(u8),
    Passes(u64),
    Fails,
    Behaves,
    IsLost(usize),
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        4 => (0..6_u8).prop_map(Weather::Disables),
        4 => (0..6_u8).prop_map(Weather::Enables),
        2 => (0..6_u8).prop_map(Weather::Revokes),
        6 => (1000..2500_u64).prop_map(Weather::Passes),
        1 => Just(Weather::Fails),
        2 => Just(Weather::Behaves),
        1 => (0..3_usize).prop_map(Weather::IsLost),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_worker_comes_to_know_who_is_disabled(happens in vec(weather(), 1..40)) {
        let mut process = process(3);
        let mut disabled = [false; 6];
        let sub = |number: u8| format!("crowd-{number}");
        for event in happens {
            let now = process.now();
            match event {
                Weather::Disables(number) => {
                    disabled[usize::from(number)] = true;
                    transmitter(&process).disables(&sub(number), now);
                }
                Weather::Enables(number) => {
                    disabled[usize::from(number)] = false;
                    // Events know no time shorter than a second.
                    process.pass(millis(1000));
                    let now = process.now();
                    transmitter(&process).enables(&sub(number), now);
                }
                Weather::Revokes(number) => {
                    transmitter(&process).revokes(&sub(number), now);
                }
                Weather::Passes(span) => process.pass(millis(span)),
                Weather::Fails => transmitter(&process).answers(Behaviour::Resets),
                Weather::Behaves => transmitter(&process).behaves(),
                Weather::IsLost(worker) => {
                    process.loses(worker);
                    process.starts_a_worker();
                    let anew = process.workers.pop().expect("it was just started");
                    process.workers[worker] = anew;
                }
            }
        }
        transmitter(&process).behaves();
        process.pass(millis(8000));
        for (number, is_disabled) in (0..).zip(disabled) {
            for worker in 0..3 {
                let token = process.token_of(&sub(number));
                let answer = process.send(worker, &token);
                if is_disabled {
                    answer.refused(403, "account-departed");
                } else {
                    answer.forwarded();
                }
            }
        }
    }
}
