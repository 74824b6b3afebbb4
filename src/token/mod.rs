//! Bearer bytes become verified [`Claims`]. Everything here is untrusted until [`Trust::verify`] has said yes; nothing
//! here knows of accounts, headers for the application, or where keys come from.

mod algorithm;
mod bearer;
mod claims;
mod der;
mod jws;
mod key;
mod keyring;
mod probe;
mod signature;
#[cfg(test)]
mod tests;
mod trust;

pub use algorithm::{ALGORITHMS, Algorithm};
pub use bearer::Bearer;
pub use claims::Claims;
pub use jws::Jws;
pub use keyring::{Keyring, KeyringError};
pub use signature::{Crypto, HostCheck, SignatureHost};
pub use trust::Trust;
