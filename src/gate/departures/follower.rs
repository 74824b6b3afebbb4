//! What one worker has of a feed: who departed, how far that goes, and what is being asked. Decides nothing.

use super::question::Question;
use super::signals::Receipts;
use crate::domain::Timestamp;
use crate::memory::{Departures, Position, Recent, Taken};
use std::time::Duration;

/// One worker's part in following the feed.
pub(in crate::gate) struct Follower {
    pub(super) known: Departures,
    /// How far it followed those who ask for all.
    pub(super) position: Option<Position>,
    /// How far what it knows goes, in the source's word for it.
    pub(super) cursor: Option<String>,
    pub(super) stage: Stage,
    /// What a transmitter is to be told with the next question.
    pub(super) receipts: Receipts,
    /// The events that it brought.
    pub(super) taken: Taken,
    /// What was told of a source that repeats itself.
    pub(super) recent: Recent,
    /// When it looks again.
    pub(super) look_from: Timestamp,
    /// The directory is not asked before this.
    pub(super) rests_until: Timestamp,
    pub(super) failures: u32,
    /// When the feed was heard last, here or by another worker.
    pub(super) heard: Option<Timestamp>,
    /// When this worker began to follow it.
    pub(super) began: Option<Timestamp>,
}

/// What the source is being asked.
pub(super) enum Stage {
    /// Nothing.
    Idle,
    /// What is new, for all.
    Polling(Question),
    /// What the ring does not have.
    Reading(Question, Reading),
}

pub(super) struct Reading {
    /// Who departed, where that is told from the beginning.
    pub(super) anew: Option<Departures>,
    /// How far the others are at least.
    pub(super) position: Option<Position>,
    /// Whether it is for all.
    pub(super) leads: bool,
}

impl Follower {
    pub(in crate::gate) fn new(limit: usize) -> Self {
        let never = Timestamp::from_millis(0);
        Self {
            known: Departures::new(limit),
            position: None,
            cursor: None,
            stage: Stage::Idle,
            receipts: Receipts::default(),
            taken: Taken::default(),
            recent: Recent::new(limit),
            look_from: never,
            rests_until: never,
            failures: 0,
            heard: None,
            began: None,
        }
    }

    /// The clock was set back by `span`.
    pub(in crate::gate) fn move_back(&mut self, span: Duration) {
        self.known.move_back(span);
        self.taken.move_back(span);
        self.look_from = self.look_from.before(span);
        self.rests_until = self.rests_until.before(span);
        let times = self.heard.iter_mut().chain(&mut self.began);
        times.for_each(|time| *time = time.before(span));
        match &mut self.stage {
            Stage::Idle => {}
            Stage::Polling(question) => question.move_back(span),
            Stage::Reading(question, reading) => {
                question.move_back(span);
                reading.anew.iter_mut().for_each(|known| known.move_back(span));
            }
        }
    }

    /// Whether it is asking the directory for all.
    pub(super) fn leads(&self) -> bool {
        match &self.stage {
            Stage::Idle => false,
            Stage::Polling(_) => true,
            Stage::Reading(_, reading) => reading.leads,
        }
    }

    pub(super) fn hears(&mut self, at: Timestamp) {
        self.heard = self.heard.max(Some(at));
    }
}
