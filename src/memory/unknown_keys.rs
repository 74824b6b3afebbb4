//! The keys that tokens named and an issuer did not publish when it was last asked.

use crate::domain::Timestamp;
use lru::LruCache;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The most that are remembered of one issuer; the one that was added first makes room.
const MOST: usize = 256;

/// A key as a token names it: a digest, as clients choose the length of a `kid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyName([u8; 32]);

impl KeyName {
    /// The key of that name. All tokens that name none have one in common.
    pub fn of(kid: Option<&str>) -> Self {
        Self(kid.map(Sha256::digest).unwrap_or_default().into())
    }
}

/// The unknown keys of one issuer.
pub struct UnknownKeys(LruCache<KeyName, Timestamp>);

impl Default for UnknownKeys {
    fn default() -> Self {
        Self(LruCache::unbounded())
    }
}

impl UnknownKeys {
    /// Whether the issuer did not publish this key lately.
    pub fn has(&self, key: KeyName, now: Timestamp) -> bool {
        self.0.peek(&key).is_some_and(|until| now < *until)
    }

    /// Remembers until `until` that the issuer does not publish this key.
    pub fn remember(&mut self, key: KeyName, until: Timestamp) {
        self.0.put(key, until);
        if self.0.len() > MOST {
            self.0.pop_lru();
        }
    }

    /// The clock was set back by `span`.
    pub fn move_back(&mut self, span: Duration) {
        self.0.iter_mut().for_each(|(_, until)| *until = until.before(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str) -> KeyName {
        KeyName::of(Some(kid))
    }

    #[test]
    fn a_key_is_unknown_until_its_time_and_others_are_not() {
        let mut unknown = UnknownKeys::default();
        unknown.remember(key("a"), Timestamp::from_secs(10));
        assert!(unknown.has(key("a"), Timestamp::from_secs(9)));
        assert!(!unknown.has(key("a"), Timestamp::from_secs(10)));
        assert!(!unknown.has(key("b"), Timestamp::from_secs(9)));
        assert!(!unknown.has(KeyName::of(None), Timestamp::from_secs(9)));
        unknown.move_back(Duration::from_secs(5));
        assert!(!unknown.has(key("a"), Timestamp::from_secs(5)));
    }

    #[test]
    fn names_that_clients_make_up_do_not_fill_the_memory() {
        let mut unknown = UnknownKeys::default();
        for number in 0..10_000 {
            unknown.remember(key(&format!("{}{number}", "long".repeat(200))), Timestamp::from_secs(10));
        }
        assert_eq!(unknown.0.len(), MOST);
    }
}
