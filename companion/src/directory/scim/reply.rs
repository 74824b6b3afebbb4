//! Answers, and what clients say about versions (RFC 7644 §3.14).

use super::failure::Failure;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// An answer with a body.
pub(super) struct Scim {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Value,
}

/// What the client knows of versions.
pub(super) struct Conditions {
    matches: Option<String>,
    matches_none: Option<String>,
}

impl Scim {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body }
    }

    /// One resource under its version.
    pub(super) fn resource(status: StatusCode, version: String, body: Map<String, Value>) -> Self {
        Self { status, headers: vec![(header::ETAG, version)], body: body.into() }
    }

    /// Says where the resource is.
    pub(super) fn at(mut self, location: String) -> Self {
        self.headers.push((header::LOCATION, location));
        self
    }
}

/// The version of a resource that looks like this (RFC 7643 §3.1).
pub(super) fn version(resource: &Map<String, Value>) -> String {
    let digest = Sha256::digest(serde_json::to_vec(resource).unwrap_or_default());
    let mut version = format!("W/\"{digest:x}");
    version.truncate(2 + 1 + 24);
    version + "\""
}

/// The version of a resource that was changed so many times.
pub(super) fn numbered(changes: i64) -> String {
    format!("W/\"{changes}\"")
}

impl Conditions {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let said = |name: HeaderName| {
            let lines: Vec<_> =
                headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!lines.is_empty()).then(|| lines.join(","))
        };
        Self { matches: said(header::IF_MATCH), matches_none: said(header::IF_NONE_MATCH) }
    }

    /// # Errors
    /// 412 if the client means another version than this.
    pub(super) fn allow_change(&self, version: &str) -> Result<(), Failure> {
        let means_another = self.matches.as_ref().is_some_and(|said| !names(said, version));
        if means_another || self.has(version) { Err(Failure::changed()) } else { Ok(()) }
    }

    /// Whether the client has this version.
    pub(super) fn has(&self, version: &str) -> bool {
        self.matches_none.as_ref().is_some_and(|said| names(said, version))
    }
}

/// Whether a list of versions names this one: all of ours are weak, and compared as such (RFC 9110 §8.8.3.2).
fn names(list: &str, version: &str) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    list.split(',').any(|said| said.trim() == "*" || opaque(said) == opaque(version))
}

/// The client has it already.
pub(super) fn not_modified(version: &str) -> Response {
    let headers = HeaderValue::from_str(version).map(|version| [(header::ETAG, version)]);
    (StatusCode::NOT_MODIFIED, headers.ok(), Body::empty()).into_response()
}

impl IntoResponse for Scim {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(super::MEDIA_TYPE));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_weak_ones() {
        for said in ["W/\"1\"", "\"1\"", "*", "\"0\", W/\"1\""] {
            assert!(names(said, "W/\"1\""), "{said}");
        }
        for said in ["W/\"11\"", "1", "", "\"0\""] {
            assert!(!names(said, "W/\"1\""), "{said}");
        }
    }
}
