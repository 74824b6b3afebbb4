//! What is asked of a list: a filter, a page, and which attributes (RFC 7644 §3.4.2, §3.4.3; RFC 9865 §2).

use super::failure::Failure;
use super::filter::parse;
use super::schema::ResourceType;
use super::selection::Selection;
use scim_v2::filter::Filter;
use scim_v2::models::errors::ScimType;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How many resources are on a page of which nobody said how long it is.
pub(super) const DEFAULT_PAGE: i64 = 100;
/// How many resources are on a page at the most.
pub(super) const LARGEST_PAGE: i64 = 1000;

/// The query as it is written. A list of names is one text in a URL.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    cursor: Option<String>,
    attributes: Option<Names>,
    excluded_attributes: Option<Names>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

/// The query as it is meant.
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) start: Start,
    pub(super) count: i64,
    pub(super) selection: Selection,
    /// What a cursor must have been made for.
    digest: String,
}

/// Where the page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// At this place, counted from one.
    Index(i64),
    /// After the resource of this kind and id; at the beginning if the id is empty.
    After(ResourceType, String),
}

impl Written {
    /// The query of a search (RFC 7644 §3.4.3), whose names may be in any case.
    ///
    /// # Errors
    /// 400 for another message, and for values that are none.
    pub(super) fn of_search(mut body: Value) -> Result<Self, Failure> {
        let urn = body.get("schemas").and_then(Value::as_array).into_iter().flatten();
        if !urn.into_iter().any(|urn| urn == scim_v2::schema_urns::SEARCH_REQUEST) {
            let detail = "schemas: names the search request";
            return Err(Failure::bad(ScimType::InvalidSyntax, detail));
        }
        if let Some(members) = body.as_object_mut() {
            members.remove("schemas");
        }
        serde_path_to_error::deserialize(body)
            .map_err(|error| Failure::value(&error.path().to_string(), "another type is wanted"))
    }

    /// # Errors
    /// 400 for what cannot be meant.
    pub(super) fn meant(self, kinds: &[ResourceType]) -> Result<Query, Failure> {
        let digest = digest(kinds, self.filter.as_deref());
        let start = match (&self.cursor, self.start_index) {
            (Some(_), Some(_)) => {
                return Err(Failure::value("cursor", "a page begins at a cursor or at a startIndex"));
            }
            (None, index) => Start::Index(index.unwrap_or(1).max(1)),
            (Some(cursor), None) if cursor.is_empty() => {
                Start::After(*kinds.first().unwrap_or(&ResourceType::User), String::new())
            }
            (Some(cursor), None) => {
                let invalid = || Failure::paging("invalidCursor", "The cursor was not made for this query.");
                Start::read(cursor, &digest).ok_or_else(invalid)?
            }
        };
        let count = self.count.unwrap_or(DEFAULT_PAGE);
        let fits = matches!(start, Start::Index(_)) || (0..=LARGEST_PAGE).contains(&count);
        if !fits {
            return Err(Failure::paging("invalidCount", "count is 0 to 1000"));
        }
        Ok(Query {
            filter: self.filter.as_deref().map(parse).transpose()?,
            start,
            count: count.clamp(0, LARGEST_PAGE),
            selection: self.selection()?,
            digest,
        })
    }

    /// Which attributes are asked for.
    ///
    /// # Errors
    /// 400 if some are both wanted and not.
    pub(super) fn selection(self) -> Result<Selection, Failure> {
        let names = |names: Option<Names>| match names {
            None => Vec::new(),
            Some(Names::One(text)) => text.split(',').map(|name| name.trim().to_owned()).collect(),
            Some(Names::Many(names)) => names,
        };
        Selection::of(names(self.attributes), names(self.excluded_attributes))
    }
}

impl Query {
    /// The cursor of what follows this resource.
    pub(super) fn cursor(&self, kind: ResourceType, id: &str) -> String {
        format!("{}.{}.{id}", self.digest, kind.name())
    }
}

impl Start {
    fn read(cursor: &str, digest: &str) -> Option<Self> {
        let (made_for, place) = cursor.split_once('.')?;
        let (kind, id) = place.split_once('.')?;
        let kind = ResourceType::ALL.into_iter().find(|other| other.name() == kind)?;
        (made_for == digest).then(|| Self::After(kind, id.to_owned()))
    }
}

fn digest(kinds: &[ResourceType], filter: Option<&str>) -> String {
    let mut digest = Sha256::new();
    for kind in kinds {
        digest.update(kind.name());
    }
    digest.update([0, u8::from(filter.is_some())]);
    digest.update(filter.unwrap_or_default());
    let mut text = format!("{:x}", digest.finalize());
    text.truncate(16);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(filter: &str, cursor: String) -> Result<Start, Failure> {
        let written = Written { filter: Some(filter.to_owned()), cursor: Some(cursor), ..Written::default() };
        written.meant(&[ResourceType::User]).map(|query| query.start)
    }

    #[test]
    fn a_cursor_is_good_for_the_query_it_was_made_for() {
        let written = Written { filter: Some("title pr".to_owned()), ..Written::default() };
        let cursor = written.meant(&[ResourceType::User]).ok().unwrap().cursor(ResourceType::User, "7");
        assert_eq!(
            after("title pr", cursor.clone()).unwrap(),
            Start::After(ResourceType::User, "7".to_owned())
        );
        assert!(after("title eq \"x\"", cursor).is_err());
        assert!(after("title pr", "7".to_owned()).is_err());
    }
}
