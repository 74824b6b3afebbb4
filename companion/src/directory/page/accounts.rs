//! `GET /console/accounts`: who has an account, how it stands, and when they were last seen.

use super::failure::Failure;
use super::find::{self, Count, Filter, Found};
use super::table::{Rows, Table};
use super::visit::Visit;
use super::{frame, words};
use crate::directory::lifecycle::State;
use crate::directory::store::Store;
use axum::Extension;
use axum::extract;
use axum::extract::Query;
use maud::{Markup, html};
use serde::Deserialize;

pub(super) const PATH: &str = "/console/accounts";

/// The words for kinds, as gateways say them.
const KINDS: [&str; 3] = ["person", "service", "agent"];

/// What is asked for; what is empty is not asked.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    /// What an account may be called by.
    q: String,
    state: String,
    kind: String,
    issuer: String,
    before: String,
}

pub(super) async fn show(
    extract::State(store): extract::State<Store>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Markup, Failure> {
    let q = which.q.trim();
    let state = State::ALL.into_iter().find(|state| state.word() == which.state);
    if state.is_none() && !which.state.is_empty() {
        return Err(Failure::query());
    }
    let filter = Filter { state, kind: &which.kind, issuer: &which.issuer, before: &which.before };
    let found = if q.is_empty() {
        filter.run(&store).await?
    } else {
        let mut accounts = find::search(&store, q).await?;
        accounts.retain(|account| filter.takes(account));
        Found { accounts, next: None, goes_on: false }
    };
    let mut counts = Vec::new();
    for state in State::ALL {
        counts.push((state, find::count(&store, state).await?));
    }
    let body = html! {
        h1 { "Accounts" }
        (states(&which, &counts))
        (search(&which, &find::issuers(&store).await?))
        (accounts(&which, state, &found))
    };
    Ok(frame::page(&visit, PATH, "Accounts", body))
}

/// How many accounts are in each state, and the way to them.
fn states(which: &Which, counts: &[(State, Count)]) -> Markup {
    let to = |state| frame::address(PATH, &which.query(state));
    let here = |state: &str| (which.state == state).then_some("true");
    html! {
        nav.tabs aria-label="States" {
            a href=(to("")) aria-current=[here("")] { "All" }
            @for (state, count) in counts {
                a href=(to(state.word())) aria-current=[here(state.word())] {
                    (words::state(*state)) " " span.count { (count) }
                }
            }
        }
    }
}

fn search(which: &Which, issuers: &[String]) -> Markup {
    html! {
        form.search role="search" method="get" action=(PATH) {
            div.field.wide {
                label for="q" { "Search" }
                input #q type="search" name="q" value=(which.q) autocomplete="off" spellcheck="false"
                    aria-describedby="searched";
                p.hint #searched { "A whole account id, sub or subject key; or how a user name begins." }
            }
            (frame::choice("kind", "Kind", &which.kind, KINDS.into_iter()))
            (frame::choice("issuer", "Issuer", &which.issuer, issuers.iter().map(String::as_str)))
            input type="hidden" name="state" value=(which.state);
            div.buttons {
                button.primary { "Search" }
                @if !which.is_everything() { a.button href=(PATH) { "Clear" } }
            }
        }
    }
}

fn accounts(which: &Which, state: Option<State>, found: &Found) -> Markup {
    let caption = match state {
        None => "Accounts, newest first".to_owned(),
        Some(state) => format!("Accounts that are {}, newest first", state.word()),
    };
    html! {
        @if !found.accounts.is_empty() {
            (Table { caption: &caption, rows: Rows::Read, dormancy: false }.show(&found.accounts))
        } @else if found.goes_on {
            p.empty { "None among the accounts that were looked through. Older ones may follow." }
        } @else if which.is_everything() {
            div.empty {
                p { "There are no accounts yet." }
                p {
                    "One is made when a gateway sights somebody for the first time. Point a gateway's "
                    code { "provisioning" } " at this directory and send a request with a token through it."
                }
            }
        } @else {
            div.empty {
                p { "No account is like that." }
                p { "Ask for less, or " a href=(PATH) { "look at all accounts" } "." }
            }
        }
        @if found.goes_on && !found.accounts.is_empty() {
            p.hint { "Not all accounts were looked through yet; older ones may follow." }
        }
        (frame::paging(PATH, &which.query(&which.state), ("before", &which.before), found.next.as_deref()))
    }
}

impl Which {
    /// The same question about accounts in this state.
    fn query<'a>(&'a self, state: &'a str) -> [(&'static str, &'a str); 4] {
        [("q", &self.q), ("state", state), ("kind", &self.kind), ("issuer", &self.issuer)]
    }

    fn is_everything(&self) -> bool {
        self.query(&self.state).iter().all(|(_, value)| value.is_empty())
    }
}
