//! The world with a fake proxy: one worker, a virtual clock, everything in this process.

use crate::host::FakeProxy;
use crate::support::config::Config;
use crate::support::message::{Answer, Request, get};
use crate::support::world::{Upstreams, World, answered_by_plugin, last_checks};
use crate::worker::Worker;
use firstsight::domain::{Ticket, Timestamp};
use firstsight::filter::Removal;
use std::time::Duration;

/// 2026-11-23T18:29:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_secs(1_795_458_540);
/// Nothing that a scenario waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake proxy and the filter in it.
pub(crate) struct NativeWorld {
    upstreams: Upstreams,
    worker: Worker,
    only_reports: bool,
}

impl World for NativeWorld {
    type Open = Ticket;
    const WORKERS: usize = 1;
    const VMS: usize = 1;

    fn start(upstreams: Upstreams, config: &Config) -> Result<Self, String> {
        let proxy = FakeProxy::new(upstreams.clone(), BEGINNING);
        let worker = Worker::start(proxy, config, 1)?;
        Ok(Self { upstreams, worker, only_reports: config.only_reports() })
    }

    fn update(&mut self, config: &Config) -> Result<(), String> {
        let next = FakeProxy::new(self.upstreams.clone(), self.now()).beside(&self.worker.proxy);
        let next = Worker::start(next, config, 2)?;
        self.remove_plugin();
        {
            let (old, mut new) = (self.worker.state(), next.state());
            new.log.insert_str(0, &old.log);
            for (name, count) in &old.counters {
                *new.counters.entry(name).or_default() += count;
            }
        }
        self.worker = next;
        self.only_reports = config.only_reports();
        Ok(())
    }

    fn remove_plugin(&mut self) {
        let Some(filter) = &self.worker.filter else { return };
        if self.worker.proxy.within(None, || filter.on_removal()) == Removal::Flushing {
            self.until("the plugin is flushed", |world| world.worker.state().removed);
        }
        self.worker.filter = None;
    }

    fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    fn now(&self) -> Timestamp {
        self.worker.state().now
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now().after(span);
        while self.worker.step(end) {}
        self.worker.state().now = end;
    }

    fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let limit = self.now().after(PATIENCE);
        while !condition(self) {
            assert!(self.worker.step(limit), "this never comes about: {what}\n{}", self.log());
        }
    }

    fn open(&mut self, request: Request) -> Ticket {
        self.worker.open(&request)
    }

    fn answer(&mut self, open: Ticket) -> Answer {
        self.until("the request is answered", |world| world.worker.answers.contains_key(&open));
        self.worker.answers.remove(&open).expect("it was just there")
    }

    fn abort(&mut self, open: Ticket) {
        self.worker.abort(open);
    }

    fn counter(&self, name: &str) -> u64 {
        self.worker.state().counters.get(name).copied().unwrap_or(0)
    }

    fn log(&self) -> String {
        self.worker.state().log.clone()
    }

    fn every_worker_serves(&mut self) {
        if self.worker.filter.is_some() {
            let answer = self.send(get("/"));
            answered_by_plugin(answer, self.only_reports);
        }
    }
}

impl Drop for NativeWorld {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            last_checks(self);
        }
    }
}
