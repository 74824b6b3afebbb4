//! Bearer bytes become verified [`Claims`]. Everything here is untrusted until [`Trust::verify`] has said yes; nothing
//! here knows of accounts, headers for the application, or where keys come from.

mod bearer;
mod claims;
mod jws;
mod key;
mod keyring;
#[cfg(test)]
mod tests;
mod trust;

pub use bearer::Bearer;
pub use claims::Claims;
pub use jws::{Jws, kid_of};
pub use keyring::{Keyring, KeyringError};
pub use trust::{ALGORITHMS, Algorithm, Trust};
