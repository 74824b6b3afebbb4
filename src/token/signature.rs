//! Who checks signatures: the proxy in its own code, which is many times faster, or pure Rust in here. It is chosen by
//! algorithm when a key is read, and never by trying one after the other has said no.

use super::{Algorithm, der, probe};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, rust_crypto};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm as Theirs, DecodingKey, DecodingKeyKind};
use std::marker::PhantomData;

/// One check, as a host is asked for it.
#[derive(Debug, Clone, Copy)]
pub struct HostCheck<'a> {
    /// `sha256`, `sha384` or `sha512`.
    pub hash: &'static str,
    /// The public key: a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), RSA or on one of the curves P-256, P-384, P-521.
    pub key: &'a [u8],
    /// RSASSA-PKCS1-v1_5 as it is, ECDSA as a DER SEQUENCE of r and s (RFC 3279 §2.2.3).
    pub signature: &'a [u8],
    /// What was signed.
    pub message: &'a [u8],
}

/// A host that checks signatures in its own code.
pub trait SignatureHost: 'static {
    /// Whether the host says that the signature is the key's. A host that fails says no.
    fn verifies(check: &HostCheck<'_>) -> bool;
}

/// Makes the check for one key and one algorithm; everything that can be prepared is.
pub(super) type Check = Box<dyn Verifier<Vec<u8>>>;

/// jsonwebtoken's factory of verifiers.
type Factory = fn(&Theirs, &DecodingKey) -> Result<Box<dyn JwtVerifier>>;

/// The same for the point of a P-521 key (SEC 1 §2.3.3, uncompressed).
type Es512Factory = fn(point: &[u8]) -> Option<Check>;

/// jsonwebtoken's provider, with verifiers that ask the host for RS256, RS384, RS512, ES256 and ES384.
fn provider<H: SignatureHost>() -> CryptoProvider {
    CryptoProvider { verifier_factory: verifier::<H>, ..rust_crypto::DEFAULT_PROVIDER.clone() }
}

/// Who checks which signatures.
#[derive(Clone, Copy)]
pub struct Crypto {
    /// For what jsonwebtoken knows. (A whole provider would keep the code for signing in the module.)
    verifiers: Factory,
    /// For ES512, which it does not.
    es512: Option<Es512Factory>,
}

impl Crypto {
    /// Pure Rust alone. It has no ES512.
    pub fn pure() -> Self {
        Self { verifiers: rust_crypto::DEFAULT_PROVIDER.verifier_factory, es512: None }
    }

    /// The host for RS256, RS384, RS512, ES256, ES384 and ES512, and pure Rust for the others, if the host gets published
    /// examples right; else [`Crypto::pure`]. A host's function of the right name may mean something else.
    pub fn by_host<H: SignatureHost>() -> Self {
        let hosted = Self { verifiers: provider::<H>().verifier_factory, es512: Some(es512_check::<H>) };
        if probe::passes(hosted) { hosted } else { Self::pure() }
    }

    /// Whether the host is asked.
    pub fn asks_host(self) -> bool {
        self.es512.is_some()
    }

    /// Whether signatures of this algorithm can be checked.
    pub fn supports(self, algorithm: Algorithm) -> bool {
        algorithm != Algorithm::ES512 || self.asks_host()
    }

    /// The check for a key; `None` if the algorithm is not supported or the key is broken.
    pub(super) fn check(self, algorithm: Algorithm, key: &DecodingKey) -> Option<Check> {
        match algorithm.in_jsonwebtoken() {
            Some(algorithm) => Some((self.verifiers)(&algorithm, key).ok()?),
            None => self.es512?(key.try_get_as_bytes().ok()?),
        }
    }
}

/// The provider's factory of verifiers. Pure Rust reads every elliptic curve key too: a point that is not on its curve is
/// no key (RFC 8725 §3.4), whoever checks.
fn verifier<H: SignatureHost>(algorithm: &Theirs, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let pure = (rust_crypto::DEFAULT_PROVIDER.verifier_factory)(algorithm, key)?;
    let broken = || ErrorKind::InvalidKeyFormat;
    let by_host = match (algorithm, key.kind()) {
        (Theirs::RS256 | Theirs::RS384 | Theirs::RS512, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            ByHost::<H>::new(hash(*algorithm), Form::Rsa, der::rsa_key(n, e).ok_or_else(broken)?)
        }
        (Theirs::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            ByHost::new("sha256", Form::Ecdsa { half: 32 }, der::p256_key(point).ok_or_else(broken)?)
        }
        (Theirs::ES384, DecodingKeyKind::SecretOrDer(point)) => {
            ByHost::new("sha384", Form::Ecdsa { half: 48 }, der::p384_key(point).ok_or_else(broken)?)
        }
        _ => return Ok(pure),
    };
    Ok(Box::new(Named { algorithm: *algorithm, check: by_host }))
}

/// P-521's numbers have 66 bytes (RFC 7518 §3.4). Whether the point is on the curve only the host can say; it refuses
/// every signature if it is not.
fn es512_check<H: SignatureHost>(point: &[u8]) -> Option<Check> {
    Some(Box::new(ByHost::<H>::new("sha512", Form::Ecdsa { half: 66 }, der::p521_key(point)?)))
}

fn hash(algorithm: Theirs) -> &'static str {
    match algorithm {
        Theirs::RS384 => "sha384",
        Theirs::RS512 => "sha512",
        _ => "sha256",
    }
}

/// How a signature is written.
#[derive(Clone, Copy)]
enum Form {
    /// One number as long as the modulus (RFC 8017 §8.2.2).
    Rsa,
    /// Two numbers of `half` bytes, one after the other (RFC 7518 §3.4).
    Ecdsa { half: usize },
}

/// A key that the host checks with.
struct ByHost<H> {
    hash: &'static str,
    form: Form,
    key: Vec<u8>,
    host: PhantomData<H>,
}

impl<H: SignatureHost> ByHost<H> {
    fn new(hash: &'static str, form: Form, key: Vec<u8>) -> Self {
        Self { hash, form, key, host: PhantomData }
    }

    fn says_yes(&self, message: &[u8], signature: &[u8]) -> bool {
        H::verifies(&HostCheck { hash: self.hash, key: &self.key, signature, message })
    }
}

impl<H: SignatureHost> Verifier<Vec<u8>> for ByHost<H> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let verified = match self.form {
            Form::Rsa => self.says_yes(message, signature),
            Form::Ecdsa { half } => der::ecdsa_signature(signature, half)
                .is_some_and(|signature| self.says_yes(message, signature.as_bytes())),
        };
        if verified { Ok(()) } else { Err(signature::Error::new()) }
    }
}

/// The same with its algorithm's name, as jsonwebtoken wants it.
struct Named<H> {
    algorithm: Theirs,
    check: ByHost<H>,
}

impl<H: SignatureHost> Verifier<Vec<u8>> for Named<H> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        self.check.verify(message, signature)
    }
}

impl<H: SignatureHost> JwtVerifier for Named<H> {
    fn algorithm(&self) -> Theirs {
        self.algorithm
    }
}

#[cfg(test)]
mod tests;
