//! Making, changing and removing groups. Who joined or left one has a record of it in the audit.

use super::{Group, members};
use crate::clock;
use crate::directory::lifecycle::Event;
use crate::directory::profile::lookup_key;
use crate::directory::scim::failure::Failure;
use crate::directory::scim::resources::Writer;
use crate::directory::scim::users::record;
use crate::directory::store::Write;
use firstsight::domain::Timestamp;
use serde_json::{Map, Value};
use sqlx::Row;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Makes a group of what a client wrote; returns its id.
///
/// # Errors
/// 400 for members that are no users here.
pub(in crate::directory::scim) async fn create(
    write: &mut Write,
    by: &Writer<'_>,
    group: Map<String, Value>,
) -> Result<String, Failure> {
    let (id, now) = (Uuid::now_v7().to_string(), clock::now());
    sqlx::query(
        "INSERT INTO scim_groups (id, display_name, name, external_id, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $5, 1)",
    )
    .bind(&id)
    .bind(text(&group, "displayName"))
    .bind(lookup_key(text(&group, "displayName").unwrap_or_default()))
    .bind(text(&group, "externalId"))
    .bind(now.as_millis() as i64)
    .execute(&mut **write)
    .await?;
    keep(write, by, &id, &BTreeSet::new(), &wanted(&group)?, now).await?;
    Ok(id)
}

/// Makes the group look like `group`.
///
/// # Errors
/// 400 for members that are no users here.
pub(in crate::directory::scim) async fn change(
    write: &mut Write,
    by: &Writer<'_>,
    before: &Group,
    group: Map<String, Value>,
) -> Result<(), Failure> {
    let (had, wanted) = (members(write, &before.id).await?, wanted(&group)?);
    let (name, external_id) = (text(&group, "displayName"), text(&group, "externalId"));
    let is_same = name == Some(before.display_name.as_str()) && external_id == before.external_id.as_deref();
    if is_same && had == wanted {
        return Ok(());
    }
    let now = clock::now();
    sqlx::query(
        "UPDATE scim_groups SET display_name = $1, name = $2, external_id = $3, updated_at = $4, version = version + 1
         WHERE id = $5",
    )
    .bind(name)
    .bind(lookup_key(name.unwrap_or_default()))
    .bind(external_id)
    .bind(now.as_millis() as i64)
    .bind(&before.id)
    .execute(&mut **write)
    .await?;
    keep(write, by, &before.id, &had, &wanted, now).await
}

/// Removes it.
pub(in crate::directory::scim) async fn remove(
    write: &mut Write,
    by: &Writer<'_>,
    id: &str,
) -> Result<(), Failure> {
    let had = members(write, id).await?;
    keep(write, by, id, &had, &BTreeSet::new(), clock::now()).await?;
    sqlx::query("DELETE FROM scim_groups WHERE id = $1").bind(id).execute(&mut **write).await?;
    Ok(())
}

/// Takes an account out of every group: whoever departed is in none, nor after a return.
pub(in crate::directory) async fn leave_all(write: &mut Write, account: &str) -> Result<(), sqlx::Error> {
    let touched = sqlx::query(
        "UPDATE scim_groups SET updated_at = $1, version = version + 1
         WHERE id IN (SELECT scim_group FROM scim_members WHERE account = $2)",
    );
    touched.bind(clock::now().as_millis() as i64).bind(account).execute(&mut **write).await?;
    sqlx::query("DELETE FROM scim_members WHERE account = $1").bind(account).execute(&mut **write).await?;
    Ok(())
}

/// Has those join and leave who have to.
async fn keep(
    write: &mut Write,
    by: &Writer<'_>,
    group: &str,
    had: &BTreeSet<String>,
    wanted: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Failure> {
    let sql = "DELETE FROM scim_members WHERE scim_group = $1 AND account = $2";
    for account in had.difference(wanted) {
        sqlx::query(sql).bind(group).bind(account).execute(&mut **write).await?;
        note(write, by, account, now).await?;
    }
    for account in wanted.difference(had) {
        let joined = sqlx::query(
            "INSERT INTO scim_members (scim_group, account)
             SELECT $1, id FROM accounts WHERE id = $2 AND state <> 'departed'",
        );
        let joined = joined.bind(group).bind(account).execute(&mut **write).await?;
        if joined.rows_affected() == 0 {
            return Err(Failure::value("members.value", "one of them is no user here"));
        }
        note(write, by, account, now).await?;
    }
    Ok(())
}

async fn note(write: &mut Write, by: &Writer<'_>, account: &str, at: Timestamp) -> Result<(), sqlx::Error> {
    let found = sqlx::query("SELECT subject_key FROM accounts WHERE id = $1").bind(account);
    let key: Option<String> = found.fetch_one(&mut **write).await?.try_get("subject_key")?;
    record(write, by, (account, key.as_deref()), Event::Drift, at, vec!["groups".to_owned()]).await.map(drop)
}

/// The ids of the members that are wanted.
fn wanted(group: &Map<String, Value>) -> Result<BTreeSet<String>, Failure> {
    let wanted = group.get("members").and_then(Value::as_array).into_iter().flatten();
    let id = |member: &Value| member.get("value").and_then(Value::as_str).map(str::to_owned);
    wanted.map(|member| id(member).ok_or_else(|| Failure::value("members.value", "is missing"))).collect()
}

fn text<'a>(group: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    group.get(name).and_then(Value::as_str)
}
