//! Signed tokens that others publish with their libraries: josekit's and joserfc's. `scripts/setup.py vectors` puts them
//! where FIRSTSIGHT_VECTORS says, by default .setup/vectors.

use crate::support::vectors::{Group, Signature};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::token::Algorithm;
use serde_json::{Value, json};
use spki::SubjectPublicKeyInfoRef;
use spki::der::Decode;
use spki::der::asn1::{SequenceOf, UintRef};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A token, and the key that it was signed with if it is an algorithm's that is accepted.
pub(crate) struct Published {
    pub(crate) name: String,
    pub(crate) token: String,
    key: Option<(Algorithm, Value)>,
}

/// All of them.
pub(crate) fn published() -> Vec<Published> {
    let folder =
        std::env::var_os("FIRSTSIGHT_VECTORS").map_or_else(|| ".setup/vectors".into(), PathBuf::from);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(folder.exists(), "{} is not there; run `scripts/setup.py vectors`", folder.display());
    let mut published = josekit(&folder.join("josekit"));
    published.extend(joserfc(&folder.join("joserfc")));
    published
}

impl Published {
    /// Its signature, which is good, and the same under a message that lost its last byte.
    pub(crate) fn group(&self) -> Option<Group> {
        let (algorithm, jwk) = self.key.clone()?;
        let (message, signature) = self.token.rsplit_once('.').expect("three parts");
        let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let mut signatures = vec![];
        for (number, length, verdict) in [(1, message.len(), true), (2, message.len() - 1, false)] {
            let message = message.as_bytes()[..length].to_vec();
            signatures.push(Signature { number, message, bytes: bytes.clone(), verdict: Some(verdict) });
        }
        Some(Group { name: self.name.clone(), algorithm, jwk, signatures })
    }
}

/// A token in each file, named after its algorithm; the encrypted ones are called after two.
fn josekit(folder: &Path) -> Vec<Published> {
    let key = |algorithm: Algorithm| {
        let file = match algorithm {
            Algorithm::ES256 => "EC_P-256_public.jwk",
            Algorithm::ES384 => "EC_P-384_public.jwk",
            Algorithm::ES512 => "EC_P-521_public.jwk",
            Algorithm::EdDSA => "OKP_Ed25519_public.jwk",
            _ => "RSA_public.jwk",
        };
        (algorithm, json_in(&folder.join("jwk").join(file)))
    };
    let files = fs::read_dir(folder.join("jwt")).expect("it can be listed");
    let paths = files.map(|file| file.expect("it can be listed").path());
    let read = |path: PathBuf| {
        let name = path.file_stem().and_then(OsStr::to_str).expect("it has a name").to_owned();
        let token = fs::read_to_string(&path).expect("it can be read").trim().to_owned();
        Published { key: name.parse().ok().map(key), name: format!("josekit {name}"), token }
    };
    paths.map(read).collect()
}

fn joserfc(folder: &Path) -> Vec<Published> {
    let mut published = vec![];
    for file in ["jws_rfc7520", "jws_rfc7797", "jws_examples", "jwt_use_jws"] {
        let document = json_in(&folder.join("fixtures").join(file).with_extension("json"));
        for test in document["tests"].as_array().expect("a list") {
            // Some are there without a token, as their signatures are random.
            let Some(token) = test["compact"].as_str().or(test["token"].as_str()) else { continue };
            let header = ["protected", "header"].iter().find_map(|name| test[name]["alg"].as_str());
            let algorithm = header.and_then(|alg| alg.parse().ok());
            let key = |algorithm| {
                let file = folder.join("keys").join(test["public_key"].as_str().expect("a file"));
                let is_jwk = file.extension().is_some_and(|extension| extension == "json");
                (algorithm, if is_jwk { json_in(&file) } else { rsa_in(&file) })
            };
            let name = format!("joserfc {file} {}", test["name"]);
            published.push(Published { name, token: token.to_owned(), key: algorithm.map(key) });
        }
    }
    published
}

fn json_in(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The JWK of an RSA key in a PEM file.
fn rsa_in(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let der: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(der).expect("base64");
    let info = SubjectPublicKeyInfoRef::from_der(&der).expect("a public key");
    let pair =
        SequenceOf::<UintRef<'_>, 2>::from_der(info.subject_public_key.raw_bytes()).expect("an RSA key");
    let number = |index| URL_SAFE_NO_PAD.encode(pair.get(index).expect("two numbers").as_bytes());
    json!({"kty": "RSA", "n": number(0), "e": number(1)})
}
