//! The token that the process is started with, from its environment: it opens everything, so that the first tokens can be
//! made and a demo needs no other.

use super::secret::Digest;

const VARIABLE: &str = "FIRSTSIGHT_TOKEN";
const SHORTEST: usize = 16;

/// The digest of the token; the token itself is not kept.
pub(in crate::directory) struct EnvironmentToken(Digest);

/// Why the directory does not start.
#[derive(Debug, thiserror::Error)]
pub(in crate::directory) enum NoToken {
    #[error(
        "{VARIABLE} holds no token of at least {SHORTEST} visible characters; set it, for example: \
         {VARIABLE}=$(head -c 32 /dev/urandom | base64)"
    )]
    Unusable,
    #[error(
        "nobody could use this directory: there is no token yet; make one with `firstsight token create --name admin \
         --scope admin`, or set {VARIABLE} to one that opens everything"
    )]
    None,
}

impl EnvironmentToken {
    /// `None` if there is none.
    ///
    /// # Errors
    /// If it is too easily guessed.
    pub(in crate::directory) fn read() -> Result<Option<Self>, NoToken> {
        let Some(token) = std::env::var_os(VARIABLE) else { return Ok(None) };
        let token = token.to_str().unwrap_or_default().trim();
        let fits = token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Some(Self(Digest::of(token)))) } else { Err(NoToken::Unusable) }
    }

    pub(super) fn is(&self, presented: Digest) -> bool {
        self.0 == presented
    }
}
