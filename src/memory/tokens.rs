//! Tokens that were verified: each is answered from here until it ends or its key goes.

use crate::domain::{Identity, Reason, SubjectKey};
use crate::token::{KeyId, Validity};
use lru::LruCache;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::sync::Arc;

/// What a token whose signature holds means here.
pub struct Verified {
    /// Its issuer, by its place in the policy.
    pub issuer: usize,
    /// The key it was signed with.
    pub key: KeyId,
    /// When it may be used.
    pub validity: Validity,
    /// What it is refused for, by the route it is used on (its place in the policy; the last is that of no route).
    pub by_route: Box<[Option<Reason>]>,
    /// Whom it stands for, or why the mapping makes nobody of it.
    pub identity: Result<Arc<Identity>, Reason>,
}

impl Verified {
    /// What it stands for where it is used.
    pub fn on(&self, route: usize) -> Result<Arc<Identity>, Reason> {
        match self.by_route.get(route) {
            Some(Some(reason)) => Err(*reason),
            Some(None) => self.identity.clone(),
            // Every route of the policy has its place.
            None => Err(Reason::TokenUnsupported),
        }
    }

    /// Roughly what remembering it takes, beside the token's text.
    fn bytes(&self) -> usize {
        let headers = |identity: &Arc<Identity>| {
            let each = identity.headers.iter().map(|(name, _)| name.as_str().len() + 128);
            each.sum::<usize>() + identity.subject.id.as_str().len()
        };
        OVERHEAD + self.by_route.len() + self.identity.as_ref().map_or(0, headers)
    }
}

/// What an entry takes by itself: places in the table and the list, the identity's fields, the allocator's own.
const OVERHEAD: usize = 512;

/// The tokens that were used lately, bounded by number and by bytes. Only tokens whose signature holds are remembered, so
/// that nobody but an issuer can fill it.
pub struct Tokens {
    most: usize,
    most_bytes: usize,
    bytes: usize,
    entries: LruCache<Box<str>, Verified, Seeded>,
}

impl Tokens {
    /// Remembers at most so many tokens, in at most so many bytes. `seed` is a secret of this worker.
    pub fn new(most: usize, most_bytes: usize, seed: [u8; 16]) -> Self {
        Self { most, most_bytes, bytes: 0, entries: LruCache::unbounded_with_hasher(Seeded::new(seed)) }
    }

    /// What is known of exactly this token.
    pub fn get(&mut self, token: &str) -> Option<&Verified> {
        self.entries.get(token)
    }

    /// Remembers a token; those used longest ago make room.
    pub fn remember(&mut self, token: &str, verified: Verified) {
        let size = token.len() + verified.bytes();
        if size > self.most_bytes {
            return;
        }
        self.bytes += size;
        if let Some((old, entry)) = self.entries.push(token.into(), verified) {
            self.bytes -= old.len() + entry.bytes();
        }
        while self.entries.len() > self.most || self.bytes > self.most_bytes {
            let Some((old, entry)) = self.entries.pop_lru() else { break };
            self.bytes -= old.len() + entry.bytes();
        }
    }

    /// Forgets a token.
    pub fn forget(&mut self, token: &str) {
        if let Some(entry) = self.entries.pop(token) {
            self.bytes -= token.len() + entry.bytes();
        }
    }

    /// Forgets every token of a subject.
    pub fn forget_subject(&mut self, key: SubjectKey) {
        let is_theirs = |entry: &Verified| entry.identity.as_ref().is_ok_and(|identity| identity.key == key);
        let tokens = self.entries.iter().filter(|(_, entry)| is_theirs(entry));
        let tokens: Vec<_> = tokens.map(|(token, _)| token.clone()).collect();
        tokens.iter().for_each(|token| self.forget(token));
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Hashes the end of a token, which is its signature, under a secret: nobody can choose tokens that meet in the table, and
/// a hit does not pay for a walk over the whole text, which is compared anyway.
#[derive(Clone)]
struct Seeded(DefaultHasher);

/// How much of a token's end is hashed, in bytes.
const HASHED: usize = 32;

impl Seeded {
    fn new(seed: [u8; 16]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(&seed);
        Self(hasher)
    }
}

impl BuildHasher for Seeded {
    type Hasher = EndOf;

    fn build_hasher(&self) -> EndOf {
        EndOf(self.0.clone())
    }
}

/// A hasher that looks at the end of what it is given.
struct EndOf(DefaultHasher);

impl Hasher for EndOf {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes.get(bytes.len().saturating_sub(HASHED)..).unwrap_or_default());
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Issuer, Kind, Subject, SubjectId};

    fn verified(id: &str) -> Verified {
        let subject =
            Subject { issuer: Issuer::parse("https://idp").unwrap(), id: SubjectId::parse(id).unwrap() };
        let identity = Identity {
            key: subject.key(),
            subject,
            kind: Kind::Person,
            headers: vec![],
            attributes: Default::default(),
        };
        let identity = Ok(Arc::new(identity));
        let (key, validity) = (KeyId::EXAMPLE, Validity::ENDLESS);
        Verified { issuer: 0, key, validity, by_route: Box::new([None]), identity }
    }

    fn known(tokens: &mut Tokens, among: &[&str]) -> Vec<String> {
        among.iter().filter(|token| tokens.get(token).is_some()).map(|token| (*token).to_owned()).collect()
    }

    #[test]
    fn a_token_is_known_as_a_whole_or_not_at_all() {
        let mut tokens = Tokens::new(10, 10_000, [7; 16]);
        let end = "x".repeat(100);
        tokens.remember(&format!("a{end}"), verified("jane"));
        assert!(tokens.get(&format!("a{end}")).is_some());
        assert!(tokens.get(&format!("b{end}")).is_none());
        assert!(tokens.get(&end).is_none());
    }

    #[test]
    fn the_token_used_longest_ago_makes_room() {
        let mut tokens = Tokens::new(2, 10_000, [7; 16]);
        tokens.remember("a", verified("a"));
        tokens.remember("b", verified("b"));
        assert!(tokens.get("a").is_some());
        tokens.remember("c", verified("c"));
        assert_eq!(known(&mut tokens, &["a", "b", "c"]), ["a", "c"]);
    }

    #[test]
    fn bytes_are_bounded_too_and_counted_back_to_nothing() {
        let mut tokens = Tokens::new(1000, 4096, [7; 16]);
        for round in 0..50 {
            tokens.remember(&format!("{round}-{}", "x".repeat(500)), verified("jane"));
        }
        tokens.remember(&"y".repeat(5000), verified("jane"));
        assert!((1..=4).contains(&tokens.len()), "{}", tokens.len());
        tokens.remember("again", verified("jane"));
        tokens.remember("again", verified("jane"));
        tokens.forget_subject(verified("jane").identity.unwrap().key);
        assert_eq!((tokens.len(), tokens.bytes), (0, 0));
    }

    #[test]
    fn a_subject_takes_its_tokens_along() {
        let mut tokens = Tokens::new(10, 10_000, [7; 16]);
        for (token, id) in [("a", "jane"), ("b", "john"), ("c", "jane")] {
            tokens.remember(token, verified(id));
        }
        tokens.forget_subject(verified("jane").identity.unwrap().key);
        assert_eq!(known(&mut tokens, &["a", "b", "c"]), ["b"]);
    }
}
