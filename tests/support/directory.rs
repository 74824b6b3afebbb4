//! A scripted directory: by itself it makes an account for everybody and takes every sighting; a scenario has it answer
//! otherwise, or goes and reads what it was told. Beside that it speaks SCIM.

use super::behaviour::{Behaviour, Heard, Upstream};
use super::feed::Feed;
use super::scim::{self, Scim};
use super::switch::Switch;
use super::transmitter::{self, Transmitter};
use firstsight::wire::{Arrival, SightingEvent};
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle to it; clones are the same directory.
#[derive(Clone, Default)]
pub(crate) struct Directory(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    scim: Scim,
    feed: Feed,
    transmitter: Transmitter,
    switch: Switch,
}

#[derive(Default)]
struct State {
    /// How the next arrivals are answered, one by one.
    first: VecDeque<Behaviour>,
    /// How arrivals are answered, unless with an account.
    arrivals: Option<Behaviour>,
    /// How long it takes to make an account.
    delay: Duration,
    /// How sightings are answered, unless with 202.
    sightings: Option<Behaviour>,
    accounts: HashMap<String, String>,
    heard: Vec<Heard>,
    /// Events of the batches that were taken.
    taken: Vec<SightingEvent>,
}

impl Directory {
    /// From now on every arrival is answered like this.
    pub(crate) fn answers(&self, behaviour: Behaviour) {
        self.lock().arrivals = Some(behaviour);
    }

    /// The next arrivals are answered like this, one by one.
    pub(crate) fn answers_first(&self, behaviours: &[Behaviour]) {
        self.lock().first.extend(behaviours.iter().cloned());
    }

    /// From now on it takes so long to make or find an account.
    pub(crate) fn takes(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// How many accounts it has.
    pub(crate) fn accounts(&self) -> usize {
        self.lock().accounts.len()
    }

    /// From now on every batch of sightings is answered like this.
    pub(crate) fn answers_sightings(&self, behaviour: Behaviour) {
        self.lock().sightings = Some(behaviour);
    }

    /// From now on it does what a directory does.
    pub(crate) fn behaves(&self) {
        let mut state = self.lock();
        state.arrivals = None;
        state.sightings = None;
    }

    /// Nobody can connect to it.
    pub(crate) fn goes_down(&self) {
        self.0.switch.turn(false);
    }

    pub(crate) fn comes_back(&self) {
        self.0.switch.turn(true);
    }

    /// Every arrival it was asked, in order, answered or not.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        let read =
            |heard: Heard| serde_json::from_slice(&heard.body).expect("an arrival as the contract has it");
        self.heard("/v1/arrivals").into_iter().map(read).collect()
    }

    /// Every batch of sightings it was sent, in order, taken or not.
    pub(crate) fn batches(&self) -> Vec<Vec<SightingEvent>> {
        let read =
            |heard: Heard| serde_json::from_slice(&heard.body).expect("sightings as the contract has them");
        self.heard("/v1/sightings").into_iter().map(read).collect()
    }

    /// Every sighting it took.
    pub(crate) fn sightings(&self) -> Vec<SightingEvent> {
        self.lock().taken.clone()
    }

    /// How often it was told that this subject was served, in the sightings it took.
    pub(crate) fn seen(&self, sub: &str) -> u64 {
        self.sightings().iter().filter(|event| event.data.id == sub).map(|event| event.data.count).sum()
    }

    /// What it is to those who speak SCIM.
    pub(crate) fn scim(&self) -> Scim {
        self.0.scim.clone()
    }

    /// Who departed, as it tells those who ask.
    pub(crate) fn feed(&self) -> Feed {
        self.0.feed.clone()
    }

    /// A transmitter of shared signals, which is reached at the same place.
    pub(crate) fn transmitter(&self) -> Transmitter {
        self.0.transmitter.clone()
    }

    /// Every request to this path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Heard> {
        self.lock().heard.iter().filter(|heard| heard.path == path).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn make_account(&mut self, heard: &Heard) -> Behaviour {
        let Ok(arrival) = serde_json::from_slice::<Arrival>(&heard.body) else {
            return Behaviour::text(400, "");
        };
        let next = format!("acct-{}", self.accounts.len() + 1);
        let known = self.accounts.contains_key(&arrival.subject.key);
        let id = self.accounts.entry(arrival.subject.key).or_insert(next);
        let status = if known { 200 } else { 201 };
        Behaviour::json(status, &json!({"status": "active", "account": {"id": id}, "valid_for": 3600}))
    }

    fn take_sightings(&mut self, heard: &Heard) -> Behaviour {
        match serde_json::from_slice::<Vec<SightingEvent>>(&heard.body) {
            Ok(events) => self.taken.extend(events),
            Err(_) => return Behaviour::text(400, ""),
        }
        Behaviour::text(202, "")
    }
}

impl Upstream for Directory {
    fn hear(&self, heard: &Heard) -> Behaviour {
        if heard.path.starts_with(scim::BASE) {
            return self.0.scim.hear(heard);
        }
        if heard.path.starts_with("/v1/departures") {
            return self.0.feed.hear(heard);
        }
        if heard.path.starts_with(transmitter::BASE) || heard.path.starts_with(transmitter::CONFIGURATION) {
            return self.0.transmitter.hear(heard);
        }
        let mut state = self.lock();
        state.heard.push(heard.clone());
        match (heard.method.as_str(), heard.path.as_str()) {
            ("POST", "/v1/arrivals") => match state.first.pop_front().or_else(|| state.arrivals.clone()) {
                Some(behaviour) => behaviour,
                None => state.make_account(heard).after(state.delay),
            },
            ("POST", "/v1/sightings") => match state.sightings.clone() {
                Some(behaviour) => behaviour,
                None => state.take_sightings(heard),
            },
            _ => Behaviour::text(404, ""),
        }
    }

    fn switch(&self) -> &Switch {
        &self.0.switch
    }
}
