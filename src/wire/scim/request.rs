//! Requests to a SCIM server, as text. What another side chose stands in paths percent-encoded, and within filters as a
//! JSON string (RFC 7644 §3.4.2.2).

use http::{HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// A request of a conversation. Who carries it adds the authority and the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimRequest {
    /// The HTTP method.
    pub method: Method,
    /// Path and query, percent-encoded.
    pub path: String,
    /// Headers beside the pseudo-headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
}

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// All but what RFC 3986 §2.3 says needs no encoding.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl ScimRequest {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, headers: vec![(header::ACCEPT, SCIM_JSON)], body: Vec::new() }
    }

    pub(super) fn post(path: String, resource: &Value) -> Self {
        Self::get(path).carrying(Method::POST, resource)
    }

    pub(super) fn put(path: String, resource: &Value) -> Self {
        Self::get(path).carrying(Method::PUT, resource)
    }

    /// Changes a resource by operations (RFC 7644 §3.5.2).
    pub(super) fn patch(path: String, operations: Vec<Value>) -> Self {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        Self::get(path).carrying(Method::PATCH, &json!({"schemas": schemas, "Operations": operations}))
    }

    /// Only if the resource still has this version (RFC 7644 §3.14).
    pub(super) fn if_match(mut self, version: Option<HeaderValue>) -> Self {
        self.headers.extend(version.map(|version| (header::IF_MATCH, version)));
        self
    }

    fn carrying(mut self, method: Method, body: &Value) -> Self {
        self.method = method;
        self.headers.push((header::CONTENT_TYPE, SCIM_JSON));
        self.body = body.to_string().into_bytes();
        self
    }
}

/// The filter `attribute eq "text"`, as a query's `filter=…`.
pub(super) fn equals(attribute: &str, text: &str) -> String {
    filter(&format!("{attribute} eq {}", Value::from(text)))
}

/// A filter as a query's `filter=…`.
pub(super) fn filter(text: &str) -> String {
    format!("filter={}", encoded(text))
}

/// The path of one resource.
pub(super) fn resource_path(base: &str, kind: &str, id: &str) -> String {
    format!("{base}/{kind}/{}", encoded(id))
}

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_subject_is_called_cannot_leave_its_quotes_or_its_place() {
        assert_eq!(
            equals("externalId", "a\"b\\ or&count=9#é"),
            "filter=externalId%20eq%20%22a%5C%22b%5C%5C%20or%26count%3D9%23%C3%A9%22"
        );
        assert_eq!(resource_path("/v2", "Users", "../a?b"), "/v2/Users/..%2Fa%3Fb");
    }
}
