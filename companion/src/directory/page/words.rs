//! The words for what is shown in many places: states, actions, times.

use crate::clock;
use crate::directory::lifecycle::{Action, State};
use firstsight::domain::Timestamp;
use maud::{Markup, html};

/// What is said of an action.
pub(super) struct Words {
    /// On its button.
    pub(super) button: &'static str,
    /// In the address and in forms.
    pub(super) word: &'static str,
    /// What it brings about.
    pub(super) effect: &'static str,
    /// What was done to accounts.
    pub(super) done: &'static str,
}

pub(super) const fn of(action: Action) -> Words {
    match action {
        Action::Approve => Words {
            button: "Approve",
            word: "approve",
            effect: "Lets them in from their next request on.",
            done: "approved",
        },
        Action::Disable => Words {
            button: "Disable",
            word: "disable",
            effect: "Shuts them out at every gateway within a second, until the account is enabled again.",
            done: "disabled",
        },
        Action::Enable => Words {
            button: "Enable",
            word: "enable",
            effect: "Lets them in again, with a token that is newer than this.",
            done: "enabled",
        },
        Action::Depart => Words {
            button: "Depart",
            word: "depart",
            effect: "Shuts them out at every gateway within a second, for good. The account stays, so that nobody gets \
                     it anew.",
            done: "departed",
        },
        Action::Return => Words {
            button: "Return",
            word: "return",
            effect: "Lets them in again after all, with a token that is newer than this.",
            done: "returned",
        },
    }
}

/// The actions that make another state of this one.
pub(super) fn possible(state: State) -> impl Iterator<Item = Action> {
    Action::ALL.into_iter().filter(move |action| state.after(*action).is_some_and(|after| after != state))
}

/// A state, by a word and a sign, and only then by a colour.
pub(super) fn state(state: State) -> Markup {
    let sign = match state {
        State::Pending => "◔",
        State::Active => "●",
        State::Disabled => "◌",
        State::Departed => "✕",
    };
    html! { span class={ "state " (state.word()) } { span aria-hidden="true" { (sign) } " " (state.word()) } }
}

/// A time to the second, in UTC; the whole of it for machines.
pub(super) fn time(rfc3339: &str) -> Markup {
    let (day, rest) = rfc3339.split_once('T').unwrap_or((rfc3339, ""));
    let seconds = rest.get(..8).unwrap_or(rest);
    html! { time datetime=(rfc3339) { (day) " " (seconds) } }
}

/// How long ago a time is, and the time itself.
pub(super) fn ago(rfc3339: Option<&str>) -> Markup {
    let Some(text) = rfc3339 else { return html! { span.none { "never" } } };
    let since = clock::parse(text).map(|then| span(then, clock::now()));
    html! { @if let Some(since) = since { span.ago { (since) } " " } (time(text)) }
}

fn span(then: Timestamp, now: Timestamp) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = now.since(then).as_secs();
    let fitting = UNITS.into_iter().find(|(length, _)| seconds >= *length);
    fitting.map_or_else(
        || "just now".to_owned(),
        |(length, unit)| match seconds / length {
            1 => format!("1 {unit} ago"),
            number => format!("{number} {unit}s ago"),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_largest_unit() {
        let now = Timestamp::from_secs(1_000_000);
        for (seconds, said) in [
            (0, "just now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400 * 30, "30 days ago"),
        ] {
            assert_eq!(span(Timestamp::from_secs(1_000_000 - seconds), now), said);
        }
    }

    #[test]
    fn what_would_change_nothing_is_not_offered() {
        let offered = |state| possible(state).map(|action| of(action).word).collect::<Vec<_>>();
        assert_eq!(offered(State::Pending), ["approve", "disable", "depart"]);
        assert_eq!(offered(State::Active), ["disable", "depart"]);
        assert_eq!(offered(State::Disabled), ["enable", "depart"]);
        assert_eq!(offered(State::Departed), ["return"]);
    }
}
