//! `POST /console/act`: an admin decides about one account or several. It is done by what the API does it by; what is for good
//! is asked once more.

use super::decision::Decision;
use super::failure::Failure;
use super::form::Form;
use super::visit::Visit;
use super::{account, confirmation, dormant, find, frame, pending, session, words};
use crate::directory::accounts::Account;
use crate::directory::actions::{self, Reason};
use crate::directory::change::Outcome;
use crate::directory::dormancy;
use crate::directory::lifecycle::Action;
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

pub(super) const PATH: &str = "/console/act";

/// What somebody wants done.
pub(super) struct Wish {
    pub(super) decision: Decision,
    pub(super) accounts: Vec<Account>,
    /// Why, as they wrote it.
    pub(super) reason: String,
    /// The page to go to afterwards.
    pub(super) back: String,
}

pub(super) async fn take(
    State(store): State<Store>,
    Extension(visit): Extension<Visit>,
    form: Form,
) -> Result<Response, Failure> {
    if !visit.may_act() {
        return Err(Failure::forbidden());
    }
    let wish = Wish::read(&store, &form).await?;
    let Some(reason) = Reason::parse(wish.reason.clone()) else {
        let problem = "Say why, in 1 to 1000 bytes without line breaks: it goes into the audit.";
        return Ok(confirmation::page(&visit, &wish, Some(problem)));
    };
    if wish.decision.is_for_good() && form.one("confirmed") != "yes" {
        return Ok(confirmation::page(&visit, &wish, None));
    }
    perform(&store, &visit, &wish, &reason).await?;
    Ok(Redirect::to(&wish.back).into_response())
}

impl Wish {
    async fn read(store: &Store, form: &Form) -> Result<Self, Failure> {
        let decision = Decision::of(form.one("decision")).ok_or_else(Failure::unreadable)?;
        let ids: Vec<_> = form.all("account").collect();
        let first = *ids.first().ok_or_else(Failure::nothing_chosen)?;
        let accounts = find::these(store, &ids).await?.ok_or_else(Failure::no_such_account)?;
        let queue = [pending::PATH, dormant::PATH].into_iter().find(|path| *path == form.one("back"));
        let back = queue.map_or_else(|| account::path(first), str::to_owned);
        Ok(Self { decision, accounts, reason: form.one("reason").to_owned(), back })
    }
}

/// Does it, to all in one transaction; those whose state changed meanwhile so that it cannot be done stay as they are.
async fn perform(store: &Store, visit: &Visit, wish: &Wish, reason: &Reason) -> Result<(), sqlx::Error> {
    let caller = &visit.session.caller;
    let mut write = store.write().await?;
    let (mut done, mut left) = (0_usize, Vec::new());
    for account in &wish.accounts {
        let outcome = match wish.decision {
            Decision::Change(action) => {
                actions::decide(&mut write, caller, &account.id, action, reason).await?
            }
            Decision::Keep => {
                dormancy::keep_as_it_is(&mut write, caller, &account.id, reason).await?;
                Outcome::Is(account.state)
            }
        };
        match outcome {
            Outcome::Is(_) => done += 1,
            Outcome::Stays(state) => left.push(format!("{} is {}", words::name(account), state.word())),
            Outcome::Unknown => {}
        }
    }
    let were = if done == 1 { "account was" } else { "accounts were" };
    let mut notice = format!("{done} {were} {}.", wish.decision.words().done);
    if !left.is_empty() {
        notice = format!("{notice} Left as they are: {}.", left.join(", "));
    }
    session::leave_notice(&mut write, &visit.session.id, &notice).await?;
    write.commit().await
}

/// What can be done to an account as it is.
pub(super) fn form(visit: &Visit, account: &Account) -> Markup {
    html! {
        section.act aria-labelledby="act" {
            h2 #act { "Decide" }
            form method="post" action=(PATH) {
                (frame::form_mark(visit))
                input type="hidden" name="account" value=(account.id);
                (reason("", None))
                ul.choices {
                    @for decision in Decision::about(account) {
                        li { (button(decision)) p.hint { (decision.words().effect) } }
                    }
                }
            }
        }
    }
}

/// The field for the reason.
pub(super) fn reason(said: &str, problem: Option<&str>) -> Markup {
    html! {
        div.field {
            label for="reason" { "Reason" }
            input #reason type="text" name="reason" value=(said) required maxlength=(Reason::LONGEST)
                autocomplete="off" aria-describedby="reason-hint" aria-invalid=[problem.map(|_| "true")];
            @match problem {
                Some(problem) => p.problem #reason-hint role="alert" { (problem) },
                None => p.hint #reason-hint { "For the audit and for operators of gateways." },
            }
        }
    }
}

/// The button of a decision.
pub(super) fn button(decision: Decision) -> Markup {
    let words = decision.words();
    let class = match decision {
        Decision::Keep | Decision::Change(Action::Approve | Action::Enable | Action::Return) => "primary",
        Decision::Change(Action::Disable | Action::Revoke) => "plain",
        Decision::Change(Action::Depart) => "danger",
    };
    html! {
        button class=(class) name="decision" value=(words.word) {
            (words.button) @if decision.is_for_good() { "…" }
        }
    }
}
