//! Micro-benchmarks of the core on the machine's own processor: `cargo bench --bench core`. What a request costs in a proxy,
//! `make bench` says.

use criterion::{Criterion, criterion_group, criterion_main};
use firstsight::config::{KeySource, Policy, Surroundings, compile};
use firstsight::domain::{Headers, Reply, Ticket, Timestamp};
use firstsight::gate::{Gate, Output, Step};
use firstsight::memory::{Claim, Found};
use firstsight::token::{Claims, Crypto, Jws};
use firstsight_testkit::{Algorithm, TestIssuer};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::hint::black_box;

const NOW: u64 = 1_795_458_540;
const ISSUER: &str = "https://idp.example.com/realms/acme";

/// What signs with one algorithm, and a policy that trusts it.
struct World {
    issuer: TestIssuer,
    policy: Policy,
}

impl World {
    fn new(algorithm: Algorithm) -> Self {
        let issuer = TestIssuer::new(ISSUER, algorithm);
        let document = json!({
            "gateway": "edge-1",
            "issuers": [{"issuer": ISSUER, "jwks": issuer.jwks(), "audiences": ["orders-api"]}],
            "headers": [
                {"header": "x-user-id", "claim": "sub"},
                {"header": "x-user-email", "claim": "email"},
                {"header": "x-account-id", "account": "id"},
            ],
            "attributes": [{"attribute": "userName", "claim": "preferred_username"}],
            "provisioning": {"cluster": "directory"},
        });
        let surroundings = Surroundings { env: &|_| None, node: "bench", crypto: Crypto::pure() };
        let policy = compile(&document.to_string(), &surroundings);
        Self { issuer, policy: policy.unwrap_or_else(|problems| panic!("{problems:?}")) }
    }

    fn token(&self) -> String {
        let claims: Value = json!({
            "azp": "orders-web",
            "email": "jane@example.com",
            "preferred_username": "jane",
            "scope": "openid profile email orders:read orders:write",
            "realm_access": {"roles": ["staff", "orders", "reports"]},
        });
        self.issuer.access_token("6f1c0f0e-53a1-4b8e-9d3b-000000000000", "orders-api", NOW, claims)
    }

    fn verify(&self, token: &str) -> Claims {
        let issuer = &self.policy.issuers[0];
        let KeySource::Inline(keys) = &issuer.keys else { panic!("the keys are in the configuration") };
        let jws = Jws::parse(token).expect("it is a JWS");
        issuer.trust.verify(jws, keys, now()).expect("it is valid")
    }
}

fn verify(criterion: &mut Criterion) {
    let supported = |algorithm: &&Algorithm| **algorithm != Algorithm::ES512;
    for algorithm in Algorithm::ALL.iter().filter(supported) {
        let world = World::new(*algorithm);
        let token = world.token();
        criterion.bench_function(&format!("parse and verify, {algorithm}"), |bencher| {
            bencher.iter(|| world.verify(black_box(&token)));
        });
    }
}

fn identify(criterion: &mut Criterion) {
    let world = World::new(Algorithm::ES256);
    let token = world.token();
    let claims = world.verify(&token);
    let payload = token.split('.').nth(1).expect("a token has three parts");
    criterion.bench_function("identify", |bencher| {
        bencher.iter(|| world.policy.mapping.identify(black_box(&claims), payload));
    });
}

fn admit(criterion: &mut Criterion) {
    let world = World::new(Algorithm::ES256);
    for (name, count) in [("admit, one known token", 1), ("admit, 500 known tokens", 500)] {
        let mut gate = Gate::new(world.policy.clone(), [0; 16]);
        let requests: Vec<_> = (0..count).map(|_| headers(&world.token())).collect();
        for headers in &requests {
            introduce(&mut gate, headers);
        }
        let mut turns = requests.iter().cycle();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let headers = turns.next().expect("it is a cycle");
                gate.admit(Ticket(1), black_box(headers), now())
            });
        });
    }
}

/// A first request, and the directory's answer if there was a question.
fn introduce(gate: &mut Gate, request: &Headers) {
    gate.admit(Ticket(1), request, now());
    let mut outputs = VecDeque::from(gate.drain());
    while let Some(output) = outputs.pop_front() {
        match output {
            Output::Claim { query, .. } => {
                gate.claimed(query.key, Found { claim: Claim::Granted, besides: None }, now());
            }
            Output::Call(call, _) => {
                let body = json!({"status": "active", "account": {"id": "acct-1"}, "valid_for": 3600});
                let body = body.to_string().into_bytes();
                gate.conclude(call, &Reply::Answer { status: 200, headers: vec![], body }, now());
            }
            _ => {}
        }
        outputs.extend(gate.drain());
    }
    let step = gate.admit(Ticket(2), request, now());
    assert!(matches!(step, Step::Settle(_)), "the subject is not known");
}

/// A browser's request behind a load balancer, as the proxy hands it over.
fn headers(token: &str) -> Headers {
    let bearer = format!("Bearer {token}");
    let headers = [
        (":authority", "orders.example.com"),
        (":path", "/v1/orders/4711?expand=items"),
        (":method", "GET"),
        (":scheme", "https"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "application/json, text/plain, */*"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en-US,en;q=0.7,de;q=0.3"),
        ("authorization", bearer.as_str()),
        ("cache-control", "no-cache"),
        ("cookie", "theme=dark; consent=2"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "7f3f2b1e-6c1d-4f7e-9d55-0f6f7e1f2a90"),
    ];
    headers.into_iter().collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1000)
}

criterion_group!(core, verify, identify, admit);
criterion_main!(core);
