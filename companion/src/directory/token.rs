//! Who may speak to the directory: whoever holds its bearer token.

use super::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const VARIABLE: &str = "FIRSTSIGHT_TOKEN";
const SHORTEST: usize = 16;

/// The digest of the token that requests must carry; the token itself is not kept.
#[derive(Clone)]
pub(super) struct Token([u8; 32]);

/// Why the directory does not start.
#[derive(Debug, thiserror::Error)]
#[error(
    "{VARIABLE} holds no token of at least {SHORTEST} visible characters; set it, for example: \
     {VARIABLE}=$(head -c 32 /dev/urandom | base64)"
)]
pub(super) struct NoToken;

impl Token {
    /// Reads the token from the environment.
    ///
    /// # Errors
    /// If it is not there, or too easily guessed.
    pub(super) fn from_environment() -> Result<Self, NoToken> {
        let token = std::env::var(VARIABLE).map_err(|_| NoToken)?;
        let token = token.trim();
        let fits = token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(digest(token))) } else { Err(NoToken) }
    }

    /// Compares in a time that tells nothing about the token.
    fn is(&self, presented: &str) -> bool {
        self.0.ct_eq(&digest(presented)).into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lets requests through that carry the token (RFC 6750 §2.1).
pub(super) async fn required(State(token): State<Token>, request: Request, next: Next) -> Response {
    let presented = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let presented = presented.and_then(|value| value.split_once(' '));
    match presented {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") && token.is(text.trim()) => {
            next.run(request).await
        }
        Some(_) => Problem::unauthorized(r#"Bearer error="invalid_token""#).into_response(),
        None => Problem::unauthorized("Bearer").into_response(),
    }
}
