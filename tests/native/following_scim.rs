//! Departures of a SCIM directory in a process of several workers: one reads for all, whoever of them is lost.

use crate::process::Process;
use crate::support::behaviour::Behaviour;
use crate::support::config::departing_by_scim;
use crate::support::scim::{Operation, Quirk, Scim};
use crate::support::world::{Upstreams, millis};
use firstsight::domain::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

/// A process whose workers have read the users.
fn process(workers: usize) -> Process {
    let mut process = Process::of(workers, Upstreams::default(), &departing_by_scim());
    process.pass(millis(1000));
    process
}

fn directory(process: &Process) -> Scim {
    process.upstreams.directory.scim()
}

fn sets_active(process: &Process, sub: &str, active: bool) {
    directory(process).sets_active(sub, active, process.now());
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
fn one_worker_reads_for_all() {
    let mut process = process(8);
    assert_eq!(directory(&process).readings().0, 8);
    let before = directory(&process).readings().1;
    sets_active(&process, "jane-4711", false);
    process.pass(millis(500));
    all_refuse(&mut process, "jane-4711");
    assert_eq!(process.counter("firstsight.departures.heard"), 1);
    process.pass(millis(9500));
    let (first, later) = directory(&process).readings();
    assert_eq!(first, 8);
    assert!((20..=50).contains(&(later - before)), "{} readings every 200 ms in ten seconds", later - before);
}

#[test]
fn a_worker_that_dies_is_followed_by_another_where_it_was() {
    let mut process = process(3);
    process.loses(0);
    sets_active(&process, "jane-4711", false);
    process.pass(millis(4000));
    all_refuse(&mut process, "jane-4711");
    assert_eq!(directory(&process).readings().0, 3, "nothing had to be read anew");
}

#[test]
fn a_worker_that_starts_later_reads_the_users_itself_and_then_follows() {
    let mut process = process(2);
    directory(&process).has(Quirk::ShowsAtMost(2));
    for number in 0..5 {
        sets_active(&process, &format!("crowd-{number}"), false);
    }
    process.pass(millis(500));
    process.starts_a_worker();
    process.pass(millis(300));
    for number in 0..5 {
        all_refuse(&mut process, &format!("crowd-{number}"));
    }
    sets_active(&process, "jane-4711", false);
    process.pass(millis(600));
    all_refuse(&mut process, "jane-4711");
    assert_eq!(process.upstreams.directory.arrivals().len(), 0);
}

#[test]
fn who_returned_while_a_worker_could_not_follow_is_let_in_by_it_as_well() {
    let mut process = process(2);
    sets_active(&process, "jane-4711", false);
    process.pass(millis(600));
    all_refuse(&mut process, "jane-4711");
    let filter = process.workers[1].filter.take();
    sets_active(&process, "jane-4711", true);
    process.pass(millis(600));
    let shared = process.workers[0].proxy.shared_data();
    shared.borrow_mut().retain(|name, _| !name.contains("/departures/"));
    process.pass(millis(1000));
    process.workers[1].filter = filter;
    process.pass(millis(4000));
    for worker in [0, 1] {
        let token = process.token_of("jane-4711");
        process.send(worker, &token).forwarded();
    }
}

#[test]
fn whoever_leads_next_tells_what_only_it_has_seen() {
    let mut process = process(2);
    // Whoever began first reads for all; another comes when that one cannot tell any more.
    process.loses(0);
    sets_active(&process, "jane-4711", false);
    process.starts_a_worker();
    process.pass(millis(500));
    sets_active(&process, "john-4712", false);
    process.starts_a_worker();
    process.pass(millis(500));
    sets_active(&process, "john-4712", true);
    process.pass(millis(5000));
    all_refuse(&mut process, "jane-4711");
    for worker in 1..4 {
        let token = process.token_of("john-4712");
        process.send(worker, &token).forwarded();
    }
}

/// What may happen to a process and its directory.
#[derive(Debug, Clone)]
enum Weather {
    Sets(u8, bool),
    Passes(u64),
    Fails,
    Behaves,
    IsLost(usize),
    Rubbish(u8),
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        6 => (0..6_u8, any::<bool>()).prop_map(|(number, active)| Weather::Sets(number, active)),
        6 => (1..1500_u64).prop_map(Weather::Passes),
        1 => Just(Weather::Fails),
        2 => Just(Weather::Behaves),
        1 => (0..3_usize).prop_map(Weather::IsLost),
        1 => any::<u8>().prop_map(Weather::Rubbish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_worker_comes_to_know_who_is_inactive(
        behind in 0..500_u64, happens in vec(weather(), 1..40)
    ) {
        let mut process = process(3);
        directory(&process).has(Quirk::ShowsAtMost(2));
        let mut stands = [None; 6];
        let sub = |number: usize| format!("crowd-{number}");
        // The directory's clock is another one.
        let its = |now: Timestamp| now.before(millis(1000 * behind));
        for event in happens {
            match event {
                Weather::Sets(number, active) => {
                    stands[usize::from(number)] = Some(active);
                    let now = its(process.now());
                    directory(&process).sets_active(&sub(usize::from(number)), active, now);
                }
                Weather::Passes(span) => process.pass(millis(span)),
                Weather::Fails => directory(&process).answers(Operation::LookUp, Behaviour::Resets),
                Weather::Behaves => directory(&process).behaves(),
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
        directory(&process).behaves();
        process.pass(millis(8000));
        for (number, active) in (0..).zip(stands) {
            for worker in 0..3 {
                let token = process.token_of(&sub(number));
                let answer = process.send(worker, &token);
                if active == Some(false) {
                    answer.refused(403, "account-departed");
                } else {
                    answer.forwarded();
                }
            }
        }
    }
}
