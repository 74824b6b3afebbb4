//! Accounts that wait for somebody to decide about them, one by one or several at once with one reason.

use super::decision::Decision;
use super::table::{Rows, Table};
use super::visit::Visit;
use super::{act, frame};
use crate::directory::accounts::Account;
use maud::{Markup, html};

/// A page of a queue.
pub(super) struct Queue<'a> {
    pub(super) path: &'a str,
    pub(super) caption: &'a str,
    pub(super) accounts: &'a [Account],
    pub(super) decisions: &'a [Decision],
    /// Whether all on the page are chosen to begin with.
    pub(super) all: bool,
    /// The address of the same page with all chosen, and with none.
    pub(super) choose: (String, String),
    /// Whether there is a column for what dormancy made of them.
    pub(super) dormancy: bool,
}

impl Queue<'_> {
    /// The accounts, and the form around them for whoever may decide.
    pub(super) fn show(&self, visit: &Visit) -> Markup {
        let table = |rows| Table { caption: self.caption, rows, dormancy: self.dormancy }.show(self.accounts);
        if !visit.may_act() {
            return table(Rows::Read);
        }
        let (all, none) = &self.choose;
        html! {
            form method="post" action=(act::PATH) {
                (frame::form_mark(visit))
                input type="hidden" name="back" value=(self.path);
                div.several {
                    (act::reason("", None))
                    div.buttons { @for decision in self.decisions { (act::button(*decision)) } }
                    p.hint {
                        "For the accounts that are chosen below. "
                        @if self.all { a href=(none) { "Choose none" } } @else { a href=(all) { "Choose all on this page" } }
                    }
                }
                (table(Rows::Choose { all: self.all }))
            }
        }
    }
}
