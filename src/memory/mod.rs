//! What is remembered between requests. Every store has a bound from the configuration; none grows with what clients send.

mod breaker;
mod departures;
mod events;
mod feed;
mod known;
mod lease;
mod ledger;
mod recent;
mod roster;
mod subjects;
mod tokens;
mod unknown_keys;
mod waiting;

pub use breaker::{Breaker, Permit};
pub use departures::{Change, Departures, Fate};
pub use events::Taken;
pub use feed::{
    Followed, Head, LONGEST_NOTICE, Position, Progress, SLOTS, Turn, book_bytes, book_position, notice_bytes,
    read_book, read_notice,
};
pub use known::{Claim, Found, Known, Query, Standing, Told};
pub use lease::Lease;
pub use ledger::{Batch, Ledger};
pub use recent::Recent;
pub use roster::Roster;
pub use subjects::{Bucket, Place};
pub use tokens::{Tokens, Verified};
pub use unknown_keys::{KeyName, UnknownKeys};
pub use waiting::{Waiting, Want};

/// The key of somebody with that name.
#[cfg(test)]
fn test_key(id: &str) -> crate::domain::SubjectKey {
    use crate::domain::{Issuer, Subject, SubjectId};
    Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() }.key()
}
