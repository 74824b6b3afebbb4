//! Tokens that were verified: each is answered from here until it ends or its key goes.

use crate::domain::{HeaderSource, Identity, Reason, SubjectKey};
use crate::token::{KeyId, Validity};
use lru::LruCache;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
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
            let headers = identity.headers.iter().map(|(_, source)| source);
            let sources = headers.chain(identity.filter_state.iter().map(|(_, source)| source));
            let each = sources.map(|source| match source {
                HeaderSource::Claim(value) => HEADER + value.len(),
                HeaderSource::Account(_) => HEADER,
            });
            each.sum::<usize>() + identity.subject.id.as_str().len()
        };
        OVERHEAD + self.by_route.len() + self.identity.as_ref().map_or(0, headers)
    }
}

/// What a header takes beside its value: name and value as they are kept, the allocator's own.
const HEADER: usize = 128;
/// What an entry takes by itself: places in the table and the list, the identity's fields, the allocator's own.
const OVERHEAD: usize = 512;

/// The tokens that were used lately, bounded by number and by bytes. Only tokens whose signature holds are remembered, so
/// that nobody but an issuer can fill it.
///
/// A token's place is a digest of its end, which is its signature, under a secret: nobody can choose tokens that share a
/// place, and a hit does not pay for a walk over the whole text twice. What is there is compared as a whole. Once all
/// is full, a token is remembered the second time it is verified: those that are used once would push out those that are
/// used again.
pub struct Tokens {
    most: usize,
    most_bytes: usize,
    bytes: usize,
    seeded: RandomState,
    /// Digests of tokens that were verified once, each in the one slot that is its own.
    once: Box<[u64]>,
    entries: LruCache<u64, Entry, BuildHasherDefault<AsItIs>>,
}

struct Entry {
    token: Box<[u8]>,
    verified: Verified,
}

/// More slots for tokens that were verified once would be memory for nothing.
const MOST_SLOTS: usize = 1 << 16;

/// How much of a token's end is digested, in bytes.
const DIGESTED: usize = 32;

impl Tokens {
    /// Remembers at most so many tokens, in at most so many bytes.
    pub fn new(most: usize, most_bytes: usize) -> Self {
        let entries = LruCache::unbounded_with_hasher(BuildHasherDefault::default());
        let once = vec![0; most.min(MOST_SLOTS)].into();
        Self { most, most_bytes, bytes: 0, seeded: RandomState::new(), once, entries }
    }

    /// What is known of exactly this token.
    pub fn get(&mut self, token: &[u8]) -> Option<&Verified> {
        let place = self.place(token);
        self.entries.get(&place).filter(|entry| is_same(&entry.token, token)).map(|entry| &entry.verified)
    }

    /// Notes that a token was verified, and remembers it if there is room, or if it was verified before; those used longest
    /// ago make room.
    pub fn remember(&mut self, token: &[u8], verified: Verified) {
        let (place, size) = (self.place(token), token.len() + verified.bytes());
        let has_room = self.entries.len() < self.most && self.bytes + size <= self.most_bytes;
        if size > self.most_bytes || !has_room && !self.was_verified(place) {
            return;
        }
        let entry = Entry { token: token.into(), verified };
        self.bytes += entry.bytes();
        if let Some((_, old)) = self.entries.push(place, entry) {
            self.bytes -= old.bytes();
        }
        while self.entries.len() > self.most || self.bytes > self.most_bytes {
            let Some((_, old)) = self.entries.pop_lru() else { break };
            self.bytes -= old.bytes();
        }
    }

    /// Forgets a token.
    pub fn forget(&mut self, token: &[u8]) {
        if let Some(old) = self.entries.pop(&self.place(token)) {
            self.bytes -= old.bytes();
        }
    }

    /// Forgets every token of a subject.
    pub fn forget_subject(&mut self, key: SubjectKey) {
        let is_theirs = |entry: &Verified| entry.identity.as_ref().is_ok_and(|identity| identity.key == key);
        let places = self.entries.iter().filter(|(_, entry)| is_theirs(&entry.verified));
        let places: Vec<_> = places.map(|(place, _)| *place).collect();
        let gone = places.iter().filter_map(|place| self.entries.pop(place));
        self.bytes -= gone.map(|entry| entry.bytes()).sum::<usize>();
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a token of this place was verified lately; now it was.
    fn was_verified(&mut self, place: u64) -> bool {
        let slots = self.once.len() as u64;
        let slot = usize::try_from(place % slots.max(1)).ok().and_then(|slot| self.once.get_mut(slot));
        slot.is_none_or(|slot| std::mem::replace(slot, place) == place)
    }

    fn place(&self, token: &[u8]) -> u64 {
        self.seeded.hash_one(token.get(token.len().saturating_sub(DIGESTED)..))
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.token.len() + self.verified.bytes()
    }
}

/// Compares eight bytes at a time: on the module's target, memory is otherwise compared byte by byte.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rests_are = ones.remainder() == others.remainder();
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    one.len() == other.len() && rests_are && ones.zip(others).all(|(one, other)| word(one) == word(other))
}

/// The hash of a place is the place.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, place: u64) {
        self.0 = place;
    }

    fn finish(&self) -> u64 {
        self.0
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
            filter_state: vec![],
            fingerprint: None,
            issued_at: None,
        };
        let identity = Ok(Arc::new(identity));
        let (key, validity) = (KeyId::EXAMPLE, Validity::ENDLESS);
        Verified { issuer: 0, key, validity, by_route: Box::new([None]), identity }
    }

    /// As a token that comes again is.
    fn remember(tokens: &mut Tokens, token: &str, id: &str) {
        tokens.remember(token.as_bytes(), verified(id));
        tokens.remember(token.as_bytes(), verified(id));
    }

    fn known(tokens: &mut Tokens, among: &[&str]) -> Vec<String> {
        among
            .iter()
            .filter(|token| tokens.get(token.as_bytes()).is_some())
            .map(|token| (*token).to_owned())
            .collect()
    }

    #[test]
    fn a_token_is_known_as_a_whole_or_not_at_all() {
        let mut tokens = Tokens::new(10, 10_000);
        let end = "x".repeat(100);
        remember(&mut tokens, &format!("a{end}"), "jane");
        assert!(tokens.get(format!("a{end}").as_bytes()).is_some());
        assert!(tokens.get(format!("b{end}").as_bytes()).is_none());
        assert!(tokens.get(end.as_bytes()).is_none());
    }

    #[test]
    fn the_token_used_longest_ago_makes_room() {
        let mut tokens = Tokens::new(2, 10_000);
        remember(&mut tokens, "a", "a");
        remember(&mut tokens, "b", "b");
        assert!(tokens.get(b"a").is_some());
        remember(&mut tokens, "c", "c");
        assert_eq!(known(&mut tokens, &["a", "b", "c"]), ["a", "c"]);
    }

    #[test]
    fn a_token_that_is_used_once_pushes_nobody_out() {
        let mut tokens = Tokens::new(2, 10_000);
        tokens.remember(b"a", verified("a"));
        tokens.remember(b"b", verified("b"));
        for number in 0..100 {
            tokens.remember(format!("once-{number}").as_bytes(), verified("c"));
        }
        assert_eq!(known(&mut tokens, &["a", "b", "once-99"]), ["a", "b"]);
    }

    #[test]
    fn bytes_are_bounded_too_and_counted_back_to_nothing() {
        let mut tokens = Tokens::new(1000, 4096);
        for round in 0..50 {
            remember(&mut tokens, &format!("{}-{round}", "x".repeat(500)), "jane");
        }
        remember(&mut tokens, &"y".repeat(5000), "jane");
        assert!((1..=4).contains(&tokens.len()), "{}", tokens.len());
        remember(&mut tokens, "again", "jane");
        remember(&mut tokens, "again", "jane");
        tokens.forget_subject(verified("jane").identity.unwrap().key);
        assert_eq!((tokens.len(), tokens.bytes), (0, 0));
    }

    #[test]
    fn what_a_token_became_counts_as_well() {
        let mut tokens = Tokens::new(1000, 100_000);
        let with_payload = || {
            let mut verified = verified("jane");
            if let Some(identity) = verified.identity.as_mut().ok().and_then(Arc::get_mut) {
                let value = HeaderSource::Claim("x".repeat(10_000).parse().unwrap());
                identity.headers = vec![("x-payload".parse().unwrap(), value)];
            }
            verified
        };
        for number in 0..50 {
            (0..2).for_each(|_| tokens.remember(format!("token-{number}").as_bytes(), with_payload()));
        }
        assert!((5..=10).contains(&tokens.len()), "{} of 10 kB in 100 kB", tokens.len());
    }

    #[test]
    fn a_subject_takes_its_tokens_along() {
        let mut tokens = Tokens::new(10, 10_000);
        for (token, id) in [("a", "jane"), ("b", "john"), ("c", "jane")] {
            remember(&mut tokens, token, id);
        }
        tokens.forget_subject(verified("jane").identity.unwrap().key);
        assert_eq!(known(&mut tokens, &["a", "b", "c"]), ["b"]);
    }
}
