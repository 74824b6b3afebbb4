//! `GET /console/dormant`: who did not use an account for long, was disabled for it, or is back.

use super::decision::Decision;
use super::failure::Failure;
use super::find::PAGE;
use super::frame;
use super::queue::Queue;
use super::visit::Visit;
use crate::directory::Directory;
use crate::directory::dormancy;
use crate::directory::lifecycle::Action;
use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

pub(super) const PATH: &str = "/console/dormant";

/// Which of them, and whether all on the page are chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    after: String,
    choose: String,
}

pub(super) async fn show(
    State(directory): State<Directory>,
    Extension(visit): Extension<Visit>,
    Query(which): Query<Which>,
) -> Result<Markup, Failure> {
    let (accounts, next) = dormancy::marked(&directory, None, None, &which.after, PAGE).await?;
    let sweep = dormancy::last_sweep(&directory.store).await?;
    let choose = |choose| frame::address(PATH, &[("after", &which.after), ("choose", choose)]);
    let changes = [Action::Enable, Action::Disable, Action::Depart].map(Decision::Change);
    let queue = Queue {
        path: PATH,
        caption: "Accounts that were not used for long, oldest first",
        accounts: &accounts,
        decisions: &[&[Decision::Keep], &changes[..]].concat(),
        all: which.choose == "all",
        choose: (choose("all"), choose("")),
        dormancy: true,
    };
    let body = html! {
        h1 { "Dormant" }
        @match sweep["held"].as_str() {
            Some("most-at-once") => p.problem {
                "The last sweep disabled nobody, as it would be more at once than the settings allow. "
                code { "firstsight dormancy report" } " says whom; " code { "firstsight dormancy sweep --force" } " does it."
            },
            Some("stale-sightings") => p.problem {
                "The last sweep did nothing, as no gateway told of anybody lately: see whether sightings arrive."
            },
            _ => {},
        }
        @if !accounts.is_empty() {
            (queue.show(&visit))
        } @else if directory.rules.are_set() {
            div.empty { p { "Nobody is dormant." } p { "Whoever does not use their account for as long as the settings say is found here." } }
        } @else {
            div.empty {
                p { "Nobody is looked for." }
                p { "The section " code { "[dormancy]" } " of the settings says after how long unused an account is put up for review or disabled." }
            }
        }
        (frame::paging(PATH, &[], ("after", &which.after), next.as_deref()))
    };
    Ok(frame::page(&visit, PATH, "Dormant", body))
}
