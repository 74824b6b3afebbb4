//! A sweep: what is due is looked for, and done, with a record in the audit for each account. It can be tried without doing
//! anything, and stops by itself where what it sees is more likely an error than dormancy.

use super::mark::{self, Mark};
use super::rule::{Disable, Rule, Rules, Step, Usage, span};
use super::walk::{Candidate, Walk, word};
use crate::clock;
use crate::directory::audit::{self, Entry};
use crate::directory::change::{self, Because};
use crate::directory::lifecycle::{Action, Cause, Event};
use crate::directory::store::{Store, Write};
use firstsight::domain::{Kind, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// What a sweep did, or, as long as it is not `done`, would do.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// RFC 3339 times, UTC.
    at: String,
    /// When a gateway last told of somebody it had not told of before.
    last_sighting: Option<String>,
    pub(super) done: bool,
    pub(super) held: Option<Held>,
    /// How many accounts, for each kind that has any.
    pub(super) counts: BTreeMap<&'static str, Counts>,
    /// The first of them, as many as were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) accounts: Vec<Due>,
}

/// What keeps a sweep from what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Held {
    /// No sightings arrive, so nobody can tell who is dormant: nothing is done.
    StaleSightings,
    /// More accounts would be disabled than may be at once: none is, until somebody confirms it.
    MostAtOnce,
}

/// How many accounts there are for each step.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) review: u64,
    pub(super) warn: u64,
    pub(super) disable: u64,
}

/// An account for which a step is due.
#[derive(Debug, Serialize)]
pub(super) struct Due {
    pub(super) account: String,
    pub(super) kind: Kind,
    pub(super) step: Step,
    pub(super) quiet_since: String,
    pub(super) last_seen: Option<String>,
}

/// A sweep that somebody wants.
pub(super) struct Order<'a> {
    /// Who: the actor of its records.
    pub(super) actor: &'a str,
    /// Whether more accounts may be disabled than `most_at_once`.
    pub(super) forced: bool,
    /// How many accounts the report names at the most.
    pub(super) listed: usize,
}

/// What a sweep would do at a time, with what is known now. Changes nothing.
pub(super) async fn plan(
    store: &Store,
    rules: &Rules,
    at: Timestamp,
    listed: usize,
) -> Result<Report, sqlx::Error> {
    let last_sighting = last_sighting(store).await?;
    let mut report = Report::new(at, last_sighting);
    let mut walk = Walk::begin(rules, at);
    while let Some((kind, candidates)) = walk.next(store.pool()).await? {
        let rule = rules.of(kind);
        for candidate in candidates {
            if let Some(step) = rule.step(&candidate.usage, at) {
                report.add(kind, &candidate, step, listed);
            }
        }
    }
    let disabled: u64 = report.counts.values().map(|counts| counts.disable).sum();
    // A report about days to come is held to the sightings of today.
    let judged_at = at.min(clock::now());
    report.held = if last_sighting.is_none_or(|last| judged_at.since(last) > rules.stale_sightings) {
        Some(Held::StaleSightings)
    } else {
        (disabled > rules.most_at_once).then_some(Held::MostAtOnce)
    };
    Ok(report)
}

/// Does what is due now. Several can run at the same time: each account is looked at again where it is changed.
pub(super) async fn sweep(store: &Store, rules: &Rules, order: &Order<'_>) -> Result<Report, sqlx::Error> {
    let plan = plan(store, rules, clock::now(), 0).await?;
    let held = plan.held.filter(|held| *held == Held::StaleSightings || !order.forced);
    let mut report = Report { done: true, held, counts: BTreeMap::new(), ..plan };
    if held != Some(Held::StaleSightings) {
        let mut walk = Walk::begin(rules, clock::now());
        while let Some((kind, candidates)) = walk.next(store.pool()).await? {
            let begun = Instant::now();
            perform(store, (kind, rules.of(kind)), &candidates, order, &mut report).await?;
            // Whoever waits for the lock, in other processes too, has it as long as the sweep had it.
            tokio::time::sleep(begun.elapsed()).await;
        }
    }
    let outcome = Report { accounts: Vec::new(), ..report };
    let kept = sqlx::query("UPDATE dormancy_sweep SET outcome = $1");
    let mut write = store.write().await?;
    kept.bind(serde_json::to_string(&outcome).unwrap_or_default()).execute(&mut *write).await?;
    write.commit().await?;
    Ok(Report { accounts: report.accounts, ..outcome })
}

/// Takes the turn to sweep, if it is anybody's: of all processes over one database one gets it.
pub(super) async fn claim(store: &Store, rules: &Rules, now: Timestamp) -> Result<bool, sqlx::Error> {
    let mut write = store.write().await?;
    let claimed = sqlx::query("UPDATE dormancy_sweep SET due_at = $1 WHERE due_at <= $2");
    let claimed = claimed.bind(now.after(rules.every).as_millis() as i64).bind(now.as_millis() as i64);
    let claimed = claimed.execute(&mut *write).await?.rows_affected() > 0;
    write.commit().await?;
    Ok(claimed)
}

impl Report {
    fn new(at: Timestamp, last_sighting: Option<Timestamp>) -> Self {
        Self {
            at: at.rfc3339(),
            last_sighting: last_sighting.map(Timestamp::rfc3339),
            done: false,
            held: None,
            counts: BTreeMap::new(),
            accounts: Vec::new(),
        }
    }

    fn add(&mut self, kind: Kind, candidate: &Candidate, step: Step, listed: usize) {
        let counts = self.counts.entry(word(kind)).or_default();
        match step {
            Step::Review => counts.review += 1,
            Step::Warn => counts.warn += 1,
            Step::Disable => counts.disable += 1,
        }
        if self.accounts.len() < listed {
            self.accounts.push(Due {
                account: candidate.id.clone(),
                kind,
                step,
                quiet_since: candidate.usage.quiet_since().rfc3339(),
                last_seen: candidate.usage.last_seen.map(Timestamp::rfc3339),
            });
        }
    }
}

/// Does what is due for some accounts, in one transaction, and moves the index along for those who are in use.
async fn perform(
    store: &Store,
    (kind, rule): (Kind, Rule),
    candidates: &[Candidate],
    order: &Order<'_>,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let now = clock::now();
    let held = report.held;
    let step = |usage: &Usage| rule.step(usage, now).filter(|step| *step != Step::Disable || held.is_none());
    let (mut write, mut done) = (None, Vec::new());
    for candidate in candidates {
        let is_due = step(&candidate.usage).is_some();
        if !is_due && !candidate.usage.is_ahead() {
            continue;
        }
        let write = match &mut write {
            Some(write) => write,
            None => write.insert(store.write().await?),
        };
        if !is_due {
            move_along(write, candidate).await?;
            continue;
        }
        // Looked at again under the lock: it may be used, or somebody else may have done it, meanwhile.
        let Some(candidate) = Candidate::find(&mut **write, &candidate.id).await? else { continue };
        if let Some(step) = step(&candidate.usage) {
            act(write, &candidate, step, &rule, order.actor, now).await?;
            done.push((candidate, step));
        }
    }
    if let Some(write) = write {
        write.commit().await?;
    }
    for (candidate, step) in done {
        tracing::info!(account = candidate.id, ?step, "somebody is dormant");
        report.add(kind, &candidate, step, order.listed);
    }
    Ok(())
}

async fn act(
    write: &mut Write,
    Candidate { id, subject_key, usage }: &Candidate,
    step: Step,
    rule: &Rule,
    actor: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mark = match step {
        Step::Review => Mark::Review,
        Step::Warn => Mark::Warned,
        Step::Disable => Mark::Disabled,
    };
    let reason = reason(&Usage { mark, marked_at: now, ..usage.clone() }, step, rule);
    let event = match step {
        Step::Review => Event::DormantReview,
        Step::Warn => Event::DormantWarning,
        Step::Disable => {
            let because = Because { cause: Cause::Dormancy, actor, reason: Some(&reason) };
            change::apply(write, id, Action::Disable, &because).await?;
            return mark::set(write, id, mark, usage.quiet_since(), now).await;
        }
    };
    mark::set(write, id, mark, usage.quiet_since(), now).await?;
    let entry = Entry {
        at: now,
        account: id,
        subject_key,
        event,
        cause: Cause::Dormancy,
        actor,
        gateway: None,
        attributes: Vec::new(),
        reason: Some(&reason),
    };
    audit::append(write, &entry).await.map(drop)
}

/// Which threshold it was, and what it was measured from.
fn reason(usage: &Usage, step: Step, rule: &Rule) -> String {
    let last_seen =
        usage.last_seen.map_or("never seen".to_owned(), |at| format!("last seen at {}", at.rfc3339()));
    let last = match usage.quiet_since() {
        since if Some(since) == usage.last_seen => last_seen,
        since => format!("{last_seen}, made, opened or kept at {}", since.rfc3339()),
    };
    match (step, rule.disable, rule.disables_at(usage)) {
        (Step::Warn, Some(Disable { after, .. }), Some(at)) => {
            format!("to be disabled at {}, unused for {}: {last}", at.rfc3339(), span(after))
        }
        _ => format!("unused for {}: {last}", span(rule.quiet_for(step).unwrap_or_default())),
    }
}

/// Has the index know when an account was in use.
async fn move_along(write: &mut Write, Candidate { id, usage, .. }: &Candidate) -> Result<(), sqlx::Error> {
    let moved = sqlx::query("UPDATE accounts SET active_at = $1 WHERE id = $2 AND active_at < $1");
    moved.bind(usage.quiet_since().as_millis() as i64).bind(id).execute(&mut **write).await.map(drop)
}

/// When a gateway last told of somebody. It is the directory's own clock, so that no gateway's can be wrong.
async fn last_sighting(store: &Store) -> Result<Option<Timestamp>, sqlx::Error> {
    let last = sqlx::query("SELECT max(received_at) AS received_at FROM sighting_receipts");
    mark::time(&last.fetch_one(store.pool()).await?, "received_at")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::settings::Settings;
    use std::time::Duration;

    #[tokio::test]
    async fn of_all_who_want_to_sweep_one_gets_the_turn() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite:{}", folder.path().join("accounts.db").display())).await.unwrap();
        let rules = Rules::read(&mut Settings::read(None).unwrap());
        let start = Timestamp::from_secs(1_795_458_540);
        let mut turns = Vec::new();
        for now in
            [start, start, start.after(rules.every - Duration::from_millis(1)), start.after(rules.every)]
        {
            turns.push(claim(&store, &rules, now).await.unwrap());
        }
        assert_eq!(turns, [true, false, false, true]);
    }
}
