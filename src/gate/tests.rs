//! The gate, one step after the other.

mod weather;

use super::*;
use crate::config::{Surroundings, compile};
use crate::domain::Failure;
use crate::memory::{Claim, Found};
use crate::token::Crypto;
use firstsight_testkit::{Algorithm, TestIssuer};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

const HOLD: Duration = Duration::from_secs(5);
const START: u64 = 1_795_458_540;

/// A small generator (xorshift), so that a failing run can be had again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

struct Weather {
    gate: Gate,
    dice: Dice,
    now: Timestamp,
    open: BTreeMap<Ticket, Timestamp>,
    calls: Vec<(CallId, Call)>,
    settled: usize,
    next_ticket: u32,
    most_calls: usize,
}

/// What the gate wants done, in a process of one worker that knows nobody.
fn drain(gate: &mut Gate, now: Timestamp) -> Vec<Output> {
    let mut all = Vec::new();
    loop {
        let outputs = gate.drain();
        if outputs.is_empty() {
            return all;
        }
        for output in outputs {
            match output {
                Output::Claim { query, may_ask } => {
                    let claim = if may_ask && gate.may_ask() { Claim::Granted } else { Claim::Unknown };
                    gate.claimed(query.key, Found { claim, besides: None }, now);
                }
                other => all.push(other),
            }
        }
    }
}

impl Weather {
    fn new(limits: &serde_json::Value, seed: u64) -> Self {
        Self {
            gate: gate(limits),
            dice: Dice(seed),
            now: Timestamp::from_secs(START),
            open: BTreeMap::new(),
            calls: Vec::new(),
            settled: 0,
            next_ticket: 0,
            most_calls: limits["calls"].as_u64().map_or(100, |calls| calls as usize),
        }
    }

    fn settle(&mut self, ticket: Ticket) {
        assert!(self.open.remove(&ticket).is_some(), "{ticket:?} was settled without being open");
        self.settled += 1;
    }

    fn take_outputs(&mut self) {
        for output in drain(&mut self.gate, self.now) {
            match output {
                Output::Call(id, call) => self.calls.push((id, call)),
                Output::Settle(ticket, _) => self.settle(ticket),
                _ => {}
            }
        }
    }

    fn admit(&mut self, token: &str) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.open.insert(ticket, self.now);
        let headers = [("authorization", format!("Bearer {token}"))].into_iter().collect();
        let step = self.gate.admit(ticket, &headers, self.now);
        self.take_outputs();
        if let Step::Settle(_) = step {
            self.settle(ticket);
        }
        assert!(self.gate.flights.asking() <= self.most_calls, "more are asked about than may be");
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
        if self.gate.next_tick() <= self.now {
            self.gate.tick(self.now);
            self.take_outputs();
        }
        let late = self.open.iter().find(|(_, since)| self.now.since(**since) > HOLD + span);
        assert_eq!(late, None, "a request waits longer than it may");
    }

    fn abandon_any(&mut self) {
        let at = self.dice.roll(self.open.len().max(1));
        if let Some(ticket) = self.open.keys().nth(at).copied() {
            self.open.remove(&ticket);
            self.gate.abandon(ticket);
        }
    }
}

fn gate(limits: &serde_json::Value) -> Gate {
    let document = json!({
        "issuers": [{"issuer": "https://idp", "cluster": "idp", "audiences": ["api"],
                     "keys_refresh": {"every": "7s", "stale_for": "20s", "unknown_kid": "2s"}}],
        "headers": [{"header": "x-user-id", "claim": "sub"}],
        "provisioning": {"cluster": "directory"},
        "last_seen": {"every": "1s", "batch": 2, "buffer": 5},
        "limits": limits,
    });
    let surroundings = Surroundings { env: &|_| None, node: "test", crypto: Crypto::pure() };
    Gate::new(compile(&document.to_string(), &surroundings).unwrap(), [0; 16])
}

#[test]
fn a_call_is_never_under_way_twice_for_one_subject_or_one_issuer() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token("jane", "api", START, json!({}));
    let mut weather = Weather::new(&json!({}), 1);
    for _ in 0..10 {
        weather.admit(&token);
    }
    let paths: HashSet<_> = weather.calls.iter().map(|(_, call)| call.path.clone()).collect();
    assert_eq!((weather.calls.len(), paths.len()), (1, 1));
}

impl Weather {
    /// Makes every call that is wanted, with good answers.
    fn conclude_all(&mut self, issuer: &TestIssuer, arrivals: (u16, &str)) {
        while let Some((id, call)) = self.calls.pop() {
            let (status, body) = match call.path.as_str() {
                "/jwks" => (200, issuer.jwks().to_string()),
                "/v1/arrivals" => (arrivals.0, arrivals.1.to_owned()),
                "/v1/sightings" => (200, "{}".to_owned()),
                _ => (200, issuer.discovery().to_string()),
            };
            self.gate.conclude(
                id,
                &Reply::Answer { status, headers: vec![], body: body.into_bytes() },
                self.now,
            );
            self.take_outputs();
        }
    }
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token("jane", "api", START - 7200, json!({"exp": START + 60}));
    let mut weather = Weather::new(&json!({"hold": "5s"}), 1);
    weather.gate.tick(weather.now);
    weather.take_outputs();
    // The first fetch fails, so the next is due in a second of the old time.
    let (id, _) = weather.calls.pop().unwrap();
    weather.gate.conclude(id, &Reply::Failed(Failure::Broken), weather.now);
    weather.admit(&token);
    weather.now = weather.now.before(Duration::from_secs(3600));
    weather.gate.tick(weather.now);
    weather.take_outputs();
    weather.open.values_mut().for_each(|since| *since = weather.now);
    weather.pass(Duration::from_secs(2));
    weather.conclude_all(&issuer, (201, r#"{"status":"active"}"#));
    assert!(weather.open.is_empty(), "jane still waits");
}

#[test]
fn a_request_that_comes_right_after_the_clock_was_set_back_waits_as_long_as_any() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token("jane", "api", START - 7200, json!({"exp": START + 60}));
    let mut weather = Weather::new(&json!({"hold": "5s"}), 1);
    weather.gate.tick(weather.now);
    weather.take_outputs();
    weather.now = weather.now.before(Duration::from_secs(3600));
    weather.admit(&token);
    weather.gate.tick(weather.now);
    weather.take_outputs();
    assert_eq!(weather.open.len(), 1, "jane waits no longer");
    weather.conclude_all(&issuer, (201, r#"{"status":"active"}"#));
    assert!(weather.open.is_empty());
}

#[test]
fn whom_the_directory_turned_away_stays_away_while_it_cannot_be_asked() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token("jane", "api", START, json!({}));
    let mut weather = Weather::new(&json!({}), 1);
    weather.gate.policy.provisioning.when_unavailable = crate::config::Posture::Allow;
    weather.gate.policy.provisioning.attempts = 1;
    weather.admit(&token);
    weather.conclude_all(&issuer, (410, ""));
    weather.pass(Duration::from_secs(60));
    weather.conclude_all(&issuer, (410, ""));
    let headers = [("authorization", format!("Bearer {token}"))].into_iter().collect();
    let step = weather.gate.admit(Ticket(99), &headers, weather.now);
    assert_eq!(step, Step::Wait, "its refusal is too old to rely on, so the directory is asked");
    for output in drain(&mut weather.gate, weather.now) {
        if let Output::Call(id, _) = output {
            weather.gate.conclude(id, &Reply::Failed(Failure::Broken), weather.now);
        }
    }
    let refused = drain(&mut weather.gate, weather.now).into_iter().any(|output| {
        matches!(output, Output::Settle(Ticket(99), Verdict::Refuse(refusal)) if refusal.reason == Reason::AccountDeparted)
    });
    assert!(refused);
}

#[test]
fn clients_that_come_and_go_while_the_directory_is_silent_leave_nothing_behind() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token("jane", "api", START, json!({}));
    let mut weather = Weather::new(&json!({"waiting": 6}), 1);
    weather.gate.tick(weather.now);
    weather.take_outputs();
    weather.conclude_all(&issuer, (500, ""));
    for _ in 0..1000 {
        weather.admit(&token);
        weather.abandon_any();
    }
    weather.admit(&token);
    let keys = weather.gate.flights.keys();
    let waiting: usize =
        keys.into_iter().filter_map(|key| Some(weather.gate.flights.get(key)?.waiting.len())).sum();
    assert!(waiting <= 13, "{waiting}");
    weather.conclude_all(&issuer, (201, r#"{"status":"active"}"#));
    assert!(weather.open.is_empty(), "whoever stayed is answered");
}

#[test]
fn a_known_token_is_looked_at_again_on_every_use() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let token = issuer.access_token(
        "jane",
        "api",
        START,
        json!({"iat": START - 60, "nbf": START + 25, "exp": START - 20}),
    );
    let mut weather = Weather::new(&json!({}), 1);
    for _ in 0..5 {
        weather.admit(&token);
        weather.conclude_all(&issuer, (201, r#"{"status":"active"}"#));
    }
    assert_eq!(weather.gate.tokens.len(), 1);
    let mut refusal = |now| {
        let headers = [("authorization", format!("Bearer {token}"))].into_iter().collect();
        match weather.gate.admit(Ticket(999), &headers, Timestamp::from_secs(now)) {
            Step::Settle(Verdict::Refuse(refusal)) => Some(refusal.reason),
            _ => None,
        }
    };
    // With a skew of 30 seconds.
    assert_eq!(refusal(START + 9), None);
    assert_eq!(refusal(START + 10), Some(Reason::TokenExpired));
    assert_eq!(refusal(START - 5), None);
    assert_eq!(refusal(START - 6), Some(Reason::TokenPremature));
}
