//! A key pair that signs whatever it is given, hostile tokens included.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use p521::ecdsa::signature::Signer as _;
use p521::elliptic_curve::JwkEcKey;
use p521::pkcs8::EncodePrivateKey as _;
use rand::rngs::OsRng;
use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// The algorithms a test key signs with: all that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the registry's")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// Whether it signs with an RSA key.
    pub fn is_rsa(self) -> bool {
        use Algorithm as A;
        matches!(self, A::RS256 | A::RS384 | A::RS512 | A::PS256 | A::PS384 | A::PS512)
    }

    /// The same for jsonwebtoken, which does not know ES512.
    fn in_jsonwebtoken(self) -> Option<jsonwebtoken::Algorithm> {
        self.to_string().parse().ok()
    }
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
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::to_string).collect();
            format!("`{text}` is none of {}", names.join(", "))
        })
    }
}

/// A key pair.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    private: Private,
    public: Value,
}

#[derive(Clone)]
enum Private {
    Usual(EncodingKey),
    P521(p521::ecdsa::SigningKey),
}

impl SigningKey {
    /// Makes a key pair. RSA keys have 2048 bits and take a moment.
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn generate(algorithm: Algorithm, kid: &str) -> Self {
        let (private, public) = match algorithm {
            Algorithm::ES256 => p256_pair(),
            Algorithm::ES384 => p384_pair(),
            Algorithm::ES512 => p521_pair(),
            Algorithm::EdDSA => ed25519_pair(),
            _ => rsa_pair(),
        };
        Self::new(algorithm, kid, private, public)
    }

    /// A key pair for every algorithm, named after it. Those of RSA are one and the same pair, as to make it takes long.
    ///
    /// # Panics
    /// If the machine has no randomness.
    pub fn of_every_algorithm() -> Vec<Self> {
        let (private, public) = rsa_pair();
        let pair = |algorithm: &Algorithm| {
            let kid = algorithm.to_string();
            if algorithm.is_rsa() {
                Self::new(*algorithm, &kid, private.clone(), public.clone())
            } else {
                Self::generate(*algorithm, &kid)
            }
        };
        Algorithm::ALL.iter().map(pair).collect()
    }

    fn new(algorithm: Algorithm, kid: &str, private: Private, mut public: Value) -> Self {
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
        let signature = match (&self.private, self.algorithm.in_jsonwebtoken()) {
            (Private::Usual(key), Some(algorithm)) => {
                jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).expect("a sound key signs")
            }
            (Private::P521(key), None) => {
                let signature: p521::ecdsa::Signature = key.sign(message.as_bytes());
                encode(signature.to_bytes())
            }
            _ => unreachable!("a pair is made for its algorithm"),
        };
        format!("{message}.{signature}")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_pair() -> (Private, Value) {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits can be made");
    let der = key.to_pkcs1_der().expect("a new key can be written");
    let public =
        json!({"kty": "RSA", "n": encode(key.n().to_bytes_be()), "e": encode(key.e().to_bytes_be())});
    (Private::Usual(EncodingKey::from_rsa_der(der.as_bytes())), public)
}

fn p256_pair() -> (Private, Value) {
    let key = p256::SecretKey::random(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    (Private::Usual(EncodingKey::from_ec_der(der.as_bytes())), json_of(&key.public_key().to_jwk()))
}

fn p384_pair() -> (Private, Value) {
    let key = p384::SecretKey::random(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    (Private::Usual(EncodingKey::from_ec_der(der.as_bytes())), json_of(&key.public_key().to_jwk()))
}

fn p521_pair() -> (Private, Value) {
    let key = p521::SecretKey::random(&mut OsRng);
    let signing = p521::ecdsa::SigningKey::from_bytes(&key.to_bytes()).expect("a new key can be read");
    (Private::P521(signing), json_of(&key.public_key().to_jwk()))
}

fn ed25519_pair() -> (Private, Value) {
    let key = ed25519_dalek::SigningKey::generate(&mut OsRng);
    let der = key.to_pkcs8_der().expect("a new key can be written");
    let public = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes())});
    (Private::Usual(EncodingKey::from_ed_der(der.as_bytes())), public)
}

fn json_of(jwk: &JwkEcKey) -> Value {
    serde_json::to_value(jwk).expect("a JWK is JSON")
}
