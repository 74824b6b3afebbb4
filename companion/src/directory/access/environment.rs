//! The token that the process is started with, from its environment: it opens everything, so that the first tokens can be
//! made and a demo needs no other.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const VARIABLE: &str = "FIRSTSIGHT_TOKEN";
const SHORTEST: usize = 16;

/// The digest of the token; the token itself is not kept.
#[derive(Clone)]
pub(super) struct EnvironmentToken([u8; 32]);

/// Why the directory does not start.
#[derive(Debug, thiserror::Error)]
#[error(
    "{VARIABLE} holds no token of at least {SHORTEST} visible characters; set it, for example: \
     {VARIABLE}=$(head -c 32 /dev/urandom | base64)"
)]
pub(in crate::directory) struct NoToken;

impl EnvironmentToken {
    /// # Errors
    /// If it is not there, or too easily guessed.
    pub(super) fn read() -> Result<Self, NoToken> {
        let token = std::env::var(VARIABLE).map_err(|_| NoToken)?;
        let token = token.trim();
        let fits = token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(digest(token))) } else { Err(NoToken) }
    }

    /// Compares in a time that tells nothing about the token.
    pub(super) fn is(&self, presented: &str) -> bool {
        self.0.ct_eq(&digest(presented)).into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
