//! The words for what is shown in many places: accounts, states, marks, times.

use crate::clock;
use crate::directory::accounts::Account;
use crate::directory::dormancy::{Dormancy, Mark};
use crate::directory::lifecycle::State;
use firstsight::domain::Timestamp;
use maud::{Markup, html};

/// What an account is called: by the `sub` of its subject, or, as long as it has none, by its own id.
pub(super) fn name(account: &Account) -> &str {
    account.subject.as_ref().map_or(&account.id, |subject| &subject.id)
}

/// Whose subject it is.
pub(super) fn issuer(account: &Account) -> Markup {
    match &account.subject {
        Some(subject) => html! { (subject.issuer) },
        None => html! { span.none { "no subject yet" } },
    }
}

/// What may not be there.
pub(super) fn perhaps(text: Option<&str>) -> Markup {
    match text {
        Some(text) => html! { (text) },
        None => html! { span.none.absent { "none" } },
    }
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

/// What dormancy made of an account.
pub(super) fn dormancy(dormancy: &Dormancy) -> Markup {
    let said = match dormancy.mark {
        Mark::Awake => "in use",
        Mark::Review => "to be looked at",
        Mark::Warned => "to be disabled",
        Mark::Disabled => "disabled for it",
        Mark::Knocked => "disabled for it, and asked for since",
        Mark::Returned => "was unused, and is back",
    };
    let when = |label: &str, time: &Option<String>| {
        html! { @if let Some(time) = time { span.since { (label) " " (day(time)) } } }
    };
    let quiet = if dormancy.mark == Mark::Returned || dormancy.mark == Mark::Knocked {
        "back"
    } else {
        "unused since"
    };
    html! {
        strong { (said) }
        (when(quiet, &dormancy.active_at))
        (when("disabled on", &dormancy.disables_at))
    }
}

/// A time to the second, in UTC; the whole of it for machines.
pub(super) fn time(rfc3339: &str) -> Markup {
    let (day, rest) = rfc3339.split_once('T').unwrap_or((rfc3339, ""));
    let seconds = rest.get(..8).unwrap_or(rest);
    html! { time datetime=(rfc3339) { (day) " " (seconds) } }
}

/// The day of a time, in UTC; the whole of it for machines.
pub(super) fn day(rfc3339: &str) -> Markup {
    let day = rfc3339.split_once('T').map_or(rfc3339, |(day, _)| day);
    html! { time datetime=(rfc3339) { (day) } }
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
        let now = Timestamp::from_secs(10_000_000_000);
        for (seconds, said) in [
            (0, "just now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400 * 30, "30 days ago"),
        ] {
            assert_eq!(span(Timestamp::from_secs(10_000_000_000 - seconds), now), said);
        }
    }
}
