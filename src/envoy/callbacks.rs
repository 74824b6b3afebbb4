//! Callbacks that the proxy does not make. A list of capabilities may withhold any of them, and then nobody says a word:
//! without `proxy_on_request_headers` every request would pass unseen. So each is expected after what it must follow, and
//! what does not come is told. One that has come is not withheld, and is not looked after any more.

use super::host::{self, Proxy};
use crate::domain::Timestamp;
use crate::filter::{Host, Level};
use std::cell::Cell;
use std::time::Duration;

/// A timer that is due may be late on a busy worker, but not by this much.
const LATEST_TICK: Duration = Duration::from_secs(5);
/// A call is over after its time-out, and its reply is delivered after no more than this.
const LATEST_REPLY: Duration = Duration::from_secs(1);

/// The callbacks of one worker's plugin whose absence can be noticed from here.
pub(super) struct Callbacks {
    configure: Callback,
    tick: Callback,
    request_headers: Callback,
    http_call_response: Callback,
    done: Callback,
    delete: Callback,
    /// The SDK drops the reply to a call that a request made, if that ends before; so nothing is expected of those.
    in_request: Cell<bool>,
}

impl Default for Callbacks {
    fn default() -> Self {
        let named = |name| Callback { name, state: Cell::new(State::NotExpected) };
        Self {
            configure: named("proxy_on_configure"),
            tick: named("proxy_on_tick"),
            request_headers: named("proxy_on_request_headers"),
            http_call_response: named("proxy_on_http_call_response"),
            done: named("proxy_on_done"),
            delete: named("proxy_on_delete"),
            in_request: Cell::new(false),
        }
    }
}

impl Callbacks {
    /// The plugin is configured, and its timer set.
    pub(super) fn configured(&self) {
        self.configure.came();
        self.tick.expect(LATEST_TICK);
    }

    /// The timer fired.
    pub(super) fn ticked(&self) {
        self.in_request.set(false);
        self.tick.came();
        self.look();
    }

    /// A request has come as far as this filter, or an access log has come to one that never will. `false` if its headers
    /// will not be shown either: it goes nowhere.
    pub(super) fn begins(&self) -> bool {
        self.look();
        self.request_headers.state.get() != State::Withheld || host::is_over()
    }

    /// There is a request, and no configuration.
    pub(super) fn begins_unconfigured(&self) {
        self.configure.tell();
    }

    /// The headers of a request are there.
    pub(super) fn shows_headers(&self) {
        self.in_request.set(true);
        self.request_headers.came();
    }

    /// A call was made that ends after `timeout`.
    pub(super) fn calls(&self, timeout: Duration) {
        if !self.in_request.get() {
            self.http_call_response.expect(timeout.saturating_add(LATEST_REPLY));
        }
    }

    /// A reply was delivered.
    pub(super) fn replied(&self) {
        self.http_call_response.came();
    }

    /// A request is over. One that a filter before this one answered has shown no headers either, but it got nowhere.
    pub(super) fn done(&self) {
        self.done.came();
        self.delete.expect(Duration::ZERO);
        if self.request_headers.state.get() == State::NotExpected && host::was_forwarded() {
            self.request_headers.tell();
        }
    }

    /// It may be forgotten.
    pub(super) fn deleted(&self) {
        self.delete.came();
        if self.done.state.get() == State::NotExpected {
            self.done.tell();
        }
    }

    /// Tells of what is overdue.
    fn look(&self) {
        for callback in [&self.tick, &self.http_call_response, &self.delete] {
            if let State::Expected { until } = callback.state.get()
                && until <= host::now()
            {
                callback.tell();
            }
        }
    }
}

/// One callback.
struct Callback {
    name: &'static str,
    state: Cell<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotExpected,
    Expected { until: Timestamp },
    Came,
    Withheld,
}

impl Callback {
    fn expect(&self, within: Duration) {
        if self.state.get() == State::NotExpected {
            self.state.set(State::Expected { until: host::now().after(within) });
        }
    }

    fn came(&self) {
        self.state.set(State::Came);
    }

    /// It is withheld.
    fn tell(&self) {
        if self.state.replace(State::Withheld) != State::Withheld {
            host::log(
                Level::Error,
                &format!("the proxy withholds {}: allow it in capability_restriction_config", self.name),
            );
            Proxy::default().count("firstsight.withheld", 1);
        }
    }
}
