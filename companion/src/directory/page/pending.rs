//! `GET /console/pending`: who waits for approval.

use super::decision::Decision;
use super::failure::Failure;
use super::find::Filter;
use super::frame;
use super::queue::Queue;
use super::visit::Visit;
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
    let choose = |choose| frame::address(PATH, &[("before", &which.before), ("choose", choose)]);
    let queue = Queue {
        path: PATH,
        caption: "Accounts that wait for approval, newest first",
        accounts: &found.accounts,
        decisions: &[Decision::Change(Action::Approve), Decision::DEPART],
        all: which.choose == "all",
        choose: (choose("all"), choose("")),
        dormancy: false,
    };
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
        } @else {
            (queue.show(&visit))
        }
        (frame::paging(PATH, &[], ("before", &which.before), found.next.as_deref()))
    };
    Ok(frame::page(&visit, PATH, "Pending", body))
}
