//! SCIM 2.0 (RFC 7643, RFC 7644) as a way to provision: a conversation about one subject with a directory that speaks it.
//! Requests and replies as values; knows neither who carries them nor what becomes of the answer.

mod capabilities;
mod compare;
mod conversation;
mod external_id;
mod groups;
mod listing;
mod names;
mod reply;
mod request;
mod resource;
mod search;

pub use capabilities::Capabilities;
pub use conversation::{Conversation, Move, Snag};
pub use external_id::{ExternalId, Whose};
pub use listing::{Listed, Listing, ListingFailure, User};
pub use names::{check, is_reserved};
pub use request::ScimRequest;
pub use resource::shaped;

use serde_json::{Map, Value};

/// What the operator says of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimTerms {
    /// The path under which `/Users` is, without a slash at its end: `/scim/v2`.
    pub base: String,
    /// How groups are kept; `None` if they are not.
    pub groups: Option<GroupTerms>,
}

/// How the attribute `groups` becomes memberships. Groups are the directory's to make: their names need not be unique
/// (RFC 7643 §4.2), so that two who make one at the same moment make two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupTerms {
    /// The groups that a subject is taken out of when its attribute no longer names them; all others are somebody else's.
    pub managed: Vec<String>,
}

/// Who is to have an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Newcomer {
    /// What tells its account from all others (RFC 7643 §3.1); see [`ExternalId`].
    pub external_id: String,
    /// The account's attributes as the operator maps them, nested; what is in an extension is below the extension's URN.
    pub attributes: Map<String, Value>,
    /// Those of them, by their places ([`ClaimPath`](crate::domain::ClaimPath)), that only an account that is made now gets.
    pub initial: Vec<String>,
}

#[cfg(test)]
mod tests;
