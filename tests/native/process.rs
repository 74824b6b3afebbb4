//! A fake process of several workers over one clock and one shared data; any of them may be lost.

use crate::host::FakeProxy;
use crate::support::config::Config;
use crate::support::message::{Answer, get};
use crate::support::world::Upstreams;
use crate::worker::Worker;
use crate::world::BEGINNING;
use firstsight::domain::{Ticket, Timestamp};
use firstsight::filter::Removal;
use serde_json::json;
use std::time::Duration;

pub(crate) struct Process {
    pub(crate) upstreams: Upstreams,
    pub(crate) workers: Vec<Worker>,
    config: Config,
    now: Timestamp,
    started: u8,
}

impl Process {
    pub(crate) fn of(count: usize, upstreams: Upstreams, config: &Config) -> Self {
        let config = config.clone();
        let mut process = Self { upstreams, workers: vec![], config, now: BEGINNING, started: 0 };
        (0..count).for_each(|_| process.starts_a_worker());
        process
    }

    /// One more, or one in the place of another whose VM was lost.
    pub(crate) fn starts_a_worker(&mut self) {
        let proxy = FakeProxy::new(self.upstreams.clone(), self.now);
        let proxy = match self.workers.first() {
            Some(other) => proxy.beside(&other.proxy),
            None => proxy,
        };
        self.started += 1;
        let worker = Worker::start(proxy, &self.config, self.started);
        self.workers.push(worker.unwrap_or_else(|problems| panic!("{problems}")));
    }

    /// The VM of a worker is gone in one moment, and so are its calls.
    pub(crate) fn loses(&mut self, worker: usize) {
        self.workers[worker].filter = None;
    }

    /// The plugin is removed from a worker.
    pub(crate) fn removes(&mut self, worker: usize) {
        let Worker { proxy, filter, .. } = &mut self.workers[worker];
        let filter = filter.take().expect("it is removed once");
        assert_eq!(proxy.within(None, || filter.on_removal()), Removal::Done);
    }

    /// Workers that start from now on have another configuration.
    pub(crate) fn configures(&mut self, config: &Config) {
        self.config = config.clone();
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.after(span);
        while self.step(end) {}
        self.set_clock(end);
    }

    /// Lets time pass until that has come about; fails after two minutes.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let limit = self.now.after(Duration::from_secs(120));
        while !condition(self) {
            assert!(self.step(limit), "this never comes about: {what}\n{}", self.logs());
        }
    }

    /// The clock jumps, and nothing happens meanwhile.
    pub(crate) fn set_clock(&mut self, now: Timestamp) {
        self.now = now;
        for worker in &self.workers {
            worker.state().now = now;
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn open(&mut self, worker: usize, token: &str) -> Ticket {
        self.workers[worker].open(&get("/orders").bearer(token))
    }

    #[track_caller]
    pub(crate) fn answer(&mut self, worker: usize, open: Ticket) -> Answer {
        self.until("the request is answered", |process| process.workers[worker].answers.contains_key(&open));
        self.workers[worker].answers.remove(&open).expect("it was just there")
    }

    #[track_caller]
    pub(crate) fn send(&mut self, worker: usize, token: &str) -> Answer {
        let open = self.open(worker, token);
        self.answer(worker, open)
    }

    /// The usual request of `jane-4711` at a worker, with a new token.
    #[track_caller]
    pub(crate) fn visit(&mut self, worker: usize) -> Answer {
        let token = self.token();
        self.send(worker, &token)
    }

    pub(crate) fn token(&self) -> String {
        self.token_of("jane-4711")
    }

    pub(crate) fn token_of(&self, sub: &str) -> String {
        self.upstreams.issuer.token(sub, self.now, &json!({"exp": 4_000_000_000_u64}))
    }

    /// A counter, over all workers.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.workers.iter().filter_map(|worker| worker.state().counters.get(name).copied()).sum()
    }

    pub(crate) fn logs(&self) -> String {
        self.workers.iter().map(|worker| worker.state().log.clone()).collect()
    }

    /// Lets the next thing in the process happen, if one does until `limit`.
    fn step(&mut self, limit: Timestamp) -> bool {
        let due = |worker: &Worker| worker.filter.as_ref().and_then(|_| worker.state().next_due());
        let next =
            self.workers.iter().enumerate().filter_map(|(index, worker)| Some((due(worker)?, index))).min();
        let Some((at, index)) = next.filter(|(at, _)| *at <= limit) else { return false };
        self.set_clock(at.max(self.now));
        self.workers[index].step(limit)
    }
}
