//! `POST /v1/signals/logout`: an issuer tells that somebody has logged out (OpenID Connect Back-Channel Logout §2.5 to
//! §2.8). All sessions of the subject end: sessions by themselves are not known here.

use super::{Declined, Kind, Signals, take};
use crate::directory::problem::Problem;
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

/// The body. What else is in it is ignored.
#[derive(Deserialize)]
pub(super) struct Logout {
    logout_token: String,
}

/// Answers 200 once it is on the disk; 400 if it will never be taken; 503 if that cannot be told now. No answer is kept.
pub(super) async fn post(
    State(signals): State<Signals>,
    form: Result<Form<Logout>, FormRejection>,
) -> Response {
    let taken = match form {
        Ok(Form(Logout { logout_token })) => receive(&signals, &logout_token).await,
        Err(_) => Err(Declined::Refused("invalid_request", "the form has no logout_token".to_owned())),
    };
    let mut response = match taken {
        Ok(()) => StatusCode::OK.into_response(),
        Err(Declined::Later) => Problem::not_now().into_response(),
        Err(Declined::Refused(_, description)) => {
            let body = json!({"error": "invalid_request", "error_description": description});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn receive(signals: &Signals, text: &str) -> Result<(), Declined> {
    let refused = |what: &str| Declined::Refused("invalid_request", what.to_owned());
    let source = signals.claimed(Kind::Logout, text)?;
    if !source.logout {
        return Err(refused("logout tokens of this issuer are not taken"));
    }
    let token = source.verify(Kind::Logout, text).await?;
    if !token.members().contains_key("sub") {
        return Err(refused("a sid alone names nobody here: a sub is needed"));
    }
    take::take(signals, source, &token).await
}
