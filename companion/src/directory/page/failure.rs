//! Pages that say what is wrong, and what to do about it.

use super::{accounts, frame};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;

/// Why there is no such page, or not now.
pub(super) struct Failure {
    status: StatusCode,
    title: &'static str,
    advice: &'static str,
}

impl Failure {
    const fn new(status: StatusCode, title: &'static str, advice: &'static str) -> Self {
        Self { status, title, advice }
    }

    pub(super) const fn no_such_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is no such page",
            "Look for it among the accounts, or in the audit.",
        )
    }

    pub(super) const fn no_such_account() -> Self {
        let advice = "Accounts are never removed, so its id is not as it was. Search for it.";
        Self::new(StatusCode::NOT_FOUND, "There is no such account", advice)
    }

    /// Something that only an admin may do.
    pub(super) const fn forbidden() -> Self {
        let advice = "Your token has the scope auditor, which looks at everything and changes nothing.";
        Self::new(StatusCode::FORBIDDEN, "You may not do that", advice)
    }

    /// A form that no page of the session sent.
    pub(super) const fn from_elsewhere() -> Self {
        let advice = "It was sent by another site, or by a page from before you logged in. Nothing was changed: \
                      load the page again, and repeat it there.";
        Self::new(StatusCode::FORBIDDEN, "The form is not from this page", advice)
    }

    pub(super) const fn unreadable() -> Self {
        let advice = "It is too large, or not what this page sends. Nothing was changed.";
        Self::new(StatusCode::BAD_REQUEST, "The form cannot be read", advice)
    }

    /// An action on nobody.
    pub(super) const fn nothing_chosen() -> Self {
        let advice = "Nothing was changed. Go back and choose at least one account.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "No account was chosen", advice)
    }

    /// A query in the address that makes no sense.
    pub(super) const fn query() -> Self {
        let advice = "Something in the address is not what this page takes.";
        Self::new(StatusCode::BAD_REQUEST, "The address cannot be read", advice)
    }
}

/// The database did not do what it was asked.
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!("the database: {error}");
        let advice = "The database did not answer. Nothing was changed: try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The accounts cannot be reached right now", advice)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = html! {
            p { (self.advice) }
            p { a href=(accounts::PATH) { "To the accounts" } }
        };
        (self.status, frame::bare(self.title, body)).into_response()
    }
}
