//! The page that asks once more before something is done: because it is for good, or because a reason is missing.

use super::act::{self, Wish};
use super::visit::Visit;
use super::{frame, table, words};
use crate::directory::lifecycle::Action;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;
use table::Rows;

/// Asks; `problem` is what is wrong with the reason.
pub(super) fn page(visit: &Visit, wish: &Wish, problem: Option<&str>) -> Response {
    let words = words::of(wish.action);
    let number = wish.accounts.len();
    let whom = match wish.accounts.as_slice() {
        [account] => account.subject.id.clone(),
        _ => format!("{number} accounts"),
    };
    let title = format!("{} {whom}?", words.button);
    let class = if wish.action == Action::Depart { "danger" } else { "primary" };
    let body = html! {
        h1 { (title) }
        p.lead { (words.effect) }
        form.confirm method="post" action=(act::PATH) {
            (frame::form_mark(visit))
            @for account in &wish.accounts { input type="hidden" name="account" value=(account.id); }
            input type="hidden" name="back" value=(wish.back);
            input type="hidden" name="confirmed" value="yes";
            (act::reason(&wish.reason, problem))
            div.buttons {
                button class=(class) name="action" value=(words.word) {
                    (words.button) " " (number) @if number == 1 { " account" } @else { " accounts" }
                }
                a.button href=(wish.back) { "Cancel" }
            }
        }
        (table::accounts("Accounts this is about", &wish.accounts, Rows::Read))
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, frame::page(visit, "", &title, body)).into_response()
}
