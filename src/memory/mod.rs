//! What is remembered between requests. Every store has a bound from the configuration; none grows with what clients send.

mod ledger;
mod roster;
mod tokens;
mod unknown_keys;
mod waiting;

pub use ledger::{Batch, Ledger};
pub use roster::{Roster, Standing};
pub use tokens::{Tokens, Verified};
pub use unknown_keys::{KeyName, UnknownKeys};
pub use waiting::{Waiting, Want};
