//! Signatures checked by the proxy's own cryptography, through its foreign function `verify_signature` (Envoy 1.30 or
//! newer). Arguments and result are protobuf messages of a handful of fields, written and read by hand.

use crate::token::{HostCheck, SignatureHost};
use proxy_wasm::hostcalls;

/// The proxy that this module runs in, as far as it checks signatures.
pub struct ProxySignatures;

/// `VerifySignatureResult { result: true }`.
const YES: [u8; 2] = [0x08, 0x01];

impl SignatureHost for ProxySignatures {
    fn verifies(check: &HostCheck<'_>) -> bool {
        let arguments = arguments(check);
        // A proxy without the function says NotFound, one that cannot read the arguments BadArgument.
        let result = hostcalls::call_foreign_function("verify_signature", Some(&arguments));
        result.ok().flatten().is_some_and(|result| result == YES)
    }
}

/// `VerifySignatureArguments { hash_function = 1, public_key = 2, signature = 3, text = 4 }`.
fn arguments(check: &HostCheck<'_>) -> Vec<u8> {
    let fields = [check.hash.as_bytes(), check.key, check.signature, check.message];
    // Each has a tag and a length before it.
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| 1 + 5 + field.len()).sum());
    for (number, field) in (1u8..).zip(fields) {
        bytes.push((number << 3) | LENGTH_DELIMITED);
        varint(field.len(), &mut bytes);
        bytes.extend_from_slice(field);
    }
    bytes
}

const LENGTH_DELIMITED: u8 = 2;

fn varint(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}
