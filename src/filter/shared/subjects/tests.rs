//! Several workers over one shared data: each subject is asked about by one of them at a time, whatever happens.

use super::*;
use crate::config::{Surroundings, compile};
use crate::domain::{Account, Issuer, Subject, SubjectId};
use crate::memory::Standing;
use crate::token::Crypto;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);
const LONG_AGO: Timestamp = Timestamp::from_secs(0);
const SECOND: Duration = Duration::from_secs(1);
/// As long as the usual time-out, and a second.
const LEASE: Duration = Duration::from_secs(3);

/// Shared data as Envoy has it: a version is compared only if there is something.
#[derive(Default)]
pub(in crate::filter::shared) struct Process {
    data: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    /// What another worker does after one looked and before it writes.
    pub(in crate::filter::shared) meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    pub(in crate::filter::shared) shares_nothing: bool,
    pub(in crate::filter::shared) gets: RefCell<usize>,
    pub(in crate::filter::shared) sets: RefCell<usize>,
}

impl SharedData for Process {
    fn shared_get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        *self.gets.borrow_mut() += 1;
        self.data.borrow().get(key).cloned()
    }

    fn shared_set(&self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        let meanwhile = self.meanwhile.borrow_mut().take();
        meanwhile.into_iter().for_each(|happens| happens());
        *self.sets.borrow_mut() += 1;
        let mut data = self.data.borrow_mut();
        let is_stale =
            data.get(key).is_some_and(|(_, known)| version.is_some_and(|version| version != *known));
        if self.shares_nothing || is_stale {
            return false;
        }
        let next = data.values().map(|(_, version)| *version).max().unwrap_or(0) + 1;
        data.insert(key.to_owned(), (value.to_vec(), next));
        true
    }
}

fn policy(authorization: &str, subjects: usize) -> Policy {
    let document = json!({
        "issuers": [{"issuer": "https://idp", "cluster": "idp", "audiences": ["api"]}],
        "provisioning": {"cluster": "directory", "authorization": {"env": "TOKEN"},
                         "breaker": {"failures": 3}},
        "limits": {"subjects": subjects},
    });
    let env = |_: &str| Some(authorization.to_owned());
    let surroundings = Surroundings { env: &env, node: "", crypto: Crypto::pure() };
    compile(&document.to_string(), &surroundings).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A worker whose process remembers so few that all share a bucket.
fn worker(number: u8) -> Subjects {
    Subjects::new(&policy("secret", 32), [number; 16])
}

fn key(id: &str) -> SubjectKey {
    Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() }.key()
}

fn known(id: &str, now: Timestamp) -> Known {
    let account = Account { id: Some(id.into()), headers: Box::new([]) };
    let standing = Standing::Present(Some(Arc::new(account)));
    Known { standing, until: now.after(60 * SECOND), told: None, asked_at: now }
}

fn claim(process: &Process, worker: &Subjects, id: &str, now: Timestamp) -> Claim {
    worker
        .claim(process, &Query { key: key(id), told: None, rest: Duration::ZERO, since: LONG_AGO }, true, now)
        .claim
}

#[test]
fn one_worker_asks_and_the_others_have_its_answer() {
    let (process, one, two) = (Process::default(), worker(1), worker(2));
    assert_eq!(claim(&process, &one, "jane", NOW), Claim::Granted);
    assert_eq!(claim(&process, &two, "jane", NOW), Claim::Elsewhere);
    assert_eq!(claim(&process, &two, "john", NOW), Claim::Granted);
    one.settle(&process, key("jane"), Some(&known("a1", NOW)), NOW);
    assert_eq!(claim(&process, &two, "jane", NOW), Claim::Known(known("a1", NOW)));
    assert_eq!(
        claim(&process, &worker(3), "jane", NOW),
        Claim::Known(known("a1", NOW)),
        "a VM that starts anew"
    );
}

#[test]
fn a_claim_costs_one_look_at_the_bucket_and_one_writing() {
    let (process, one) = (Process::default(), worker(1));
    assert_eq!(claim(&process, &one, "jane", NOW), Claim::Granted);
    // The second look is for a breaker that is not there.
    assert_eq!((process.gets.take(), process.sets.take()), (2, 1));
    one.settle(&process, key("jane"), Some(&known("a1", NOW)), NOW);
    assert_eq!((process.gets.take(), process.sets.take()), (1, 1));
    one.answered(&process);
    assert_eq!((process.gets.take(), process.sets.take()), (1, 0));
    assert!(matches!(claim(&process, &one, "jane", NOW), Claim::Known(_)));
    assert_eq!((process.gets.take(), process.sets.take()), (1, 0));
}

#[test]
fn what_is_too_old_is_told_and_asked_about_again() {
    let (process, one, two) = (Process::default(), worker(1), worker(2));
    one.settle(&process, key("jane"), Some(&known("a1", NOW)), NOW);
    let later = NOW.after(60 * SECOND);
    let query = Query { key: key("jane"), told: None, rest: Duration::ZERO, since: LONG_AGO };
    let found = one.claim(&process, &query, false, later);
    assert_eq!(found, Found { claim: Claim::Unknown, besides: Some(known("a1", NOW)) });
    let found = one.claim(&process, &query, true, later);
    assert_eq!(found, Found { claim: Claim::Granted, besides: Some(known("a1", NOW)) });
    let found = two.claim(&process, &query, true, later);
    assert_eq!(found, Found { claim: Claim::Elsewhere, besides: Some(known("a1", NOW)) });
    one.settle(&process, key("jane"), None, later);
    let found = two.claim(&process, &query, true, later);
    assert_eq!(found, Found { claim: Claim::Granted, besides: Some(known("a1", NOW)) }, "nothing was learnt");
}

#[test]
fn a_worker_that_dies_while_it_asks_keeps_the_others_waiting_until_its_lease_ends() {
    let (process, two) = (Process::default(), worker(2));
    assert_eq!(claim(&process, &worker(1), "jane", NOW), Claim::Granted);
    assert_eq!(claim(&process, &two, "jane", NOW.after(LEASE - SECOND)), Claim::Elsewhere);
    assert_eq!(claim(&process, &two, "jane", NOW.after(LEASE)), Claim::Granted);
}

#[test]
fn of_two_workers_that_claim_in_the_same_moment_one_asks() {
    for is_new in [true, false] {
        let process = Rc::new(Process::default());
        if !is_new {
            worker(3).settle(&*process, key("john"), Some(&known("a1", NOW)), NOW);
        }
        let (other, shared) = (Rc::new(RefCell::new(None)), process.clone());
        let claims = other.clone();
        let meanwhile = move || *claims.borrow_mut() = Some(claim(&shared, &worker(2), "jane", NOW));
        *process.meanwhile.borrow_mut() = Some(Box::new(meanwhile));
        let one = claim(&process, &worker(1), "jane", NOW);
        assert_eq!((one, other.take()), (Claim::Elsewhere, Some(Claim::Granted)), "new: {is_new}");
    }
}

#[test]
fn another_directory_and_another_tenant_are_another_realm() {
    let process = Process::default();
    worker(1).settle(&process, key("jane"), Some(&known("a1", NOW)), NOW);
    let mut policy = policy("secret", 32);
    assert!(matches!(claim(&process, &Subjects::new(&policy, [2; 16]), "jane", NOW), Claim::Known(_)));
    policy.mapping.digest = "another".into();
    assert_eq!(claim(&process, &Subjects::new(&policy, [2; 16]), "jane", NOW), Claim::Granted);
    let tenant = Subjects::new(&super::tests::policy("other", 32), [2; 16]);
    assert_eq!(claim(&process, &tenant, "jane", NOW), Claim::Granted);
}

#[test]
fn a_directory_that_fails_is_spared_by_all_workers_and_tried_by_one() {
    let (process, one, two) = (Process::default(), worker(1), worker(2));
    for id in ["a", "b", "c"] {
        assert_eq!(claim(&process, &one, id, NOW), Claim::Granted);
        one.settle(&process, key(id), None, NOW);
        one.failed(&process, None, NOW);
    }
    let Claim::Shut { until } = claim(&process, &two, "jane", NOW) else { panic!("it is not shut") };
    assert!((NOW.after(SECOND / 2)..=NOW.after(SECOND)).contains(&until), "{until:?}");
    assert_eq!(claim(&process, &two, "jane", until), Claim::Granted);
    assert_eq!(claim(&process, &one, "john", until), Claim::Elsewhere, "one is tried first");
    assert_eq!(claim(&process, &two, "john", until), Claim::Elsewhere);
    two.settle(&process, key("jane"), Some(&known("a1", until)), until);
    two.answered(&process);
    assert_eq!(claim(&process, &one, "john", until), Claim::Granted);
    assert!(matches!(claim(&process, &one, "jane", until), Claim::Known(_)));
}

#[test]
fn of_two_workers_that_would_try_in_the_same_moment_one_does() {
    // Of a process that remembers many: the two subjects have a bucket each.
    let worker = |number| Subjects::new(&policy("secret", 32 * 1000), [number; 16]);
    let process = Rc::new(Process::default());
    (0..3).for_each(|_| worker(1).failed(&*process, None, NOW));
    let over = NOW.after(2 * SECOND);
    let (other, shared) = (Rc::new(RefCell::new(None)), process.clone());
    let (claims, two) = (other.clone(), worker(2));
    let meanwhile = move || *claims.borrow_mut() = Some(claim(&shared, &two, "john", over));
    *process.meanwhile.borrow_mut() = Some(Box::new(meanwhile));
    let one = claim(&process, &worker(1), "jane", over);
    assert_eq!((one, other.take()), (Claim::Elsewhere, Some(Claim::Granted)));
    worker(2).answered(&*process);
    assert_eq!(claim(&process, &worker(3), "jane", over), Claim::Granted, "the first one kept no lease");
}

#[test]
fn who_shares_nothing_asks_itself() {
    let process = Process { shares_nothing: true, ..Process::default() };
    let one = worker(1);
    for _ in 0..10 {
        assert_eq!(claim(&process, &one, "jane", NOW), Claim::Granted);
        one.settle(&process, key("jane"), Some(&known("a1", NOW)), NOW);
        one.failed(&process, None, NOW);
        one.answered(&process);
    }
}

#[test]
fn what_is_remembered_does_not_grow_with_the_number_of_subjects() {
    let (process, one) = (Process::default(), Subjects::new(&policy("secret", 1000), [1; 16]));
    for number in 0..5000 {
        one.settle(&process, key(&number.to_string()), Some(&known("a1", NOW)), NOW);
    }
    let data = process.data.borrow();
    let bytes: usize = data.values().map(|(bytes, _)| bytes.len()).sum();
    assert!(data.len() <= 31 && bytes <= 128 * 1000, "{} buckets, {bytes} bytes", data.len());
    drop(data);
    let is_known = |number: i32| matches!(claim(&process, &one, &number.to_string(), NOW), Claim::Known(_));
    let kept = (4000..5000).filter(|number| is_known(*number)).count();
    assert!(kept >= 995, "{kept} of the last thousand");
}

/// What a worker does about a subject.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Claims,
    Learns,
    LearnsNothing,
    /// Its VM is lost, and another has its place.
    Dies,
}

/// Which worker does what, about whom, how many milliseconds after the last; and whom the next worker claims before the
/// first has written.
type Happening = (usize, Deed, u8, u64, Option<u8>);

fn happening() -> impl Strategy<Value = Happening> {
    let deed = prop_oneof![
        6 => Just(Deed::Claims), 2 => Just(Deed::Learns), 1 => Just(Deed::LearnsNothing), 1 => Just(Deed::Dies)
    ];
    (0..4_usize, deed, 0..5_u8, 0..800_u64, proptest::option::of(0..5_u8))
}

/// What ought to be true.
struct Weave {
    process: Rc<Process>,
    /// Their numbers, by their places.
    workers: [u8; 4],
    started: u8,
    /// Who asks about whom, until when.
    asking: BTreeMap<u8, (u8, Timestamp)>,
    learnt: BTreeMap<u8, Known>,
}

impl Weave {
    fn happens(&mut self, (place, deed, subject, _, between): Happening, now: Timestamp) {
        let (number, next) = (self.workers[place], self.workers[(place + 1) % 4]);
        let claimed = Rc::new(RefCell::new(None));
        let (process, result) = (self.process.clone(), claimed.clone());
        *self.process.meanwhile.borrow_mut() = between.map(|other| -> Box<dyn FnOnce()> {
            Box::new(move || {
                *result.borrow_mut() = Some((other, claim(&process, &worker(next), &other.to_string(), now)))
            })
        });
        let is_asking = self.asks(subject, now) == Some(number);
        match deed {
            Deed::Claims => {
                let own = claim(&self.process, &worker(number), &subject.to_string(), now);
                self.check(next, claimed.take(), now);
                self.check(number, Some((subject, own)), now);
            }
            Deed::Learns | Deed::LearnsNothing if is_asking => {
                let known = Known { until: now.after(2 * SECOND), ..known("a1", now) };
                let known = Some(known).filter(|_| matches!(deed, Deed::Learns));
                worker(number).settle(&*self.process, key(&subject.to_string()), known.as_ref(), now);
                self.check(next, claimed.take(), now);
                self.asking.remove(&subject);
                self.learnt.extend(known.map(|known| (subject, known)));
            }
            Deed::Learns | Deed::LearnsNothing => {}
            Deed::Dies => {
                self.started += 1;
                self.workers[place] = self.started;
            }
        }
        *self.process.meanwhile.borrow_mut() = None;
    }

    fn asks(&self, subject: u8, now: Timestamp) -> Option<u8> {
        self.asking.get(&subject).filter(|(_, until)| now < *until).map(|(number, _)| *number)
    }

    fn check(&mut self, number: u8, claim: Option<(u8, Claim)>, now: Timestamp) {
        let Some((subject, claim)) = claim else { return };
        let (asks, learnt) = (self.asks(subject, now), self.learnt.get(&subject));
        match claim {
            Claim::Granted => {
                assert!(asks.is_none_or(|asks| asks == number), "{asks:?} and {number} ask about {subject}");
                assert!(learnt.is_none_or(|known| !known.is_fresh(now)), "{subject} is known");
                self.asking.insert(subject, (number, now.after(LEASE)));
            }
            Claim::Known(known) => assert_eq!(learnt, Some(&known)),
            Claim::Elsewhere => {
                assert!(asks.is_some_and(|asks| asks != number), "nobody asks about {subject}")
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_workers_weave_a_subject_is_asked_about_by_one_at_a_time(happenings in vec(happening(), 1..120)) {
        let (process, mut now) = (Rc::default(), NOW);
        let workers = [0, 1, 2, 3];
        let mut weave = Weave { process, workers, started: 3, asking: BTreeMap::new(), learnt: BTreeMap::new() };
        for happening in happenings {
            now = now.after(Duration::from_millis(happening.3));
            weave.happens(happening, now);
        }
    }
}
