//! What is written under `[dormancy]`, as rules that make sense. Nothing is done about anybody unless it says so.

use super::rule::{Disable, Rule, Rules, day};
use crate::directory::settings::Settings;
use firstsight::domain::Kind;
use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    every: Span,
    stale_sightings: Span,
    most_at_once: u64,
    person: Thresholds,
    service: Thresholds,
    agent: Thresholds,
}

/// What holds for one kind.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Thresholds {
    review: Option<Span>,
    disable: Option<Span>,
    warn: Option<Span>,
    grace: Option<Span>,
}

/// A time such as `90d`.
#[derive(Clone, Copy)]
struct Span(Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = humantime::parse_duration(&text);
        span.map(Span).map_err(|_| D::Error::custom("a time such as \"90d\" is wanted"))
    }
}

impl Default for Section {
    fn default() -> Self {
        Self {
            every: Span(Duration::from_secs(60 * 60)),
            stale_sightings: Span(day(1)),
            most_at_once: 100,
            person: Thresholds::default(),
            service: Thresholds::default(),
            agent: Thresholds::default(),
        }
    }
}

impl Rules {
    /// Reads the section; whatever is wrong with it is told to `settings`.
    pub(in crate::directory) fn read(settings: &mut Settings) -> Self {
        let section: Section = settings.section("dormancy");
        if section.every.0.is_zero() {
            settings.problem("dormancy.every", "is longer than nothing, such as \"1h\"");
        }
        let stale = section.stale_sightings.0;
        let kinds = [
            (Kind::Person, "person", section.person),
            (Kind::Service, "service", section.service),
            (Kind::Agent, "agent", section.agent),
        ];
        let kinds = kinds.map(|(kind, word, thresholds)| {
            let problems = thresholds.problems(stale);
            problems
                .iter()
                .for_each(|(place, what)| settings.problem(&format!("dormancy.{word}{place}"), what));
            (kind, thresholds.rule())
        });
        Self { every: section.every.0, stale_sightings: stale, most_at_once: section.most_at_once, kinds }
    }
}

impl Thresholds {
    fn rule(&self) -> Rule {
        let span = |span: Option<Span>, usual| span.map_or(usual, |span| span.0);
        let disable = |after: Span| Disable { after: after.0, warn: span(self.warn, day(14)) };
        Rule {
            review: self.review.map(|after| after.0),
            disable: self.disable.map(disable),
            grace: span(self.grace, day(30)),
        }
    }

    /// Each with its place below the kind.
    fn problems(&self, stale: Duration) -> Vec<(&'static str, &'static str)> {
        let rule = self.rule();
        let mut problems = Vec::new();
        let mut unless = |holds: bool, place, what| {
            if !holds {
                problems.push((place, what));
            }
        };
        // Else a pause of the sightings that is not noticed yet would look like everybody's dormancy.
        let longer = "is longer than dormancy.stale_sightings";
        unless(rule.review.is_none_or(|review| review > stale), ".review", longer);
        match rule.disable {
            None => {
                unless(self.warn.is_none(), ".warn", "goes with disable: there is nothing else to warn of");
            }
            Some(Disable { after, warn }) => {
                unless(after > stale, ".disable", longer);
                unless(warn < after, ".warn", "is shorter than disable; without it, it is 14d");
                let in_time = rule.review.is_none_or(|review| review <= after.saturating_sub(warn));
                unless(in_time, ".review", "is over before it is warned: no longer than disable less warn");
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rules, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.toml");
        std::fs::write(&path, text).unwrap();
        let mut settings = Settings::read(Some(&path)).unwrap();
        let rules = Rules::read(&mut settings);
        settings.finish(Some(&path)).map(|()| rules).map_err(|unusable| unusable.to_string())
    }

    #[test]
    fn nothing_is_done_about_anybody_unless_it_is_written() {
        let rules = read("").unwrap();
        assert!(!rules.are_set());
        assert!(rules.kinds.iter().all(|(_, rule)| rule.review.is_none() && rule.disable.is_none()));
        assert!(read("[dormancy.service]\nreview = \"1y\"\n").unwrap().are_set());
    }

    #[test]
    fn who_is_disabled_is_warned_two_weeks_before_and_new_ones_have_a_month_unless_it_says_otherwise() {
        let rules = read("[dormancy.person]\ndisable = \"90d\"\n").unwrap();
        let person = rules.of(Kind::Person);
        assert_eq!(person.disable, Some(Disable { after: day(90), warn: day(14) }));
        assert_eq!((person.grace, person.review), (day(30), None));
        let rules = read("[dormancy.person]\ndisable = \"90d\"\nwarn = \"0s\"\ngrace = \"1d\"\n").unwrap();
        let person = rules.of(Kind::Person);
        assert_eq!(person.disable, Some(Disable { after: day(90), warn: Duration::ZERO }));
        assert_eq!(person.grace, day(1));
    }

    #[test]
    fn thresholds_that_make_no_sense_are_all_told() {
        let told = read(
            "[dormancy]\nevery = \"0s\"\nstale_sightings = \"2d\"\n\
             [dormancy.person]\nreview = \"80d\"\ndisable = \"90d\"\n\
             [dormancy.service]\nreview = \"1d\"\nwarn = \"1d\"\n\
             [dormancy.agent]\ndisable = \"1d\"\n",
        );
        let told = told.err().unwrap();
        let places: Vec<_> =
            told.lines().skip(1).map(|line| line.trim().split(": ").next().unwrap()).collect();
        let wrong =
            ["every", "person.review", "service.review", "service.warn", "agent.disable", "agent.warn"];
        assert_eq!(places, wrong.map(|place| format!("dormancy.{place}")));
    }

    #[test]
    fn a_time_that_is_none_is_told_with_its_place() {
        let told = read("[dormancy.person]\nreview = \"soon\"\n").err().unwrap();
        assert!(told.contains("dormancy.person.review: a time such as \"90d\" is wanted"), "{told}");
    }
}
