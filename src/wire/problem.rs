//! A refusal as an answer: an RFC 6750 challenge in the header, an RFC 9457 problem in the body; or, for a gRPC client,
//! its status. Everything but what differs from request to request is written once, beforehand.

use super::Dialect;
use crate::domain::{Reason, Refusal, Response};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;

/// What every challenge says beside the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeTerms {
    /// The protection space (RFC 9110 §11.5).
    pub realm: String,
    /// Where the metadata of this protected resource is (RFC 9728 §5.1).
    pub resource_metadata: Option<String>,
}

/// Whether `text` may stand between the quotes of a challenge's parameter as it is (RFC 6750 §3).
pub fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// The answers to everybody who is refused. None is ever cached, and nothing in them comes from a token.
#[derive(Debug, Clone)]
pub struct Refusals {
    terms: ChallengeTerms,
    /// For each reason, in the order of [`Reason::ALL`].
    http: Vec<Response>,
    grpc: Vec<Response>,
}

impl Refusals {
    /// Writes them.
    pub fn under(terms: ChallengeTerms) -> Self {
        let all = |dialect| {
            Reason::ALL.iter().map(|reason| terms.response(&Refusal::of(*reason), dialect)).collect()
        };
        Self { http: all(Dialect::Http), grpc: all(Dialect::Grpc), terms }
    }

    /// The answer that a client who speaks `dialect` gets for `refusal`.
    pub fn response(&self, refusal: &Refusal, dialect: Dialect) -> Cow<'_, Response> {
        let plain = refusal.message.is_none() && refusal.retry_after.is_none() && refusal.scope.is_none();
        let ready = match dialect {
            Dialect::Http => &self.http,
            Dialect::Grpc => &self.grpc,
        };
        match ready.get(refusal.reason as usize).filter(|_| plain) {
            Some(response) => Cow::Borrowed(response),
            None => Cow::Owned(self.terms.response(refusal, dialect)),
        }
    }
}

impl ChallengeTerms {
    fn response(&self, refusal: &Refusal, dialect: Dialect) -> Response {
        let mut headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        headers.extend(self.challenge(refusal).map(|value| (header::WWW_AUTHENTICATE, value)));
        let wait = refusal.retry_after.map(|wait| wait.as_secs().max(1));
        headers.extend(wait.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
        let body = match dialect {
            Dialect::Http => {
                headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
                Problem::body(refusal)
            }
            Dialect::Grpc => {
                headers.push((GRPC_STATUS, HeaderValue::from(grpc_status(refusal.reason))));
                headers.extend(
                    HeaderValue::try_from(urn(refusal.reason)).ok().map(|value| (GRPC_PROBLEM, value)),
                );
                headers.extend(
                    wait.map(|seconds| {
                        (GRPC_RETRY_PUSHBACK, HeaderValue::from(seconds.saturating_mul(1000)))
                    }),
                );
                grpc_message(refusal)
            }
        };
        Response { status: refusal.reason.status(), headers, body }
    }

    /// RFC 6750 §3: without an error code if no credentials came (§3.1).
    fn challenge(&self, refusal: &Refusal) -> Option<HeaderValue> {
        let reason = refusal.reason;
        if !reason.is_challenged() {
            return None;
        }
        let mut text = format!("Bearer realm=\"{}\"", self.realm);
        let description = reason.challenge_error().map(|_| reason.title());
        for (name, value) in [
            ("error", reason.challenge_error()),
            ("error_description", description),
            ("scope", refusal.scope.as_deref()),
            ("resource_metadata", self.resource_metadata.as_deref()),
        ] {
            if let Some(value) = value.filter(|value| is_quotable(value)) {
                // Writing to a String does not fail.
                let _ = write!(text, ", {name}=\"{value}\"");
            }
        }
        HeaderValue::try_from(text).ok()
    }
}

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

impl Problem<'_> {
    fn body(refusal: &Refusal) -> Vec<u8> {
        let problem = Problem {
            kind: urn(refusal.reason),
            title: refusal.reason.title(),
            status: refusal.reason.status(),
            detail: refusal.message.as_deref(),
        };
        // A struct of strings and a number always serialises.
        serde_json::to_vec(&problem).unwrap_or_default()
    }
}

fn urn(reason: Reason) -> String {
    format!("urn:firstsight:problem:{}", reason.slug())
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The problem's `type`, as metadata.
const GRPC_PROBLEM: HeaderName = HeaderName::from_static("firstsight-problem");
/// When a gRPC client may try again, in milliseconds (gRFC A6).
const GRPC_RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The gRPC code of a reason: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE.
fn grpc_status(reason: Reason) -> u16 {
    match reason.status() {
        400 => 3,
        401 => 16,
        403 => 7,
        _ => 14,
    }
}

/// What becomes `grpc-message`; the proxy escapes it.
fn grpc_message(refusal: &Refusal) -> Vec<u8> {
    let title = refusal.reason.title();
    refusal.message.as_ref().map_or_else(|| title.to_owned(), |told| format!("{title} {told}")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refusals() -> Refusals {
        Refusals::under(ChallengeTerms { realm: "firstsight".into(), resource_metadata: None })
    }

    fn value(response: &Response, name: impl TryInto<HeaderName>) -> Option<&str> {
        let name = name.try_into().ok().expect("it is a header's name");
        let mut found = response.headers.iter().filter(|(key, _)| *key == name);
        let value = found.next().map(|(_, value)| value.to_str().unwrap());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    /// Slug, status, the challenge's error (`-` for no challenge, empty for one without a code), gRPC's code.
    const TABLE: &[(&str, u16, &str, &str)] = &[
        ("token-missing", 401, "", "16"),
        ("credentials-invalid", 400, "invalid_request", "3"),
        ("request-unreadable", 400, "-", "3"),
        ("token-oversized", 400, "invalid_request", "3"),
        ("target-ambiguous", 400, "-", "3"),
        ("token-malformed", 401, "invalid_token", "16"),
        ("token-unsupported", 401, "invalid_token", "16"),
        ("issuer-unknown", 401, "invalid_token", "16"),
        ("key-unknown", 401, "invalid_token", "16"),
        ("signature-invalid", 401, "invalid_token", "16"),
        ("token-expired", 401, "invalid_token", "16"),
        ("token-premature", 401, "invalid_token", "16"),
        ("token-outdated", 401, "invalid_token", "16"),
        ("audience-mismatch", 401, "invalid_token", "16"),
        ("subject-invalid", 401, "invalid_token", "16"),
        ("claim-missing", 403, "-", "7"),
        ("claim-malformed", 403, "-", "7"),
        ("scope-insufficient", 403, "insufficient_scope", "7"),
        ("claim-mismatch", 403, "-", "7"),
        ("subject-forbidden", 403, "-", "7"),
        ("kind-refused", 403, "-", "7"),
        ("tenant-forbidden", 403, "-", "7"),
        ("account-pending", 403, "-", "7"),
        ("account-denied", 403, "-", "7"),
        ("account-departed", 403, "-", "7"),
        ("account-invalid", 403, "-", "7"),
        ("keys-unavailable", 503, "-", "14"),
        ("directory-unavailable", 503, "-", "14"),
        ("departures-unknown", 503, "-", "14"),
        ("overloaded", 503, "-", "14"),
    ];

    #[test]
    fn every_reason_has_its_answer_in_both_dialects() {
        let named: Vec<_> = TABLE.iter().map(|row| row.0).collect();
        assert_eq!(named, Reason::ALL.iter().map(|reason| reason.slug()).collect::<Vec<_>>());
        let refusals = refusals();
        for (reason, (slug, status, error, grpc_status)) in Reason::ALL.iter().zip(TABLE) {
            let urn = format!("urn:firstsight:problem:{slug}");
            let challenge = match *error {
                "-" => None,
                "" => Some(r#"Bearer realm="firstsight""#.to_owned()),
                error => Some(format!(
                    r#"Bearer realm="firstsight", error="{error}", error_description="{}""#,
                    reason.title()
                )),
            };
            let answer = refusals.response(&Refusal::of(*reason), Dialect::Http);
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            let members = serde_json::json!({"type": urn, "title": reason.title(), "status": status});
            assert_eq!((answer.status, body), (*status, members), "{slug}");
            assert_eq!(value(&answer, "content-type"), Some("application/problem+json"), "{slug}");
            assert_eq!(value(&answer, "grpc-status"), None, "{slug}");

            let grpc = refusals.response(&Refusal::of(*reason), Dialect::Grpc);
            assert_eq!((grpc.status, value(&grpc, "grpc-status")), (*status, Some(*grpc_status)), "{slug}");
            assert_eq!(grpc.body, reason.title().as_bytes(), "{slug}");
            assert_eq!(value(&grpc, "firstsight-problem"), Some(urn.as_str()), "{slug}");
            for answer in [answer, grpc] {
                assert_eq!(value(&answer, "cache-control"), Some("no-store"), "{slug}");
                assert_eq!(value(&answer, "www-authenticate"), challenge.as_deref(), "{slug}");
                assert_eq!(value(&answer, "retry-after"), None, "{slug}");
            }
        }
    }

    #[test]
    fn every_word_of_ours_keeps_to_the_characters_of_a_challenge() {
        for reason in Reason::ALL {
            assert!(is_quotable(reason.title()), "{reason:?}");
        }
        for odd in ["a\"b", "a\\b", "jörg", "a\r\nb", "a\tb", "\u{7f}"] {
            assert!(!is_quotable(odd), "{odd:?}");
        }
    }

    #[test]
    fn whoever_lacks_a_scope_is_told_which() {
        let refusal = Refusal::for_want_of("orders:read orders:write".into());
        let answer = refusals().response(&refusal, Dialect::Http).into_owned();
        assert_eq!(answer.status, 403);
        assert_eq!(
            value(&answer, "www-authenticate"),
            Some(
                r#"Bearer realm="firstsight", error="insufficient_scope", error_description="The token lacks a scope that this request requires.", scope="orders:read orders:write""#
            )
        );
        let unsound = refusals().response(&Refusal::for_want_of("a\"b".into()), Dialect::Http).into_owned();
        assert!(value(&unsound, "www-authenticate").is_some_and(|text| !text.contains("scope=")));
    }

    #[test]
    fn every_challenge_points_to_the_metadata_where_there_are_some() {
        let at = "https://api.example.com/.well-known/oauth-protected-resource";
        let refusals =
            Refusals::under(ChallengeTerms { realm: "orders".into(), resource_metadata: Some(at.into()) });
        let pointer = format!(r#", resource_metadata="{at}""#);
        for reason in Reason::ALL.iter().filter(|reason| reason.is_challenged()) {
            let answer = refusals.response(&Refusal::of(*reason), Dialect::Http);
            let challenge = value(&answer, "www-authenticate").unwrap();
            assert!(challenge.starts_with(r#"Bearer realm="orders""#), "{challenge}");
            assert!(challenge.ends_with(&pointer), "{challenge}");
        }
        let missing = refusals.response(&Refusal::of(Reason::TokenMissing), Dialect::Grpc);
        let expected = format!(r#"Bearer realm="orders"{pointer}"#);
        assert_eq!(value(&missing, "www-authenticate"), Some(expected.as_str()));
    }

    #[test]
    fn what_the_directory_says_reaches_the_client() {
        let refusal = Refusal { message: Some("Ask \"IT\"".into()), ..Refusal::of(Reason::AccountPending) };
        let answer = refusals().response(&refusal, Dialect::Http).into_owned();
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["detail"], "Ask \"IT\"");
        let grpc = refusals().response(&refusal, Dialect::Grpc).into_owned();
        assert_eq!(grpc.body, b"The account waits for approval. Ask \"IT\"");
    }

    #[test]
    fn a_refusal_that_may_pass_says_when_to_try_again() {
        let refusal = Refusal::for_now(Reason::Overloaded, Duration::from_millis(300));
        let answer = refusals().response(&refusal, Dialect::Http).into_owned();
        assert_eq!(
            (value(&answer, "retry-after"), value(&answer, "grpc-retry-pushback-ms")),
            (Some("1"), None)
        );
        let grpc = refusals().response(&refusal, Dialect::Grpc).into_owned();
        let waits = (value(&grpc, "retry-after"), value(&grpc, "grpc-retry-pushback-ms"));
        assert_eq!(waits, (Some("1"), Some("1000")));
    }
}
