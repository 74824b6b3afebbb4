//! What an admin can decide about an account, and the words for it.

use crate::directory::accounts::Account;
use crate::directory::lifecycle::Action;

/// Something that can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Another state.
    Change(Action),
    /// No other state: it may go unused for as long again.
    Keep,
}

/// What is said of a decision.
pub(super) struct Words {
    /// On its button.
    pub(super) button: &'static str,
    /// In forms.
    pub(super) word: &'static str,
    /// What it brings about.
    pub(super) effect: &'static str,
    /// What was done to accounts.
    pub(super) done: &'static str,
}

impl Decision {
    pub(super) const DEPART: Self = Self::Change(Action::Depart);

    fn all() -> impl Iterator<Item = Self> {
        [Self::Keep].into_iter().chain(Action::ALL.map(Self::Change))
    }

    /// The decision with this word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::all().find(|decision| decision.words().word == word)
    }

    /// Those that change something about an account.
    pub(super) fn about(account: &Account) -> impl Iterator<Item = Self> {
        Self::all().filter(|decision| match decision {
            Self::Change(action) => {
                account.state.after(*action).is_some_and(|after| after != account.state || action.repeats())
            }
            Self::Keep => account.dormancy.is_some(),
        })
    }

    /// Whether it is asked once more: nobody finds out by trying what it does.
    pub(super) fn is_for_good(self) -> bool {
        self == Self::DEPART
    }

    pub(super) const fn words(self) -> Words {
        match self {
            Self::Keep => Words {
                button: "Keep",
                word: "keep",
                effect: "Leaves the account as it is: it may go unused for as long again.",
                done: "kept",
            },
            Self::Change(Action::Approve) => Words {
                button: "Approve",
                word: "approve",
                effect: "Lets them in from their next request on.",
                done: "approved",
            },
            Self::Change(Action::Disable) => Words {
                button: "Disable",
                word: "disable",
                effect: "Shuts them out at every gateway within a second, until the account is enabled again.",
                done: "disabled",
            },
            Self::Change(Action::Enable) => Words {
                button: "Enable",
                word: "enable",
                effect: "Lets them in again, with a token that is newer than this.",
                done: "enabled",
            },
            Self::Change(Action::Depart) => Words {
                button: "Depart",
                word: "depart",
                effect: "Shuts them out at every gateway within a second, for good. The account stays, so that \
                         nobody gets it anew.",
                done: "marked as departed",
            },
            Self::Change(Action::Return) => Words {
                button: "Return",
                word: "return",
                effect: "Lets them in again after all, with a token that is newer than this.",
                done: "opened again",
            },
            Self::Change(Action::Revoke) => Words {
                button: "End sessions",
                word: "revoke",
                effect: "Makes them sign in again: tokens that were issued before this never work again.",
                done: "told to sign in again",
            },
        }
    }
}
