//! Lists of resources, page by page (RFC 7644 §3.4.2; RFC 9865). They are in the order of their ids, which is the order in
//! which they were made.

use super::failure::Failure;
use super::filter::Filter;
use super::narrow::{Bound, Narrowed};
use super::query::{Query, Start};
use super::schema::ResourceType;
use super::site::Site;
use super::{groups, users};
use scim_v2::models::errors::ScimType;
use scim_v2::schema_urns;
use serde_json::{Map, Value, json};
use sqlx::{AnyConnection, Row};

/// How many resources are looked at one by one, at the most, for what no index answers.
const MOST_LOOKED_AT: i64 = 10_000;
/// And at a time: each may be as large as a body.
const LOOKED_AT_ONCE: i64 = 500;

/// Resources of one kind that are asked for.
struct List<'a> {
    kind: ResourceType,
    filter: Option<Filter>,
    narrowed: Narrowed,
    query: &'a Query,
    site: &'a Site,
}

/// Which part of a list.
struct Part<'a> {
    /// Only those after this id.
    after: &'a str,
    /// Without so many at its beginning.
    offset: i64,
    limit: i64,
}

/// The page that is asked for, over all `kinds`.
pub(super) async fn list(
    database: &mut AnyConnection,
    site: &Site,
    kinds: &[ResourceType],
    query: &Query,
) -> Result<Value, Failure> {
    let filters: Vec<Option<Filter>> = match &query.filter {
        None => kinds.iter().map(|_| None).collect(),
        Some(written) => Filter::bind(written, kinds)?.into_iter().map(Some).collect(),
    };
    let (mut total, mut found, mut more) = (0, Vec::new(), false);
    let (mut offset, mut begun) = (if let Start::Index(index) = query.start { index - 1 } else { 0 }, false);
    for (kind, filter) in kinds.iter().zip(filters) {
        let narrowed = Narrowed::of(*kind, filter.as_ref(), site.names());
        let list = List { kind: *kind, filter, narrowed, query, site };
        let limit = query.count - found.len() as i64;
        let after = match &query.start {
            Start::After(at, id) if at == kind => {
                begun = true;
                id.as_str()
            }
            _ => "",
        };
        let passed = matches!(query.start, Start::After(..)) && !begun;
        let limit = if passed { 0 } else { limit };
        let (part, of) = list.part(database, &Part { after, offset, limit: limit + 1 }).await?;
        total += of;
        offset = (offset - of).max(0);
        more |= !passed && part.len() as i64 > limit;
        found.extend(part.into_iter().take(limit as usize).map(|resource| (*kind, resource)));
    }
    let cursor = match (&query.start, found.last()) {
        (Start::After(..), Some((kind, last))) if more => {
            Some(query.cursor(*kind, last.get("id").and_then(Value::as_str).unwrap_or_default()))
        }
        _ => None,
    };
    let shown: Vec<_> =
        found.into_iter().map(|(kind, resource)| query.selection.of_resource(kind, resource)).collect();
    let mut answer = json!({
        "schemas": [schema_urns::LIST_RESPONSE], "totalResults": total, "itemsPerPage": shown.len(), "Resources": shown,
    });
    match query.start {
        Start::Index(index) => answer["startIndex"] = index.into(),
        Start::After(..) => {
            if let Some(cursor) = cursor {
                answer["nextCursor"] = cursor.into();
            }
        }
    }
    Ok(answer)
}

impl List<'_> {
    /// A part of the list, and how many are in the whole of it.
    async fn part(
        &self,
        database: &mut AnyConnection,
        part: &Part<'_>,
    ) -> Result<(Vec<Map<String, Value>>, i64), Failure> {
        if !self.narrowed.is_whole {
            return self.looked_at(database, part).await;
        }
        let found = self.fetch(database, part).await?;
        // What is not cut off is all there is, so that it need not be counted.
        let is_all = part.after.is_empty() && part.offset == 0 && (found.len() as i64) < part.limit;
        let total = if is_all { found.len() as i64 } else { self.count(database).await? };
        Ok((found, total))
    }

    /// The same, looking at each resource.
    ///
    /// # Errors
    /// 400 `tooMany` if that would be more than anybody should wait for.
    async fn looked_at(
        &self,
        database: &mut AnyConnection,
        part: &Part<'_>,
    ) -> Result<(Vec<Map<String, Value>>, i64), Failure> {
        let (mut total, mut passed, mut looked_at) = (0, 0, 0);
        let (mut kept, mut after) = (Vec::new(), String::new());
        loop {
            let some =
                self.fetch(database, &Part { after: &after, offset: 0, limit: LOOKED_AT_ONCE }).await?;
            let are_last = (some.len() as i64) < LOOKED_AT_ONCE;
            looked_at += some.len() as i64;
            if looked_at > MOST_LOOKED_AT {
                let detail = "The filter is for more resources than are looked through: one with `and` and an \
                              equality of id, externalId or userName is answered.";
                return Err(Failure::bad(ScimType::TooMany, detail));
            }
            for resource in some {
                resource.get("id").and_then(Value::as_str).unwrap_or_default().clone_into(&mut after);
                if !self.filter.as_ref().is_none_or(|filter| filter.matches(&resource)) {
                    continue;
                }
                total += 1;
                if after.as_str() > part.after {
                    passed += 1;
                    if passed > part.offset && (kept.len() as i64) < part.limit {
                        kept.push(resource);
                    }
                }
            }
            if are_last {
                return Ok((kept, total));
            }
        }
    }

    async fn count(&self, database: &mut AnyConnection) -> Result<i64, Failure> {
        let table = match self.kind {
            ResourceType::User if self.narrowed.is_counted => {
                "CAST(sum(accounts) AS BIGINT) FROM account_counts"
            }
            ResourceType::User => "count(*) FROM accounts",
            ResourceType::Group => "count(*) FROM scim_groups",
        };
        let counted = self.narrowed.query(table, "", Vec::new()).fetch_one(database).await?;
        Ok(counted.try_get(0)?)
    }

    async fn fetch(
        &self,
        database: &mut AnyConnection,
        part: &Part<'_>,
    ) -> Result<Vec<Map<String, Value>>, Failure> {
        let rest = format!("AND {id} > ? ORDER BY {id} LIMIT ? OFFSET ?", id = self.narrowed.order);
        let more =
            vec![Bound::Text(part.after.to_owned()), Bound::Number(part.limit), Bound::Number(part.offset)];
        let what = match self.kind {
            ResourceType::User => users::ROWS,
            ResourceType::Group => groups::ROWS,
        };
        let rows = self.narrowed.query(what, &rest, more).fetch_all(&mut *database).await?;
        let shows = |name| !self.narrowed.is_whole || self.query.selection.shows(self.kind, name);
        Ok(match self.kind {
            ResourceType::User => users::represent(database, self.site, &rows, shows("groups")).await?,
            ResourceType::Group => groups::represent(database, self.site, &rows, shows("members")).await?,
        })
    }
}
