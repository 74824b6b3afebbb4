//! On and off, for an upstream: whoever turns it returns when the socket behind it has followed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whether an upstream can be connected to.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) wanted: bool,
    /// Whether the socket is open; `None` while nobody serves.
    pub(crate) open: Option<bool>,
}

impl Default for Switch {
    fn default() -> Self {
        Self { state: Mutex::new(State { wanted: true, open: None }), changed: Condvar::new() }
    }
}

impl Switch {
    pub(crate) fn is_on(&self) -> bool {
        self.lock().wanted
    }

    /// Turns it, and waits until the socket is open or closed accordingly.
    pub(crate) fn turn(&self, on: bool) {
        let mut state = self.lock();
        state.wanted = on;
        let lags = |state: &mut State| state.open.is_some_and(|open| open != on);
        let waited = self.changed.wait_timeout_while(state, Duration::from_secs(10), lags);
        let (_state, limit) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!limit.timed_out(), "a socket did not follow its switch");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
