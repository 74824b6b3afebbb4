//! What the proxy and pure Rust say to the same signatures, by a module that asks both (tests/verdicts). Wants that module
//! (FIRSTSIGHT_VERDICTS, by default dist/verdicts.wasm).

use crate::bootstrap::{self, Ports};
use crate::process::{Folder, Process, built};
use crate::published::published;
use crate::support::config::Config;
use crate::support::vectors::{Group, wycheproof};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstsight::domain::Reason;
use firstsight::token::{Algorithm, Jws};
use firstsight_testkit::SigningKey;
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Duration;

/// However many signatures there are to judge, and however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was said to the signatures of one group.
struct Verdicts {
    host: Option<Said>,
    pure: Option<Said>,
}

struct Said {
    /// For each signature, whether it was accepted.
    verdicts: Vec<bool>,
    /// What the quickest took.
    took: Duration,
}

/// Judges every signature so often, in a proxy of its own.
fn judged(groups: &[Group], times: u32) -> Vec<Verdicts> {
    let folder = Folder::new();
    let module = built("FIRSTSIGHT_VERDICTS", "dist/verdicts.wasm", "make verdicts");
    let listener = bootstrap::listener(&module, &Config(configuration(groups, times)));
    let ports = Ports { issuer: 1, directory: 1, app: 1 };
    let path = folder.write("bootstrap.json", &bootstrap::bootstrap(ports, None, Some(listener)));
    let mut envoy = Process::start(folder, &path);
    envoy.end(PATIENCE);
    let log = envoy.log();
    let told: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line.split_once("verdicts: ")?.1).ok()).collect();
    assert!(told.contains(&json!({"host_is_asked": true})), "the proxy does not pass the probe:\n{log}");
    assert!(told.contains(&json!({"done": groups.len()})), "it did not come to an end:\n{log}");
    let of_groups = told.iter().filter(|line| line.get("group").is_some());
    of_groups
        .map(|line| Verdicts { host: Said::read(&line["host"]), pure: Said::read(&line["pure"]) })
        .collect()
}

fn configuration(groups: &[Group], times: u32) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let group = |group: &Group| {
        let signatures = group.signatures.iter().map(|one| (encode(&one.message), encode(&one.bytes)));
        json!({
            "algorithm": group.algorithm.name(),
            "jwk": group.jwk,
            "signatures": signatures.collect::<Vec<_>>(),
            "times": times,
        })
    };
    groups.iter().map(group).collect()
}

impl Said {
    fn read(said: &Value) -> Option<Self> {
        let verdicts = said["verdicts"].as_str()?.chars().map(|verdict| verdict == '+').collect();
        Some(Self { verdicts, took: Duration::from_nanos(said["nanoseconds"].as_u64()?) })
    }
}

/// What the two say differently, or otherwise than they should, and how much they said.
fn compared(groups: &[Group]) -> (Vec<String>, usize) {
    let (mut wrong, mut compared) = (vec![], 0);
    for (group, said) in groups.iter().zip(judged(groups, 1)) {
        for (index, one) in group.signatures.iter().enumerate() {
            let verdict = |said: &Option<Said>| said.as_ref().is_some_and(|said| said.verdicts[index]);
            let (host, pure) = (verdict(&said.host), verdict(&said.pure));
            let is_right = one.verdict.is_none_or(|verdict| verdict == host);
            let agrees = host == pure || group.algorithm == Algorithm::ES512;
            if !is_right || !agrees {
                wrong.push(format!("{} {}: host {host}, pure Rust {pure}", group.name, one.number));
            }
            compared += 1;
        }
    }
    (wrong, compared)
}

#[test]
fn the_proxy_and_pure_rust_say_the_same_to_wycheproof_and_what_they_should() {
    let (wrong, compared) = compared(&wycheproof());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(compared > 3200, "only {compared} were compared");
}

#[test]
fn the_proxy_and_pure_rust_accept_the_tokens_that_others_publish() {
    let groups: Vec<_> = published().iter().filter_map(|one| one.group()).collect();
    let (wrong, compared) = compared(&groups);
    assert_eq!(wrong, Vec::<String>::new());
    assert!(compared > 30, "only {compared} were compared");
}

#[test]
fn tokens_that_others_publish_in_what_is_not_accepted_are_refused() {
    let published = published();
    let others: Vec<_> = published.iter().filter(|one| one.group().is_none()).collect();
    assert!(others.len() > 100, "there are only {}", others.len());
    for one in others {
        let refusal = Jws::parse(&one.token).err();
        // RFC 7797's unencoded payloads are no base64url.
        let is_refused = matches!(refusal, Some(Reason::TokenUnsupported | Reason::TokenMalformed));
        assert!(is_refused, "{}: {refusal:?}", one.name);
    }
}

/// The reason to ask the proxy at all.
#[test]
fn the_proxy_is_much_faster_than_pure_rust() {
    let payload = json!({"iss": "https://idp.example.com", "text": "x".repeat(500)}).to_string();
    let group = |key: SigningKey| {
        let token = key.sign(&json!({"alg": key.algorithm().to_string()}), payload.as_bytes());
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let one = crate::support::vectors::Signature {
            number: 1,
            message: message.as_bytes().to_vec(),
            bytes,
            verdict: Some(true),
        };
        let algorithm = key.algorithm().to_string().parse().expect("it is accepted");
        Group { name: key.kid().to_owned(), algorithm, jwk: key.public_jwk(), signatures: vec![one] }
    };
    let groups: Vec<_> = SigningKey::of_every_algorithm().into_iter().map(group).collect();
    for (group, said) in groups.iter().zip(judged(&groups, 50)) {
        let host = said.host.expect("the host can").took;
        let pure = said.pure.map(|said| said.took);
        writeln!(std::io::stderr(), "{}: {host:?} by the proxy, {pure:?} in pure Rust", group.name).ok();
        if matches!(group.algorithm, Algorithm::RS256 | Algorithm::ES256) {
            assert!(pure.is_some_and(|pure| pure > host * 3), "{}: {host:?}, {pure:?}", group.name);
        }
    }
}
