//! Forms as they are sent back. Whoever takes one has it only after it is known that our own page sent it: a handler cannot
//! forget to look.

use super::failure::Failure;
use super::origin;
use super::visit::Visit;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::{Extension, RequestExt};
use subtle::ConstantTimeEq;

/// The fields of a form that a page of ours sent.
pub(super) struct Fields(Vec<(String, String)>);

/// The fields of a form of the session that it is sent in.
pub(super) struct Form(Fields);

impl Fields {
    /// The value of a field; nothing if it is not there.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(sent, _)| sent == name).map_or("", |(_, value)| value)
    }

    /// The values of a field that may be there several times.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }
}

impl std::ops::Deref for Form {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        if !origin::is_own(request.headers()) {
            return Err(Failure::from_elsewhere());
        }
        let sent = request.extract::<extract::Form<Vec<(String, String)>>, _>().await;
        let Ok(extract::Form(fields)) = sent else { return Err(Failure::unreadable()) };
        // PostgreSQL takes no NUL.
        let has_nul = fields.iter().any(|(_, value)| value.contains('\0'));
        if has_nul { Err(Failure::unreadable()) } else { Ok(Self(fields)) }
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visit = Extension::<Visit>::from_request_parts(&mut parts, state).await;
        let fields = Fields::from_request(Request::from_parts(parts, body), state).await?;
        let mark =
            visit.map(|Extension(visit)| visit.session.id.form()).map_err(|_| Failure::from_elsewhere())?;
        let same: bool = mark.as_bytes().ct_eq(fields.one("form").as_bytes()).into();
        if same { Ok(Self(fields)) } else { Err(Failure::from_elsewhere()) }
    }
}
