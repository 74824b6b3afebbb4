//! The page that asks once more before something is done: because it is for good, or because a reason is missing.

use super::act::{self, Wish};
use super::table::{Rows, Table};
use super::visit::Visit;
use super::{frame, words};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

/// Asks; `problem` is what is wrong with the reason.
pub(super) fn page(visit: &Visit, wish: &Wish, problem: Option<&str>) -> Response {
    let said = wish.decision.words();
    let number = wish.accounts.len();
    let whom = match wish.accounts.as_slice() {
        [account] => words::name(account).to_owned(),
        _ => format!("{number} accounts"),
    };
    let title = format!("{} {whom}?", said.button);
    let class = if wish.decision.is_for_good() { "danger" } else { "primary" };
    let table = Table { caption: "Accounts this is about", rows: Rows::Read, dormancy: false };
    let body = html! {
        h1 { (title) }
        p.lead { (said.effect) }
        form.confirm method="post" action=(act::PATH) {
            (frame::form_mark(visit))
            @for account in &wish.accounts { input type="hidden" name="account" value=(account.id); }
            input type="hidden" name="back" value=(wish.back);
            input type="hidden" name="confirmed" value="yes";
            (act::reason(&wish.reason, problem))
            div.buttons {
                button class=(class) name="decision" value=(said.word) {
                    (said.button) " " (number) @if number == 1 { " account" } @else { " accounts" }
                }
                a.button href=(wish.back) { "Cancel" }
            }
        }
        (table.show(&wish.accounts))
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, frame::page(visit, "", &title, body)).into_response()
}
