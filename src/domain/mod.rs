//! The words everything else is written in. Plain values: no clock, no IO, no knowledge of tokens or proxies.

mod backoff;
mod claim_path;
mod dice;
mod headers;
mod http;
mod identity;
mod json;
mod pattern;
mod subject;
mod time;
mod verdict;

pub use self::http::{Call, CallId, Edit, Failure, Reply, Response, Shared, Ticket};
pub use backoff::{Backoff, BreakerTerms};
pub use claim_path::ClaimPath;
pub use dice::Dice;
pub use headers::{Headers, is_header_text};
pub use identity::{Account, AccountMember, Fingerprint, HeaderSource, Identity};
pub use json::strict_object;
pub use pattern::Pattern;
pub use subject::{Issuer, Kind, Subject, SubjectId, SubjectKey};
pub use time::Timestamp;
pub use verdict::{Forwarded, Passage, REASON_KEY, Reason, Refusal, Verdict};
