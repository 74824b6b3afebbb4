//! The calls under way, and what becomes of them when the context that made them goes.

use super::CallToken;
use crate::domain::{Call, CallId, Ticket};
use std::collections::HashMap;

/// Calls whose replies are awaited.
#[derive(Default)]
pub(super) struct Calls {
    under_way: HashMap<CallToken, Open>,
    /// Their replies will never come, so they are to be made once more.
    orphans: Vec<(CallId, Call)>,
}

struct Open {
    id: CallId,
    call: Call,
    /// The request in whose context it was made; `None` for the worker's own.
    owner: Option<Ticket>,
}

impl Calls {
    /// Notes that a call was made.
    pub(super) fn made(&mut self, token: CallToken, id: CallId, call: Call, owner: Option<Ticket>) {
        self.under_way.insert(token, Open { id, call, owner });
    }

    /// The reply is there.
    pub(super) fn replied(&mut self, token: CallToken) -> Option<(CallId, Call)> {
        self.under_way.remove(&token).map(|open| (open.id, open.call))
    }

    /// The calls whose replies are awaited.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Call> {
        self.under_way.values().map(|open| &open.call)
    }

    /// The request is over, and the proxy drops the replies of calls it made. Returns whether there are any.
    pub(super) fn orphan(&mut self, owner: Ticket) -> bool {
        let lost: Vec<_> = self.under_way.iter().filter(|(_, open)| open.owner == Some(owner)).collect();
        let lost: Vec<_> = lost.into_iter().map(|(token, _)| *token).collect();
        let lost = lost.iter().filter_map(|token| self.under_way.remove(token));
        let before = self.orphans.len();
        self.orphans.extend(lost.map(|open| (open.id, open.call)));
        self.orphans.len() > before
    }

    /// Takes the calls that are to be made once more.
    pub(super) fn take_orphans(&mut self) -> Vec<(CallId, Call)> {
        std::mem::take(&mut self.orphans)
    }
}
