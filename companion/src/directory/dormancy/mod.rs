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
pub(super) use queue::{deciding, reading};
pub(super) use rule::Rules;
use serde_json::{Value, json};
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

/// What an account's row says of it; null if it is not marked.
pub(super) fn told(row: &AnyRow) -> Result<Value, sqlx::Error> {
    let mark = Mark::of(row)?;
    if mark == Mark::Awake {
        return Ok(Value::Null);
    }
    let at = |column| Ok::<_, sqlx::Error>(time(row, column)?.map(Timestamp::rfc3339));
    Ok(json!({"mark": mark, "marked_at": at("marked_at")?, "active_at": at("active_at")?}))
}
