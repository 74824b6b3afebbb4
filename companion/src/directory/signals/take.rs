//! What becomes of a verified token: all that it tells, and that it was taken, in one transaction.

use super::source::{Declined, Source};
use super::{Signals, attributes};
use crate::clock;
use crate::directory::change::{self, Because, Outcome};
use crate::directory::lifecycle::{Action, Cause, State};
use crate::directory::store::Write;
use firstsight::domain::{Subject, Timestamp};
use firstsight::token::EventToken;
use firstsight::wire::signals::{Change, Meaning, Signal, signals};
use sqlx::Row;
use uuid::Uuid;

/// A token on its way into the database.
pub(super) struct Taking<'a> {
    pub(super) source: &'a Source,
    pub(super) token: &'a EventToken,
    pub(super) signal: &'a Signal,
    new_accounts: State,
}

/// Takes it. One that was taken before changes nothing, and neither does what is not about an account.
///
/// # Errors
/// `access_denied` if it is only about subjects of which its transmitter may not speak.
pub(super) async fn take(listening: &Signals, source: &Source, token: &EventToken) -> Result<(), Declined> {
    let mut write = None;
    for signal in &signals(token.members(), &source.critical) {
        let subjects = whom(source, signal)?;
        if subjects.is_empty() {
            continue;
        }
        if write.is_none() {
            let mut begun = listening.store.write().await?;
            if !is_new(&mut begun, source, token).await? {
                return Ok(());
            }
            write = Some(begun);
        }
        let Some(write) = &mut write else { continue };
        let taking = Taking { source, token, signal, new_accounts: listening.new_accounts };
        for subject in &subjects {
            taking.bring_about(write, subject).await?;
        }
    }
    if let Some(write) = write {
        write.commit().await?;
    }
    Ok(())
}

/// The subjects of which a signal tells anything that matters here; says of the others that there is nothing to do.
fn whom(source: &Source, signal: &Signal) -> Result<Vec<Subject>, Declined> {
    let source_name = &source.name;
    match &signal.meaning {
        Meaning::Nothing => return Ok(Vec::new()),
        Meaning::Verification(_) => {
            tracing::info!(source = source_name, "its stream of signals works");
            return Ok(Vec::new());
        }
        Meaning::StreamUpdated(status) => {
            let enabled = status.as_deref() == Some("enabled");
            tracing::warn!(source = source_name, enabled, "its stream of signals was changed");
            return Ok(Vec::new());
        }
        Meaning::Change(_) | Meaning::Identifier(_) | Meaning::Attributes(_) => {}
    }
    let Some(named) = &signal.about else {
        tracing::warn!(
            source = source_name,
            "an event was discarded: part of its subject is critical and not understood"
        );
        return Ok(Vec::new());
    };
    let (subjects, others) = source.subjects_of(named);
    if subjects.is_empty() && others {
        let what = "it is about subjects of another issuer";
        return Err(Declined::Refused("access_denied", what.to_owned()));
    }
    if subjects.is_empty() {
        tracing::info!(source = source_name, "an event names nobody by issuer and sub: nothing was done");
    }
    Ok(subjects)
}

/// Notes that it is taken; false if it was before. Forgets those that would be refused for their age by now.
async fn is_new(write: &mut Write, source: &Source, token: &EventToken) -> Result<bool, sqlx::Error> {
    let now = clock::now();
    let kept = source.terms.max_age + source.terms.clock_skew;
    // From now or from its own time, whichever is later; a second more, as neither end is the clock's.
    let until = now.max(token.issued_at()).after(kept).after(std::time::Duration::from_secs(1));
    let forgotten = sqlx::query("DELETE FROM signals_taken WHERE until < $1").bind(now.as_millis() as i64);
    forgotten.execute(&mut **write).await?;
    let noted = sqlx::query(
        "INSERT INTO signals_taken (issuer, id, until) VALUES ($1, $2, $3) ON CONFLICT (issuer, id) DO NOTHING",
    )
    .bind(source.terms.issuer.as_str())
    .bind(token.id())
    .bind(until.as_millis() as i64)
    .execute(&mut **write)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// An account as signals see it.
struct Found {
    id: String,
    state: State,
    /// When the newest signal was made that shut or opened it.
    signalled_at: Option<Timestamp>,
    /// Whether a gateway ever sighted its subject.
    arrived: bool,
    /// Whether the source was the last who shut or opened it.
    by_source: bool,
}

impl Taking<'_> {
    async fn bring_about(&self, write: &mut Write, subject: &Subject) -> Result<(), sqlx::Error> {
        match &self.signal.meaning {
            Meaning::Change(change) => self.change(write, subject, *change).await,
            Meaning::Identifier(new) => {
                attributes::apply(write, self, subject, |attributes| {
                    attributes::replace(attributes, self.signal.about.as_ref(), new);
                })
                .await
            }
            Meaning::Attributes(resource) => {
                attributes::apply(write, self, subject, |attributes| {
                    attributes::take_over(attributes, resource)
                })
                .await
            }
            Meaning::Verification(_) | Meaning::StreamUpdated(_) | Meaning::Nothing => Ok(()),
        }
    }

    async fn change(&self, write: &mut Write, subject: &Subject, change: Change) -> Result<(), sqlx::Error> {
        let action = match change {
            Change::Disable => Action::Disable,
            Change::Enable => Action::Enable,
            Change::Depart => Action::Depart,
            Change::Revoke => Action::Revoke,
        };
        let account = match self.find(write, subject).await? {
            Some(account) if self.may(&account, change) => account,
            // Whoever is shut out before the first arrival is refused when it comes.
            None if matches!(change, Change::Disable | Change::Depart) => make(write, subject).await?,
            _ => return Ok(()),
        };
        let why = self.why();
        let because = Because { cause: Cause::Signal, actor: &self.source.name, reason: Some(&why) };
        let outcome = change::apply(write, &account.id, action, &because).await?;
        if matches!(outcome, Outcome::Is(_)) && change != Change::Revoke {
            let newest = account.signalled_at.max(Some(self.token.issued_at()));
            sqlx::query("UPDATE accounts SET signalled_at = $1 WHERE id = $2")
                .bind(newest.map(|at| at.as_millis() as i64))
                .bind(&account.id)
                .execute(&mut **write)
                .await?;
        }
        Ok(())
    }

    /// Whether this signal may do that. What shuts for good or ends sessions always may. Otherwise the newest signal has the
    /// last word, as transmitters try again, in any order. An account is opened only by who shut it: what an administrator
    /// or another transmitter did stands; and only into the state in which the account would have been made.
    fn may(&self, account: &Found, change: Change) -> bool {
        let is_newest = account.signalled_at <= Some(self.token.issued_at());
        match change {
            Change::Revoke | Change::Depart => true,
            Change::Disable => is_newest,
            Change::Enable => {
                let as_new = account.arrived || self.new_accounts == State::Active;
                is_newest && account.state == State::Disabled && account.by_source && as_new
            }
        }
    }

    /// For the audit: the event in a word, and the transmitter's reason.
    pub(super) fn why(&self) -> String {
        match &self.signal.reason {
            Some(reason) => format!("{}: {reason}", self.signal.word()),
            None => self.signal.word().to_owned(),
        }
    }

    async fn find(&self, write: &mut Write, subject: &Subject) -> Result<Option<Found>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.state, accounts.signalled_at, accounts.gateway, audit.cause, audit.actor
             FROM accounts LEFT JOIN audit ON audit.sequence = accounts.departure_record
             WHERE accounts.issuer = $1 AND accounts.subject = $2",
        )
        .bind(subject.issuer.as_str())
        .bind(subject.id.as_str())
        .fetch_optional(&mut **write)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let signalled_at: Option<i64> = row.try_get("signalled_at")?;
        let (cause, actor): (Option<String>, Option<String>) = (row.try_get("cause")?, row.try_get("actor")?);
        Ok(Some(Found {
            id: row.try_get("id")?,
            state: State::of(&row)?,
            signalled_at: signalled_at.and_then(|at| u64::try_from(at).ok()).map(Timestamp::from_millis),
            arrived: !row.try_get::<String, _>("gateway")?.is_empty(),
            by_source: cause.as_deref() == Some(Cause::Signal.word())
                && actor.as_ref() == Some(&self.source.name),
        }))
    }
}

/// An account of somebody whom no gateway has sighted, to be shut at once.
async fn make(write: &mut Write, subject: &Subject) -> Result<Found, sqlx::Error> {
    let (id, now) = (Uuid::now_v7().to_string(), clock::now());
    sqlx::query(
        "INSERT INTO accounts
           (id, issuer, subject, subject_key, kind, attributes, mapping, gateway, created_at, updated_at,
            state, state_since)
         VALUES ($1, $2, $3, $4, 'person', '{}', '', '', $5, $5, $6, $5)",
    )
    .bind(&id)
    .bind(subject.issuer.as_str())
    .bind(subject.id.as_str())
    .bind(subject.key().to_string())
    .bind(now.as_millis() as i64)
    .bind(State::Pending.word())
    .execute(&mut **write)
    .await?;
    Ok(Found { id, state: State::Pending, signalled_at: None, arrived: false, by_source: false })
}
