//! Who the directory is being asked about, and in which stage each of them is. Knows no policy but its bounds.

use super::errand::{Conversation, Errand};
use crate::domain::{SubjectKey, Ticket, Timestamp};
use crate::memory::Waiting;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// One flight per subject, however many requests wait for it to land.
#[derive(Default)]
pub(super) struct Flights {
    flights: HashMap<SubjectKey, Flight>,
    /// When those that look again, or try again, do so.
    due: BTreeSet<(Timestamp, SubjectKey)>,
    /// Those that wait until fewer are asked about.
    queue: BTreeMap<Turn, SubjectKey>,
    /// How many turns were given out.
    turns: u64,
    asking: usize,
    looking: usize,
    owed: usize,
}

/// What is under way for one subject.
pub(super) struct Flight {
    pub(super) errand: Errand,
    /// What has been said to the directory so far; kept while it is being asked.
    pub(super) conversation: Option<Conversation>,
    /// The requests that wait; some of their clients may have left.
    pub(super) waiting: Vec<Ticket>,
    pub(super) stage: Stage,
    /// Tries that failed, in a row.
    pub(super) failures: u32,
    /// Whoever waits is not tried for any longer.
    pub(super) deadline: Timestamp,
    /// The directory is not tried before this, unless somebody is worth it.
    pub(super) rests_until: Timestamp,
    /// When it began.
    pub(super) since: Timestamp,
    /// Whether it brings its errand home, whoever waits; unset while nobody needs it to.
    owed: Option<bool>,
}

/// A place in the queue: first come those that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) is_behind: bool,
    number: u64,
}

/// How far a flight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The process is asked whether it knows the subject, and whether this worker may ask.
    Claiming,
    /// Too many are asked about.
    Queued(Turn),
    /// Somebody else is asking; it is looked at again then.
    Elsewhere(Timestamp),
    /// A call is under way.
    Asking,
    /// The directory did not answer; it is tried again then.
    Resting(Timestamp),
}

impl Stage {
    const fn due(self) -> Option<Timestamp> {
        match self {
            Self::Elsewhere(at) | Self::Resting(at) => Some(at),
            Self::Claiming | Self::Queued(_) | Self::Asking => None,
        }
    }
}

impl Flights {
    pub(super) fn get(&mut self, key: SubjectKey) -> Option<&mut Flight> {
        self.flights.get_mut(&key)
    }

    pub(super) fn contains(&self, key: SubjectKey) -> bool {
        self.flights.contains_key(&key)
    }

    /// Flights that somebody waits for, or waited for.
    pub(super) fn not_owed(&self) -> usize {
        self.flights.len() - self.owed
    }

    /// Those that bring their errand home whoever waits.
    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    pub(super) fn is_owed(&self, key: SubjectKey) -> bool {
        self.flights.get(&key).is_some_and(Flight::is_owed)
    }

    /// How many look again and again what came of somebody else's call.
    pub(super) fn looking(&self) -> usize {
        self.looking
    }

    /// How many subjects the directory is being asked about.
    pub(super) fn asking(&self) -> usize {
        self.asking
    }

    pub(super) fn begin(&mut self, key: SubjectKey, errand: Errand, now: Timestamp) {
        let flight = Flight {
            errand,
            conversation: None,
            waiting: Vec::new(),
            stage: Stage::Claiming,
            failures: 0,
            deadline: now,
            rests_until: now,
            since: now,
            owed: None,
        };
        self.flights.insert(key, flight);
    }

    /// Moves a flight to another stage.
    pub(super) fn enter(&mut self, key: SubjectKey, stage: Stage) {
        let Some(flight) = self.flights.get_mut(&key) else { return };
        let before = std::mem::replace(&mut flight.stage, stage);
        if let Some(at) = before.due() {
            self.due.remove(&(at, key));
        }
        if let Stage::Queued(turn) = before {
            self.queue.remove(&turn);
        }
        self.asking -= usize::from(before == Stage::Asking);
        self.asking += usize::from(stage == Stage::Asking);
        self.looking -= usize::from(matches!(before, Stage::Elsewhere(_)));
        self.looking += usize::from(matches!(stage, Stage::Elsewhere(_)));
        if let Some(at) = stage.due() {
            self.due.insert((at, key));
        }
        if let Stage::Queued(turn) = stage {
            self.queue.insert(turn, key);
        }
    }

    /// Lets a flight wait for its turn.
    pub(super) fn queue(&mut self, key: SubjectKey) {
        let Some(flight) = self.flights.get(&key) else { return };
        let turn = Turn { is_behind: flight.waiting.is_empty(), number: self.turns };
        self.turns += 1;
        self.enter(key, Stage::Queued(turn));
    }

    /// The directory did not answer: it is left alone until then.
    pub(super) fn rest(&mut self, key: SubjectKey, until: Timestamp) {
        if let Some(flight) = self.flights.get_mut(&key) {
            flight.rests_until = until;
        }
        self.enter(key, Stage::Resting(until));
    }

    /// Nobody knows, and nobody is to ask now: it rests on, or waits for its turn.
    pub(super) fn rest_or_queue(&mut self, key: SubjectKey, now: Timestamp) {
        let until = self.flights.get(&key).map(|flight| flight.rests_until).filter(|until| *until > now);
        match until {
            Some(until) => self.enter(key, Stage::Resting(until)),
            None => self.queue(key),
        }
    }

    /// Notes that the directory has to be told, whoever waits. Returns whether it will be, which it is not if `limit` are
    /// told later already; `None` if that was settled before.
    pub(super) fn owe(&mut self, key: SubjectKey, limit: usize) -> Option<bool> {
        let flight = self.flights.get_mut(&key).filter(|flight| flight.owed.is_none())?;
        let has_room = self.owed < limit;
        flight.owed = Some(has_room);
        self.owed += usize::from(has_room);
        Some(has_room)
    }

    /// It has landed, or is given up.
    pub(super) fn end(&mut self, key: SubjectKey) -> Option<Flight> {
        // Out of every list, and out of every count.
        self.enter(key, Stage::Claiming);
        let flight = self.flights.remove(&key)?;
        self.owed -= usize::from(flight.is_owed());
        Some(flight)
    }

    /// The next one that waited for its turn.
    pub(super) fn next_queued(&mut self) -> Option<SubjectKey> {
        self.queue.pop_first().map(|(_, key)| key)
    }

    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next one whose time has come.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<(SubjectKey, Stage)> {
        let (_, key) = self.due.first().filter(|(at, _)| *at <= now)?;
        Some((*key, self.flights.get(key)?.stage))
    }

    /// When the next one's time comes.
    pub(super) fn next_due_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The directory answers again: who rests takes a turn.
    pub(super) fn wake(&mut self) {
        let rests = |key: &SubjectKey| {
            self.flights.get(key).is_some_and(|flight| matches!(flight.stage, Stage::Resting(_)))
        };
        let resting: Vec<_> = self.due.iter().map(|(_, key)| *key).filter(rests).collect();
        resting.into_iter().for_each(|key| self.queue(key));
    }

    /// All subjects that are under way.
    pub(super) fn keys(&self) -> Vec<SubjectKey> {
        self.flights.keys().copied().collect()
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        for flight in self.flights.values_mut() {
            flight.deadline = flight.deadline.before(span);
            flight.since = flight.since.before(span);
            flight.rests_until = flight.rests_until.before(span);
        }
        for (at, key) in std::mem::take(&mut self.due) {
            let stage = self.flights.get(&key).map(|flight| flight.stage);
            match stage {
                Some(Stage::Elsewhere(_)) => self.enter(key, Stage::Elsewhere(at.before(span))),
                Some(Stage::Resting(_)) => self.enter(key, Stage::Resting(at.before(span))),
                _ => {}
            }
        }
    }
}

impl Flight {
    pub(super) fn is_owed(&self) -> bool {
        self.owed == Some(true)
    }

    /// Whether it is of use to anybody: its errand is owed, or somebody waits.
    pub(super) fn is_wanted(&self, waiting: &Waiting) -> bool {
        self.is_owed() || self.is_awaited(waiting)
    }

    /// Whether anybody still waits for it.
    pub(super) fn is_awaited(&self, waiting: &Waiting) -> bool {
        self.waiting.iter().any(|ticket| waiting.want(*ticket).is_some())
    }
}
