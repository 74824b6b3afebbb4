//! A SCIM directory as a source: at first all users that are inactive are read, then, again and again, all that were changed
//! since, as a user who is active again is not among the inactive ones. The directory's clock need not be the gateway's.

use super::question::{FeedFailure, Page, Question};
use super::signals::Aside;
use crate::config::{ScimFeed, Upstream};
use crate::domain::{Call, Reply, Timestamp};
use crate::gate::errand;
use crate::memory::{Change, Fate};
use crate::wire::scim::{Listed, Listing, ListingFailure, User};
use std::time::Duration;

/// What was changed may show in lists so much later than its time says.
const SETTLING: Duration = Duration::from_secs(60);
/// No directory's clock is further behind.
const CLOCKS_APART: Duration = Duration::from_secs(10 * 60);

/// One reading of a list.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    listing: Listing,
    /// Everything that the directory changed before that was read.
    since: Timestamp,
    is_first: bool,
    /// By the gateway's clock.
    began: Timestamp,
    /// The latest change that is on the list so far, by the directory's clock.
    latest: Timestamp,
}

impl Pass {
    /// Begins to read what was changed since that of `cursor` was read. One that cannot be read has everybody looked at.
    pub(super) fn begin(cursor: Option<&str>, now: Timestamp) -> Self {
        let never = Timestamp::from_millis(0);
        match cursor {
            Some(cursor) => Self::since(Timestamp::parse_rfc3339(cursor).unwrap_or(never).min(now), now),
            None => Self { listing: Listing::inactive(), is_first: true, ..Self::since(never, now) },
        }
    }

    fn since(since: Timestamp, now: Timestamp) -> Self {
        let listing = Listing::modified_since(since);
        Self { listing, since, is_first: false, began: now, latest: Timestamp::from_millis(0) }
    }

    pub(super) fn call(&self, at: &Upstream) -> Call {
        errand::call(at, self.listing.request(at.path.trim_end_matches('/')))
    }

    /// Reads a page. What the filter should have found is looked at again: some servers have none.
    pub(super) fn hear(self, reply: &Reply, terms: &ScimFeed, now: Timestamp) -> Result<Page, FeedFailure> {
        let Listed { users, next } = self.listing.clone().hear(reply).map_err(|failure| match failure {
            ListingFailure::NoAnswer => FeedFailure::NoAnswer,
            ListingFailure::Status(status) => FeedFailure::Status(status),
            ListingFailure::Malformed => FeedFailure::Malformed,
            ListingFailure::Shifted => FeedFailure::Shifted,
        })?;
        let changes = users.iter().filter_map(|user| change(user, terms, now)).collect();
        let latest = users.iter().filter_map(|user| user.modified).fold(self.latest, Timestamp::max);
        let pass = Self { latest, ..self };
        let page = |since: Timestamp, next: Option<Question>| Page {
            cursor: since.rfc3339(),
            changes,
            complete: next.is_none().then_some(pass.began),
            next,
            rest: terms.every,
            aside: Aside::default(),
        };
        let since = pass.read_until(now);
        Ok(match next {
            Some(listing) => page(pass.since, Some(Question::Scim(Self { listing, ..pass }))),
            // Whoever departed or returned meanwhile may be missing on the list.
            None if pass.is_first => page(since, Some(Question::Scim(Self::since(since, now)))),
            None => page(since, None),
        })
    }

    /// Up to which time of the directory everything was read. When the reading began, its clock was no further than at the
    /// latest change, less the time that the reading took; or else than all clocks are.
    fn read_until(&self, now: Timestamp) -> Timestamp {
        let by_its_clock = self.latest.min(now).before(now.since(self.began)).before(SETTLING);
        by_its_clock.max(self.began.before(CLOCKS_APART)).max(self.since)
    }

    pub(super) fn move_back(&mut self, span: Duration) {
        self.began = self.began.before(span);
    }
}

/// What a user's state says of a subject.
fn change(user: &User, terms: &ScimFeed, now: Timestamp) -> Option<Change> {
    let key = terms.whose.key(&user.external_id)?;
    let fate = if user.active { Fate::Present } else { Fate::Departed };
    Some(Change { key, fate, at: user.modified.unwrap_or(now) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Issuer, Subject, SubjectId, SubjectKey};
    use crate::wire::scim::Whose;
    use serde_json::{Value, json};

    const NOON: Timestamp = Timestamp::from_secs(1_795_435_200);

    fn terms() -> ScimFeed {
        ScimFeed { whose: Whose::Sub(issuer()), every: Duration::from_secs(30) }
    }

    fn issuer() -> Issuer {
        Issuer::parse("https://idp").unwrap()
    }

    fn key(sub: &str) -> SubjectKey {
        Subject { issuer: issuer(), id: SubjectId::parse(sub).unwrap() }.key()
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn list(users: &[(&str, bool, Timestamp)]) -> Reply {
        let user = |(sub, active, at): &(&str, bool, Timestamp)| json!({"id": sub, "externalId": sub, "active": active, "meta": {"lastModified": at.rfc3339()}});
        let users: Vec<Value> = users.iter().map(user).collect();
        let body = json!({"totalResults": users.len(), "Resources": users}).to_string();
        Reply::Answer { status: 200, headers: vec![], body: body.into() }
    }

    #[test]
    fn what_the_filter_should_have_found_is_looked_at_again() {
        let users = [("jane", false, NOON.before(minutes(9))), ("john", true, NOON)];
        let page = Pass::begin(None, NOON).hear(&list(&users), &terms(), NOON).unwrap();
        let expected = [(users[0], Fate::Departed), (users[1], Fate::Present)];
        assert_eq!(page.changes, expected.map(|((sub, _, at), fate)| Change { key: key(sub), fate, at }));
    }

    #[test]
    fn a_reading_leaves_nothing_unread_whatever_the_directorys_clock_says() {
        let read_until = |began: Timestamp, now: Timestamp, latest| {
            let pass = Pass::begin(Some("2026-11-23T00:00:00Z"), began);
            let page = pass.hear(&list(&[("x", true, latest)]), &terms(), now).unwrap();
            (Timestamp::parse_rfc3339(&page.cursor).unwrap(), page.complete.unwrap())
        };
        let (quick, slow) = (NOON, NOON.after(minutes(3)));
        assert_eq!(read_until(NOON, quick, NOON), (NOON.before(minutes(1)), NOON));
        assert_eq!(read_until(NOON, slow, slow), (NOON.before(minutes(1)), NOON));
        assert_eq!(
            read_until(NOON, quick, NOON.after(minutes(90))).0,
            NOON.before(minutes(1)),
            "it is ahead"
        );
        assert_eq!(
            read_until(NOON, quick, NOON.before(minutes(90))).0,
            NOON.before(minutes(10)),
            "it is quiet"
        );
    }

    #[test]
    fn whoever_changed_while_the_first_list_was_read_is_read_as_well() {
        let page = Pass::begin(None, NOON).hear(&list(&[]), &terms(), NOON).unwrap();
        let Some(Question::Scim(second)) = page.next else { panic!("it is not over") };
        assert_eq!(second.listing, Listing::modified_since(NOON.before(minutes(10))));
        let page = second.hear(&list(&[]), &terms(), NOON).unwrap();
        assert!(page.next.is_none() && page.rest == Duration::from_secs(30));
    }

    #[test]
    fn a_cursor_that_is_none_has_everybody_looked_at_and_one_of_the_future_is_of_now() {
        let listing = |cursor| Pass::begin(Some(cursor), NOON).listing;
        assert_eq!(listing("rubbish"), Listing::modified_since(Timestamp::from_millis(0)));
        assert_eq!(listing("2999-01-01T00:00:00Z"), Listing::modified_since(NOON));
        assert_eq!(Pass::begin(None, NOON).listing, Listing::inactive());
    }
}
