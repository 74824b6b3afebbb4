//! `POST /v1/accounts/{id}/approve`, `disable`, `enable`, `depart`, `return` and `revoke`: somebody decides about an
//! account. Done again, an action changes nothing; only `revoke` is something else each time.

use super::access::Caller;
use super::change::{self, Because, Outcome};
use super::lifecycle::{Action, Cause};
use super::problem::{Problem, no_such_place};
use super::store::Store;
use super::{Directory, accounts};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::Value;

/// The longest reason, in bytes.
const LONGEST_REASON: usize = 1000;
/// The largest body, in bytes.
const LIMIT: usize = 16 * 1024;

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

/// Answers with the account as it is then.
async fn act(
    State(store): State<Store>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, Action)>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let Ok(Path((id, action))) = path else { return Err(no_such_place().await) };
    let Why { reason } = read(&body?)?;
    let because = Because { cause: Cause::Admin, actor: &caller.name, reason: Some(&reason) };
    let mut write = store.write().await?;
    match change::apply(&mut write, &id, action, &because).await? {
        Outcome::Is(_) => write.commit().await?,
        Outcome::Stays(state) => return Err(Problem::state(state.word())),
        Outcome::Unknown => return Err(Problem::no_such_account()),
    }
    accounts::one(&store, &id).await.map(Json)
}

/// # Errors
/// 400 for what is no JSON; 422 for another shape, or a reason that is none.
fn read(body: &[u8]) -> Result<Why, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Problem::no_json())?;
    let why: Why = serde_path_to_error::deserialize(value).map_err(|error| Problem::misshapen(&error))?;
    let fits = (1..=LONGEST_REASON).contains(&why.reason.trim().len())
        && why.reason.len() <= LONGEST_REASON
        && !why.reason.chars().any(char::is_control);
    let told =
        || Problem::unprocessable(vec!["reason: 1 to 1000 bytes without control characters".to_owned()]);
    fits.then_some(why).ok_or_else(told)
}
