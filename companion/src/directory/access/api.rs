//! `GET` and `POST /v1/tokens`, `POST /v1/tokens/{name}/rotate`, `DELETE /v1/tokens/{name}`: the tokens themselves, for
//! whoever may administer.

use super::scope::{Name, Scope};
use super::tokens::{self, Failure, Wish};
use super::{Access, Caller};
use crate::directory::Directory;
use crate::directory::problem::{Problem, no_such_place};
use crate::directory::store::Store;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use http::{StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::time::Duration;

/// The largest body, in bytes.
const LIMIT: usize = 16 * 1024;
/// How long a token works beside the one that takes its place, if nothing else is asked for.
pub(super) const OVERLAP: &str = "24h";

/// The body that makes a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: Name,
    scopes: Vec<Scope>,
    /// A time such as `90d`; without it the token works until it is revoked.
    #[serde(default, deserialize_with = "span")]
    expires_in: Option<Duration>,
}

/// The body that rotates one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// How long the one before works beside it.
    #[serde(default, deserialize_with = "span")]
    overlap: Option<Duration>,
    /// As for a new one; without it, as long as the one before was to work.
    #[serde(default, deserialize_with = "span")]
    expires_in: Option<Duration>,
}

impl Access {
    /// The routes that tell of the tokens and change them.
    pub(in crate::directory) fn routes(&self) -> Router<Directory> {
        Router::new()
            .route("/tokens", get(list).post(make))
            .route("/tokens/{name}", delete(revoke))
            .route("/tokens/{name}/rotate", post(rotate))
            .layer(DefaultBodyLimit::max(LIMIT))
            .layer(Extension(self.clone()))
    }
}

/// All there ever were, without their texts.
async fn list(State(store): State<Store>) -> Result<Json<Value>, Problem> {
    let tokens = tokens::all(store.pool()).await?;
    Ok(Json(json!({"tokens": tokens.iter().map(tokens::Token::told).collect::<Vec<_>>()})))
}

/// Answers 201 with the token: it is told this once.
async fn make(
    State(store): State<Store>,
    Extension(access): Extension<Access>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let New { name, scopes, expires_in } = read(&body?)?;
    if scopes.is_empty() {
        return Err(Problem::unprocessable(vec!["scopes: one or more are wanted".to_owned()]));
    }
    let mut write = store.write().await?;
    let made = tokens::make(&mut write, &Wish { name, scopes, lifetime: expires_in }, &caller.name).await?;
    write.commit().await?;
    access.forget();
    Ok(answer(&made))
}

/// Answers 201 with the token that takes the place of the one before.
async fn rotate(
    State(store): State<Store>,
    Extension(access): Extension<Access>,
    Extension(caller): Extension<Caller>,
    name: Result<Path<Name>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Ok(Path(name)) = name else { return Err(no_such_place().await) };
    let body = body?;
    let Rotation { overlap, expires_in } = if body.is_empty() { Rotation::default() } else { read(&body)? };
    let usual = || humantime::parse_duration(OVERLAP).unwrap_or_default();
    let mut write = store.write().await?;
    let overlap = overlap.unwrap_or_else(usual);
    let made = tokens::rotate(&mut write, &name, overlap, expires_in, &caller.name).await?;
    write.commit().await?;
    access.forget();
    Ok(answer(&made))
}

async fn revoke(
    State(store): State<Store>,
    Extension(access): Extension<Access>,
    Extension(caller): Extension<Caller>,
    name: Result<Path<Name>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Ok(Path(name)) = name else { return Err(no_such_place().await) };
    let mut write = store.write().await?;
    tokens::revoke(&mut write, &name, &caller.name).await?;
    write.commit().await?;
    access.forget();
    Ok(StatusCode::NO_CONTENT)
}

/// Nothing on the way keeps it.
fn answer(made: &tokens::Made) -> impl IntoResponse + use<> {
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(made.told()))
}

/// # Errors
/// 400 for what is no JSON; 422 for another shape.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Problem::no_json())?;
    serde_path_to_error::deserialize(value).map_err(|error| Problem::misshapen(&error))
}

fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| humantime::parse_duration(&text).map_err(D::Error::custom)).transpose()
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Taken => Self::name_taken(),
            Failure::Unknown => Self::no_such_token(),
            Failure::Store(error) => error.into(),
            Failure::Random(error) => {
                tracing::error!("there is no randomness: {error}");
                Self::store_unavailable()
            }
        }
    }
}
