//! `POST /v1/signals`: a transmitter pushes one security event token (RFC 8935).

use super::{Declined, Kind, Signals, take};
use crate::directory::access::Caller;
use crate::directory::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use firstsight::wire::signals::{SET_CONTENT_TYPE, SetError};
use http::{HeaderMap, StatusCode, header};

/// Answers 202 without a body once what the token tells is on the disk, again if it was before; 400 with a registered code
/// if it will never be taken; 503 if that cannot be told now.
pub(super) async fn post(
    State(signals): State<Signals>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let taken = match text(&headers, &body?) {
        Ok(text) => receive(&signals, caller.is_some(), text).await,
        Err(declined) => Err(declined),
    };
    match taken {
        Ok(()) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(Declined::Later) => Err(Problem::not_now()),
        Err(Declined::Refused(code, description)) => {
            let language = [(header::CONTENT_LANGUAGE, "en")];
            Ok((StatusCode::BAD_REQUEST, language, Json(SetError::new(code, &description))).into_response())
        }
    }
}

async fn receive(signals: &Signals, has_token: bool, text: &str) -> Result<(), Declined> {
    let source = signals.claimed(Kind::Events, text)?;
    if !source.push {
        return Err(Declined::Refused(
            "access_denied",
            "this transmitter's events are not pushed".to_owned(),
        ));
    }
    if source.bearer && !has_token {
        let what = "this transmitter has to present an API token";
        return Err(Declined::Refused("authentication_failed", what.to_owned()));
    }
    let token = source.verify(Kind::Events, text).await?;
    take::take(signals, source, &token).await
}

/// The token, if the body is said to be one.
fn text<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<&'a str, Declined> {
    let refused = |what: &str| Declined::Refused("invalid_request", what.to_owned());
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(SET_CONTENT_TYPE) {
        return Err(refused("the content-type is not application/secevent+jwt"));
    }
    std::str::from_utf8(body).map(str::trim).map_err(|_| refused("the body is no token"))
}
