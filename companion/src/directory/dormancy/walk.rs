//! Which accounts may be dormant, page by page: an index says who was not known to be in use for long, and each account's
//! row says the rest. Who is in use costs a look once in a threshold, and a sighting costs no index anything.

use super::mark::{Mark, time};
use super::rule::{Rules, Usage};
use firstsight::domain::{Kind, Timestamp};
use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyPool, Row};

/// How many accounts are looked at together, and changed in one transaction: arrivals wait meanwhile.
const PAGE: i64 = 200;

/// An active account that may be dormant.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) subject_key: String,
    pub(super) usage: Usage,
}

/// A walk through all of them.
pub(super) struct Walk {
    stretches: Vec<Stretch>,
    /// Where the last page of the current stretch ended.
    after: (i64, String),
}

/// Accounts of one kind with one mark, that are not known to have been in use after a time.
#[derive(Clone, Copy)]
struct Stretch {
    kind: Kind,
    mark: Mark,
    until: Timestamp,
}

impl Walk {
    /// All for whom anything can be due.
    pub(super) fn begin(rules: &Rules, now: Timestamp) -> Self {
        let marks = [Mark::Awake, Mark::Returned, Mark::Review, Mark::Warned];
        let stretches = rules.kinds.iter().flat_map(|(kind, rule)| {
            let stretch =
                |mark: Mark| Some(Stretch { kind: *kind, mark, until: now.before(rule.soonest(mark)?) });
            marks.into_iter().filter_map(stretch)
        });
        Self { stretches: stretches.collect(), after: beginning() }
    }

    /// The next ones and their kind; `None` at the end. A page may be empty.
    pub(super) async fn next(
        &mut self,
        database: &AnyPool,
    ) -> Result<Option<(Kind, Vec<Candidate>)>, sqlx::Error> {
        let Some(Stretch { kind, mark, until }) = self.stretches.last().copied() else { return Ok(None) };
        let rows = sqlx::query(
            "SELECT id, subject_key, dormancy, marked_at, state_since, active_at, last_seen FROM accounts
             WHERE state = 'active' AND kind = $1 AND dormancy = $2 AND active_at <= $3
               AND (active_at, id) > ($4, $5)
             ORDER BY active_at, id LIMIT $6",
        );
        let rows = rows.bind(word(kind)).bind(mark.word()).bind(until.as_millis() as i64);
        let rows = rows.bind(self.after.0).bind(&self.after.1).bind(PAGE).fetch_all(database).await?;
        let candidates = rows.iter().map(Candidate::read).collect::<Result<Vec<_>, _>>()?;
        match candidates.last() {
            Some(last) if rows.len() as i64 == PAGE => {
                self.after = (last.usage.active_at.as_millis() as i64, last.id.clone());
            }
            _ => {
                self.stretches.pop();
                self.after = beginning();
            }
        }
        Ok(Some((kind, candidates)))
    }
}

impl Candidate {
    /// The account with this id, if it is one still.
    pub(super) async fn find(database: impl AnyExecutor<'_>, id: &str) -> Result<Option<Self>, sqlx::Error> {
        let found = sqlx::query(
            "SELECT id, subject_key, dormancy, marked_at, state_since, active_at, last_seen FROM accounts
             WHERE state = 'active' AND id = $1",
        );
        found.bind(id).fetch_optional(database).await?.as_ref().map(Self::read).transpose()
    }

    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self { id: row.try_get("id")?, subject_key: row.try_get("subject_key")?, usage: Usage::of(row)? })
    }
}

impl Usage {
    /// How an account was used whose row this is.
    pub(super) fn of(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let set = |column: &str| time(row, column).map(|at| at.unwrap_or(Timestamp::from_millis(0)));
        Ok(Self {
            mark: Mark::of(row)?,
            marked_at: set("marked_at")?,
            state_since: set("state_since")?,
            active_at: set("active_at")?,
            last_seen: time(row, "last_seen")?,
        })
    }

    /// Whether the index does not know yet how long it is in use.
    pub(super) fn is_ahead(&self) -> bool {
        self.quiet_since() > self.active_at
    }
}

/// The word for a kind, as it stands in accounts' rows.
pub(super) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "person",
        Kind::Service => "service",
        Kind::Agent => "agent",
    }
}

fn beginning() -> (i64, String) {
    (i64::MIN, String::new())
}
