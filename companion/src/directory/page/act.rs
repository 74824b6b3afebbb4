//! `POST /console/act`: an admin decides about one account or several. It is done by what the API does it by; what is for good
//! is asked once more.

use super::failure::Failure;
use super::form::Form;
use super::visit::Visit;
use super::{account, confirmation, find, frame, pending, session, words};
use crate::directory::accounts::Account;
use crate::directory::actions::{self, Reason};
use crate::directory::change::Outcome;
use crate::directory::lifecycle::Action;
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

pub(super) const PATH: &str = "/console/act";

/// What somebody wants done.
pub(super) struct Wish {
    pub(super) action: Action,
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
    if wish.action == Action::Depart && form.one("confirmed") != "yes" {
        return Ok(confirmation::page(&visit, &wish, None));
    }
    perform(&store, &visit, &wish, &reason).await?;
    Ok(Redirect::to(&wish.back).into_response())
}

impl Wish {
    async fn read(store: &Store, form: &Form) -> Result<Self, Failure> {
        let action = Action::ALL.into_iter().find(|action| words::of(*action).word == form.one("action"));
        let action = action.ok_or_else(Failure::unreadable)?;
        let ids: Vec<_> = form.all("account").collect();
        let first = *ids.first().ok_or_else(Failure::nothing_chosen)?;
        let accounts = find::these(store, &ids).await?.ok_or_else(Failure::no_such_account)?;
        let back =
            if form.one("back") == pending::PATH { pending::PATH.to_owned() } else { account::path(first) };
        Ok(Self { action, accounts, reason: form.one("reason").to_owned(), back })
    }
}

/// Does it, to all in one transaction; those whose state changed meanwhile so that it cannot be done stay as they are.
async fn perform(store: &Store, visit: &Visit, wish: &Wish, reason: &Reason) -> Result<(), sqlx::Error> {
    let caller = &visit.session.caller;
    let mut write = store.write().await?;
    let (mut done, mut left) = (0_usize, Vec::new());
    for account in &wish.accounts {
        match actions::decide(&mut write, caller, &account.id, wish.action, reason).await? {
            Outcome::Is(_) => done += 1,
            Outcome::Stays(state) => left.push(format!("{} is {}", account.subject.id, state.word())),
            Outcome::Unknown => {}
        }
    }
    let mut notice = match done {
        1 => format!("1 account was {}.", words::of(wish.action).done),
        _ => format!("{done} accounts were {}.", words::of(wish.action).done),
    };
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
                    @for action in words::possible(account.state) {
                        li { (button(action)) p.hint id=(words::of(action).word) { (words::of(action).effect) } }
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

/// The button of an action.
pub(super) fn button(action: Action) -> Markup {
    let words = words::of(action);
    let class = match action {
        Action::Approve | Action::Enable | Action::Return => "primary",
        Action::Disable => "",
        Action::Depart => "danger",
    };
    html! { button class=(class) name="action" value=(words.word) { (words.button) @if action == Action::Depart { "…" } } }
}
