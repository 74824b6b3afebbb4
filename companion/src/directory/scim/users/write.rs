//! Making, changing and closing accounts for SCIM clients. Every change has its record in the audit; a change of state goes
//! the way of all others.

use super::Account;
use crate::clock;
use crate::directory::audit::{self, Entry};
use crate::directory::change::{self, Because};
use crate::directory::lifecycle::{Action, Cause, Event, State};
use crate::directory::profile::{differences, lookup_key};
use crate::directory::scim::failure::Failure;
use crate::directory::scim::resources::Writer;
use crate::directory::scim::schema::ResourceType;
use crate::directory::store::Write;
use firstsight::domain::{Subject, Timestamp};
use firstsight::wire::scim::is_reserved;
use scim_v2::models::errors::ScimType;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Makes a user of what a client wrote; returns its id. Whoever departed and is made anew has the same account again:
/// whoever provisions decided that.
///
/// # Errors
/// 409 if somebody else has its user name, or its subject.
pub(in crate::directory::scim) async fn create(
    write: &mut Write,
    by: &Writer<'_>,
    mut user: Map<String, Value>,
) -> Result<String, Failure> {
    let external_id = text(user.remove("externalId"));
    let active = user.remove("active") != Some(Value::Bool(false));
    let subject = external_id.as_deref().and_then(|id| by.site.names().subject(id));
    if let Some(known) = holder(write, external_id.as_deref(), subject.as_ref()).await? {
        if known.state != State::Departed {
            return Err(Failure::taken("externalId"));
        }
        name_is_free(write, &user, &known.id).await?;
        act(write, by, &known.id, Action::Return).await?;
        let returned = Account { state: State::Active, ..known };
        let id = returned.id.clone();
        store(write, by, &returned, external_id, user).await?;
        set_active(write, by, &id, State::Active, active).await?;
        return Ok(id);
    }
    let (id, now) = (Uuid::now_v7().to_string(), clock::now());
    name_is_free(write, &user, &id).await?;
    let key = subject.as_ref().map(|subject| subject.key().to_string());
    let names: Vec<_> = user.keys().cloned().collect();
    sqlx::query(
        "INSERT INTO accounts
           (id, issuer, subject, subject_key, kind, attributes, created_at, updated_at, state, state_since,
            external_id, user_name, owned)
         VALUES ($1, $2, $3, $4, 'person', $5, $6, $6, $7, $6, $8, $9, $10)",
    )
    .bind(&id)
    .bind(subject.as_ref().map(|subject| subject.issuer.as_str().to_owned()))
    .bind(subject.as_ref().map(|subject| subject.id.as_str().to_owned()))
    .bind(&key)
    .bind(Value::Object(user.clone()).to_string())
    .bind(now.as_millis() as i64)
    .bind(State::Active.word())
    .bind(external_id)
    .bind(lookup_key(name_of(&user)))
    .bind(json!(names).to_string())
    .execute(&mut **write)
    .await?;
    let names = differences(&Map::new(), &user);
    record(write, by, (&id, key.as_deref()), Event::Arrival, now, names).await?;
    set_active(write, by, &id, State::Active, active).await?;
    Ok(id)
}

/// Makes the user look like `user`, where it does not. Whether it is active stays as it is unless that is said.
///
/// # Errors
/// 409 if somebody else has its user name, or its subject; 400 if its external id would name another subject.
pub(in crate::directory::scim) async fn change(
    write: &mut Write,
    by: &Writer<'_>,
    before: &Account,
    mut user: Map<String, Value>,
) -> Result<(), Failure> {
    let external_id = text(user.remove("externalId"));
    let active = user.remove("active").and_then(|active| active.as_bool());
    // Arrivals bring names that somebody has: they stay, whatever else is changed.
    if name_of(&user) != name_of(&before.writable()) {
        name_is_free(write, &user, &before.id).await?;
    }
    store(write, by, before, external_id, user).await?;
    match active {
        Some(active) => set_active(write, by, &before.id, before.state, active).await,
        None => Ok(()),
    }
}

/// Closes it.
pub(in crate::directory::scim) async fn depart(
    write: &mut Write,
    by: &Writer<'_>,
    id: &str,
) -> Result<(), Failure> {
    act(write, by, id, Action::Depart).await
}

/// Writes what became different, and who it is about if that is known now.
async fn store(
    write: &mut Write,
    by: &Writer<'_>,
    before: &Account,
    external_id: Option<String>,
    user: Map<String, Value>,
) -> Result<(), Failure> {
    // What it shows by itself is no name that a client gave it.
    let external_id = external_id
        .filter(|id| before.external_id.is_some() || before.external_id(by.site).as_ref() != Some(id));
    let found = link(write, by, before, external_id.as_deref()).await?;
    let had = before.writable();
    let mut names = differences(&had, &user);
    if external_id != before.external_id {
        names.push("externalId".to_owned());
    }
    if names.is_empty() {
        return Ok(());
    }
    let mut owned = before.owned.clone();
    let written = had.keys().chain(user.keys()).filter(|name| had.get(*name) != user.get(*name));
    for name in written {
        if !owned.contains(name) {
            owned.push(name.clone());
        }
    }
    let name = lookup_key(name_of(&user));
    let mut attributes = before.attributes.clone();
    attributes.retain(|name, _| !ResourceType::User.writes(name) || is_reserved(name));
    attributes.extend(user);
    let now = clock::now();
    let key = found.as_ref().map(|subject| subject.key().to_string());
    sqlx::query(
        "UPDATE accounts
         SET attributes = $1, owned = $2, user_name = $3, external_id = $4, updated_at = $5,
             issuer = coalesce(issuer, $6), subject = coalesce(subject, $7), subject_key = coalesce(subject_key, $8)
         WHERE id = $9",
    )
    .bind(Value::Object(attributes).to_string())
    .bind(json!(owned).to_string())
    .bind(name)
    .bind(external_id)
    .bind(now.as_millis() as i64)
    .bind(found.as_ref().map(|subject| subject.issuer.as_str().to_owned()))
    .bind(found.as_ref().map(|subject| subject.id.as_str().to_owned()))
    .bind(&key)
    .bind(&before.id)
    .execute(&mut **write)
    .await?;
    let key = before.subject.as_ref().map(|(_, _, key)| key.as_str()).or(key.as_deref());
    let sequence = record(write, by, (&before.id, key), Event::Drift, now, names).await?;
    // Gateways hear of whoever is shut once they can know who it is.
    if found.is_some() && before.state.is_shut() {
        let place = sqlx::query("UPDATE accounts SET departure_record = $1 WHERE id = $2");
        place.bind(sequence).bind(&before.id).execute(&mut **write).await?;
        write.tell_departures();
    }
    Ok(())
}

/// The subject that an account without one is of, by its new external id.
///
/// # Errors
/// 409 if another account is of it; 400 `mutability` if the account is of another subject: that never changes.
async fn link(
    write: &mut Write,
    by: &Writer<'_>,
    account: &Account,
    external_id: Option<&str>,
) -> Result<Option<Subject>, Failure> {
    let subject = external_id.and_then(|id| by.site.names().subject(id));
    match (&account.subject, subject) {
        (_, None) => Ok(None),
        (Some((_, _, key)), Some(subject))
            if *key == subject.key().to_string() || external_id == Some(key) =>
        {
            Ok(None)
        }
        (Some(_), Some(_)) => {
            let detail = "externalId: it names another subject, and an account is of one subject for ever";
            Err(Failure::bad(ScimType::Mutability, detail))
        }
        (None, Some(subject)) => match holder(write, external_id, Some(&subject)).await? {
            Some(_) => Err(Failure::taken("externalId")),
            None => Ok(Some(subject)),
        },
    }
}

/// The account that is of this subject, or whose subject's key this is.
async fn holder(
    write: &mut Write,
    external_id: Option<&str>,
    subject: Option<&Subject>,
) -> Result<Option<Account>, sqlx::Error> {
    let Some(external_id) = external_id else { return Ok(None) };
    let key = subject.map(|subject| subject.key().to_string());
    let query =
        sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {} WHERE subject_key IN ($1, $2)", super::ROWS)));
    let found = query.bind(external_id.to_owned()).bind(key.unwrap_or_default());
    found.fetch_optional(&mut **write).await?.as_ref().map(Account::read).transpose()
}

/// # Errors
/// 409 if somebody else who is there has the user name (RFC 7643 §4.1.1).
async fn name_is_free(write: &mut Write, user: &Map<String, Value>, id: &str) -> Result<(), Failure> {
    let others = sqlx::query(
        "SELECT id FROM accounts WHERE user_name = $1 AND id <> $2 AND state <> 'departed' LIMIT 1",
    );
    let other =
        others.bind(lookup_key(name_of(user))).bind(id.to_owned()).fetch_optional(&mut **write).await?;
    if other.is_some() { Err(Failure::taken("userName")) } else { Ok(()) }
}

/// Whoever waits is approved, whoever is shut is let in again, and the other way round whoever is in is shut.
async fn set_active(
    write: &mut Write,
    by: &Writer<'_>,
    id: &str,
    state: State,
    active: bool,
) -> Result<(), Failure> {
    let action = match (state, active) {
        (State::Pending, true) => Action::Approve,
        (State::Disabled, true) => Action::Enable,
        (State::Active, false) => Action::Disable,
        _ => return Ok(()),
    };
    act(write, by, id, action).await
}

async fn act(write: &mut Write, by: &Writer<'_>, id: &str, action: Action) -> Result<(), Failure> {
    let because = Because { cause: Cause::Scim, actor: by.actor, reason: None };
    change::apply(write, id, action, &because).await?;
    Ok(())
}

/// Notes in the audit what became different of an account with this id and key.
pub(in crate::directory::scim) async fn record(
    write: &mut Write,
    by: &Writer<'_>,
    (account, key): (&str, Option<&str>),
    event: Event,
    at: Timestamp,
    attributes: Vec<String>,
) -> Result<i64, sqlx::Error> {
    let entry = Entry {
        at,
        account,
        subject_key: key.unwrap_or_default(),
        event,
        cause: Cause::Scim,
        actor: by.actor,
        gateway: None,
        attributes,
        reason: None,
    };
    audit::append(write, &entry).await
}

fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| value.as_str().map(str::to_owned))
}

fn name_of(user: &Map<String, Value>) -> &str {
    user.get("userName").and_then(Value::as_str).unwrap_or_default()
}
