//! Accounts as users (RFC 7643 §4.1): what a row looks like to a SCIM client. Departed ones are not there.

mod write;

use super::reply;
use super::schema::ResourceType;
use super::site::Site;
use crate::directory::lifecycle::State;
use firstsight::domain::Timestamp;
use firstsight::wire::scim::shaped;
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::HashMap;
pub(super) use write::{change, create, depart, record};

/// What is selected of accounts.
pub(super) const ROWS: &str =
    "id, issuer, subject, subject_key, attributes, owned, state, state_since, created_at,
    updated_at, external_id FROM accounts";

/// An account as SCIM sees it.
pub(super) struct Account {
    pub(super) id: String,
    /// Issuer, `sub` and key.
    pub(super) subject: Option<(String, String, String)>,
    pub(super) attributes: Map<String, Value>,
    /// The names of the attributes that SCIM has the last word on.
    pub(super) owned: Vec<String>,
    pub(super) state: State,
    /// As a client wrote it.
    pub(super) external_id: Option<String>,
    created_at: i64,
    modified_at: i64,
}

/// The account of this id, unless it departed.
pub(super) async fn find(database: &mut AnyConnection, id: &str) -> Result<Option<Account>, sqlx::Error> {
    let query = sqlx::query(AssertSqlSafe(format!("SELECT {ROWS} WHERE id = $1 AND state <> 'departed'")));
    query.bind(id).fetch_optional(database).await?.as_ref().map(Account::read).transpose()
}

/// The user of this id.
pub(super) async fn one(
    database: &mut AnyConnection,
    site: &Site,
    id: &str,
) -> Result<Option<Map<String, Value>>, sqlx::Error> {
    let Some(account) = find(database, id).await? else { return Ok(None) };
    let groups = groups(database, site, &[id]).await?.remove(id).unwrap_or_default();
    Ok(Some(account.user(site, groups)))
}

/// Users as they are shown, with their groups if those are.
pub(super) async fn represent(
    database: &mut AnyConnection,
    site: &Site,
    rows: &[AnyRow],
    with_groups: bool,
) -> Result<Vec<Map<String, Value>>, sqlx::Error> {
    let accounts = rows.iter().map(Account::read).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<_> = accounts.iter().filter(|_| with_groups).map(|account| account.id.as_str()).collect();
    let mut groups = groups(database, site, &ids).await?;
    let user = |account: &Account| account.user(site, groups.remove(&account.id).unwrap_or_default());
    Ok(accounts.iter().map(user).collect())
}

/// The groups that each of these accounts is in (RFC 7643 §4.1.2).
async fn groups(
    database: &mut AnyConnection,
    site: &Site,
    accounts: &[&str],
) -> Result<HashMap<String, Vec<Value>>, sqlx::Error> {
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    if accounts.is_empty() {
        return Ok(found);
    }
    let places: Vec<_> = (1..=accounts.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT scim_members.account, scim_groups.id, scim_groups.display_name
         FROM scim_members JOIN scim_groups ON scim_groups.id = scim_members.scim_group
         WHERE scim_members.account IN ({}) ORDER BY scim_groups.id",
        places.join(", ")
    );
    let query =
        accounts.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind((*id).to_owned()));
    for row in query.fetch_all(database).await? {
        let (id, name): (String, String) = (row.try_get("id")?, row.try_get("display_name")?);
        let location = site.location(ResourceType::Group.endpoint(), &id);
        let group = json!({"value": id, "$ref": location, "display": name, "type": "direct"});
        found.entry(row.try_get("account")?).or_default().push(group);
    }
    Ok(found)
}

impl Account {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
        let (attributes, owned): (String, String) = (row.try_get("attributes")?, row.try_get("owned")?);
        let perhaps = |column: &str| row.try_get::<Option<String>, _>(column);
        let (changed, since): (i64, i64) = (row.try_get("updated_at")?, row.try_get("state_since")?);
        let subject = perhaps("issuer")?.zip(perhaps("subject")?).zip(perhaps("subject_key")?);
        Ok(Self {
            id: row.try_get("id")?,
            subject: subject.map(|((issuer, id), key)| (issuer, id, key)),
            attributes: serde_json::from_str(&attributes).map_err(decode)?,
            owned: serde_json::from_str(&owned).map_err(decode)?,
            state: State::of(row)?,
            external_id: perhaps("external_id")?,
            created_at: row.try_get("created_at")?,
            modified_at: changed.max(since),
        })
    }

    /// What clients may write of it, but for whether it is active.
    pub(super) fn writable(&self) -> Map<String, Value> {
        let mut user = ResourceType::User.fit(&shaped(&self.attributes));
        let name = user.get("userName").and_then(Value::as_str).filter(|name| !name.is_empty());
        if name.is_none() {
            let stand_in = self.subject.as_ref().map_or(&self.id, |(_, sub, _)| sub);
            user.insert("userName".to_owned(), stand_in.as_str().into());
        }
        user
    }

    /// What it is found by: as a client wrote it, or made of its subject.
    pub(super) fn external_id(&self, site: &Site) -> Option<String> {
        let made = || self.subject.as_ref().map(|(issuer, sub, _)| site.names().external_id(issuer, sub));
        self.external_id.clone().or_else(made)
    }

    /// All of it, as a client sees it.
    fn user(&self, site: &Site, groups: Vec<Value>) -> Map<String, Value> {
        let mut user = self.writable();
        let extensions = ResourceType::User.extensions().into_iter().map(|schema| schema.urn);
        let extensions = extensions.filter(|urn| user.contains_key(*urn));
        let schemas: Vec<_> = std::iter::once(ResourceType::User.schema().urn).chain(extensions).collect();
        user.insert("schemas".to_owned(), json!(schemas));
        user.insert("id".to_owned(), self.id.as_str().into());
        user.insert("active".to_owned(), (self.state == State::Active).into());
        if let Some(external_id) = self.external_id(site) {
            user.insert("externalId".to_owned(), external_id.into());
        }
        if !groups.is_empty() {
            user.insert("groups".to_owned(), groups.into());
        }
        let time = |millis: i64| Timestamp::from_millis(u64::try_from(millis).unwrap_or_default()).rfc3339();
        let mut meta = json!({
            "resourceType": ResourceType::User.name(), "created": time(self.created_at), "lastModified": time(self.modified_at),
            "location": site.location(ResourceType::User.endpoint(), &self.id),
        });
        user.insert("meta".to_owned(), meta.clone());
        meta["version"] = reply::version(&user).into();
        user.insert("meta".to_owned(), meta);
        user
    }
}
