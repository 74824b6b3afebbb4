//! The keys one issuer publishes (RFC 7517 §5). Keys of different issuers never meet in one ring (RFC 8725 §3.8).

use super::key::Key;
use super::{Algorithm, Crypto, Jws, KeyId};
use serde_json::Value;
use std::rc::Rc;

/// An issuer's usable keys.
#[derive(Clone)]
pub struct Keyring {
    keys: Rc<[Key]>,
}

/// Why a key set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Not the JSON of a key set.
    #[error("not a JSON Web Key Set")]
    Malformed,
    /// No key of it can verify signatures here.
    #[error("no key in it can verify signatures with an algorithm accepted here")]
    NoUsableKey,
}

/// More keys than any issuer publishes; the rest of a longer set is not read.
const MOST_KEYS: usize = 100;

impl Keyring {
    /// Reads a key set, skipping every key that cannot be used here.
    pub fn read(body: &[u8], crypto: Crypto) -> Result<Self, KeyringError> {
        let set: Value = serde_json::from_slice(body).map_err(|_| KeyringError::Malformed)?;
        Self::from_value(&set, crypto)
    }

    /// The same, for a set that is written into the configuration.
    pub fn from_value(set: &Value, crypto: Crypto) -> Result<Self, KeyringError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(KeyringError::Malformed)?;
        let keys: Rc<[Key]> = keys.iter().take(MOST_KEYS).filter_map(|key| Key::read(key, crypto)).collect();
        if keys.is_empty() { Err(KeyringError::NoUsableKey) } else { Ok(Self { keys }) }
    }

    /// How many keys are in use.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key; a ring that was read has one.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key a token names: by `kid` and algorithm, or by algorithm alone if it names none, among those that belong to the
    /// issuer it claims. Several that fit are as good as none: trying one after another would let an attacker choose.
    pub(super) fn key_for(&self, jws: &Jws<'_>) -> Option<&Key> {
        let iss = jws.claimed_issuer().unwrap_or_default();
        let named = |key: &Key| jws.header.kid().is_none() || key.kid.as_deref() == jws.header.kid();
        self.only(|key| named(key) && key.belongs_to(iss), jws.header.algorithm)
    }

    /// Whether `signature` over `message` is that of the one key here that fits `algorithm`; for whoever holds a signature
    /// that belongs to no token.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        self.only(|_| true, algorithm).is_some_and(|key| key.verifies(message, signature, algorithm))
    }

    fn only(&self, admits: impl Fn(&Key) -> bool, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|key| admits(key) && key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }

    /// Whether the key is in use.
    pub fn holds(&self, key: KeyId) -> bool {
        self.keys.iter().any(|one| one.id() == key)
    }

    /// Whether any key of the ring could verify `algorithm`.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }
}
