//! The scripted directory's feed of departures: what was known when it was asked is told at once, else nothing after the
//! wait that was asked for.

use super::behaviour::{Behaviour, Heard};
use super::config::ISSUER;
use firstsight::domain::{Issuer, Subject, SubjectId, Timestamp};
use firstsight::wire::{Departure, DepartureState, Departures};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle to it; clones are the same feed.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// In order; of each subject there may be several.
    told: Vec<Departure>,
    /// Another database is another generation of cursors.
    generation: usize,
    /// How it answers, unless as it should.
    answer: Option<Behaviour>,
    /// The most on one page, if there is a bound.
    page: Option<usize>,
    /// What it was asked, path and query.
    asked: Vec<String>,
    /// The credentials that were shown last.
    authorization: Option<String>,
}

impl Feed {
    pub(crate) fn departs(&self, sub: &str, at: Timestamp) {
        self.tells(sub, DepartureState::Departed, at);
    }

    pub(crate) fn returns(&self, sub: &str, at: Timestamp) {
        self.tells(sub, DepartureState::Returned, at);
    }

    /// From now on it answers like this.
    pub(crate) fn answers(&self, behaviour: Behaviour) {
        self.lock().answer = Some(behaviour);
    }

    /// From now on it does what a feed does.
    pub(crate) fn behaves(&self) {
        self.lock().answer = None;
    }

    /// There are at most so many on one page.
    pub(crate) fn pages_of(&self, most: usize) {
        self.lock().page = Some(most);
    }

    /// Cursors of before are unknown from now on, and it tells of nobody of before.
    pub(crate) fn begins_anew(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.told.clear();
    }

    /// How often the feed was asked for from its beginning.
    pub(crate) fn readings(&self) -> usize {
        self.lock().asked.iter().filter(|path| !path.contains("after=")).count()
    }

    /// How often it was asked for news.
    pub(crate) fn polls(&self) -> usize {
        self.lock().asked.iter().filter(|path| path.contains("wait=")).count()
    }

    /// With which credentials it was asked last.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.lock().authorization.clone()
    }

    pub(super) fn hear(&self, heard: &Heard) -> Behaviour {
        let mut state = self.lock();
        state.asked.push(heard.path.clone());
        state.authorization = heard.header("authorization");
        state.answer.clone().unwrap_or_else(|| state.tell(&heard.path))
    }

    fn tells(&self, sub: &str, state: DepartureState, at: Timestamp) {
        let issuer = Issuer::parse(ISSUER).expect("an issuer");
        let subject = Subject { issuer, id: SubjectId::parse(sub).expect("a sub") };
        self.lock().told.push(Departure {
            issuer: ISSUER.to_owned(),
            id: sub.to_owned(),
            key: subject.key().to_string(),
            state,
            at: at.rfc3339(),
            reason: Some("scripted".to_owned()),
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&self, path: &str) -> Behaviour {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let member =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let from = match member("after") {
            None => 0,
            Some(cursor) => match cursor.split_once('-') {
                Some((generation, from)) if generation == self.generation.to_string() => {
                    from.parse().expect("a cursor of ours")
                }
                _ => return Behaviour::text(410, ""),
            },
        };
        let news = &self.told[from..];
        let departures = news[..self.page.unwrap_or(usize::MAX).min(news.len())].to_vec();
        let until = from + departures.len();
        let page = Departures {
            cursor: format!("{}-{until}", self.generation),
            more: until < self.told.len(),
            departures,
        };
        let waits = member("wait").filter(|_| page.departures.is_empty());
        let wait = waits.map_or(Duration::ZERO, |wait| humantime::parse_duration(wait).expect("a span"));
        Behaviour::json(200, &serde_json::to_value(&page).expect("it is JSON")).after(wait)
    }
}
