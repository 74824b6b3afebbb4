//! Conversations with a directory in memory, one rule at a time.

mod accounts;
mod directory;
mod hostile;
mod memberships;
mod updates;

use super::*;
use crate::domain::{Account, Reply};
use crate::wire::ArrivalAnswer;
use directory::Directory;
use serde_json::json;
use std::time::Duration;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn terms() -> ScimTerms {
    ScimTerms { base: "/scim/v2".into(), groups: None }
}

fn newcomer(attributes: Value) -> Newcomer {
    let attributes = attributes.as_object().unwrap().clone();
    Newcomer { external_id: "idp|jane".into(), attributes, initial: vec![] }
}

fn jane() -> Newcomer {
    newcomer(json!({"userName": "jane", "name": {"givenName": "Jane"}}))
}

fn can(patch: bool, filter: bool, etag: bool) -> Option<Capabilities> {
    Some(Capabilities { patch, filter, etag })
}

/// What is known of a usual directory.
fn usual() -> Option<Capabilities> {
    can(true, true, true)
}

fn active(id: &str) -> ArrivalAnswer {
    active_for(id, None)
}

fn late(id: &str, seconds: u64) -> ArrivalAnswer {
    active_for(id, Some(Duration::from_secs(seconds)))
}

fn active_for(id: &str, valid_for: Option<Duration>) -> ArrivalAnswer {
    let account = Some(Account { id: Some(id.into()), headers: Box::new([]) });
    ArrivalAnswer::Active { account, existed: false, valid_for }
}

fn reply(status: u16, body: impl ToString) -> Reply {
    Reply::Answer { status, headers: vec![], body: body.to_string().into_bytes() }
}

/// Talks until the answer; the conversation can be asked about it afterwards.
fn talk(
    directory: &mut Directory,
    terms: &ScimTerms,
    newcomer: &Newcomer,
    known: Option<Capabilities>,
) -> (ArrivalAnswer, Conversation) {
    let (mut conversation, mut request) = Conversation::begin(terms, newcomer, known);
    loop {
        match conversation.hear(&directory.answer(&request)) {
            Move::Ask(next) => request = next,
            Move::Done(answer) => return (answer, conversation),
        }
    }
}

/// The answer of a usual directory to a usual conversation.
fn arrive(directory: &mut Directory, newcomer: &Newcomer) -> ArrivalAnswer {
    talk(directory, &terms(), newcomer, usual()).0
}
