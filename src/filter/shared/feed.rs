//! The directory's feed of departures, as the workers of one process follow it together: one asks, and the others find
//! what it was told in a ring of records. Knows nobody who is told of.

#[cfg(test)]
mod tests;

use super::super::SharedData;
use super::subjects::bytes;
use super::{Value, digest, number, replace};
use crate::config::{DeparturesFeed, FeedProtocol, Policy, ScimFeed};
use crate::domain::Timestamp;
use crate::memory::{
    Change, Departures, Followed, Head, LONGEST_NOTICE, Lease, Position, Progress, SLOTS, Turn, book_bytes,
    book_position, notice_bytes, read_book, read_notice,
};
use crate::wire::scim::Whose;
use std::time::Duration;

/// Who asks says so again and again. A worker that died with the lease leaves the feed to the others after this.
const LEASE: Duration = Duration::from_secs(3);
/// With less left of it, it is taken anew.
const RENEWED: Duration = Duration::from_secs(2);

/// One worker's part in following the feed.
pub(in crate::filter) struct Feed {
    /// This worker, among all that share.
    holder: u64,
    /// Where the records are: those of this feed, as these credentials may read it.
    name: String,
    /// Whether the source tells nothing twice, so that a book is kept of what it told.
    keeps_book: bool,
}

/// What the source told.
pub(in crate::filter) struct Told<'a> {
    /// What is new.
    pub(in crate::filter) changes: &'a [Change],
    /// The source's word for how far that is.
    pub(in crate::filter) cursor: &'a str,
    /// Everything is known that happened until then; `None` if there is more to be told.
    pub(in crate::filter) heard: Option<Timestamp>,
    /// All that this worker knows.
    pub(in crate::filter) known: &'a Departures,
}

impl Feed {
    /// `nonce` is a random number that no other worker has.
    pub(in crate::filter) fn new(policy: &Policy, nonce: [u8; 16]) -> Self {
        let parts = policy.departures.as_ref().map(|DeparturesFeed { at, protocol, .. }| {
            let authorization = at.authorization.as_ref().map_or(b"".as_slice(), |value| value.as_bytes());
            // What is remembered of users depends on how they become subjects.
            let whose = match protocol {
                FeedProtocol::Firstsight { .. } => "firstsight",
                FeedProtocol::Scim(ScimFeed { whose: Whose::Key, .. }) => "scim key",
                FeedProtocol::Scim(ScimFeed { whose: Whose::IssuerAndSub, .. }) => "scim issuer_and_sub",
                FeedProtocol::Scim(ScimFeed { whose: Whose::Sub(issuer), .. }) => issuer.as_str(),
                FeedProtocol::Ssf { .. } => "ssf",
            };
            let place = [at.cluster.as_str(), &at.authority, &at.path, whose].map(str::as_bytes);
            place.into_iter().chain([authorization])
        });
        let name = format!("firstsight/1/departures/{}", digest(parts.into_iter().flatten()));
        let protocol = policy.departures.as_ref().map(|feed| &feed.protocol);
        let keeps_book = matches!(protocol, Some(FeedProtocol::Ssf { .. }));
        Self { holder: number(nonce), name, keeps_book }
    }

    /// Looks what there is since `after`; and whether it is this worker's turn to ask the directory, if it knows enough to
    /// go on from there, or `asks` already.
    pub(in crate::filter) fn follow(
        &self,
        host: &impl SharedData,
        after: Option<Position>,
        asks: bool,
        now: Timestamp,
    ) -> Followed {
        let found = host.shared_get(&self.name);
        let mut head = Head::read(bytes(&found), now);
        let progress = head.progress.clone();
        let missed = after.zip(progress.as_ref());
        let mut missed = missed.and_then(|(after, told)| self.missed(host, after, told.position));
        let mut book = None;
        if let (true, None, Some(told)) = (self.keeps_book, &missed, &progress) {
            let found = read_book(bytes(&host.shared_get(&self.book())));
            let since = found.and_then(|(at, known)| Some((self.missed(host, at, told.position)?, known)));
            (missed, book) = since.unzip();
        }
        // Where there is a book, nobody else than a worker can help the others on.
        let may_lead = asks || missed.is_some() || progress.is_none() || self.keeps_book;
        let turn = if may_lead { self.take(host, &mut head, &found, now) } else { Turn::Elsewhere };
        Followed { progress, missed, book, turn }
    }

    /// Tells the others what the source told this worker, which is asking for all: what is new since `after`, or
    /// `None`, everything anew. Returns how far that is; `None` if somebody else asks by now.
    pub(in crate::filter) fn tell(
        &self,
        host: &impl SharedData,
        after: Option<Position>,
        told: &Told<'_>,
        now: Timestamp,
    ) -> Option<Position> {
        let anew = Position { run: self.holder.wrapping_add(now.as_millis()), notice: 0 };
        let mut position = after.unwrap_or(anew);
        let notices: Vec<_> = told.changes.chunks(LONGEST_NOTICE).filter(|_| after.is_some()).collect();
        // What stands in the slots is read before the head is: whoever asks by now has written there since.
        let slots = (1..).zip(&notices).map(|(number, _)| self.slot(position.notice.saturating_add(number)));
        let slots: Vec<_> = slots.map(|slot| (host.shared_get(&slot), slot)).collect();
        let book = self.keeps_book.then(|| host.shared_get(&self.book()));
        let found = host.shared_get(&self.name);
        let mut head = Head::read(bytes(&found), now);
        let is_ours = head.lease.is_some_and(|lease| lease.holder == self.holder);
        let is_next = after.is_none() || head.progress.as_ref().map(|told| told.position) == after;
        if !is_ours || !is_next {
            return None;
        }
        for ((before, slot), changes) in slots.iter().zip(notices) {
            position.notice = position.notice.saturating_add(1);
            if !replace(host, slot, &notice_bytes(position, changes), before) {
                return None;
            }
        }
        if let Some(found) = book.filter(|found| !is_of_use(found, position))
            && !replace(host, &self.book(), &book_bytes(position, told.known), &found)
        {
            return None;
        }
        let before = head.progress.map_or(Timestamp::from_millis(0), |progress| progress.heard);
        let heard = told.heard.unwrap_or(before);
        head.progress = Some(Progress { position, cursor: told.cursor.to_owned(), heard });
        head.lease = Some(self.lease(now));
        replace(host, &self.name, &head.bytes(), &found).then_some(position)
    }

    /// Somebody else may ask from now on.
    pub(in crate::filter) fn let_go(&self, host: &impl SharedData, now: Timestamp) {
        let found = host.shared_get(&self.name);
        let mut head = Head::read(bytes(&found), now);
        if head.lease.take_if(|lease| lease.holder == self.holder).is_some() {
            // If somebody wrote meanwhile, the lease ends by itself.
            replace(host, &self.name, &head.bytes(), &found);
        }
    }

    /// The notices between two positions.
    fn missed(&self, host: &impl SharedData, after: Position, until: Position) -> Option<Vec<Change>> {
        let count = until.notice.checked_sub(after.notice).filter(|count| *count <= SLOTS)?;
        if after.run != until.run {
            return None;
        }
        let read = |number| {
            let position = Position { notice: after.notice.saturating_add(number), ..after };
            read_notice(position, bytes(&host.shared_get(&self.slot(position.notice))))
        };
        (1..=count).map(read).collect::<Option<Vec<_>>>().map(|notices| notices.concat())
    }

    /// Takes or keeps the lease, if nobody else has it.
    fn take(&self, host: &impl SharedData, head: &mut Head, found: &Value, now: Timestamp) -> Turn {
        if head.is_led_by_another(self.holder) {
            return Turn::Elsewhere;
        }
        if head.lease.is_some_and(|lease| lease.until.since(now) > RENEWED) {
            return Turn::Mine;
        }
        head.lease = Some(self.lease(now));
        if replace(host, &self.name, &head.bytes(), found) {
            Turn::Mine
        } else if host.shared_get(&self.name).is_none() {
            Turn::Alone
        } else {
            Turn::Elsewhere
        }
    }

    fn lease(&self, now: Timestamp) -> Lease {
        Lease { holder: self.holder, until: now.after(LEASE) }
    }

    fn book(&self) -> String {
        format!("{}/book", self.name)
    }

    fn slot(&self, notice: u64) -> String {
        format!("{}/{}", self.name, notice % SLOTS)
    }
}

/// Whether all notices can be had, and for a good while, that came after the book.
fn is_of_use(book: &Value, position: Position) -> bool {
    let at = book_position(bytes(book)).filter(|at| at.run == position.run);
    let behind = at.and_then(|at| position.notice.checked_sub(at.notice));
    behind.is_some_and(|behind| behind <= SLOTS / 2)
}
