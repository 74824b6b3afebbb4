//! One public key of an issuer (RFC 7517, RFC 7518 §6), checked before it is ever used: the crypto library indexes into
//! what it is given. Whatever its checks need is prepared when it is read, not on every token.

use super::signature::Check;
use super::{Algorithm, Crypto};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Tells a key from every other: a digest of the JWK. A key that an issuer publishes again keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 32]);

#[cfg(test)]
impl KeyId {
    pub(crate) const EXAMPLE: Self = Self([7; 32]);
}

/// A usable signature key.
pub(super) struct Key {
    id: KeyId,
    pub(super) kid: Option<String>,
    /// What a token that names this key may be signed with, and how that is checked.
    checks: Vec<(Algorithm, Check)>,
}

impl Key {
    /// Reads a JWK; `None` if it is not for verifying signatures with an algorithm accepted and supported here: a foreign
    /// key in a set is skipped, it does not spoil the set (RFC 7517 §5).
    pub(super) fn read(jwk: &Value, crypto: Crypto) -> Option<Self> {
        use Algorithm as A;
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if !for_verifying(jwk) {
            return None;
        }
        let (algorithms, material): (&[A], _) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                (&[A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512], rsa(text("n")?, text("e")?)?)
            }
            ("EC", Some("P-256")) => (&[A::ES256], ec(text("x")?, text("y")?, 32)?),
            ("EC", Some("P-384")) => (&[A::ES384], ec(text("x")?, text("y")?, 48)?),
            ("EC", Some("P-521")) => (&[A::ES512], ec(text("x")?, text("y")?, 66)?),
            ("OKP", Some("Ed25519")) => (&[A::EdDSA], ed25519(text("x")?)?),
            _ => return None,
        };
        // The one algorithm the key is bound to, where it says so (RFC 8725 §3.1).
        let bound_to: Option<A> = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(alg.as_str()?.parse().ok()?),
        };
        let allowed = algorithms.iter().filter(|algorithm| bound_to.is_none_or(|bound| bound == **algorithm));
        let checks: Vec<_> = allowed
            .filter_map(|algorithm| Some((*algorithm, crypto.check(*algorithm, &material)?)))
            .collect();
        // Members come out sorted, so the order in which they were written makes no difference.
        let id = KeyId(Sha256::digest(jwk.to_string()).into());
        (!checks.is_empty()).then(|| Self { id, kid: text("kid").map(str::to_owned), checks })
    }

    /// Which key this is.
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Whether a token that names `algorithm` may be checked with this key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.check(algorithm).is_some()
    }

    /// Whether `signature` over `message` is this key's; never if the key does not fit the algorithm.
    pub(super) fn verifies(&self, message: &[u8], signature: &Vec<u8>, algorithm: Algorithm) -> bool {
        self.check(algorithm).is_some_and(|check| check.verify(message, signature).is_ok())
    }

    fn check(&self, algorithm: Algorithm) -> Option<&Check> {
        self.checks.iter().find(|(of, _)| *of == algorithm).map(|(_, check)| check)
    }
}

/// RFC 7517 §4.2 and §4.3: `use` and `key_ops`, where they are there, must allow verifying.
fn for_verifying(jwk: &Value) -> bool {
    let use_allows = jwk.get("use").is_none_or(|purpose| purpose == "sig");
    let operations_allow = jwk.get("key_ops").is_none_or(|list| {
        list.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    });
    use_allows && operations_allow
}

/// RFC 7518 §3.3: 2048 bits at least; 4096 at most, as the pure-Rust verifier takes no more, and a key set should not lose
/// a key with the host. Even numbers are no RSA key.
fn rsa(n: &str, e: &str) -> Option<DecodingKey> {
    let modulus = unsigned(n)?;
    let exponent = unsigned(e)?;
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let sound = (2048..=4096).contains(&bits)
        && odd(&modulus)
        && odd(&exponent)
        && exponent.len() <= 4
        && exponent != [1];
    sound.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

/// A point in its uncompressed form, of which each coordinate has its full `size` in bytes (RFC 7518 §6.2.1.2).
fn ec(x: &str, y: &str, size: usize) -> Option<DecodingKey> {
    let right = |text: &str| URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == size);
    (right(x) && right(y)).then(|| DecodingKey::from_ec_components(x, y).ok()).flatten()
}

fn ed25519(x: &str) -> Option<DecodingKey> {
    let bytes = URL_SAFE_NO_PAD.decode(x).ok()?;
    (bytes.len() == 32).then(|| DecodingKey::from_ed_der(&bytes))
}

/// A base64url big-endian number without leading zero bytes.
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let significant = bytes.iter().position(|byte| *byte != 0)?;
    bytes.get(significant..).map(<[u8]>::to_vec)
}
