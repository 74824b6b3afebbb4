//! Where arrivals queue that have something to write. A commit waits for the disk, and whoever comes meanwhile shares the
//! next one: so many accounts a second are made as the disk alone would not allow.

use super::arrivals::{self, Settled};
use super::lifecycle::State;
use super::problem::Problem;
use super::store::Store;
use firstsight::wire::Arrival;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The most arrivals in one transaction: others wait for the lock meanwhile.
const LARGEST_BATCH: usize = 200;

/// The end of the queue; clones are of the same one.
#[derive(Clone)]
pub(super) struct Desk(mpsc::Sender<Call>);

/// An arrival, and who waits for what becomes of it.
struct Call {
    arrival: Arrival,
    /// Who reported it.
    actor: String,
    answer: oneshot::Sender<Settled>,
}

impl Desk {
    /// Opens it, for as long as there is a clone of it; then the task ends, when nothing is queued any more. Accounts are
    /// made in the state `new_accounts`.
    pub(super) fn open(store: Store, new_accounts: State) -> (Self, JoinHandle<()>) {
        let (queue, mut calls) = mpsc::channel(LARGEST_BATCH);
        let task = tokio::spawn(async move {
            let mut batch = Vec::new();
            while calls.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
                if let Err(error) = settle(&store, new_accounts, &mut batch).await {
                    // Those in the batch that have no answer are told that there is none.
                    tracing::error!("the database: {error}");
                    batch.clear();
                }
            }
        });
        (Self(queue), task)
    }

    /// What became of an arrival, once that is on the disk.
    ///
    /// # Errors
    /// If the database cannot be written to right now.
    pub(super) async fn settle(&self, arrival: Arrival, actor: String) -> Result<Settled, Problem> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { arrival, actor, answer }).await.map_err(|_| Problem::store_unavailable())?;
        answered.await.map_err(|_| Problem::store_unavailable())
    }
}

/// All of a batch in one transaction; answers are given after the commit.
async fn settle(store: &Store, new_accounts: State, batch: &mut Vec<Call>) -> Result<(), sqlx::Error> {
    let mut write = store.write().await?;
    let mut settled = Vec::with_capacity(batch.len());
    for call in &*batch {
        settled.push(arrivals::settle(&mut write, new_accounts, &call.arrival, &call.actor).await?);
    }
    write.commit().await?;
    for (call, settled) in batch.drain(..).zip(settled) {
        // Whoever gave up waiting asks again, and finds the account.
        call.answer.send(settled).ok();
    }
    Ok(())
}
