//! Which states an account can be in, and which ways lead from one to another. Knows neither HTTP nor any query.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It waits for approval.
    Pending,
    /// It may be used.
    Active,
    /// It may not be used for now.
    #[value(skip)]
    Disabled,
    /// Whoever it was for is gone. Its row stays, so that nobody gets it anew.
    #[value(skip)]
    Departed,
}

/// What can be done to an account, other than by an arrival: that never changes the state of one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Lets in whoever waits.
    Approve,
    /// Shuts it for now.
    Disable,
    /// Opens it again.
    Enable,
    /// Closes it for good.
    Depart,
    /// Opens it again after all.
    Return,
    /// Leaves it as it is, but no token of before works any more.
    Revoke,
}

/// What became of an account, in the audit's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// It was made.
    Arrival,
    /// Its attributes, kind or mapping became others.
    Drift,
    /// See [`Action`]: one word for what is done, one for what was.
    Approval,
    Disable,
    Enable,
    Departure,
    Return,
    /// It was not used for long, and somebody is to look at it.
    DormantReview,
    /// It was not used for long, and is to be disabled.
    DormantWarning,
    /// Somebody uses, or wants to use, what was one of these or disabled as it was not used.
    DormantReturn,
    /// Somebody looked at what was dormant, and it stays as it is.
    Keep,
    Revocation,
}

/// Through what it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A gateway sighted somebody.
    Gateway(firstsight::wire::Cause),
    /// A gateway told whom it served.
    Sighting,
    /// Somebody decided it.
    Admin,
    /// It was not used for as long as the settings say.
    Dormancy,
    /// A SCIM client wrote it.
    Scim,
    /// A transmitter of security events told of it.
    Signal,
}

impl State {
    pub(super) const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Disabled, Self::Departed];

    /// The state after an action, which may be the same; `None` if there is no such way.
    pub(super) const fn after(self, action: Action) -> Option<Self> {
        match (self, action) {
            (Self::Pending | Self::Active, Action::Approve) => Some(Self::Active),
            (Self::Disabled | Self::Active, Action::Enable) => Some(Self::Active),
            (Self::Departed | Self::Active, Action::Return) => Some(Self::Active),
            (Self::Pending | Self::Active | Self::Disabled, Action::Disable) => Some(Self::Disabled),
            (_, Action::Depart) => Some(Self::Departed),
            // Whoever is shut out has no token that works; to be told of would let them in again.
            (Self::Pending | Self::Active, Action::Revoke) => Some(self),
            _ => None,
        }
    }

    /// Whether whoever it is for may not get in, whatever the token says.
    pub(super) const fn is_shut(self) -> bool {
        matches!(self, Self::Disabled | Self::Departed)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Departed => "departed",
        }
    }

    /// The state of an account whose row this is.
    pub(super) fn of(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let word: String = row.try_get("state")?;
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or_else(|| sqlx::Error::Decode(format!("{word} is no state").into()))
    }
}

impl Action {
    pub(super) const ALL: [Self; 6] =
        [Self::Approve, Self::Enable, Self::Return, Self::Revoke, Self::Disable, Self::Depart];

    pub(super) const fn event(self) -> Event {
        match self {
            Self::Approve => Event::Approval,
            Self::Disable => Event::Disable,
            Self::Enable => Event::Enable,
            Self::Depart => Event::Departure,
            Self::Return => Event::Return,
            Self::Revoke => Event::Revocation,
        }
    }

    /// Whether it is something else each time that it is done: other actions done again change nothing.
    pub(super) const fn repeats(self) -> bool {
        matches!(self, Self::Revoke)
    }

    /// Whether gateways must hear of it: they have to refuse somebody, or may let somebody in whom they refuse.
    pub(super) const fn is_told(self) -> bool {
        !matches!(self, Self::Approve)
    }
}

impl Event {
    pub(super) const ALL: [Self; 12] = [
        Self::Arrival,
        Self::Drift,
        Self::Approval,
        Self::Disable,
        Self::Enable,
        Self::Departure,
        Self::Return,
        Self::DormantReview,
        Self::DormantWarning,
        Self::DormantReturn,
        Self::Keep,
        Self::Revocation,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Drift => "drift",
            Self::Approval => "approval",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Departure => "departure",
            Self::Return => "return",
            Self::DormantReview => "dormant-review",
            Self::DormantWarning => "dormant-warning",
            Self::DormantReturn => "dormant-return",
            Self::Keep => "keep",
            Self::Revocation => "revocation",
        }
    }
}

impl Cause {
    pub(super) const ALL: [Self; 8] = [
        Self::Gateway(firstsight::wire::Cause::Arrival),
        Self::Gateway(firstsight::wire::Cause::Drift),
        Self::Gateway(firstsight::wire::Cause::Refresh),
        Self::Sighting,
        Self::Admin,
        Self::Dormancy,
        Self::Scim,
        Self::Signal,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Gateway(firstsight::wire::Cause::Arrival) => "arrival",
            Self::Gateway(firstsight::wire::Cause::Drift) => "drift",
            Self::Gateway(firstsight::wire::Cause::Refresh) => "refresh",
            Self::Sighting => "sighting",
            Self::Admin => "admin",
            Self::Dormancy => "dormancy",
            Self::Scim => "scim",
            Self::Signal => "signal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Approve, Depart, Disable, Enable, Return, Revoke};
    use State::{Active, Departed, Disabled, Pending};

    #[test]
    fn only_these_ways_lead_from_one_state_to_another() {
        let ways = [
            (Pending, [Some(Active), Some(Disabled), None, Some(Departed), None, Some(Pending)]),
            (
                Active,
                [Some(Active), Some(Disabled), Some(Active), Some(Departed), Some(Active), Some(Active)],
            ),
            (Disabled, [None, Some(Disabled), Some(Active), Some(Departed), None, None]),
            (Departed, [None, None, None, Some(Departed), Some(Active), None]),
        ];
        for (state, after) in ways {
            assert_eq!(
                [Approve, Disable, Enable, Depart, Return, Revoke].map(|action| state.after(action)),
                after,
                "{state:?}"
            );
        }
    }
}
