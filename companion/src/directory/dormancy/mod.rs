//! Dormancy: whoever does not use an account for long is put up for review, warned of, and disabled, as far as the settings
//! say so. Marks are no states: the lifecycle hears of dormancy only when an account is disabled.

mod command;
mod mark;
mod queue;
mod rule;
mod settings;
mod sweep;
mod walk;

use super::store::Store;
use crate::clock;
pub(crate) use command::{Command, run};
use firstsight::domain::Timestamp;
use mark::time;
pub(super) use mark::{Mark, wake};
pub(super) use queue::{deciding, keep_as_it_is, last_sweep, marked, reading};
pub(super) use rule::Rules;
use serde::Serialize;
use sqlx::any::AnyRow;
use std::sync::Arc;
use sweep::{Held, Order};
use tokio::task::AbortHandle;

/// Sweeps whenever one is due, until it is dropped.
pub(super) struct Sweeper(Option<AbortHandle>);

impl Sweeper {
    /// Begins, if there is anything to do.
    pub(super) fn start(store: Store, rules: Arc<Rules>) -> Self {
        let sweeping = rules.are_set().then(|| tokio::spawn(sweep_for_ever(store, rules)));
        Self(sweeping.map(|sweeping| sweeping.abort_handle()))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // What is not committed then is done another time.
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn sweep_for_ever(store: Store, rules: Arc<Rules>) {
    loop {
        if let Err(error) = sweep_if_due(&store, &rules).await {
            tracing::error!("the database: {error}");
        }
        tokio::time::sleep(rules.every).await;
    }
}

async fn sweep_if_due(store: &Store, rules: &Rules) -> Result<(), sqlx::Error> {
    if !sweep::claim(store, rules, clock::now()).await? {
        return Ok(());
    }
    let order = Order { actor: "sweeper", forced: false, listed: 0 };
    match sweep::sweep(store, rules, &order).await?.held {
        None => {}
        Some(Held::StaleSightings) => {
            tracing::warn!("nobody counts as dormant: no gateway told of any sighting lately");
        }
        Some(Held::MostAtOnce) => {
            tracing::warn!("nobody was disabled: it would be too many at once; somebody has to confirm it");
        }
    }
    Ok(())
}

/// What is told of a marked account.
#[derive(Debug, Serialize)]
pub(super) struct Dormancy {
    pub(super) mark: Mark,
    /// RFC 3339, UTC, as all times here.
    pub(super) marked_at: Option<String>,
    /// A time at which the account was in use.
    pub(super) active_at: Option<String>,
    /// When it is disabled if nobody uses it; only where the queue is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disables_at: Option<String>,
}

/// What an account's row says of it; nothing if it is not marked.
pub(super) fn told(row: &AnyRow) -> Result<Option<Dormancy>, sqlx::Error> {
    let mark = Mark::of(row)?;
    if mark == Mark::Awake {
        return Ok(None);
    }
    let at = |column| Ok::<_, sqlx::Error>(time(row, column)?.map(Timestamp::rfc3339));
    let (marked_at, active_at) = (at("marked_at")?, at("active_at")?);
    Ok(Some(Dormancy { mark, marked_at, active_at, disables_at: None }))
}
