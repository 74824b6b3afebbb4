//! Writes the tokens that `make bench` sends, and the key set that verifies them: `tokens FOLDER COUNT NOW`, with the time in
//! seconds since the epoch. Keys are made anew in each run, so all files of a folder belong together.

use firstsight_testkit::{Algorithm, SigningKey};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;

/// As many people as the directory gets to know while everything warms up.
const PEOPLE: usize = 100;
/// The tokens of the mode `working`.
const WORKING: usize = 500;
/// Ten years: no token expires while its file is kept.
const LIFETIME: u64 = 315_360_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, count, now] = arguments.as_slice() else { return Err("tokens FOLDER COUNT NOW".into()) };
    let (folder, count, now) = (Path::new(folder), count.parse()?, now.parse()?);
    let rsa = Signer { key: SigningKey::generate(Algorithm::RS256, "rsa-1"), now };
    let ec = Signer { key: SigningKey::generate(Algorithm::ES256, "ec-1"), now };

    fs::create_dir_all(folder)?;
    let write = |name: &str, content: &str| fs::write(folder.join(name), content);
    write("jwks.json", &json!({"keys": [rsa.key.public_jwk(), ec.key.public_jwk()]}).to_string())?;
    write("cached.txt", &lines(rsa.tokens("cached", 1)))?;
    write("working.txt", &lines(rsa.tokens("working", WORKING)))?;
    let unique = rsa.tokens("unique", count);
    write("forged.txt", &lines(rsa.forged(&unique)))?;
    write("rs256.txt", &lines(unique))?;
    write("es256.txt", &lines(ec.tokens("unique", count)))?;
    Ok(())
}

/// Who signs: one key, at one time.
struct Signer {
    key: SigningKey,
    now: u64,
}

impl Signer {
    /// Different tokens, made on every core.
    fn tokens(&self, series: &str, count: usize) -> Vec<String> {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let numbers: Vec<_> = (0..count).collect();
        thread::scope(|scope| {
            let share = |numbers: &[usize]| -> Vec<_> {
                numbers.iter().map(|number| self.token(series, *number)).collect()
            };
            let threads: Vec<_> = numbers
                .chunks(count.div_ceil(cores).max(1))
                .map(|numbers| scope.spawn(move || share(numbers)))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }

    fn token(&self, series: &str, number: usize) -> String {
        let claims = self.claims(series, number);
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

    /// An access token as issuers make them: about a kilobyte, signed.
    fn claims(&self, series: &str, number: usize) -> Value {
        let person = number % PEOPLE;
        json!({
            "iss": "https://idp.example.com/realms/acme",
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
