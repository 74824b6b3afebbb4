//! `POST /v1/accounts/{id}/approve`, `disable`, `enable`, `depart`, `return` and `revoke`: somebody decides about an
//! account. Done again, an action changes nothing; only `revoke` is something else each time.

use super::access::Caller;
use super::accounts::{self, Account};
use super::change::{self, Because, Outcome};
use super::lifecycle::{Action, Cause};
use super::problem::{Problem, no_such_place};
use super::store::{Store, Write};
use super::{Directory, body};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;

/// The largest body, in bytes.
pub(super) const LIMIT: usize = 16 * 1024;

pub(super) fn routes() -> Router<Directory> {
    Router::new().route("/accounts/{id}/{action}", post(act).layer(DefaultBodyLimit::max(LIMIT)))
}

/// The body of an action.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    /// 1 to 1000 bytes without control characters, for the audit and for operators of gateways.
    reason: String,
}

/// Why somebody decides, in their own words.
pub(super) struct Reason(String);

/// Answers with the account as it is then.
async fn act(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, Action)>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Account>, Problem> {
    let Ok(Path((id, action))) = path else { return Err(no_such_place().await) };
    let reason = read(&body?)?;
    let mut write = store.write().await?;
    match decide(&mut write, &caller, &id, action, &reason).await? {
        Outcome::Is(_) => write.commit().await?,
        Outcome::Stays(state) => return Err(Problem::state(state.word())),
        Outcome::Unknown => return Err(Problem::no_such_account()),
    }
    accounts::one(&store, &id).await.map(Json)
}

/// Does what somebody decided about an account, as part of a change that is to be committed.
pub(super) async fn decide(
    write: &mut Write,
    caller: &Caller,
    account: &str,
    action: Action,
    reason: &Reason,
) -> Result<Outcome, sqlx::Error> {
    let because = Because { cause: Cause::Admin, actor: &caller.name, reason: Some(reason.text()) };
    change::apply(write, account, action, &because).await
}

impl Reason {
    /// The longest, in bytes.
    pub(super) const LONGEST: usize = 1000;

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// `None` unless it is 1 to 1000 bytes without control characters, and not only spaces.
    pub(super) fn parse(text: String) -> Option<Self> {
        let fits =
            !text.trim().is_empty() && text.len() <= Self::LONGEST && !text.chars().any(char::is_control);
        fits.then_some(Self(text))
    }
}

/// The reason in the body of an action.
///
/// # Errors
/// 400 for what is no JSON; 422 for another shape, or a reason that is none.
pub(super) fn read(bytes: &[u8]) -> Result<Reason, Problem> {
    let why: Why = body::read(bytes)?;
    let told =
        || Problem::unprocessable(vec!["reason: 1 to 1000 bytes without control characters".to_owned()]);
    Reason::parse(why.reason).ok_or_else(told)
}
