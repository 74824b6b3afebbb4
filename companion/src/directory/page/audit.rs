//! `GET /console/audit`: what became of accounts, searched by whom, what, through what, by whom and when.

use super::failure::Failure;
use super::visit::Visit;
use super::{account, find, frame, words};
use crate::clock;
use crate::directory::accounts::Account;
use crate::directory::audit::{self as chain, Found, Record, Search};
use crate::directory::lifecycle::{Cause, Event};
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::{Query, State};
use firstsight::domain::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

pub(super) const PATH: &str = "/console/audit";

/// How many records are on a page.
const PAGE: i64 = 50;

/// What is asked for; what is empty is not asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    /// An account's id, a `sub` or a subject key.
    whom: String,
    event: String,
    cause: String,
    actor: String,
    gateway: String,
    from: String,
    until: String,
    before: String,
}

/// The page with this record on top.
pub(super) fn at(sequence: i64) -> String {
    format!("{PATH}?before={}", sequence.saturating_add(1))
}

pub(super) async fn show(
    State(store): State<Store>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Markup, Failure> {
    let meant = match which.whom.trim() {
        "" => None,
        whom => Some(find::named(&store, whom).await?),
    };
    let mut search = which.search()?;
    let results = match meant.as_deref() {
        Some([]) => html! { div.empty { p { "No account has this id, sub or subject key." } } },
        Some(several @ [_, _, ..]) => choices(&which, several),
        one => {
            search.account = one.and_then(|one| one.first()).map_or(String::new(), |one| one.id.clone());
            records(&which, &search.run(store.pool(), PAGE).await?)
        }
    };
    let (sequence, hash) = chain::head(store.pool()).await?;
    let body = html! {
        h1 { "Audit" }
        (proof(sequence, &hash))
        (form(&which))
        (results)
    };
    Ok(frame::page(&visit, PATH, "Audit", body))
}

/// What shows that nothing was changed.
fn proof(sequence: i64, hash: &str) -> Markup {
    html! {
        section.proof aria-labelledby="proof" {
            h2 #proof { "The chain" }
            @if sequence == 0 {
                p { "There is no record yet." }
            } @else {
                dl {
                    dt { "Last record" } dd { (sequence) }
                    dt { "Its hash" } dd { code { (hash) } }
                }
                p.hint {
                    "Each record holds the hash of the one before it. " code { "firstsight audit verify" }
                    " finds any that was changed, removed or moved. Note this hash elsewhere: "
                    code { "firstsight audit verify --noted HASH" } " then also finds a chain that was made anew."
                }
            }
        }
    }
}

fn form(which: &Which) -> Markup {
    let text = |name: &str, label: &str, value: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) type="text" name=(name) value=(value) autocomplete="off" spellcheck="false";
            }
        }
    };
    let time = |name: &str, label: &str, value: &str| {
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) type="datetime-local" name=(name) value=(value);
            }
        }
    };
    html! {
        form.search role="search" method="get" action=(PATH) {
            div.field.wide {
                label for="whom" { "Account, sub or subject key" }
                input #whom type="search" name="whom" value=(which.whom) autocomplete="off" spellcheck="false";
            }
            (words("event", "Event", &which.event, &Event::ALL.map(Event::word)))
            (words("cause", "Cause", &which.cause, &Cause::ALL.map(Cause::word)))
            (text("actor", "Actor", &which.actor))
            (text("gateway", "Gateway", &which.gateway))
            (time("from", "From (UTC)", &which.from))
            (time("until", "Before (UTC)", &which.until))
            div.buttons {
                button.primary { "Search" }
                @if !which.is_everything() { a.button href=(PATH) { "Clear" } }
            }
        }
    }
}

/// A field for a word, with those that there are for accounts; there may be others.
fn words(name: &str, label: &str, value: &str, known: &[&str]) -> Markup {
    let list = format!("{name}s");
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) type="text" name=(name) value=(value) list=(list) autocomplete="off" spellcheck="false";
            datalist id=(list) { @for word in known { option value=(word) {} } }
        }
    }
}

/// The accounts that somebody may mean, to choose from.
fn choices(which: &Which, accounts: &[Account]) -> Markup {
    html! {
        p { "Several accounts have this sub. Whose records?" }
        ul.links {
            @for account in accounts {
                li {
                    a href=(frame::address(PATH, &which.query(&account.id))) {
                        (words::name(account)) " of " (words::issuer(account))
                    }
                }
            }
        }
    }
}

fn records(which: &Which, found: &Found) -> Markup {
    let next = found.next.map(|sequence| sequence.to_string());
    html! {
        @if !found.records.is_empty() {
            table.cards role="table" {
                caption { "Records, newest first" }
                thead role="rowgroup" {
                    tr role="row" {
                        @for title in ["Record", "Time (UTC)", "Event", "About", "Actor", "Cause", "Gateway", "Reason"] {
                            th role="columnheader" scope="col" { (title) }
                        }
                    }
                }
                tbody role="rowgroup" { @for (record, sub) in &found.records { (row(record, sub.as_deref())) } }
            }
        } @else if found.goes_on {
            p.empty { "None among the records that were looked through. Older ones may follow." }
        } @else if which.is_everything() {
            p.empty { "There is a record for every arrival, change, approval, departure and return, once there are any." }
        } @else {
            div.empty { p { "No record is like that." } p { "Ask for less, or " a href=(PATH) { "look at all records" } "." } }
        }
        @if found.goes_on && !found.records.is_empty() {
            p.hint { "Not all records were looked through yet; older ones may follow. A time makes the search shorter." }
        }
        (frame::paging(PATH, &which.query(&which.whom), ("before", &which.before), next.as_deref()))
    }
}

fn row(record: &Record, sub: Option<&str>) -> Markup {
    html! {
        tr role="row" {
            th role="rowheader" scope="row" data-label="Record" { (record.sequence) }
            td role="cell" data-label="Time (UTC)" { (words::time(&record.at)) }
            td role="cell" data-label="Event" { (record.event) }
            td role="cell" data-label="About" {
                @if let Some(token) = &record.token { "token " (token.name) }
                @else { a href=(account::path(&record.account)) { (sub.unwrap_or(&record.account)) } }
            }
            td role="cell" data-label="Actor" { (record.actor) }
            td role="cell" data-label="Cause" { (record.cause) }
            td role="cell" data-label="Gateway" { (words::perhaps(record.gateway.as_deref())) }
            td role="cell" data-label="Reason" { (words::perhaps(record.reason.as_deref())) }
        }
    }
}

impl Which {
    fn search(&self) -> Result<Search, Failure> {
        let owned = |text: &String| text.trim().to_owned();
        let before = (!self.before.is_empty()).then(|| self.before.parse()).transpose();
        Ok(Search {
            account: String::new(),
            event: owned(&self.event),
            cause: owned(&self.cause),
            actor: owned(&self.actor),
            gateway: owned(&self.gateway),
            from: time(&self.from)?,
            until: time(&self.until)?,
            before: before.map_err(|_| Failure::query())?,
        })
    }

    /// The same question about whoever this is.
    fn query<'a>(&'a self, whom: &'a str) -> [(&'static str, &'a str); 7] {
        [
            ("whom", whom),
            ("event", &self.event),
            ("cause", &self.cause),
            ("actor", &self.actor),
            ("gateway", &self.gateway),
            ("from", &self.from),
            ("until", &self.until),
        ]
    }

    fn is_everything(&self) -> bool {
        self.query(&self.whom).iter().all(|(_, value)| value.is_empty())
    }
}

/// A time as a browser writes it, in UTC: to the minute, or finer if somebody wrote it so.
fn time(text: &str) -> Result<Option<Timestamp>, Failure> {
    let whole = match text.len() {
        0 => return Ok(None),
        16 => format!("{text}:00Z"),
        _ => format!("{text}Z"),
    };
    clock::parse(&whole).map(Some).ok_or_else(Failure::query)
}
