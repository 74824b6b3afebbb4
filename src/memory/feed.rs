//! What the workers of a process tell each other of a feed, in bytes that anybody may have written to: a head, which says who
//! asks and how far that is, the latest notices, and, where the source tells nothing twice, a book of all that it told. Knows
//! neither where they are kept nor who is in them.

use super::{Change, Departures, Lease};
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// So many notices can be had.
pub const SLOTS: u64 = 64;
/// The most changes in one notice: 48 kB.
pub const LONGEST_NOTICE: usize = 1000;

/// Workers read the clock at different moments. What lies further in the future was written before it was set back.
const MOMENT: Duration = Duration::from_secs(1);

/// How far the feed was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// A number of its own for each time that the directory told everything anew.
    pub run: u64,
    /// The latest notice since.
    pub notice: u64,
}

/// Who asks for all, and how far that is. Nothing in it is what a process starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Who asks.
    pub lease: Option<Lease>,
    /// How far that is, once everything was told.
    pub progress: Option<Progress>,
}

/// How far the feed was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// To the workers of the process.
    pub position: Position,
    /// By the directory, in its word for it.
    pub cursor: String,
    /// When the directory answered last.
    pub heard: Timestamp,
}

impl Head {
    /// The head that was written down as `bytes`; anything else is nothing, and so is what the clock says cannot be.
    pub fn read(bytes: &[u8], now: Timestamp) -> Self {
        let read = postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty());
        let Self { lease, progress } = read.map(|(head, _)| head).unwrap_or_default();
        // Nobody knows when that was, so it may be long ago: a feed that is silent must not seem to be heard.
        let heard = |at: Timestamp| if at <= now.after(MOMENT) { at } else { Timestamp::from_millis(0) };
        let progress = progress.map(|told: Progress| Progress { heard: heard(told.heard), ..told });
        Self { lease: lease.filter(|lease| lease.is_live(now)), progress }
    }

    /// The head as it is written.
    pub fn bytes(&self) -> Vec<u8> {
        // Numbers and texts always serialise.
        postcard::to_extend(self, Vec::new()).unwrap_or_default()
    }

    /// Whether somebody else than `holder` asks.
    pub fn is_led_by_another(&self, holder: u64) -> bool {
        self.lease.is_some_and(|lease| lease.holder != holder)
    }
}

/// What was told at once, as it is written: the notice that leads to `position`.
pub fn notice_bytes(position: Position, changes: &[Change]) -> Vec<u8> {
    postcard::to_extend(&(position, changes), Vec::new()).unwrap_or_default()
}

/// The notice that leads to `position`, if it was written down as `bytes`.
pub fn read_notice(position: Position, bytes: &[u8]) -> Option<Vec<Change>> {
    let (notice, rest) = postcard::take_from_bytes::<(Position, Vec<Change>)>(bytes).ok()?;
    (notice.0 == position && rest.is_empty()).then_some(notice.1)
}

/// All that was told up to `position`, as it is written.
pub fn book_bytes(position: Position, known: &Departures) -> Vec<u8> {
    postcard::to_extend(&(position, known), Vec::new()).unwrap_or_default()
}

/// The book that was written down as `bytes`, and how far it goes.
pub fn read_book(bytes: &[u8]) -> Option<(Position, Departures)> {
    postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(book, _)| book)
}

/// How far the book goes that was written down as `bytes`, if it is one.
pub fn book_position(bytes: &[u8]) -> Option<Position> {
    postcard::take_from_bytes(bytes).ok().map(|(position, _)| position)
}

/// What the process has for a worker that follows the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// How far it is, if anybody has read it.
    pub progress: Option<Progress>,
    /// What the worker missed; `None` if that cannot be had any more, or never could.
    pub missed: Option<Vec<Change>>,
    /// All that was told before that, if it had to be looked up.
    pub book: Option<Departures>,
    /// Whose turn it is to ask the directory.
    pub turn: Turn,
}

/// Who asks the directory for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Another worker.
    Elsewhere,
    /// This one, for all.
    Mine,
    /// This one, for itself: nothing can be shared.
    Alone,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Fate, test_key};
    use proptest::collection::vec;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_458_540);
    const HERE: Position = Position { run: 7, notice: 3 };

    fn head() -> Head {
        let lease = Some(Lease { holder: 1, until: NOW.after(MOMENT) });
        Head { lease, progress: Some(Progress { position: HERE, cursor: "c-3".to_owned(), heard: NOW }) }
    }

    fn changes() -> Vec<Change> {
        vec![Change { key: test_key("jane"), fate: Fate::Departed, at: NOW }; 3]
    }

    #[test]
    fn a_head_is_read_as_it_was_written_but_for_what_the_clock_says_cannot_be() {
        assert_eq!(Head::read(&head().bytes(), NOW), head());
        let later = Head::read(&head().bytes(), NOW.after(MOMENT));
        assert_eq!((later.lease, later.progress), (None, head().progress));
        let earlier = Head::read(&head().bytes(), NOW.before(Duration::from_secs(90)));
        assert!(
            earlier.lease.is_none()
                && earlier.progress.is_some_and(|told| told.heard == Timestamp::from_millis(0))
        );
    }

    #[test]
    fn a_notice_is_read_where_it_leads_to_and_nowhere_else() {
        let bytes = notice_bytes(HERE, &changes());
        assert_eq!(read_notice(HERE, &bytes), Some(changes()));
        assert_eq!(read_notice(Position { notice: 4, ..HERE }, &bytes), None);
        assert_eq!(read_notice(Position { run: 8, ..HERE }, &bytes), None);
        let most = vec![changes().remove(0); LONGEST_NOTICE];
        assert!(notice_bytes(HERE, &most).len() <= 48 * 1024);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_stands_there_can_be_read(odd in vec(any::<u8>(), 0..300), cut in 1..12_usize) {
            let _ = (Head::read(&odd, NOW), read_notice(HERE, &odd), read_book(&odd), book_position(&odd));
            let mut known = Departures::new(9);
            changes().iter().for_each(|change| assert_eq!(known.take(change, NOW), 0));
            let book = book_bytes(HERE, &known);
            prop_assert_eq!((read_book(&book), book_position(&book)), (Some((HERE, known)), Some(HERE)));
            prop_assert_eq!(read_book(&book[..book.len() - cut]), None);
            let (head, notice) = (head().bytes(), notice_bytes(HERE, &changes()));
            prop_assert_eq!(Head::read(&head[..head.len() - cut], NOW), Head::default());
            prop_assert_eq!(read_notice(HERE, &notice[..notice.len() - cut]), None);
        }
    }
}
