//! When somebody is dormant, and what is done about it then. Knows neither HTTP nor the database nor the clock.

use super::mark::Mark;
use firstsight::domain::{Kind, Timestamp};
use serde::Serialize;
use std::time::Duration;

/// What holds for everybody.
#[derive(Debug, Clone)]
pub(in crate::directory) struct Rules {
    /// How often a sweep is due.
    pub(super) every: Duration,
    /// After so long without any sighting, of anybody, nobody counts as dormant: the sightings may just not arrive.
    pub(super) stale_sightings: Duration,
    /// If a sweep would disable more accounts, it disables none until somebody confirms it.
    pub(super) most_at_once: u64,
    pub(super) kinds: [(Kind, Rule); 3],
}

/// What holds for one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// After so long unused, somebody is to look at the account.
    pub(super) review: Option<Duration>,
    pub(super) disable: Option<Disable>,
    /// For so long after an account was made, approved, enabled or returned, nothing is done about it.
    pub(super) grace: Duration,
}

/// When accounts are disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disable {
    /// After so long unused.
    pub(super) after: Duration,
    /// But not unless it was warned of for so long; nothing if it is not to be warned of.
    pub(super) warn: Duration,
}

/// What is to be done about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Review,
    Warn,
    Disable,
}

/// How an active account was used, as far as dormancy goes.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    pub(super) mark: Mark,
    pub(super) marked_at: Timestamp,
    /// When it became active.
    pub(super) state_since: Timestamp,
    /// A time at which it was in use, or was kept.
    pub(super) active_at: Timestamp,
    pub(super) last_seen: Option<Timestamp>,
}

impl Rules {
    /// Whether there is anything to do, for anybody, ever.
    pub(in crate::directory) fn are_set(&self) -> bool {
        self.kinds.iter().any(|(_, rule)| rule.review.is_some() || rule.disable.is_some())
    }

    /// What holds for a kind.
    pub(super) fn of(&self, kind: Kind) -> Rule {
        let rule = self.kinds.iter().find(|(other, _)| *other == kind);
        rule.map(|(_, rule)| *rule).unwrap_or_default()
    }
}

impl Rule {
    /// What is due now: the hardest of what is, as one step at a time is enough.
    pub(super) fn step(&self, usage: &Usage, now: Timestamp) -> Option<Step> {
        let quiet = now.since(usage.quiet_since());
        let is_over = |span: Option<Duration>| span.is_some_and(|span| quiet >= span);
        if now < usage.state_since.after(self.grace) {
            return None;
        }
        let due = |step| is_over(self.quiet_for(step)) && self.follows(step, usage.mark);
        let step = [Step::Disable, Step::Warn, Step::Review].into_iter().find(|step| due(*step))?;
        let warned_for = |warn: Duration| now.since(usage.marked_at) >= warn;
        match step {
            // Whoever was warned has as long as was said, however late the warning was.
            Step::Disable if usage.mark == Mark::Warned => {
                self.disable.is_some_and(|disable| warned_for(disable.warn)).then_some(step)
            }
            _ => Some(step),
        }
    }

    /// After how long unused anything can be due for an account with this mark; `None` if nothing ever is.
    pub(super) fn soonest(&self, mark: Mark) -> Option<Duration> {
        let steps = [Step::Review, Step::Warn, Step::Disable].into_iter();
        steps.filter(|step| self.follows(*step, mark)).filter_map(|step| self.quiet_for(step)).min()
    }

    /// When the account is disabled if nobody uses it and nothing else happens; `None` if it never is.
    pub(super) fn disables_at(&self, usage: &Usage) -> Option<Timestamp> {
        let Disable { after, warn } = self.disable?;
        let warned = if usage.mark == Mark::Warned { usage.marked_at.after(warn) } else { usage.marked_at };
        let graced = usage.state_since.after(self.grace);
        usage.mark.is_dormant().then(|| usage.quiet_since().after(after).max(warned).max(graced))
    }

    /// After how long unused a step is due; `None` if it never is.
    pub(super) fn quiet_for(&self, step: Step) -> Option<Duration> {
        match (step, self.disable) {
            (Step::Review, _) => self.review,
            (Step::Warn, Some(Disable { after, warn })) if !warn.is_zero() => {
                Some(after.saturating_sub(warn))
            }
            (Step::Disable, Some(Disable { after, .. })) => Some(after),
            _ => None,
        }
    }

    /// Whether a step comes after what a mark says was done.
    fn follows(&self, step: Step, mark: Mark) -> bool {
        let unwarned = self.quiet_for(Step::Warn).is_none();
        match (step, mark) {
            (_, Mark::Disabled | Mark::Knocked) => false,
            (Step::Review, Mark::Awake | Mark::Returned) => true,
            (Step::Review, _) => false,
            (Step::Warn, Mark::Warned) => false,
            (Step::Warn, _) => true,
            (Step::Disable, Mark::Warned) => true,
            (Step::Disable, _) => unwarned,
        }
    }
}

impl Usage {
    /// Since when nobody used it, and nobody opened or kept it.
    pub(super) fn quiet_since(&self) -> Timestamp {
        self.active_at.max(self.state_since).max(self.last_seen.unwrap_or(self.state_since))
    }
}

pub(super) const fn day(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

/// A span as people write it: whole days where it is.
pub(super) fn span(span: Duration) -> String {
    let days = span.as_secs() / day(1).as_secs();
    if span == day(days) { format!("{days}d") } else { humantime::format_duration(span).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        review: Some(day(60)),
        disable: Some(Disable { after: day(90), warn: day(14) }),
        grace: day(30),
    };

    fn on(days: u64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000).after(day(days))
    }

    /// One that was made on day 0 and last seen then.
    fn unused(mark: Mark, marked: u64) -> Usage {
        Usage {
            mark,
            marked_at: on(marked),
            state_since: on(0),
            active_at: Timestamp::from_millis(0),
            last_seen: Some(on(0)),
        }
    }

    #[test]
    fn each_step_is_due_when_its_time_is_over_and_not_before() {
        let awake = unused(Mark::Awake, 0);
        assert_eq!(RULE.step(&awake, on(60).before(Duration::from_millis(1))), None);
        assert_eq!(RULE.step(&awake, on(60)), Some(Step::Review));
        let review = unused(Mark::Review, 60);
        assert_eq!(RULE.step(&review, on(75)), None);
        assert_eq!(RULE.step(&review, on(76)), Some(Step::Warn));
        let warned = unused(Mark::Warned, 76);
        assert_eq!(RULE.step(&warned, on(89)), None);
        assert_eq!(RULE.step(&warned, on(90)), Some(Step::Disable));
        for mark in [Mark::Disabled, Mark::Knocked] {
            assert_eq!(RULE.step(&unused(mark, 90), on(1000)), None);
        }
    }

    #[test]
    fn what_is_not_set_is_never_due() {
        let (never, nothing) = (on(10_000), Rule::default());
        let review = Rule { disable: None, ..RULE };
        let disable = Rule { review: None, ..RULE };
        for mark in [Mark::Awake, Mark::Review, Mark::Warned, Mark::Returned] {
            assert_eq!(nothing.step(&unused(mark, 0), never), None, "{mark:?}");
            assert_eq!(nothing.soonest(mark), None, "{mark:?}");
            assert_ne!(review.step(&unused(mark, 0), never), Some(Step::Disable), "{mark:?}");
        }
        assert_eq!(disable.step(&unused(Mark::Awake, 0), on(75)), None);
        assert_eq!(disable.step(&unused(Mark::Awake, 0), on(76)), Some(Step::Warn));
    }

    #[test]
    fn nobody_is_disabled_who_was_not_warned_for_long_enough() {
        assert_eq!(RULE.step(&unused(Mark::Awake, 0), on(1000)), Some(Step::Warn));
        assert_eq!(RULE.step(&unused(Mark::Warned, 1000), on(1013)), None);
        assert_eq!(RULE.step(&unused(Mark::Warned, 1000), on(1014)), Some(Step::Disable));
        let unwarned = Rule { disable: Some(Disable { after: day(90), warn: Duration::ZERO }), ..RULE };
        for mark in [Mark::Awake, Mark::Review, Mark::Warned, Mark::Returned] {
            assert_eq!(unwarned.step(&unused(mark, 0), on(90)), Some(Step::Disable), "{mark:?}");
        }
    }

    #[test]
    fn who_was_never_seen_counts_from_the_day_the_account_was_made_or_opened() {
        let opened = Usage { state_since: on(40), last_seen: None, ..unused(Mark::Awake, 0) };
        assert_eq!(RULE.step(&opened, on(99)), None);
        assert_eq!(RULE.step(&opened, on(100)), Some(Step::Review));
    }

    #[test]
    fn nothing_is_done_within_the_grace() {
        let impatient = Rule { review: Some(day(7)), disable: None, grace: day(30) };
        assert_eq!(impatient.step(&unused(Mark::Awake, 0), on(29)), None);
        assert_eq!(impatient.step(&unused(Mark::Awake, 0), on(30)), Some(Step::Review));
        let long_here = Usage { last_seen: Some(on(100)), ..unused(Mark::Awake, 0) };
        assert_eq!(impatient.step(&long_here, on(107)), Some(Step::Review));
    }

    #[test]
    fn who_was_kept_is_not_dormant_for_as_long_again() {
        let kept = Usage { active_at: on(61), ..unused(Mark::Awake, 0) };
        assert_eq!(RULE.step(&kept, on(120)), None);
        assert_eq!(RULE.step(&kept, on(121)), Some(Step::Review));
    }

    #[test]
    fn nothing_is_due_before_the_soonest() {
        let soonest = [(Mark::Awake, 60), (Mark::Returned, 60), (Mark::Review, 76), (Mark::Warned, 90)];
        for (mark, days) in soonest {
            assert_eq!(RULE.soonest(mark), Some(day(days)), "{mark:?}");
            assert_eq!(RULE.step(&unused(mark, 0), on(days - 1)), None, "{mark:?}");
            assert!(RULE.step(&unused(mark, 0), on(days)).is_some(), "{mark:?}");
        }
    }

    #[test]
    fn the_day_on_which_somebody_is_disabled_is_known_before() {
        assert_eq!(RULE.disables_at(&unused(Mark::Awake, 0)), None);
        assert_eq!(RULE.disables_at(&unused(Mark::Review, 60)), Some(on(90)));
        assert_eq!(RULE.disables_at(&unused(Mark::Warned, 76)), Some(on(90)));
        assert_eq!(RULE.disables_at(&unused(Mark::Warned, 80)), Some(on(94)));
        assert_eq!(Rule { disable: None, ..RULE }.disables_at(&unused(Mark::Review, 60)), None);
    }

    #[test]
    fn a_span_of_whole_days_is_told_in_days() {
        assert_eq!((span(day(90)), span(Duration::from_secs(90))), ("90d".into(), "1m 30s".into()));
    }
}
