//! A table of accounts. On a phone its rows become cards (style.css), so it says what it is by roles too: a browser that lays
//! a table out as something else takes it for something else.

use super::{account, words};
use crate::directory::accounts::Account;
use maud::{Markup, html};

/// What the rows of a table are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// To look at.
    Read,
    /// To choose some of, in the form around the table; all of them are chosen to begin with, or none.
    Choose { all: bool },
}

/// The accounts with how they stand; `caption` says which they are.
pub(super) fn accounts(caption: &str, accounts: &[Account], rows: Rows) -> Markup {
    html! {
        table.cards role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" {
                    @if rows != Rows::Read { th.pick role="columnheader" scope="col" { "Choose" } }
                    @for title in ["Subject", "State", "Kind", "Origin", "Last seen (UTC)"] {
                        th role="columnheader" scope="col" { (title) }
                    }
                }
            }
            tbody role="rowgroup" {
                @for account in accounts { (row(account, rows)) }
            }
        }
    }
}

fn row(account: &Account, rows: Rows) -> Markup {
    html! {
        tr role="row" {
            @if let Rows::Choose { all } = rows {
                td.pick role="cell" {
                    label {
                        input type="checkbox" name="account" value=(account.id) checked[all];
                        span.unseen { "Choose " (account.subject.id) }
                    }
                }
            }
            th.subject role="rowheader" scope="row" {
                a href=(account::path(&account.id)) { (account.subject.id) }
                code { (account.id) }
            }
            td role="cell" data-label="State" {
                div { (words::state(account.state)) span.since { "since " @if let Some(since) = &account.state_since { (words::time(since)) } } }
            }
            td role="cell" data-label="Kind" { (account.kind) }
            td role="cell" data-label="Origin" { div { (account.subject.issuer) span.since { "via " (account.gateway) } } }
            td role="cell" data-label="Last seen (UTC)" { div { (words::ago(account.last_seen.as_deref())) } }
        }
    }
}
