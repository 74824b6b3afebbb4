//! Bearer bytes become verified [`Claims`], and security events an [`EventToken`]. Everything here is untrusted until
//! [`Trust::verify`] or [`Transmitter::verify`] has said yes; nothing here knows of accounts, headers for the application,
//! or where keys come from.

mod algorithm;
mod claims;
mod credentials;
mod demand;
mod der;
mod events;
mod jose_header;
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
pub use claims::Claims;
pub use credentials::{Credentials, Source};
pub use demand::{ClaimValue, Demand, Require};
pub use events::{EventRefusal, EventToken, LOGOUT_EVENT, Transmitter};
pub use jose_header::{JoseHeader, KnownHeaders};
pub use jws::Jws;
pub use key::KeyId;
pub use keyring::{Keyring, KeyringError};
pub use kind::TokenKind;
pub use signature::{Crypto, HostCheck, SignatureHost};
pub use tenants::Tenants;
pub use trust::{SubjectRules, Trust};
pub use validity::Validity;
