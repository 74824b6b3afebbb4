//! The directory's answer to an arrival: one table for every status it may have.

use crate::domain::Reply;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the directory says of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrivalAnswer {
    /// The account exists: made just now or before.
    Active {
        /// The account, if the directory said which.
        account: Option<Account>,
        /// How long this may be relied on; `None` leaves it to the gateway.
        valid_for: Option<Duration>,
    },
    /// It waits for somebody's approval, with a message for the person.
    Pending(Option<String>),
    /// It may not be made, with a message for the person.
    Denied(Option<String>),
    /// It existed and was closed.
    Departed,
    /// The directory refuses the attributes: the mapping is wrong.
    Invalid,
    /// No usable answer: unreachable, overloaded, or not speaking this contract. Holds the wait it asked for.
    Unavailable(Option<Duration>),
}

/// The account as the directory names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The directory's own id of the account.
    pub id: String,
}

/// The JSON of an answer; every member may be absent.
#[derive(Debug, Default, Deserialize)]
struct Body {
    status: Option<String>,
    account: Option<Account>,
    valid_for: Option<u64>,
    message: Option<String>,
}

/// The longest account id, in bytes: it is remembered for every subject and sent in a header.
pub(super) const LONGEST_ID: usize = 256;
/// The longest message to a person, in characters.
const LONGEST_MESSAGE: usize = 500;
/// The longest wait a client is told.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

impl Body {
    /// The message, cut to a length that can be remembered for every subject.
    fn message(self) -> Option<String> {
        self.message.map(|text| text.chars().take(LONGEST_MESSAGE).collect())
    }
}

impl ArrivalAnswer {
    /// Reads a reply. Anything outside the contract is `Unavailable`: a wrong answer must not open a gate.
    ///
    /// ```text
    /// 200, 201 {"status":"active","account":{"id":"…"},"valid_for":3600}   Active
    /// 200, 410 {"status":"departed"}                                        Departed
    /// 409                                                                   Active (it existed already)
    /// 202 {"status":"pending","message":"…"}                                Pending
    /// 403 {"status":"denied","message":"…"}                                 Denied
    /// 400, 422                                                              Invalid
    /// anything else                                                         Unavailable
    /// ```
    pub fn read(reply: &Reply) -> Self {
        let Reply::Answer { status, body, .. } = reply else {
            return Self::Unavailable(None);
        };
        let parsed = serde_json::from_slice::<Body>(body);
        let said = parsed.as_ref().ok().and_then(|body| body.status.as_deref());
        match (*status, said) {
            (200 | 201 | 202 | 403 | 409, Some("departed")) | (410, _) => Self::Departed,
            (200 | 201, Some("active")) | (409, None | Some("active")) => {
                let Body { account, valid_for, .. } = parsed.unwrap_or_default();
                match account {
                    Some(account) if account.id.is_empty() || account.id.len() > LONGEST_ID => {
                        Self::Unavailable(None)
                    }
                    account => Self::Active { account, valid_for: valid_for.map(Duration::from_secs) },
                }
            }
            (200..=202, Some("pending")) => Self::Pending(parsed.unwrap_or_default().message()),
            (403, Some("denied")) => Self::Denied(parsed.unwrap_or_default().message()),
            (400 | 422, _) => Self::Invalid,
            _ => Self::Unavailable(retry_after(reply)),
        }
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); its date form is not read.
pub(super) fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ArrivalAnswer {
        ArrivalAnswer::read(&Reply::Answer { status, headers: vec![], body: body.into() })
    }

    #[test]
    fn an_active_account_is_read_with_its_id_and_validity() {
        let body = r#"{"status":"active","account":{"id":"a1"},"valid_for":60,"new_member":1}"#;
        let active = ArrivalAnswer::Active {
            account: Some(Account { id: "a1".into() }),
            valid_for: Some(Duration::from_secs(60)),
        };
        assert_eq!(read(200, body), active);
        assert_eq!(read(201, body), active);
    }

    #[test]
    fn an_account_that_existed_is_active_even_without_a_body() {
        assert_eq!(read(409, ""), ArrivalAnswer::Active { account: None, valid_for: None });
    }

    #[test]
    fn each_refusal_of_the_directory_is_told_apart() {
        assert_eq!(
            read(202, r#"{"status":"pending","message":"soon"}"#),
            ArrivalAnswer::Pending(Some("soon".into()))
        );
        assert_eq!(read(403, r#"{"status":"denied"}"#), ArrivalAnswer::Denied(None));
        assert_eq!(read(410, "gone"), ArrivalAnswer::Departed);
        assert_eq!(read(200, r#"{"status":"departed"}"#), ArrivalAnswer::Departed);
        assert_eq!(read(422, r#"{"problems":[]}"#), ArrivalAnswer::Invalid);
    }

    #[test]
    fn an_answer_outside_the_contract_opens_no_gate() {
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, r#"{"status":"aktiv"}"#),
            (200, r#"{"status":7}"#),
            (204, ""),
            (302, ""),
            (401, ""),
            (403, "<html>blocked by a firewall</html>"),
            (404, r#"{"status":"active"}"#),
            (500, r#"{"status":"active"}"#),
            (503, ""),
        ] {
            assert_eq!(read(status, body), ArrivalAnswer::Unavailable(None), "{status} {body}");
        }
    }

    #[test]
    fn a_directory_cannot_fill_the_gateways_memory() {
        let long = "x".repeat(100_000);
        let body = format!(r#"{{"status":"active","account":{{"id":"{long}"}}}}"#);
        assert_eq!(read(200, &body), ArrivalAnswer::Unavailable(None));
        let ArrivalAnswer::Denied(Some(message)) =
            read(403, &format!(r#"{{"status":"denied","message":"{long}"}}"#))
        else {
            panic!("a long message is cut, not refused");
        };
        assert_eq!(message.len(), 500);
    }

    #[test]
    fn a_busy_directory_says_when_to_come_back() {
        let reply =
            Reply::Answer { status: 429, headers: vec![("retry-after".into(), b"7".to_vec())], body: vec![] };
        assert_eq!(ArrivalAnswer::read(&reply), ArrivalAnswer::Unavailable(Some(Duration::from_secs(7))));
    }
}
