//! Keys and tokens for demos and tests only: everything is made anew in each process, kept in memory, and trusted by
//! nobody else. Pure: no IO, no clock.

mod issuer;
mod key;
mod signature;

pub use issuer::TestIssuer;
pub use key::{Algorithm, SigningKey};
pub use signature::verify_signature;
