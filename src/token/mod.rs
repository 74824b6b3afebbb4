//! Bearer bytes become verified [`Claims`]. Everything here is untrusted until [`Trust::verify`] has said yes; nothing
//! here knows of accounts, headers for the application, or where keys come from.

mod algorithm;
mod bearer;
mod claims;
mod credentials;
mod demand;
mod der;
mod jws;
mod key;
mod keyring;
mod kind;
mod probe;
mod signature;
mod tenants;
#[cfg(test)]
mod tests;
mod trust;
mod validity;

pub use algorithm::{ALGORITHMS, Algorithm};
pub use bearer::Bearer;
pub use claims::Claims;
pub use credentials::{Credentials, Source};
pub use demand::{ClaimValue, Demand, Require};
pub use jws::{Jws, kid_of};
pub use key::KeyId;
pub use keyring::{Keyring, KeyringError};
pub use kind::TokenKind;
pub use signature::{Crypto, HostCheck, SignatureHost};
pub use tenants::Tenants;
pub use trust::{SubjectRules, Trust};
pub use validity::Validity;
