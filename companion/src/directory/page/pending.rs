//! `GET /console/pending`: who waits for approval, to be decided about one by one or many at once.

use super::failure::Failure;
use super::find::Filter;
use super::table::{self, Rows};
use super::visit::Visit;
use super::{act, frame};
use crate::directory::lifecycle::{Action, State};
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::{self, Query};
use maud::{Markup, html};
use serde::Deserialize;

pub(super) const PATH: &str = "/console/pending";

/// Which of them, and whether all on the page are chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    before: String,
    choose: String,
}

pub(super) async fn show(
    extract::State(store): extract::State<Store>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Markup, Failure> {
    let filter = Filter { state: Some(State::Pending), before: &which.before, ..Filter::default() };
    let found = filter.run(&store).await?;
    let all = which.choose == "all";
    let choose = |choose| frame::address(PATH, &[("before", &which.before), ("choose", choose)]);
    let caption = "Accounts that wait for approval, newest first";
    let body = html! {
        h1 { "Pending" }
        @if found.accounts.is_empty() {
            div.empty {
                p { "Nobody waits for approval." }
                p {
                    "Accounts wait here where the directory runs with " code { "--new-accounts pending" }
                    ": somebody new is let in once they are approved."
                }
            }
        } @else if visit.may_act() {
            form method="post" action=(act::PATH) {
                (frame::form_mark(&visit))
                input type="hidden" name="back" value=(PATH);
                div.several {
                    (act::reason("", None))
                    div.buttons {
                        (act::button(Action::Approve))
                        (act::button(Action::Depart))
                    }
                    p.hint {
                        "For the accounts that are chosen below. "
                        @if all { a href=(choose("")) { "Choose none" } } @else { a href=(choose("all")) { "Choose all on this page" } }
                    }
                }
                (table::accounts(caption, &found.accounts, Rows::Choose { all }))
            }
        } @else {
            (table::accounts(caption, &found.accounts, Rows::Read))
        }
        (frame::paging(PATH, &[], &which.before, found.next.as_deref()))
    };
    Ok(frame::page(&visit, PATH, "Pending", body))
}
