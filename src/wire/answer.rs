//! The directory's answer to an arrival: one table for every status it may have.

use crate::domain::{Account, Reply, is_header_text};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What the directory says of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrivalAnswer {
    /// The account exists.
    Active {
        /// The account, if the directory said which.
        account: Option<Account>,
        /// Whether it was there before, as far as the directory says so (409).
        existed: bool,
        /// How long this may be relied on; `None` leaves it to the gateway.
        valid_for: Option<Duration>,
    },
    /// It waits for somebody's approval, with a message for the person.
    Pending(Option<String>),
    /// It may not be made, with a message for the person.
    Denied(Option<String>),
    /// It existed and was closed.
    Departed,
    /// The directory refuses the attributes, as the mapping is wrong; or it has no account that is the subject's beyond doubt.
    Invalid,
    /// No usable answer: unreachable, overloaded, or not speaking this contract. Holds the wait it asked for.
    Unavailable(Option<Duration>),
}

/// The JSON of an answer; every member may be absent.
#[derive(Debug, Default, Deserialize)]
struct Body {
    status: Option<String>,
    account: Option<AccountBody>,
    valid_for: Option<u64>,
    message: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AccountBody {
    id: String,
    #[serde(default)]
    headers: Map<String, Value>,
}

/// The longest text of an account, in bytes: it is remembered for every subject and sent in a header.
pub(super) const LONGEST_TEXT: usize = 256;
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

impl AccountBody {
    /// The account with those of its headers that are `wanted`, in that order. What nobody wants may be anything.
    ///
    /// # Errors
    /// If something in it is wanted and cannot be a header.
    fn read(&self, wanted: &[String]) -> Result<Account, ()> {
        let text = |text: &str| {
            let fits = text.len() <= LONGEST_TEXT && is_header_text(text);
            if fits { Ok(Box::from(text)) } else { Err(()) }
        };
        let header = |name: &String| match self.headers.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) => text(value).map(Some),
            Some(_) => Err(()),
        };
        let headers = wanted.iter().map(header).collect::<Result<_, _>>()?;
        Ok(Account { id: Some(text(&self.id)?), headers })
    }
}

impl ArrivalAnswer {
    /// Reads a reply; of the account's headers those that are `wanted` (by their names in the answer). Anything outside
    /// the contract is `Unavailable`: a wrong answer must not open a gate.
    ///
    /// ```text
    /// 200, 201 {"status":"active","account":{"id":"…","headers":{…}},"valid_for":3600}   Active
    /// 200, 410 {"status":"departed"}                                                      Departed
    /// 409                                                                                 Active (it existed already)
    /// 202 {"status":"pending","message":"…"}                                              Pending
    /// 403 {"status":"denied","message":"…"}                                               Denied
    /// 400, 422                                                                            Invalid
    /// anything else                                                                       Unavailable
    /// ```
    pub fn read(reply: &Reply, wanted: &[String]) -> Self {
        let Reply::Answer { status, body, .. } = reply else {
            return Self::Unavailable(None);
        };
        let parsed = serde_json::from_slice::<Body>(body);
        let said = parsed.as_ref().ok().and_then(|body| body.status.as_deref());
        match (*status, said) {
            (200 | 201 | 202 | 403 | 409, Some("departed")) | (410, _) => Self::Departed,
            (200 | 201, Some("active")) | (409, None | Some("active")) => {
                let Body { account, valid_for, .. } = parsed.unwrap_or_default();
                match account.map(|account| account.read(wanted)).transpose() {
                    Ok(account) => Self::Active {
                        account,
                        existed: *status == 409,
                        valid_for: valid_for.map(Duration::from_secs),
                    },
                    Err(()) => Self::Unavailable(None),
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
pub fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: &str) -> ArrivalAnswer {
        let wanted = ["plan".to_owned(), "region".to_owned()];
        ArrivalAnswer::read(&Reply::Answer { status, headers: vec![], body: body.into() }, &wanted)
    }

    #[test]
    fn an_active_account_is_read_with_its_id_its_validity_and_the_headers_that_are_wanted() {
        let body = r#"{"status":"active","valid_for":60,"new_member":1,
            "account":{"id":"a1","headers":{"region":"eu","other":["\r\n"],"plan":null}}}"#;
        let account = Account { id: Some("a1".into()), headers: Box::new([None, Some("eu".into())]) };
        let active = ArrivalAnswer::Active {
            account: Some(account),
            existed: false,
            valid_for: Some(Duration::from_secs(60)),
        };
        assert_eq!(read(200, body), active);
        assert_eq!(read(201, body), active);
    }

    #[test]
    fn an_account_that_existed_is_active_even_without_a_body() {
        let existed = ArrivalAnswer::Active { account: None, existed: true, valid_for: None };
        assert_eq!(read(409, ""), existed);
    }

    #[test]
    fn an_account_that_cannot_be_sent_in_headers_is_no_answer() {
        for account in [
            json!({"id": ""}),
            json!({"id": " a1"}),
            json!({"id": "a1\r\nx-admin: 1"}),
            json!({"id": 7}),
            json!({"id": "x".repeat(257)}),
            json!({"id": "a1", "headers": {"plan": "gold\n"}}),
            json!({"id": "a1", "headers": {"plan": ["gold"]}}),
            json!({"id": "a1", "headers": {"plan": ""}}),
            json!({"id": "a1", "headers": []}),
        ] {
            let body = json!({"status": "active", "account": account}).to_string();
            assert_eq!(read(200, &body), ArrivalAnswer::Unavailable(None), "{account}");
        }
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
        assert_eq!(
            ArrivalAnswer::read(&reply, &[]),
            ArrivalAnswer::Unavailable(Some(Duration::from_secs(7)))
        );
    }
}
