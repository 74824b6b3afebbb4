//! Several workers over one shared data: one asks, the others follow, and what two of them write at the same moment is
//! never half of each.

use super::super::subjects::tests::Process;
use super::*;
use crate::config::{Surroundings, compile};
use crate::domain::{Issuer, Subject, SubjectId};
use crate::memory::Fate;
use crate::token::Crypto;
use serde_json::json;
use std::rc::Rc;

const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);

fn worker(number: u8) -> Feed {
    following(number, json!({}))
}

/// A worker that follows a source which tells nothing twice.
fn keeper(number: u8) -> Feed {
    let ssf = json!({"issuer": "https://signals", "audiences": ["edge"]});
    following(number, json!({"protocol": "ssf", "cluster": "signals", "path": "/poll", "ssf": ssf}))
}

fn following(number: u8, departures: serde_json::Value) -> Feed {
    let document = json!({
        "issuers": [{"issuer": "https://idp", "cluster": "idp", "audiences": ["api"]}],
        "provisioning": {"cluster": "directory"},
        "departures": departures,
    });
    let surroundings = Surroundings { env: &|_| None, node: "", crypto: Crypto::pure() };
    let policy = compile(&document.to_string(), &surroundings).unwrap_or_else(|told| panic!("{told:?}"));
    Feed::new(&policy, [number; 16])
}

fn departed(id: &str) -> Change {
    let subject =
        Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() };
    Change { key: subject.key(), fate: Fate::Departed, at: NOW }
}

fn after(millis: u64) -> Timestamp {
    NOW.after(Duration::from_millis(millis))
}

fn tell(
    worker: &Feed,
    process: &Process,
    after: Option<Position>,
    changes: &[Change],
    cursor: &str,
    now: Timestamp,
) -> Option<Position> {
    worker.tell(process, after, &Told { changes, cursor, heard: Some(now), known: &Departures::new(9) }, now)
}

/// A process in which `one` asks for all and has read the feed.
fn read_by(one: &Feed) -> (Rc<Process>, Position) {
    let process = Rc::new(Process::default());
    assert_eq!(one.follow(&*process, None, false, NOW).turn, Turn::Mine);
    let position = tell(one, &process, None, &[], "c-0", NOW).unwrap();
    (process, position)
}

#[test]
fn the_first_reads_the_feed_and_the_others_wait_for_that() {
    let (process, one, two) = (Process::default(), worker(1), worker(2));
    let nothing = |turn| Followed { progress: None, missed: None, book: None, turn };
    assert_eq!(one.follow(&process, None, false, NOW), nothing(Turn::Mine));
    assert_eq!(two.follow(&process, None, false, NOW), nothing(Turn::Elsewhere));
    let position = tell(&one, &process, None, &[], "c-0", NOW);
    let found = two.follow(&process, None, false, NOW);
    assert_eq!(found.progress.map(|told| told.position), position);
    assert_eq!((found.missed, found.turn), (None, Turn::Elsewhere), "it has to read it itself");
}

#[test]
fn a_look_at_nothing_new_is_one_reading_and_no_writing() {
    let (one, two) = (worker(1), worker(2));
    let (process, position) = read_by(&one);
    let _ = (process.gets.take(), process.sets.take());
    for (worker, asks) in [(&two, false), (&one, true)] {
        let found = worker.follow(&*process, Some(position), asks, after(900));
        assert_eq!(found.missed, Some(vec![]));
        assert_eq!((process.gets.take(), process.sets.take()), (1, 0));
    }
}

#[test]
fn what_one_was_told_the_others_find_in_order() {
    let (one, two) = (worker(1), worker(2));
    let (process, begin) = read_by(&one);
    let first = tell(&one, &process, Some(begin), &[departed("a"), departed("b")], "c-2", NOW);
    let many: Vec<_> = (0..LONGEST_NOTICE + 1).map(|number| departed(&number.to_string())).collect();
    let second = tell(&one, &process, first, &many, "c-9", NOW).unwrap();
    assert_eq!(second.notice, 3);
    let found = two.follow(&*process, Some(begin), false, NOW);
    let expected: Vec<_> = [departed("a"), departed("b")].into_iter().chain(many).collect();
    assert_eq!(
        (found.missed, found.progress.map(|told| told.cursor)),
        (Some(expected), Some("c-9".to_owned()))
    );
    let nothing = tell(&one, &process, Some(second), &[], "c-9", after(500));
    assert_eq!(nothing, Some(second), "no news is no notice");
    let heard = two.follow(&*process, Some(second), false, after(500)).progress.map(|told| told.heard);
    assert_eq!(heard, Some(after(500)));
}

#[test]
fn a_feed_that_has_more_to_tell_is_not_heard_yet() {
    let (one, two) = (worker(1), worker(2));
    let (process, begin) = read_by(&one);
    let told = Told { changes: &[departed("a")], cursor: "c-0", heard: None, known: &Departures::new(9) };
    let position = one.tell(&*process, Some(begin), &told, after(500));
    let heard = two.follow(&*process, position, false, after(500)).progress.map(|told| told.heard);
    assert_eq!(heard, Some(NOW));
}

#[test]
fn who_lags_behind_the_ring_is_told_so() {
    let (one, two) = (worker(1), worker(2));
    let (process, begin) = read_by(&one);
    let mut position = begin;
    for number in 0..SLOTS {
        position = tell(&one, &process, Some(position), &[departed(&number.to_string())], "c", NOW).unwrap();
    }
    let missed = |process: &Process| two.follow(process, Some(begin), false, NOW).missed;
    assert_eq!(missed(&process).map(|missed| missed.len()), Some(SLOTS as usize));
    tell(&one, &process, Some(position), &[departed("one more")], "c", NOW);
    assert_eq!(missed(&process), None);
    tell(&one, &process, None, &[], "c", after(1));
    assert_eq!(missed(&process), None, "it was read anew");
}

#[test]
fn the_lease_of_who_dies_ends_in_seconds_and_whoever_knows_enough_goes_on() {
    let (one, two, three) = (worker(1), worker(2), worker(3));
    let (process, begin) = read_by(&one);
    assert_eq!(one.follow(&*process, Some(begin), true, after(2000)).turn, Turn::Mine);
    assert_eq!(two.follow(&*process, Some(begin), false, after(4900)).turn, Turn::Elsewhere);
    assert_eq!(
        three.follow(&*process, None, false, after(5000)).turn,
        Turn::Elsewhere,
        "it knows too little"
    );
    let found = two.follow(&*process, Some(begin), false, after(5000));
    assert_eq!((found.turn, found.progress.map(|told| told.cursor)), (Turn::Mine, Some("c-0".to_owned())));
    assert_eq!(one.follow(&*process, Some(begin), true, after(5000)).turn, Turn::Elsewhere);
    let late = tell(&one, &process, Some(begin), &[departed("a")], "c-1", after(5001));
    assert_eq!(late, None, "its poll comes too late");
    two.let_go(&*process, after(5002));
    assert_eq!(one.follow(&*process, Some(begin), false, after(5003)).turn, Turn::Mine);
}

#[test]
fn what_another_tells_at_the_same_moment_is_never_half_of_each() {
    let (one, two) = (worker(1), worker(2));
    let (process, begin) = read_by(&one);
    // While one writes, its lease has ended, and two has taken over and was told more.
    let (theirs, other) = (process.clone(), worker(2));
    *process.meanwhile.borrow_mut() = Some(Box::new(move || {
        assert_eq!(other.follow(&*theirs, Some(begin), false, after(4000)).turn, Turn::Mine);
        let both = [departed("a"), departed("b")];
        assert!(tell(&other, &theirs, Some(begin), &both, "c-2", after(4000)).is_some());
    }));
    assert_eq!(tell(&one, &process, Some(begin), &[departed("a")], "c-1", NOW), None);
    let found = two.follow(&*process, Some(begin), false, after(4001));
    assert_eq!(found.missed, Some(vec![departed("a"), departed("b")]));
    assert_eq!(found.progress.map(|told| told.cursor), Some("c-2".to_owned()));
}

#[test]
fn rubbish_is_nothing_and_is_written_over() {
    let (one, two) = (worker(1), worker(2));
    let (process, begin) = read_by(&one);
    let position = tell(&one, &process, Some(begin), &[departed("a")], "c-1", NOW).unwrap();
    process.shared_set(&one.slot(1), b"rubbish", None);
    assert_eq!(two.follow(&*process, Some(begin), false, NOW).missed, None);
    process.shared_set(&one.name, b"{}", None);
    let found = two.follow(&*process, Some(position), false, NOW);
    assert_eq!((found.progress, found.missed, found.turn), (None, None, Turn::Mine));
    assert_eq!(tell(&one, &process, Some(position), &[departed("b")], "c-2", NOW), None);
}

#[test]
fn where_nothing_is_shared_each_asks_for_itself() {
    let mut process = Process::default();
    process.shares_nothing = true;
    assert_eq!(worker(1).follow(&process, None, false, NOW).turn, Turn::Alone);
    assert_eq!(tell(&worker(1), &process, None, &[departed("a")], "c", NOW), None);
}

#[test]
fn where_nothing_is_told_twice_a_book_is_kept_for_whoever_comes_later() {
    let (one, two) = (keeper(1), keeper(2));
    let (process, mut position) = read_by(&one);
    let mut known = Departures::new(1000);
    for number in 0..SLOTS * 3 {
        let news = departed(&number.to_string());
        assert_eq!(known.take(&news, NOW), 0);
        let told = Told { changes: &[news], cursor: "c", heard: Some(NOW), known: &known };
        position = one.tell(&*process, Some(position), &told, NOW).unwrap();
        let found = two.follow(&*process, None, false, NOW);
        let mut learnt = Departures::new(1000);
        assert_eq!(learnt.join(&found.book.expect("there is a book")), 0);
        found
            .missed
            .expect("and what came after")
            .iter()
            .for_each(|change| assert_eq!(learnt.take(change, NOW), 0));
        assert!((0..=number).all(|number| !learnt.is_news(&departed(&number.to_string()))), "{number}");
        assert_eq!(found.turn, Turn::Elsewhere);
    }
    process.shared_set(&one.book(), b"rubbish", None);
    let found = two.follow(&*process, None, false, NOW);
    assert!(found.missed.is_none() && found.book.is_none());
    let told = Told { changes: &[], cursor: "c", heard: Some(NOW), known: &known };
    assert_eq!(one.tell(&*process, Some(position), &told, NOW), Some(position));
    assert_eq!(two.follow(&*process, None, false, NOW).book, Some(known), "it is written anew");
}
