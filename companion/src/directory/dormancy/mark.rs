//! What dormancy made of an account, in its row: a mark, which is no state, and is told to no gateway.

use crate::clock;
use crate::directory::audit::{self, Entry};
use crate::directory::lifecycle::{Cause, Event};
use crate::directory::store::Write;
use firstsight::domain::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// What was found, and not settled by anybody yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::directory) enum Mark {
    /// Nothing.
    Awake,
    /// It was not used for long: somebody is to look at it.
    Review,
    /// It is to be disabled soon.
    Warned,
    /// It was disabled, as it was not used.
    Disabled,
    /// It was disabled, and somebody wanted to use it since.
    Knocked,
    /// It had been marked, and is used again.
    Returned,
}

impl Mark {
    const ALL: [Self; 6] =
        [Self::Awake, Self::Review, Self::Warned, Self::Disabled, Self::Knocked, Self::Returned];

    /// Whether it waits for somebody to use the account, or to disable it.
    pub(super) const fn is_dormant(self) -> bool {
        matches!(self, Self::Review | Self::Warned)
    }

    /// Whether it becomes another one when the account is used.
    pub(in crate::directory) const fn is_asleep(self) -> bool {
        self.is_dormant() || matches!(self, Self::Disabled)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Awake => "awake",
            Self::Review => "review",
            Self::Warned => "warned",
            Self::Disabled => "disabled",
            Self::Knocked => "knocked",
            Self::Returned => "returned",
        }
    }

    /// The mark in an account's row.
    pub(in crate::directory) fn of(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let word: String = row.try_get("dormancy")?;
        let found = Self::ALL.into_iter().find(|mark| mark.word() == word);
        found.ok_or_else(|| sqlx::Error::Decode(format!("{word} is no mark").into()))
    }
}

/// Marks an account that was not used since `quiet_since`.
pub(super) async fn set(
    write: &mut Write,
    account: &str,
    mark: Mark,
    quiet_since: Timestamp,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let set = sqlx::query("UPDATE accounts SET dormancy = $1, marked_at = $2, active_at = $3 WHERE id = $4");
    let set = set.bind(mark.word()).bind(now.as_millis() as i64).bind(quiet_since.as_millis() as i64);
    set.bind(account).execute(&mut **write).await.map(drop)
}

/// Somebody uses an account that is marked as asleep: that is noted once, for whoever looks after it. `gateway` is the one
/// that sighted them, and the digest of its mapping; without one it was sighted at `last_seen`.
pub(in crate::directory) async fn wake(
    write: &mut Write,
    account: &str,
    cause: Cause,
    gateway: Option<(&str, &str)>,
) -> Result<(), sqlx::Error> {
    let found = sqlx::query("SELECT subject_key, dormancy, active_at, last_seen FROM accounts WHERE id = $1");
    let found = found.bind(account).fetch_one(&mut **write).await?;
    let now = clock::now();
    let seen = if gateway.is_some() { Some(now) } else { time(&found, "last_seen")? };
    let quiet_since = time(&found, "active_at")?;
    // Batches come late: one may tell of a time before the account was last known to be used.
    let Some(seen) = seen.filter(|seen| Some(*seen) > quiet_since) else { return Ok(()) };
    let mark = match Mark::of(&found)? {
        Mark::Review | Mark::Warned => Mark::Returned,
        Mark::Disabled => Mark::Knocked,
        Mark::Awake | Mark::Knocked | Mark::Returned => return Ok(()),
    };
    set(write, account, mark, seen, now).await?;
    let quiet_since = quiet_since.map(Timestamp::rfc3339).unwrap_or_default();
    let entry = Entry {
        at: now,
        account,
        subject_key: found.try_get("subject_key")?,
        event: Event::DormantReturn,
        cause,
        actor: "gateway",
        gateway,
        attributes: Vec::new(),
        reason: Some(&format!("used at {}, for the first time since {quiet_since}", seen.rfc3339())),
    };
    audit::append(write, &entry).await?;
    tracing::info!(account, mark = mark.word(), "somebody who was dormant is back");
    Ok(())
}

/// A time in an account's row.
pub(super) fn time(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    let millis: Option<i64> = row.try_get(column)?;
    Ok(millis.map(|millis| Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())))
}
