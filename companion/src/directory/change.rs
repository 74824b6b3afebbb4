//! A change of an account's state: the account, its record in the audit and its place in the feed of departures, together.
//! Whoever changes a state, for whatever cause, does it through here.

use super::audit::{self, Entry};
use super::lifecycle::{Action, Cause, State};
use super::scim;
use super::store::Write;
use crate::clock;
use sqlx::Row;

/// Why it is done, and by whom.
pub(super) struct Because<'a> {
    pub(super) cause: Cause,
    pub(super) actor: &'a str,
    pub(super) reason: Option<&'a str>,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The account is in the state now; nothing was written if it had been before, unless the action is one that repeats.
    Is(State),
    /// No way leads from the account's state.
    Stays(State),
    /// There is no such account.
    Unknown,
}

/// Does it, as part of a change that is to be committed.
pub(super) async fn apply(
    write: &mut Write,
    account: &str,
    action: Action,
    because: &Because<'_>,
) -> Result<Outcome, sqlx::Error> {
    let found = sqlx::query("SELECT subject_key, state FROM accounts WHERE id = $1").bind(account);
    let Some(found) = found.fetch_optional(&mut **write).await? else { return Ok(Outcome::Unknown) };
    let before: State = State::of(&found)?;
    let Some(after) = before.after(action) else { return Ok(Outcome::Stays(before)) };
    if after == before && !action.repeats() {
        return Ok(Outcome::Is(after));
    }
    let now = clock::now();
    let key: Option<String> = found.try_get("subject_key")?;
    let entry = Entry {
        at: now,
        account,
        subject_key: key.as_deref().unwrap_or_default(),
        event: action.event(),
        cause: because.cause,
        actor: because.actor,
        gateway: None,
        attributes: Vec::new(),
        reason: because.reason,
    };
    let record = audit::append(write, &entry).await?;
    sqlx::query(
        "UPDATE accounts SET state = $1, state_since = coalesce($2, state_since),
                             departure_record = coalesce($3, departure_record),
                             dormancy = CASE WHEN $2 IS NULL THEN dormancy ELSE 'awake' END,
                             marked_at = CASE WHEN $2 IS NULL THEN marked_at END
         WHERE id = $4",
    )
    .bind(after.word())
    .bind((after != before).then_some(now.as_millis() as i64))
    .bind(action.is_told().then_some(record))
    .bind(account)
    .execute(&mut **write)
    .await?;
    if action.is_told() {
        write.tell_departures();
    }
    if after == State::Departed {
        scim::leave_all(write, account).await?;
    }
    Ok(Outcome::Is(after))
}
