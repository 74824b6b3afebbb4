//! A table of accounts. On a phone its rows become cards (style.css), so it says what it is by roles too: a browser that lays
//! a table out as something else takes it for something else.

use super::{account, words};
use crate::directory::accounts::Account;
use maud::{Markup, html};

/// How accounts are told.
pub(super) struct Table<'a> {
    /// Which they are.
    pub(super) caption: &'a str,
    pub(super) rows: Rows,
    /// Whether there is a column for what dormancy made of them.
    pub(super) dormancy: bool,
}

/// What the rows of a table are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// To look at.
    Read,
    /// To choose some of, in the form around the table; all of them are chosen to begin with, or none.
    Choose { all: bool },
}

impl Table<'_> {
    pub(super) fn show(&self, accounts: &[Account]) -> Markup {
        html! {
            table.cards role="table" {
                caption { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @if self.rows != Rows::Read { th.pick role="columnheader" scope="col" { "Choose" } }
                        @for title in ["Subject", "State", "Kind", "Origin"] { (head(title)) }
                        @if self.dormancy { (head("Dormancy (UTC)")) }
                        (head("Last seen (UTC)"))
                    }
                }
                tbody role="rowgroup" { @for account in accounts { (self.row(account)) } }
            }
        }
    }

    fn row(&self, account: &Account) -> Markup {
        let name = words::name(account);
        let since = html! {
            @if let Some(since) = &account.state_since { span.since { "since " (words::day(since)) } }
        };
        let origin = html! {
            (words::issuer(account))
            span.since { @match &account.gateway { Some(gateway) => { "via " (gateway) }, None => "via SCIM" } }
        };
        let dormancy = html! { @if let Some(dormancy) = &account.dormancy { (words::dormancy(dormancy)) } };
        html! {
            tr role="row" {
                @if let Rows::Choose { all } = self.rows {
                    td.pick role="cell" {
                        label {
                            input type="checkbox" name="account" value=(account.id) checked[all];
                            span.unseen { "Choose " (name) }
                        }
                    }
                }
                th.subject role="rowheader" scope="row" {
                    a href=(account::path(&account.id)) { (name) }
                    @if name != account.id { code { (account.id) } }
                }
                (cell("State", html! { (words::state(account.state)) (since) }))
                (cell("Kind", html! { (account.kind) }))
                (cell("Origin", origin))
                @if self.dormancy { (cell("Dormancy (UTC)", dormancy)) }
                (cell("Last seen (UTC)", words::ago(account.last_seen.as_deref())))
            }
        }
    }
}

/// The head of a column.
pub(super) fn head(title: &str) -> Markup {
    html! { th role="columnheader" scope="col" { (title) } }
}

/// A cell with the name of its column, which is beside it where there is no head.
pub(super) fn cell(label: &str, content: Markup) -> Markup {
    html! { td role="cell" data-label=(label) { div { (content) } } }
}
