//! Finding accounts for people, newest first. Every question is answered from an index, or within a stretch of one, so that
//! none takes long however many accounts there are.

use crate::directory::accounts::{self, Account};
use crate::directory::lifecycle::State;
use crate::directory::profile;
use crate::directory::store::Store;
use maud::{Markup, Render, html};
use sqlx::{AssertSqlSafe, Row};

/// How many accounts are on a page.
pub(super) const PAGE: i64 = 50;
/// How many accounts are looked through at once for those of a kind or an issuer.
const STRETCH: i64 = 20_000;
/// Where counting ends.
const COUNTED: i64 = 10_000;
/// The most issuers that are offered to choose from.
const ISSUERS: i64 = 50;
/// After every id, in the order of every locale: ids are hexadecimal digits.
const AFTER_ALL: &str = "z";

/// Which accounts are asked for; what is empty is not asked.
#[derive(Debug, Default)]
pub(super) struct Filter<'a> {
    pub(super) state: Option<State>,
    pub(super) kind: &'a str,
    pub(super) issuer: &'a str,
    /// Only those before this account's id.
    pub(super) before: &'a str,
}

/// Some of the accounts that were found.
pub(super) struct Found {
    pub(super) accounts: Vec<Account>,
    /// The `before` of what follows; nothing if nothing does.
    pub(super) next: Option<String>,
    /// Whether there may be more although the page is not full: not all accounts were looked at.
    pub(super) goes_on: bool,
}

/// How many there are; of many it is only known that they are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(i64);

impl Filter<'_> {
    /// Whether an account is one of those that are asked for.
    pub(super) fn takes(&self, account: &Account) -> bool {
        self.state.is_none_or(|state| account.state == state)
            && (self.kind.is_empty() || account.kind == self.kind)
            && (self.issuer.is_empty()
                || account.subject.as_ref().is_some_and(|subject| subject.issuer == self.issuer))
    }

    /// The newest of them that fit on a page.
    pub(super) async fn run(&self, store: &Store) -> Result<Found, sqlx::Error> {
        let state = self.state.map_or("", State::word);
        let before = if self.before.is_empty() { AFTER_ALL } else { self.before };
        let of_state = if self.state.is_some() { " AND state = $3" } else { "" };
        // Only what has no index of its own is looked for in a stretch.
        let (reach, goes_on) = if self.kind.is_empty() && self.issuer.is_empty() {
            (String::new(), false)
        } else {
            let stretch = format!(
                "SELECT min(id) AS reach, count(*) AS number FROM
                   (SELECT id FROM accounts WHERE id < $1{of_state} ORDER BY id DESC LIMIT $2) AS stretch"
            );
            let stretch = sqlx::query(AssertSqlSafe(stretch)).bind(before).bind(STRETCH);
            let stretch = if self.state.is_some() { stretch.bind(state) } else { stretch };
            let stretch = stretch.fetch_one(store.pool()).await?;
            let reach: Option<String> = stretch.try_get("reach")?;
            (reach.unwrap_or_default(), stretch.try_get::<i64, _>("number")? == STRETCH)
        };
        let of_state = of_state.replace("$3", "$6");
        let found = format!(
            "SELECT * FROM accounts
             WHERE id < $1 AND id >= $2 AND ($3 = '' OR kind = $3) AND ($4 = '' OR issuer = $4){of_state}
             ORDER BY id DESC LIMIT $5"
        );
        let found = sqlx::query(AssertSqlSafe(found));
        let found = found.bind(before).bind(&reach).bind(self.kind).bind(self.issuer).bind(PAGE + 1);
        let found = if self.state.is_some() { found.bind(state) } else { found };
        let rows = found.fetch_all(store.pool()).await?;
        let accounts = rows.iter().take(PAGE as usize).map(Account::read).collect::<Result<Vec<_>, _>>()?;
        let full = rows.len() > accounts.len();
        let next = if full {
            accounts.last().map(|account| account.id.clone())
        } else {
            Some(reach).filter(|_| goes_on)
        };
        Ok(Found { accounts, next, goes_on: goes_on && !full })
    }
}

/// The accounts with these ids; `None` if one of them is not there, or they are more than a page has.
pub(super) async fn these(store: &Store, ids: &[&str]) -> Result<Option<Vec<Account>>, sqlx::Error> {
    let mut accounts = Vec::new();
    for id in ids.iter().take(PAGE as usize) {
        accounts.extend(accounts::find(store, id).await?);
    }
    Ok(Some(accounts).filter(|accounts| accounts.len() == ids.len()))
}

/// The accounts with this id, `sub` or subject key.
pub(super) async fn named(store: &Store, text: &str) -> Result<Vec<Account>, sqlx::Error> {
    meant(store, text, ("", "")).await
}

/// The same, and those whose user name begins so.
pub(super) async fn search(store: &Store, text: &str) -> Result<Vec<Account>, sqlx::Error> {
    let first = profile::lookup_key(text);
    let end = format!("{first}{}", char::MAX);
    meant(store, text, (&first, &end)).await
}

async fn meant(store: &Store, text: &str, names: (&str, &str)) -> Result<Vec<Account>, sqlx::Error> {
    // Each part by an index of its own.
    let found = sqlx::query(
        "SELECT * FROM accounts WHERE id IN
           (SELECT id FROM accounts WHERE id = $1
            UNION SELECT id FROM accounts WHERE subject_key = $1
            UNION SELECT id FROM (SELECT id FROM accounts WHERE subject = $1 LIMIT $2) AS by_sub
            UNION SELECT id FROM (SELECT id FROM accounts WHERE user_name >= $3 AND user_name < $4
                                  ORDER BY user_name LIMIT $2) AS by_name)
         ORDER BY id DESC LIMIT $2",
    );
    let found = found.bind(text).bind(PAGE).bind(names.0).bind(names.1).fetch_all(store.pool()).await?;
    found.iter().map(Account::read).collect()
}

/// The issuers that there are accounts of, some of them if they are many.
pub(super) async fn issuers(store: &Store) -> Result<Vec<String>, sqlx::Error> {
    // From one to the next by the index, past all accounts of each.
    let issuers = sqlx::query(
        "WITH RECURSIVE known (issuer) AS
           (SELECT min(issuer) FROM accounts
            UNION ALL
            SELECT (SELECT min(issuer) FROM accounts WHERE issuer > known.issuer)
            FROM known WHERE known.issuer IS NOT NULL)
         SELECT issuer FROM known WHERE issuer IS NOT NULL LIMIT $1",
    );
    let issuers = issuers.bind(ISSUERS).fetch_all(store.pool()).await?;
    issuers.iter().map(|row| row.try_get("issuer")).collect()
}

/// How many accounts are in a state.
pub(super) async fn count(store: &Store, state: State) -> Result<Count, sqlx::Error> {
    let number = sqlx::query(
        "SELECT count(*) AS number FROM (SELECT id FROM accounts WHERE state = $1 LIMIT $2) AS counted",
    );
    let number = number.bind(state.word()).bind(COUNTED + 1).fetch_one(store.pool()).await?;
    Ok(Count(number.try_get("number")?))
}

/// How many accounts are marked by dormancy.
pub(super) async fn count_marked(store: &Store) -> Result<Count, sqlx::Error> {
    let number = sqlx::query(
        "SELECT count(*) AS number FROM
           (SELECT id FROM accounts WHERE dormancy <> 'awake' LIMIT $1) AS counted",
    );
    let number = number.bind(COUNTED + 1).fetch_one(store.pool()).await?;
    Ok(Count(number.try_get("number")?))
}

impl Count {
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl Render for Count {
    fn render(&self) -> Markup {
        html! { @if self.0 > COUNTED { "over " (COUNTED) } @else { (self.0) } }
    }
}
