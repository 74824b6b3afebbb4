//! Configurations: one that is accepted makes a gate that works, one that is not is told why, and nothing secret is told.
#![no_main]

use firstsight::config::{KeySource, Surroundings, compile};
use firstsight::domain::{Ticket, Verdict};
use firstsight::gate::{Gate, Step};
use firstsight::mapping::HeaderSourceRule;
use firstsight::token::Crypto;
use firstsight::wire::{Dialect, Refusals};
use firstsight_fuzz::{access_token, now, request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What is in the environment; nobody writes it into a configuration.
const SECRET: &str = "N0body-t0ld";

static TOKEN: LazyLock<String> = LazyLock::new(|| access_token("jane"));

fn is_host(authority: &str) -> bool {
    !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@')
}

fuzz_target!(|text: &str| {
    let env = |name: &str| (name == "TOKEN").then(|| SECRET.to_owned());
    let surroundings = Surroundings { env: &env, node: "sidecar~10.0.0.1~a/b", crypto: Crypto::pure() };
    let policy = match compile(text, &surroundings) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(!problems.is_empty(), "nobody is told why");
            assert!(problems.is_sorted());
            let told = problems.iter().map(|problem| format!("{problem}\n")).collect::<String>();
            assert!(!told.contains(SECRET) || text.contains(SECRET), "{told}");
            assert!(problems.iter().all(|problem| !problem.what.is_empty() && !problem.hint.is_empty()));
            return;
        }
    };
    assert!(serde_json::from_str::<Value>(text).is_ok_and(|document| document.is_object()));
    let issuers: HashSet<_> = policy.issuers.iter().map(|issuer| issuer.trust.issuer.as_str()).collect();
    assert!(!issuers.is_empty() && issuers.len() == policy.issuers.len());
    for issuer in &policy.issuers {
        assert!(issuer.trust.audiences.as_ref().is_none_or(|audiences| !audiences.is_empty()));
        assert!(!issuer.trust.algorithms.is_empty());
        assert!(issuer.trust.require_exp || issuer.trust.max_age.is_some());
        if let KeySource::Address { at, refresh } | KeySource::Discovery { at, refresh } = &issuer.keys {
            assert!(!at.cluster.is_empty() && is_host(&at.authority) && at.path.starts_with('/'));
            assert!(refresh.at_least <= refresh.every && refresh.every <= refresh.at_most);
            assert!(refresh.at_most <= refresh.stale_for);
        }
    }
    let places: &[_] = &policy.credentials.from;
    assert!(!places.is_empty() && (1..places.len()).all(|at| !places[..at].contains(&places[at])));
    for rule in &policy.mapping.headers {
        assert!(policy.managed.owns(rule.header.as_str().as_bytes()));
        assert!(!matches!(rule.source, HeaderSourceRule::Payload { max_bytes: 0, .. }));
    }
    assert!(policy.last_seen.as_ref().is_none_or(|told| told.batch <= told.buffer));
    assert!(!policy.provisioning.at.timeout.is_zero() && !policy.limits.hold.is_zero());

    let refusals = Refusals::under(policy.challenge.clone());
    let mut gate = Gate::new(policy, [7; 16]);
    gate.tick(now());
    let authorization = format!("Bearer {}", *TOKEN);
    let headers =
        [(":method", "GET"), (":authority", "a"), (":path", "/x;y/%61?z"), ("authorization", &authorization)];
    let request = request(&headers);
    gate.clean(&request);
    let step = gate.admit(Ticket(1), &request, now());
    if let Step::Settle(Verdict::Refuse(refusal)) = step {
        for dialect in [Dialect::Http, Dialect::Grpc] {
            assert_eq!(refusals.response(&refusal, dialect).status, refusal.reason.status());
        }
    }
    gate.flush(now());
});
