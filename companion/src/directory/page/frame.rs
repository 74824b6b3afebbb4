//! What is around every page: head, navigation, notice; and what several pages have in them.

use super::style::{ICON, STYLE};
use super::visit::Visit;
use super::{accounts, audit, dormant, pending};
use maud::{DOCTYPE, Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is kept as it is in a query (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A page of somebody who is logged in; `here` is the path of its part of the console.
pub(super) fn page(visit: &Visit, here: &str, title: &str, body: Markup) -> Markup {
    let part = |path: &str| (path == here).then_some("page");
    let inside = html! {
        header.top {
            a.brand href=(accounts::PATH) { (mark()) span { "firstsight" } }
            nav aria-label="Console" {
                a href=(accounts::PATH) aria-current=[part(accounts::PATH)] { "Accounts" }
                a href=(pending::PATH) aria-current=[part(pending::PATH)] {
                    "Pending"
                    @if !visit.pending.is_none() { " " span.count { (visit.pending) } }
                }
                a href=(dormant::PATH) aria-current=[part(dormant::PATH)] {
                    "Dormant"
                    @if !visit.dormant.is_none() { " " span.count { (visit.dormant) } }
                }
                a href=(audit::PATH) aria-current=[part(audit::PATH)] { "Audit" }
            }
            form.who method="post" action="/console/logout" {
                span { (visit.session.caller.name) span.role { @if visit.may_act() { "admin" } @else { "auditor" } } }
                (form_mark(visit))
                button.quiet { "Log out" }
            }
        }
        main #main tabindex="-1" {
            @if let Some(notice) = &visit.session.notice {
                p.notice role="status" { (notice) }
            }
            (body)
        }
    };
    document(title, html! { a.skip href="#main" { "Skip to the content" } (inside) })
}

/// A page of nobody in particular, with little on it.
pub(super) fn bare(title: &str, body: Markup) -> Markup {
    let inside = html! {
        main.bare #main {
            p.brand { (mark()) "firstsight" }
            h1 { (title) }
            (body)
        }
    };
    document(title, inside)
}

fn document(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " · firstsight" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="stylesheet" href=(STYLE.path());
                link rel="icon" type="image/svg+xml" href=(ICON.path());
            }
            body { (body) }
        }
    }
}

fn mark() -> Markup {
    html! { img src=(ICON.path()) alt="" width="24" height="24"; }
}

/// What a form of this session carries.
pub(super) fn form_mark(visit: &Visit) -> Markup {
    html! { input type="hidden" name="form" value=(visit.session.id.form()); }
}

/// A path with a query; what is empty is left out.
pub(super) fn address(path: &str, query: &[(&str, &str)]) -> String {
    let said = query.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> =
        said.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The way to the next page, and back to the first; `query` is what the page was asked, and `here` the place it begins at.
pub(super) fn paging(path: &str, query: &[(&str, &str)], here: (&str, &str), next: Option<&str>) -> Markup {
    let (place, begins) = here;
    let following = next.map(|next| address(path, &[query, &[(place, next)]].concat()));
    html! {
        @if !begins.is_empty() || following.is_some() {
            nav.paging aria-label="Pages" {
                @if !begins.is_empty() { a.button href=(address(path, query)) { "First page" } }
                @if let Some(following) = following { a.button href=(following) rel="next" { "Next page" } }
            }
        }
    }
}

/// A field to choose one of several words, or none of them.
pub(super) fn choice<'a>(
    name: &str,
    label: &str,
    chosen: &str,
    words: impl Iterator<Item = &'a str>,
) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for word in words {
                    option value=(word) selected[word == chosen] { (word) }
                }
            }
        }
    }
}
