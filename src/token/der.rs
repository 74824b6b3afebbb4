//! Keys and signatures in DER (X.690), as hosts take them.

use spki::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, SequenceOf, UintRef};
use spki::der::{self, Encode};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

/// rsaEncryption (RFC 8017 appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey and its named curves (RFC 5480 §2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The SubjectPublicKeyInfo of a modulus and an exponent, big-endian.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let key = two_numbers(modulus, exponent).and_then(|pair| pair.to_der()).ok()?;
    public_key(RSA, AnyRef::NULL, &key)
}

/// The SubjectPublicKeyInfo of an uncompressed point on P-256.
pub(super) fn p256_key(point: &[u8]) -> Option<Vec<u8>> {
    public_key(EC, AnyRef::from(&P256), point)
}

/// The SubjectPublicKeyInfo of an uncompressed point on P-384.
pub(super) fn p384_key(point: &[u8]) -> Option<Vec<u8>> {
    public_key(EC, AnyRef::from(&P384), point)
}

/// The SubjectPublicKeyInfo of an uncompressed point on P-521.
pub(super) fn p521_key(point: &[u8]) -> Option<Vec<u8>> {
    public_key(EC, AnyRef::from(&P521), point)
}

/// A DER signature, on the stack.
pub(super) struct Signature {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Signature {
    /// P-521: a header of three bytes, and two numbers of 66 bytes with a header of two. (The top byte of such a number is
    /// 0 or 1, but a hostile one may want a zero byte before it.)
    const LONGEST: usize = 3 + 2 * (2 + 1 + 66);

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A JWS ECDSA signature (RFC 7518 §3.4) as a SEQUENCE of r and s. `None` unless it has exactly twice `half` bytes.
pub(super) fn ecdsa_signature(signature: &[u8], half: usize) -> Option<Signature> {
    let (r, s) = signature.split_at_checked(half).filter(|(_, s)| s.len() == half)?;
    let mut bytes = [0; Signature::LONGEST];
    let length = two_numbers(r, s).and_then(|pair| Ok(pair.encode_to_slice(&mut bytes)?.len())).ok()?;
    Some(Signature { bytes, length })
}

/// The SEQUENCE that an RSA key (RFC 8017 appendix A.1.1) and an ECDSA signature are.
fn two_numbers<'a>(first: &'a [u8], second: &'a [u8]) -> der::Result<SequenceOf<UintRef<'a>, 2>> {
    let mut pair = SequenceOf::new();
    pair.add(UintRef::new(first)?)?;
    pair.add(UintRef::new(second)?)?;
    Ok(pair)
}

fn public_key(algorithm: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef { oid: algorithm, parameters: Some(parameters) };
    let subject_public_key = BitStringRef::from_bytes(key).ok()?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()
}
