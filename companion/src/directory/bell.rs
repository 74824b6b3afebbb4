//! Who waits for departures is woken when there is one, and when the directory is to stop.

use std::sync::Arc;
use tokio::sync::watch;

/// The bell of one process; clones are the same one.
#[derive(Clone)]
pub(super) struct Bell(Arc<watch::Sender<bool>>);

/// Hears every ring since it was made or waited for the last time.
pub(super) struct Ear(watch::Receiver<bool>);

impl Bell {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Wakes all who wait.
    pub(super) fn ring(&self) {
        self.0.send_modify(|_| ());
    }

    /// Wakes all who wait, for the last time.
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

impl Ear {
    /// Waits for the next ring; false if there is nothing more to wait for, as the directory stops.
    pub(super) async fn hear(&mut self) -> bool {
        !*self.0.borrow() && self.0.changed().await.is_ok() && !*self.0.borrow()
    }
}
