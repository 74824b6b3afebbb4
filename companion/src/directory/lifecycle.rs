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
    pub(super) const ALL: [Self; 5] =
        [Self::Approve, Self::Enable, Self::Return, Self::Disable, Self::Depart];

    pub(super) const fn event(self) -> Event {
        match self {
            Self::Approve => Event::Approval,
            Self::Disable => Event::Disable,
            Self::Enable => Event::Enable,
            Self::Depart => Event::Departure,
            Self::Return => Event::Return,
        }
    }

    /// Whether gateways must hear of it: they have to refuse somebody, or may let somebody in whom they refuse.
    pub(super) const fn is_told(self) -> bool {
        !matches!(self, Self::Approve)
    }
}

impl Event {
    pub(super) const ALL: [Self; 11] = [
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
        }
    }
}

impl Cause {
    pub(super) const ALL: [Self; 7] = [
        Self::Gateway(firstsight::wire::Cause::Arrival),
        Self::Gateway(firstsight::wire::Cause::Drift),
        Self::Gateway(firstsight::wire::Cause::Refresh),
        Self::Sighting,
        Self::Admin,
        Self::Dormancy,
        Self::Scim,
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Approve, Depart, Disable, Enable, Return};
    use State::{Active, Departed, Disabled, Pending};

    #[test]
    fn only_these_ways_lead_from_one_state_to_another() {
        let ways = [
            (Pending, [Some(Active), Some(Disabled), None, Some(Departed), None]),
            (Active, [Some(Active), Some(Disabled), Some(Active), Some(Departed), Some(Active)]),
            (Disabled, [None, Some(Disabled), Some(Active), Some(Departed), None]),
            (Departed, [None, None, None, Some(Departed), Some(Active)]),
        ];
        for (state, after) in ways {
            assert_eq!(
                [Approve, Disable, Enable, Depart, Return].map(|action| state.after(action)),
                after,
                "{state:?}"
            );
        }
    }
}
