//! Groups (RFC 7643 §4.2): a name, and accounts that are in it. Gateways join and leave them; nothing here gives them a
//! meaning.

mod write;

use super::reply;
use super::schema::ResourceType;
use super::site::Site;
use firstsight::domain::Timestamp;
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::BTreeSet;
pub(in crate::directory) use write::leave_all;
pub(super) use write::{change, create, remove};

/// What is selected of groups.
pub(super) const ROWS: &str =
    "id, display_name, external_id, created_at, updated_at, version FROM scim_groups";

/// A group without its members.
pub(super) struct Group {
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) external_id: Option<String>,
    created_at: i64,
    updated_at: i64,
    /// How often it was changed.
    version: i64,
}

pub(super) async fn find(database: &mut AnyConnection, id: &str) -> Result<Option<Group>, sqlx::Error> {
    let query = sqlx::query(AssertSqlSafe(format!("SELECT {ROWS} WHERE id = $1")));
    query.bind(id).fetch_optional(database).await?.as_ref().map(Group::read).transpose()
}

/// The ids of the accounts that are in it.
pub(super) async fn members(
    database: &mut AnyConnection,
    group: &str,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let query = sqlx::query("SELECT account FROM scim_members WHERE scim_group = $1").bind(group);
    query.fetch_all(database).await?.iter().map(|row| row.try_get("account")).collect()
}

/// The group of this id; its members are left out unless they are shown.
pub(super) async fn one(
    database: &mut AnyConnection,
    site: &Site,
    id: &str,
    with_members: bool,
) -> Result<Option<Map<String, Value>>, sqlx::Error> {
    let Some(group) = find(database, id).await? else { return Ok(None) };
    let members = if with_members { members(database, id).await? } else { BTreeSet::new() };
    Ok(Some(group.shown(site, &members)))
}

pub(super) async fn represent(
    database: &mut AnyConnection,
    site: &Site,
    rows: &[AnyRow],
    with_members: bool,
) -> Result<Vec<Map<String, Value>>, sqlx::Error> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let group = Group::read(row)?;
        let members = if with_members { members(database, &group.id).await? } else { BTreeSet::new() };
        shown.push(group.shown(site, &members));
    }
    Ok(shown)
}

impl Group {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            display_name: row.try_get("display_name")?,
            external_id: row.try_get("external_id")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            version: row.try_get("version")?,
        })
    }

    /// All of it, as a client sees it.
    pub(super) fn shown(&self, site: &Site, members: &BTreeSet<String>) -> Map<String, Value> {
        let time = |millis: i64| Timestamp::from_millis(u64::try_from(millis).unwrap_or_default()).rfc3339();
        let member = |id: &String| json!({"value": id, "$ref": site.location(ResourceType::User.endpoint(), id), "type": ResourceType::User.name()});
        let group = json!({
            "schemas": [ResourceType::Group.schema().urn],
            "id": self.id,
            "externalId": self.external_id,
            "displayName": self.display_name,
            "members": members.iter().map(member).collect::<Vec<_>>(),
            "meta": {
                "resourceType": ResourceType::Group.name(), "created": time(self.created_at),
                "lastModified": time(self.updated_at), "version": reply::numbered(self.version),
                "location": site.location(ResourceType::Group.endpoint(), &self.id),
            },
        });
        let group = if let Value::Object(members) = group { members } else { Map::new() };
        let has_value =
            |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
        group.into_iter().filter(|(_, value)| has_value(value)).collect()
    }
}
