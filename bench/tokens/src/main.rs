//! Writes the tokens that `make bench` and `make bench-arrivals` send, and the key set that verifies them: `tokens modes
//! FOLDER COUNT NOW` and `tokens subjects FOLDER COUNT NOW`, with the time in seconds since the epoch. Keys are made anew in
//! each run, so all files of a folder belong together.

use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::{fs, io, thread};

const ISSUER: &str = "https://idp.example.com/realms/acme";
/// As many people as the directory gets to know while everything warms up.
const PEOPLE: usize = 100;
/// The tokens of the mode `working`.
const WORKING: usize = 500;
/// Ten years: no token expires while its file is kept.
const LIFETIME: u64 = 315_360_000;

/// As many tokens of these people as fill a cache of the usual size.
const OTHERS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let usage = "tokens modes|subjects FOLDER COUNT NOW";
    let [what, folder, count, now] = arguments.as_slice() else { return Err(usage.into()) };
    let (folder, count, now) = (Path::new(folder), count.parse()?, now.parse()?);
    fs::create_dir_all(folder)?;
    let ec = Signer { key: SigningKey::generate(Algorithm::ES256, "ec-1"), now };
    match what.as_str() {
        "modes" => modes(folder, count, &ec)?,
        "subjects" => subjects(folder, count, &ec)?,
        _ => return Err(usage.into()),
    }
    Ok(())
}

/// What `make bench` sends: a file for each of its modes.
fn modes(folder: &Path, count: usize, ec: &Signer) -> io::Result<()> {
    let rsa = Signer { key: SigningKey::generate(Algorithm::RS256, "rsa-1"), now: ec.now };
    let write = |name: &str, tokens: Vec<String>| fs::write(folder.join(name), lines(tokens));
    fs::write(folder.join("jwks.json"), key_set(&[&rsa, ec]))?;
    write("cached.txt", rsa.tokens("cached", 1))?;
    write("working.txt", rsa.tokens("working", WORKING))?;
    let unique = rsa.tokens("unique", count);
    write("forged.txt", rsa.forged(&unique))?;
    write("rs256.txt", unique)?;
    write("es256.txt", ec.tokens("unique", count))
}

/// What `make bench-arrivals` sends: tokens of as many subjects, and others that fill a cache.
fn subjects(folder: &Path, count: usize, ec: &Signer) -> io::Result<()> {
    fs::write(folder.join("jwks.json"), key_set(&[ec]))?;
    fs::write(folder.join("subjects.txt"), lines(ec.signed(count, |number| ec.subject(number))))?;
    fs::write(folder.join("others.txt"), lines(ec.tokens("others", OTHERS)))
}

fn key_set(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.key.public_jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// Who signs: one key, at one time.
struct Signer {
    key: SigningKey,
    now: u64,
}

impl Signer {
    /// Different tokens of a hundred people.
    fn tokens(&self, series: &str, count: usize) -> Vec<String> {
        self.signed(count, |number| self.claims(series, number))
    }

    /// Tokens with these claims, made on every core.
    fn signed(&self, count: usize, claims: impl Fn(usize) -> Value + Sync) -> Vec<String> {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let numbers: Vec<_> = (0..count).collect();
        let share = |numbers: &[usize]| -> Vec<_> {
            numbers.iter().map(|number| self.token(&claims(*number))).collect()
        };
        let share = &share;
        thread::scope(|scope| {
            let threads: Vec<_> = numbers
                .chunks(count.div_ceil(cores).max(1))
                .map(|numbers| scope.spawn(move || share(numbers)))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }

    fn token(&self, claims: &Value) -> String {
        self.key.sign(&self.header(), claims.to_string().as_bytes())
    }

    /// As many tokens as are given, each with the signature of another one: of the right form, and wrong.
    fn forged(&self, tokens: &[String]) -> Vec<String> {
        let signatures =
            tokens.iter().filter_map(|token| token.rsplit_once('.')).map(|(_, signature)| signature);
        let others = signatures.cycle().skip(1);
        tokens
            .iter()
            .zip(others)
            .filter_map(|(token, other)| {
                let (message, _) = token.rsplit_once('.')?;
                Some(format!("{message}.{other}"))
            })
            .collect()
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": self.key.algorithm().to_string(), "kid": self.key.kid()})
    }

    /// The token of somebody who was never seen before. Short, as there are hundreds of thousands.
    fn subject(&self, number: usize) -> Value {
        json!({
            "iss": ISSUER,
            "sub": format!("subject-{number}"),
            "aud": "orders-api",
            "iat": self.now - 60,
            "exp": self.now + LIFETIME,
            "email": format!("subject-{number}@example.com"),
            "preferred_username": format!("subject-{number}"),
        })
    }

    /// An access token as issuers make them: about a kilobyte, signed.
    fn claims(&self, series: &str, number: usize) -> Value {
        let person = number % PEOPLE;
        json!({
            "iss": ISSUER,
            "sub": format!("6f1c0f0e-53a1-4b8e-9d3b-{person:012}"),
            "aud": ["orders-api", "account"],
            "azp": "orders-web",
            "iat": self.now - 60,
            "exp": self.now + LIFETIME,
            "jti": format!("{series}-{number:08x}-4d0e-9a55-1b7f0a6e2c31"),
            "sid": format!("0c5e9a70-8f2d-4a0b-b0d6-{person:012}"),
            "scope": "openid profile email orders:read orders:write",
            "email": format!("person-{person}@example.com"),
            "email_verified": true,
            "name": format!("Person Number {person}"),
            "preferred_username": format!("person-{person}"),
            "realm_access": {"roles": ["staff", "orders", "reports"]},
        })
    }
}

fn lines(tokens: Vec<String>) -> String {
    tokens.into_iter().map(|token| token + "\n").collect()
}
