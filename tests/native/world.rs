//! The world with a fake proxy: one worker, a virtual clock, everything in this process.

use crate::host::{Event, FakeProxy};
use crate::support::config::{Config, ENVIRONMENT};
use crate::support::message::{Answer, Request, get};
use crate::support::world::{Upstreams, World, last_checks};
use firstsight::domain::{Ticket, Timestamp};
use firstsight::filter::{Filter, Flow, Removal};
use std::collections::HashMap;
use std::time::Duration;

/// 2026-11-23T18:29:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_secs(1_795_458_540);
/// Nothing that a scenario waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake proxy and the filter in it.
pub(crate) struct NativeWorld {
    upstreams: Upstreams,
    proxy: FakeProxy,
    filter: Option<Filter<FakeProxy>>,
    answers: HashMap<Ticket, Answer>,
}

impl World for NativeWorld {
    type Open = Ticket;
    const WORKERS: usize = 1;
    const COPIES: usize = 1;

    fn start(upstreams: Upstreams, config: &Config) -> Result<Self, String> {
        let proxy = FakeProxy::new(upstreams.clone(), BEGINNING);
        let filter = configured(&proxy, config)?;
        Ok(Self { upstreams, proxy, filter: Some(filter), answers: HashMap::new() })
    }

    fn update(&mut self, config: &Config) -> Result<(), String> {
        let next = FakeProxy::new(self.upstreams.clone(), self.now()).beside(&self.proxy);
        let filter = configured(&next, config)?;
        self.remove_plugin();
        {
            let (old, mut new) = (self.proxy.0.borrow(), next.0.borrow_mut());
            new.log.insert_str(0, &old.log);
            for (name, count) in &old.counters {
                *new.counters.entry(name).or_default() += count;
            }
        }
        self.proxy = next;
        self.filter = Some(filter);
        Ok(())
    }

    fn remove_plugin(&mut self) {
        let Some(filter) = &self.filter else { return };
        if self.proxy.within(None, || filter.on_removal()) == Removal::Flushing {
            self.until("the plugin is flushed", |world| world.proxy.0.borrow().removed);
        }
        self.filter = None;
    }

    fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    fn now(&self) -> Timestamp {
        self.proxy.0.borrow().now
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now().after(span);
        while self.step(end) {}
        self.proxy.0.borrow_mut().now = end;
    }

    fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let limit = self.now().after(PATIENCE);
        while !condition(self) {
            assert!(self.step(limit), "this never comes about: {what}\n{}", self.log());
        }
    }

    fn open(&mut self, request: Request) -> Ticket {
        let filter = self.filter.as_ref().expect("the plugin was removed");
        let stream = self.proxy.0.borrow_mut().accept(&request);
        let flow = self.proxy.within(Some(stream), || filter.on_request(stream));
        if flow == Flow::Continue {
            self.proxy.0.borrow_mut().go_on(stream);
        }
        self.finish();
        stream
    }

    fn answer(&mut self, open: Ticket) -> Answer {
        self.until("the request is answered", |world| world.answers.contains_key(&open));
        self.answers.remove(&open).expect("it was just there")
    }

    fn abort(&mut self, open: Ticket) {
        if self.proxy.0.borrow().is_alive(open) {
            self.end(open);
        }
        self.answers.remove(&open);
    }

    fn counter(&self, name: &str) -> u64 {
        self.proxy.0.borrow().counters.get(name).copied().unwrap_or(0)
    }

    fn log(&self) -> String {
        self.proxy.0.borrow().log.clone()
    }

    fn every_worker_serves(&mut self) {
        if self.filter.is_some() {
            self.send(get("/")).refused(401, "token-missing");
        }
    }
}

impl NativeWorld {
    /// Lets the next thing happen, if one does until `limit`.
    fn step(&mut self, limit: Timestamp) -> bool {
        let Some(event) = self.proxy.0.borrow_mut().next_event(limit) else { return false };
        let Some(filter) = &self.filter else { return true };
        match event {
            Event::Tick => self.proxy.within(None, || filter.on_tick()),
            Event::Reply(flight) => {
                let reaches_its_context =
                    flight.owner.is_none_or(|stream| self.proxy.0.borrow().is_alive(stream));
                if reaches_its_context {
                    self.proxy
                        .within(flight.owner, || filter.on_reply(flight.owner, flight.token, &flight.reply));
                }
            }
        }
        self.finish();
        true
    }

    /// Ends every request that was forwarded or answered: applications are quick here.
    fn finish(&mut self) {
        while let Some((stream, answer)) = self.take_finished() {
            self.answers.insert(stream, answer);
            self.end(stream);
        }
    }

    fn take_finished(&self) -> Option<(Ticket, Answer)> {
        self.proxy.0.borrow_mut().take_finished()
    }

    fn end(&self, stream: Ticket) {
        if let Some(filter) = &self.filter {
            self.proxy.within(Some(stream), || filter.on_end(stream));
        }
        self.proxy.0.borrow_mut().end(stream);
    }
}

impl Drop for NativeWorld {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            last_checks(self);
        }
    }
}

pub(crate) fn configured(proxy: &FakeProxy, config: &Config) -> Result<Filter<FakeProxy>, String> {
    let env = |name: &str| {
        let found = ENVIRONMENT.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let policy = firstsight::config::compile(&config.0.to_string(), &env, "node-1")
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    let filter = Filter::new(proxy.clone(), policy, [7; 16]);
    proxy.within(None, || filter.on_start());
    Ok(filter)
}
