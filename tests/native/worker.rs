//! One worker of the fake proxy and the filter in it; what happens to it happens in an order that others may weave theirs
//! into.

use crate::host::{Event, FakeProxy, Proxy};
use crate::support::config::{Config, ENVIRONMENT};
use crate::support::message::{Answer, Request};
use firstsight::config::{Surroundings, compile};
use firstsight::domain::{Ticket, Timestamp};
use firstsight::filter::{Filter, Flow};
use firstsight::token::{Crypto, HostCheck, SignatureHost};
use std::cell::RefMut;
use std::collections::HashMap;

/// A worker. Without a filter its plugin was removed, or its VM was lost.
pub(crate) struct Worker {
    pub(crate) proxy: FakeProxy,
    pub(crate) filter: Option<Filter<FakeProxy>>,
    pub(crate) answers: HashMap<Ticket, Answer>,
}

impl Worker {
    /// `seed` is what no other worker has.
    pub(crate) fn start(proxy: FakeProxy, config: &Config, seed: u8) -> Result<Self, String> {
        let filter = Some(configured(&proxy, config, seed)?);
        Ok(Self { proxy, filter, answers: HashMap::new() })
    }

    pub(crate) fn state(&self) -> RefMut<'_, Proxy> {
        self.proxy.0.borrow_mut()
    }

    pub(crate) fn open(&mut self, request: &Request) -> Ticket {
        let filter = self.filter.as_ref().expect("the plugin was removed");
        let stream = self.state().accept(request);
        let flow = self.proxy.within(Some(stream), || filter.on_request(stream));
        if flow == Flow::Continue {
            self.state().go_on(stream);
        }
        self.finish();
        stream
    }

    pub(crate) fn abort(&mut self, open: Ticket) {
        if self.state().is_alive(open) {
            self.end(open);
        }
        self.answers.remove(&open);
    }

    /// Lets the next thing happen, if one does until `limit`.
    pub(crate) fn step(&mut self, limit: Timestamp) -> bool {
        let Some(event) = self.state().next_event(limit) else { return false };
        let Some(filter) = &self.filter else { return true };
        match event {
            Event::Tick => self.proxy.within(None, || filter.on_tick()),
            Event::Reply(flight) => {
                let reaches_its_context = flight.owner.is_none_or(|stream| self.state().is_alive(stream));
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
        self.state().take_finished()
    }

    fn end(&self, stream: Ticket) {
        if let Some(filter) = &self.filter {
            self.proxy.within(Some(stream), || filter.on_end(stream));
        }
        self.state().end(stream);
    }
}

/// It checks signatures itself, as Envoy does.
impl SignatureHost for FakeProxy {
    fn verifies(check: &HostCheck<'_>) -> bool {
        firstsight_testkit::verify_signature(check.hash, check.key, check.signature, check.message)
    }
}

pub(crate) fn configured(proxy: &FakeProxy, config: &Config, seed: u8) -> Result<Filter<FakeProxy>, String> {
    let env = |name: &str| {
        let found = ENVIRONMENT.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let surroundings = Surroundings { env: &env, node: "node-1", crypto: Crypto::by_host::<FakeProxy>() };
    let policy = compile(&config.0.to_string(), &surroundings)
        .map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    let filter = Filter::new(proxy.clone(), policy, [seed; 16]);
    proxy.within(None, || filter.on_start());
    Ok(filter)
}
