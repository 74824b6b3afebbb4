//! What goes wrong, as SCIM says it (RFC 7644 §3.12). Nothing that a client sent is repeated but names of attributes.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use scim_v2::ValidationError;
use scim_v2::models::errors::{ScimHttpError, ScimType};
use std::borrow::Cow;

/// An error with its status.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    kind: Option<ScimType>,
    detail: Cow<'static, str>,
}

impl Failure {
    fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// 400 with a `scimType`.
    pub(super) fn bad(kind: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: Some(kind), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// An attribute has a value that it cannot have.
    pub(super) fn value(path: &str, what: &str) -> Self {
        Self::bad(ScimType::InvalidValue, format!("{path}: {what}"))
    }

    /// RFC 9865 §2.3 has types of its own.
    pub(super) fn paging(kind: &'static str, detail: &'static str) -> Self {
        Self::bad(ScimType::Other(kind.to_owned()), detail)
    }

    /// Somebody else has it.
    pub(super) fn taken(attribute: &'static str) -> Self {
        let detail = format!("{attribute}: somebody else has it");
        Self { kind: Some(ScimType::Uniqueness), ..Self::new(StatusCode::CONFLICT, detail) }
    }

    pub(super) fn not_found() -> Self {
        Self::of(StatusCode::NOT_FOUND)
    }

    /// Discovery takes no filter (RFC 7644 §4).
    pub(super) fn no_filter() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Filters are not taken here.")
    }

    /// It is not in the version that the client named (RFC 7644 §3.14).
    pub(super) fn changed() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "The resource is in another version.")
    }

    pub(super) fn media_type() -> Self {
        Self::of(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// What there is to say of a status alone.
    fn of(status: StatusCode) -> Self {
        let detail = match status {
            StatusCode::UNAUTHORIZED => "A bearer token is required.",
            StatusCode::FORBIDDEN => "The token does not have the scope for this.",
            StatusCode::NOT_FOUND => "There is no such resource.",
            StatusCode::METHOD_NOT_ALLOWED => "There is no such method at this path.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body is larger than what is taken.",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "The body is application/scim+json or application/json.",
            StatusCode::SERVICE_UNAVAILABLE => "The accounts cannot be reached right now.",
            _ => "The request cannot be answered.",
        };
        Self::new(status, detail)
    }
}

/// What other rooms say as a problem (RFC 9457) is said as SCIM does, under the same headers.
pub(super) async fn translate(response: Response) -> Response {
    let is_problem = |value: &HeaderValue| value.as_bytes() == b"application/problem+json";
    if !response.headers().get(header::CONTENT_TYPE).is_some_and(is_problem) {
        return response;
    }
    let mut translated = Failure::of(response.status()).into_response();
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            translated.headers_mut().insert(name, value.clone());
        }
    }
    translated
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!("the database: {error}");
        Self::of(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl From<BytesRejection> for Failure {
    fn from(rejection: BytesRejection) -> Self {
        Self::of(rejection.status())
    }
}

/// The validator's own words may repeat what was sent; its place does not.
impl From<ValidationError> for Failure {
    fn from(error: ValidationError) -> Self {
        Self::bad(error.scim_type(), format!("{}: not there, or not what it may be", error.path()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ScimHttpError {
            scim_type: self.kind,
            detail: Some(self.detail.into_owned()),
            status: self.status.as_u16().to_string(),
            ..ScimHttpError::default()
        };
        let mut response = (self.status, Json(body)).into_response();
        let scim = HeaderValue::from_static(super::MEDIA_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, scim);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
