//! What a proxy says that checks signatures in its own code: a stand-in for Envoy's foreign function `verify_signature`.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::pkcs8::DecodePublicKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, RsaPublicKey};

/// Whether `signature` over `message` is the key's. `hash` is `sha256`, `sha384` or `sha512`; `key` is a DER
/// SubjectPublicKeyInfo; an RSA signature is RSASSA-PKCS1-v1_5, one of ECDSA is in DER.
pub fn verify_signature(hash: &str, key: &[u8], signature: &[u8], message: &[u8]) -> bool {
    let (scheme, digest) = match hash {
        "sha256" => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(message).to_vec()),
        "sha384" => (Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(message).to_vec()),
        "sha512" => (Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(message).to_vec()),
        _ => return false,
    };
    if let Ok(key) = RsaPublicKey::from_public_key_der(key) {
        return key.verify(scheme, &digest, signature).is_ok();
    }
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(key) {
        let signature = p256::ecdsa::Signature::from_der(signature);
        return signature.is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok());
    }
    if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(key) {
        let signature = p384::ecdsa::Signature::from_der(signature);
        return signature.is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok());
    }
    let key = p521::PublicKey::from_public_key_der(key).ok();
    let key = key.and_then(|key| p521::ecdsa::VerifyingKey::from_affine(*key.as_affine()).ok());
    let signature = p521::ecdsa::Signature::from_der(signature);
    key.zip(signature.ok()).is_some_and(|(key, signature)| key.verify_prehash(&digest, &signature).is_ok())
}
