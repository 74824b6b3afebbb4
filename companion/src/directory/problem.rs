//! What goes wrong, as RFC 9457 problems. Nothing a gateway sent is repeated in them but places within it.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::time::Duration;

/// A problem document.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    #[serde(skip)]
    challenge: Option<&'static str>,
    /// After how long it is worth trying again.
    #[serde(skip)]
    wait: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, slug: &str, title: &'static str) -> Self {
        let kind = format!("urn:firstsight:problem:{slug}");
        Self { kind, title, status: status.as_u16(), problems: Vec::new(), challenge: None, wait: None }
    }

    /// The request carries no token, or a wrong one.
    pub(super) fn unauthorized(challenge: &'static str) -> Self {
        let title = "The directory's bearer token is required.";
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, "unauthorized", title) }
    }

    /// The token is for something else (RFC 6750 §3.1).
    pub(super) fn forbidden() -> Self {
        let challenge = Some(r#"Bearer error="insufficient_scope""#);
        let title = "The token does not have the scope for this.";
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, "forbidden", title) }
    }

    /// The body is no JSON.
    pub(super) fn no_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "no-json", "The body is not JSON.")
    }

    /// The body is JSON of another shape or meaning; `problems` say where and what.
    pub(super) fn unprocessable(problems: Vec<String>) -> Self {
        let title = "The body is not what this endpoint takes.";
        Self { problems, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", title) }
    }

    /// The body is JSON of another shape. The parser's own words are kept where they name a member that is not there;
    /// its others repeat what was sent.
    pub(super) fn misshapen(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let said = error.inner().to_string();
        // The parser goes on with the line and column; the path says where.
        let said = said.split(" at line ").next().unwrap_or_default();
        let what = if said.starts_with("missing field") { said } else { "another type or word is wanted" };
        Self::unprocessable(vec![format!("{}: {what}", error.path())])
    }

    /// The body has another media type.
    pub(super) fn media_type() -> Self {
        let title = "The body has a media type that this endpoint does not take.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", title)
    }

    /// A query parameter makes no sense.
    pub(super) fn query(problem: &str) -> Self {
        let title = "The query is not what this endpoint takes.";
        Self { problems: vec![problem.to_owned()], ..Self::new(StatusCode::BAD_REQUEST, "query", title) }
    }

    /// No way leads from the state of the account to where it is wanted.
    pub(super) fn state(state: &'static str) -> Self {
        let title = "The account's state does not allow that.";
        let problems = vec![format!("the account is {state}")];
        Self { problems, ..Self::new(StatusCode::CONFLICT, "state", title) }
    }

    /// The feed has no such place: its reader begins anew.
    pub(super) fn cursor_unknown() -> Self {
        Self::new(StatusCode::GONE, "cursor-unknown", "There is no such cursor: begin anew, without one.")
    }

    /// The database cannot be reached, or did not do what it was asked.
    pub(super) fn store_unavailable() -> Self {
        Self::unavailable("store-unavailable", "The accounts cannot be reached right now.")
    }

    /// It took too long, be it to read the request or to answer it.
    pub(super) fn timed_out() -> Self {
        Self::unavailable("timed-out", "The request took too long.")
    }

    fn unavailable(slug: &str, title: &'static str) -> Self {
        Self { wait: Some(Duration::from_secs(1)), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, title) }
    }

    /// Whoever waits for something need not any more, and is to ask again: soon, as another process is there by then.
    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "The directory stops. Ask again.")
    }

    /// Whoever asks came too often, and may again after this time.
    pub(super) fn too_many(wait: Duration) -> Self {
        let title = "There were too many requests.";
        Self { wait: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", title) }
    }

    /// A token of this name works.
    pub(super) fn name_taken() -> Self {
        Self::new(StatusCode::CONFLICT, "name-taken", "There is a token of this name: rotate or revoke it.")
    }

    /// No token of this name works.
    pub(super) fn no_such_token() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-token", "There is no token of this name that works.")
    }

    /// Whether a security event is to be taken cannot be told right now; it comes again.
    pub(super) fn not_now() -> Self {
        let title = "That cannot be told right now: try again.";
        Self::unavailable("not-now", title)
    }

    /// There is no such account.
    pub(super) fn no_such_account() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-account", "There is no such account.")
    }
}

/// A method that the API does not have at this path.
pub(super) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", "There is no such method at this path.")
}

/// Everything that is not in the API.
pub(super) async fn no_such_place() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-place", "There is nothing at this path.")
}

/// The body could not be read: it is too large, or it ended early.
impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "oversized",
                "The body is larger than this endpoint takes.",
            ),
            _ => Self::new(StatusCode::BAD_REQUEST, "body-unreadable", "The body could not be read."),
        }
    }
}

/// The database did not do what it was asked. The gateway tries again.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!("the database: {error}");
        Self::store_unavailable()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (challenge, wait) = (self.challenge, self.wait);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = wait {
            // In whole seconds, and not too few.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
