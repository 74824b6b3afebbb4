//! A refusal as HTTP: an RFC 6750 challenge in the header, an RFC 9457 problem in the body.

use crate::domain::{Reason, Refusal, Response};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;

/// The RFC 9457 §3.1 members, and the directory's message as `detail`.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// The answer a client gets for `refusal`. Never cached, and nothing in it comes from the token.
pub fn refusal_response(refusal: &Refusal) -> Response {
    let reason = refusal.reason;
    let problem = Problem {
        kind: format!("urn:firstsight:problem:{}", reason.slug()),
        title: reason.title(),
        status: reason.status(),
        detail: refusal.message.as_deref(),
    };
    let mut headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    headers.extend(challenge(reason));
    headers.extend(refusal.retry_after.map(|wait| {
        let seconds = wait.as_secs().max(1);
        (header::RETRY_AFTER, HeaderValue::from(seconds))
    }));
    Response {
        status: reason.status(),
        headers,
        // A struct of strings and a number always serialises.
        body: serde_json::to_vec(&problem).unwrap_or_default(),
    }
}

/// The scheme is followed by one parameter at least (RFC 6750 §3).
const REALM: &str = r#"Bearer realm="firstsight""#;

/// RFC 6750 §3: every 401 and 400 carries a challenge, without an error code if no credentials came (§3.1).
fn challenge(reason: Reason) -> Option<(HeaderName, HeaderValue)> {
    let text = match (reason.challenge_error(), reason.status()) {
        (None, 401) => REALM.to_owned(),
        (None, _) => return None,
        (Some(error), _) => format!(r#"{REALM}, error="{error}", error_description="{}""#, reason.title()),
    };
    HeaderValue::try_from(text).ok().map(|value| (header::WWW_AUTHENTICATE, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn value(response: &Response, name: HeaderName) -> Option<&str> {
        response.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_str().unwrap())
    }

    #[test]
    fn a_request_without_credentials_is_challenged_without_an_error_code() {
        let response = refusal_response(&Refusal::of(Reason::TokenMissing));
        assert_eq!(response.status, 401);
        assert_eq!(value(&response, header::WWW_AUTHENTICATE), Some(r#"Bearer realm="firstsight""#));
    }

    #[test]
    fn every_challenge_keeps_to_the_characters_of_rfc_6750() {
        for reason in Reason::ALL {
            let response = refusal_response(&Refusal::of(*reason));
            let challenge = value(&response, header::WWW_AUTHENTICATE);
            assert_eq!(challenge.is_some(), matches!(reason.status(), 400 | 401), "{reason:?}");
            let description = challenge.and_then(|text| text.split('"').nth(5)).unwrap_or_default();
            assert!(
                description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn a_refusal_is_a_problem_document_that_nobody_caches() {
        let refusal = Refusal { message: Some("Ask \"IT\"".into()), ..Refusal::of(Reason::AccountPending) };
        let response = refusal_response(&refusal);
        assert_eq!(value(&response, header::CONTENT_TYPE), Some("application/problem+json"));
        assert_eq!(value(&response, header::CACHE_CONTROL), Some("no-store"));
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:firstsight:problem:account-pending",
                "title": "The account waits for approval.",
                "status": 403,
                "detail": "Ask \"IT\"",
            })
        );
    }

    #[test]
    fn a_refusal_that_may_pass_says_when_to_try_again() {
        let refusal = Refusal::for_now(Reason::Overloaded, Duration::from_millis(300));
        assert_eq!(value(&refusal_response(&refusal), header::RETRY_AFTER), Some("1"));
    }
}
