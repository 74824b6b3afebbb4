//! Signatures that somebody else made and judged: Wycheproof's, of every algorithm accepted here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::token::Algorithm;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// Signatures that are to be checked with one key.
pub(crate) struct Group {
    /// Where they come from.
    pub(crate) name: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) jwk: Value,
    pub(crate) signatures: Vec<Signature>,
}

pub(crate) struct Signature {
    pub(crate) number: usize,
    pub(crate) message: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    /// What is to be said to it; `None` if either will do.
    pub(crate) verdict: Option<bool>,
}

/// All of them.
pub(crate) fn wycheproof() -> Vec<Group> {
    let mut groups = vec![];
    for (name, algorithm) in PKCS1 {
        for group in pkcs1::TestSet::load(name).expect("it is there").test_groups {
            let jwk = json!({"kty": "RSA", "n": encode(&group.key.n), "e": encode(&group.key.e)});
            let tests = group.tests.iter().map(|test| (test.tc_id, &test.msg, &test.sig, test.result));
            groups.push(Group::new(format!("{name:?}"), algorithm, jwk, tests));
        }
    }
    for (name, algorithm, salt) in PSS {
        for group in pss::TestSet::load(name).expect("it is there").test_groups {
            let jwk = json!({"kty": "RSA", "n": encode(&group.key.n), "e": encode(&group.key.e)});
            let tests = group.tests.iter().map(|test| (test.tc_id, &test.msg, &test.sig, test.result));
            let mut group = Group::new(format!("{name:?}"), algorithm, jwk, tests);
            if salt == Salt::Another {
                // What is valid there is not here; what is invalid there may be valid here.
                for signature in &mut group.signatures {
                    signature.verdict = signature.verdict.filter(|valid| *valid).map(|_| false);
                }
            }
            groups.push(group);
        }
    }
    for (name, algorithm, curve, size) in ECDSA {
        for group in ecdsa::TestSet::load(name).expect("it is there").test_groups {
            let [x, y] =
                [&group.key.affine_x, &group.key.affine_y].map(|number| encode(&padded(number, size)));
            let jwk = json!({"kty": "EC", "crv": curve, "x": x, "y": y});
            let tests = group.tests.iter().map(|test| (test.tc_id, &test.msg, &test.sig, test.result));
            groups.push(Group::new(format!("{name:?}"), algorithm, jwk, tests));
        }
    }
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("it is there").test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)});
        let tests = group.tests.iter().map(|test| (test.tc_id, &test.msg, &test.sig, test.result));
        groups.push(Group::new("Ed25519".to_owned(), Algorithm::EdDSA, jwk, tests));
    }
    groups
}

const PKCS1: [(pkcs1::TestName, Algorithm); 9] = [
    (pkcs1::TestName::Rsa2048Sha256, Algorithm::RS256),
    (pkcs1::TestName::Rsa3072Sha256, Algorithm::RS256),
    (pkcs1::TestName::Rsa4096Sha256, Algorithm::RS256),
    (pkcs1::TestName::Rsa2048Sha384, Algorithm::RS384),
    (pkcs1::TestName::Rsa3072Sha384, Algorithm::RS384),
    (pkcs1::TestName::Rsa4096Sha384, Algorithm::RS384),
    (pkcs1::TestName::Rsa2048Sha512, Algorithm::RS512),
    (pkcs1::TestName::Rsa3072Sha512, Algorithm::RS512),
    (pkcs1::TestName::Rsa4096Sha512, Algorithm::RS512),
];

/// The salt of a PSS signature is as long as its hash, and no signature with another is accepted (RFC 7518 §3.5).
#[derive(Clone, Copy, PartialEq)]
enum Salt {
    AsLongAsTheHash,
    Another,
}

const PSS: [(pss::TestName, Algorithm, Salt); 8] = [
    (pss::TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::PS256, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::PS256, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::PS256, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss2048Sha256Mgf1SaltLen0, Algorithm::PS256, Salt::Another),
    (pss::TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::PS384, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::PS384, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::PS512, Salt::AsLongAsTheHash),
    (pss::TestName::RsaPss4096Sha512Mgf1SaltLen32, Algorithm::PS512, Salt::Another),
];

const ECDSA: [(ecdsa::TestName, Algorithm, &str, usize); 3] = [
    (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::ES256, "P-256", 32),
    (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::ES384, "P-384", 48),
    (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Algorithm::ES512, "P-521", 66),
];

impl Group {
    fn new<'a, B: AsRef<[u8]> + 'a>(
        name: String,
        algorithm: Algorithm,
        jwk: Value,
        tests: impl Iterator<Item = (usize, &'a B, &'a B, TestResult)>,
    ) -> Self {
        let signature = |(number, message, bytes, result): (usize, &B, &B, TestResult)| Signature {
            number,
            message: message.as_ref().to_vec(),
            bytes: bytes.as_ref().to_vec(),
            verdict: match result {
                TestResult::Valid => Some(true),
                TestResult::Invalid => Some(false),
                TestResult::Acceptable => None,
            },
        };
        Self { name, algorithm, jwk, signatures: tests.map(signature).collect() }
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A number in `size` bytes.
fn padded(number: &[u8], size: usize) -> Vec<u8> {
    let significant: Vec<_> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    [vec![0; size - significant.len()], significant].concat()
}
