//! A key pair that signs whatever it is given, hostile tokens included.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use p256::pkcs8::EncodePrivateKey as _;
use rand::rngs::OsRng;
use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// The algorithms a test key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the registry's")]
pub enum Algorithm {
    RS256,
    PS256,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: &[Self] = &[Self::RS256, Self::PS256, Self::ES256, Self::ES384, Self::EdDSA];
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|algorithm| algorithm.to_string() == text);
        found.ok_or_else(|| format!("`{text}` is none of RS256, PS256, ES256, ES384, EdDSA"))
    }
}

/// A key pair.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    private: EncodingKey,
    public: Value,
}

impl SigningKey {
    /// Makes a key pair. RSA keys have 2048 bits and take a moment.
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn generate(algorithm: Algorithm, kid: &str) -> Self {
        let (private, mut public) = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => rsa_pair(),
            Algorithm::ES256 => p256_pair(),
            Algorithm::ES384 => p384_pair(),
            Algorithm::EdDSA => ed25519_pair(),
        };
        public["kid"] = json!(kid);
        public["alg"] = json!(algorithm.to_string());
        public["use"] = json!("sig");
        Self { kid: kid.to_owned(), algorithm, private, public }
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half as a JWK with `kid`, `alg` and `use`.
    pub fn public_jwk(&self) -> Value {
        self.public.clone()
    }

    /// Signs `payload` under `header`, whatever they say, and returns the compact serialisation.
    ///
    /// # Panics
    /// If the crypto library refuses its own key.
    pub fn sign(&self, header: &Value, payload: &[u8]) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(payload));
        let algorithm = match self.algorithm {
            Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
            Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
        };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, algorithm)
            .expect("a key that was just made signs");
        format!("{message}.{signature}")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_pair() -> (EncodingKey, Value) {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits can be made");
    let der = key.to_pkcs1_der().expect("a new key can be written");
    let public =
        json!({"kty": "RSA", "n": encode(key.n().to_bytes_be()), "e": encode(key.e().to_bytes_be())});
    (EncodingKey::from_rsa_der(der.as_bytes()), public)
}

fn p256_pair() -> (EncodingKey, Value) {
    let key = p256::SecretKey::random(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    let public: Value = json_of(&key.public_key().to_jwk_string());
    (EncodingKey::from_ec_der(der.as_bytes()), public)
}

fn p384_pair() -> (EncodingKey, Value) {
    let key = p384::SecretKey::random(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    let public: Value = json_of(&key.public_key().to_jwk_string());
    (EncodingKey::from_ec_der(der.as_bytes()), public)
}

fn ed25519_pair() -> (EncodingKey, Value) {
    let key = ed25519_dalek::SigningKey::generate(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    let public = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes())});
    (EncodingKey::from_ed_der(der.as_bytes()), public)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("a JWK is JSON")
}
