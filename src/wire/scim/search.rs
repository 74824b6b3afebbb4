//! Finding the one account with an external id (RFC 7644 §3.4.2), among whatever a server shows: some ignore filters. Knows
//! nothing of what is done with it.

use super::capabilities::Capabilities;
use super::reply::Page;
use super::request::{ScimRequest, equals};
use super::resource::Resource;
use crate::domain::Reply;
use crate::wire::answer::retry_after;
use std::time::Duration;

/// A search under way.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Path and query, but for the page.
    path: String,
    external_id: String,
    /// The place of the page that is asked for, counted from one.
    start: u64,
    pages: u64,
    found: Option<Resource>,
}

/// What an answer means for a search.
pub(super) enum Found {
    /// There is more to read.
    More(Search, ScimRequest),
    Nobody,
    One(Resource),
    /// More than one account has this external id.
    Several,
    /// The account says no id that can be used, or it cannot be told whether it is active.
    Malformed,
    /// There are more accounts than can be read one by one.
    TooMany,
    /// No usable answer, and the wait it asked for.
    Unusable(Option<Duration>),
}

/// How many are asked for at first: one, and another that ought not to be.
const FIRST_PAGE: u64 = 2;
/// How many are asked for where others than the one come back.
const PAGE: u64 = 100;
/// The most such pages. A directory that ignores filters and has more accounts cannot be asked about one.
const MOST_PAGES: u64 = 10;

impl Search {
    /// Begins to look for `external_id`.
    pub(super) fn begin(base: &str, external_id: &str, can: Capabilities) -> (Self, ScimRequest) {
        let filter = format!("{}&", equals("externalId", external_id));
        let filter = if can.filter { &filter } else { "" };
        let path = format!("{base}/Users?{filter}");
        let first = ScimRequest::get(format!("{path}count={FIRST_PAGE}"));
        (Self { path, external_id: external_id.to_owned(), start: 1, pages: 0, found: None }, first)
    }

    /// Reads a page. Nobody is found, and nobody found alone, before every account that the server showed was looked at.
    pub(super) fn hear(mut self, reply: &Reply) -> Found {
        let Some(page) = Page::read(reply) else {
            return Found::Unusable(retry_after(reply));
        };
        // A server that goes on somewhere else than it was asked to would show some twice and others never.
        if self.pages > 0 && page.start != Some(self.start) {
            return Found::Unusable(None);
        }
        let shown = u64::try_from(page.resources.len()).unwrap_or(u64::MAX);
        for members in page.resources {
            if !Resource::is_of(&members, &self.external_id) {
                continue;
            }
            let Some(resource) = Resource::read(members) else {
                return Found::Malformed;
            };
            match &self.found {
                Some(other) if other.id != resource.id => return Found::Several,
                _ => self.found = Some(resource),
            }
        }
        self.start = self.start.saturating_add(shown);
        let left = page.total.saturating_sub(self.start.saturating_sub(1));
        if left == 0 {
            return self.found.map_or(Found::Nobody, Found::One);
        }
        if left > MOST_PAGES.saturating_sub(self.pages).saturating_mul(PAGE) {
            return Found::TooMany;
        }
        self.pages = self.pages.saturating_add(1);
        let next = ScimRequest::get(format!("{}startIndex={}&count={PAGE}", self.path, self.start));
        Found::More(self, next)
    }
}
