//! `GET /console/accounts/{id}`: everything that is known of one subject, what became of it, and what can be done.

use super::failure::Failure;
use super::visit::Visit;
use super::{accounts, act, audit, frame, words};
use crate::directory::accounts::{self as stored, Account};
use crate::directory::audit::{Record, Search};
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many records of a story are on a page.
const PAGE: i64 = 100;

/// Which part of the story.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    /// Before this record.
    before: String,
}

/// The page of an account.
pub(super) fn path(id: &str) -> String {
    format!("{}/{id}", accounts::PATH)
}

pub(super) async fn show(
    State(store): State<Store>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Markup, Failure> {
    let account = stored::find(&store, &id).await?.ok_or_else(Failure::no_such_account)?;
    let before = (!part.before.is_empty()).then(|| part.before.parse()).transpose();
    let before = before.map_err(|_| Failure::query())?;
    let story = Search { account: account.id.clone(), before, ..Search::default() };
    let story = story.run(store.pool(), PAGE).await?;
    let next = story.next.map(|sequence| sequence.to_string());
    let body = html! {
        p.trail { a href=(accounts::PATH) { "Accounts" } }
        div.title { h1 { (words::name(&account)) } (words::state(account.state)) }
        div.columns {
            section aria-labelledby="story" {
                h2 #story { "Story" }
                ol.story { @for (record, _) in &story.records { (chapter(record)) } }
                (frame::paging(&path(&account.id), &[], ("before", &part.before), next.as_deref()))
            }
            div {
                @if visit.may_act() { (act::form(&visit, &account)) }
                (facts(&account))
                (attributes(&account))
            }
        }
    };
    Ok(frame::page(&visit, accounts::PATH, words::name(&account), body))
}

/// One record of the story.
fn chapter(record: &Record) -> Markup {
    html! {
        li class=(record.event) {
            h3 { (record.event) }
            p.when { (words::time(&record.at)) " UTC" }
            @if let Some(reason) = &record.reason { p.reason { "“" (reason) "”" } }
            dl {
                dt { "Actor" } dd { (record.actor) }
                dt { "Cause" } dd { (record.cause) }
                @if let Some(gateway) = &record.gateway { dt { "Gateway" } dd { (gateway) } }
                @if let Some(mapping) = &record.mapping { dt { "Mapping" } dd { code { (mapping) } } }
                @if !record.attributes.is_empty() {
                    dt { "Attributes" }
                    dd { @for name in &record.attributes { code.name { (name) } " " } }
                }
                dt { "Record" } dd { a href=(audit::at(record.sequence)) { (record.sequence) } }
            }
        }
    }
}

fn facts(account: &Account) -> Markup {
    let time = |time: &Option<String>| html! { @if let Some(time) = time { (words::time(time)) " UTC" } @else { span.none { "never" } } };
    let code = |text: Option<&str>| html! { @match text { Some(text) => code { (text) }, None => span.none { "none" } } };
    html! {
        section aria-labelledby="facts" {
            h2 #facts { "Account" }
            dl.facts {
                dt { "State" } dd { (words::state(account.state)) " since " (time(&account.state_since)) }
                @if let Some(dormancy) = &account.dormancy { dt { "Dormancy" } dd { (words::dormancy(dormancy)) } }
                dt { "Kind" } dd { (account.kind) }
                dt { "Last seen" } dd { (words::ago(account.last_seen.as_deref())) @if account.last_seen.is_some() { " UTC" } }
                dt { "First seen" } dd { (time(&account.first_seen)) }
                dt { "Requests served" } dd { (account.sightings) }
                @if let Some(subject) = &account.subject {
                    dt { "Issuer" } dd { (subject.issuer) }
                    dt { "Sub" } dd { (subject.id) }
                    dt { "Subject key" } dd { code { (subject.key) } }
                } @else {
                    dt { "Subject" } dd { span.none { "none yet: a SCIM client told of it, and no gateway" } }
                }
                dt { "Account id" } dd { code { (account.id) } }
                @if let Some(external) = &account.external_id { dt { "External id" } dd { code { (external) } } }
                dt { "Gateway" } dd { (words::perhaps(account.gateway.as_deref())) }
                dt { "Mapping" } dd { (code(account.mapping.as_deref())) }
                dt { "Made" } dd { (time(&account.created_at)) }
                dt { "Changed" } dd { (time(&account.updated_at)) }
            }
        }
    }
}

fn attributes(account: &Account) -> Markup {
    let mut rows = Vec::new();
    if let Some(attributes) = account.attributes.as_object() {
        flatten(attributes, "", &mut rows);
    }
    html! {
        section aria-labelledby="attributes" {
            h2 #attributes { "Attributes" }
            @if rows.is_empty() {
                p.empty { "None: the gateway's mapping names no attribute, or the token has none of them." }
            } @else {
                table.attributes {
                    caption.unseen { "Attributes and their values" }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Value" } } }
                    tbody {
                        @for (name, value) in &rows {
                            tr { th scope="row" { code { (name) } } td { (value) } }
                        }
                    }
                }
            }
            @if let Some(issued) = &account.attributes_issued_at {
                p.hint { "From a token of " (words::time(issued)) " UTC." }
            }
        }
    }
}

/// Attributes by their dotted names, as the audit calls them.
fn flatten(attributes: &Map<String, Value>, prefix: &str, rows: &mut Vec<(String, String)>) {
    for (name, value) in attributes {
        match value {
            Value::Object(members) if !members.is_empty() => {
                flatten(members, &format!("{prefix}{name}."), rows);
            }
            Value::String(text) => rows.push((format!("{prefix}{name}"), text.clone())),
            other => rows.push((format!("{prefix}{name}"), other.to_string())),
        }
    }
}
