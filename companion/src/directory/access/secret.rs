//! The text of a token, and its digest, which is all that is kept of it.
//!
//! SHA-256 without salt or stretching is right here, as it would be wrong for a password: the text is 256 random bits, so
//! there is nothing to guess and nothing to look up in a table, and a digest is made for every request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::io;

/// By this, programs that look for secrets in places where they should not be find a token.
const PREFIX: &str = "fst_";
const BYTES: usize = 32;

/// A token's digest. It may be looked up and compared in any way: from how long that takes one learns of the digest of
/// what was presented, and cannot choose the next one by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::directory) struct Digest([u8; 32]);

impl Digest {
    pub(in crate::directory) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// As it is kept: 64 hexadecimal digits.
    pub(in crate::directory) fn text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(in crate::directory) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
        digits.collect::<Option<Vec<u8>>>()?.try_into().ok().map(Self)
    }

    /// Hidden from everybody who does not know the pad; hidden twice, it is as it was.
    pub(in crate::directory) fn under(self, pad: Self) -> Self {
        let mut hidden = self.0;
        hidden.iter_mut().zip(pad.0).for_each(|(byte, pad)| *byte ^= pad);
        Self(hidden)
    }
}

/// A new token: `fst_` and 43 letters, digits, `-` and `_`.
///
/// # Errors
/// If the system has no randomness.
pub(super) fn make() -> io::Result<String> {
    Ok(format!("{PREFIX}{}", random()?))
}

/// 256 random bits, as 43 letters, digits, `-` and `_`.
///
/// # Errors
/// If the system has no randomness.
pub(in crate::directory) fn random() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_256_random_bits_behind_its_prefix() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert_ne!(one, other);
        let random = one.strip_prefix("fst_").unwrap();
        assert_eq!((random.len(), URL_SAFE_NO_PAD.decode(random).unwrap().len()), (43, 32));
    }

    #[test]
    fn a_digest_is_kept_as_the_sha_256_that_everybody_knows() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").text(), text);
        assert_eq!(Digest::parse(text), Some(Digest::of("abc")));
        assert_eq!(Digest::parse("ba78"), None);
    }
}
