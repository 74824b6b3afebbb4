//! The gate under random weather: whatever comes in whatever order, every request is settled exactly once, one call at a
//! time is made for a subject, and what is owed to the directory is told or counted.

use super::*;
use crate::domain::{Account, Fingerprint};
use crate::memory::{Standing, Told};
use firstsight_testkit::SigningKey;
use std::sync::Arc;

const SUBJECTS: usize = 24;
const WAITING: usize = 6;
const OWED: usize = 3;
const CALLS: usize = 2;

struct Storm {
    gate: Gate,
    dice: Dice,
    now: Timestamp,
    open: BTreeMap<Ticket, Timestamp>,
    calls: Vec<(CallId, Call)>,
    settled: usize,
    next_ticket: u32,
    /// What the process remembers, other workers' part included.
    process: BTreeMap<String, Known>,
    /// Whom this worker is asking about, as far as the process knows.
    leases: HashSet<String>,
    /// Whether the process has a mind of its own, and the directory is not what it should be.
    is_stormy: bool,
    /// Whether the gate remembers whom it was told of.
    forgets: bool,
    owes: HashSet<String>,
    counted_owed: u64,
    counted_dropped: u64,
    told: u64,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let posture = ["deny", "allow", "allow_known"][dice.roll(3)];
        let forgets = dice.roll(2) == 0;
        let document = json!({
            "issuers": [{"issuer": "https://idp", "cluster": "idp", "audiences": ["api"],
                         "keys_refresh": {"every": "7s", "stale_for": "20s", "unknown_kid": "2s"}}],
            "headers": [{"header": "x-user-id", "claim": "sub"}, {"header": "x-account-id", "account": "id"}],
            "attributes": [{"attribute": "roles", "claim": "groups", "sync": "always"}],
            "routes": [{"path": {"prefix": "/behind"}, "provisioning": "background"},
                       {"path": {"prefix": "/lenient"}, "access": "lenient"}],
            "provisioning": {"cluster": "directory", "when_unavailable": posture, "drift_every": "500ms",
                             "retry": {"attempts": 2, "backoff": "50ms..1s"}},
            "last_seen": {"every": "1s", "batch": 2, "buffer": 5},
            "limits": {"waiting": WAITING, "subjects": if forgets { 4 } else { 1000 }, "hold": "5s",
                       "calls": CALLS, "owed": OWED},
        });
        let surroundings = Surroundings { env: &|_| None, node: "test", crypto: Crypto::pure() };
        Self {
            gate: Gate::new(compile(&document.to_string(), &surroundings).unwrap(), [seed as u8; 16]),
            dice,
            now: Timestamp::from_secs(START),
            open: BTreeMap::new(),
            calls: Vec::new(),
            settled: 0,
            next_ticket: 0,
            process: BTreeMap::new(),
            leases: HashSet::new(),
            is_stormy: true,
            forgets,
            owes: HashSet::new(),
            counted_owed: 0,
            counted_dropped: 0,
            told: 0,
        }
    }

    fn settle(&mut self, ticket: Ticket, verdict: &Verdict) {
        assert!(self.open.remove(&ticket).is_some(), "{ticket:?} was settled without being open");
        self.settled += 1;
        let Verdict::Forward(forwarded) = verdict else { return };
        let key = forwarded.identity.key;
        let account = forwarded.account.as_ref().and_then(|account| account.id.as_deref());
        assert!(account.is_none_or(|id| id == key.to_string()), "{account:?} is not the account of {key}");
        let refused = |known: &Known| matches!(known.standing, Standing::Refused(_));
        let is_known_refused = self.process.get(&key.to_string()).is_some_and(refused);
        let is_known_fresh = self.gate.roster.get(key).is_some_and(|known| known.is_fresh(self.now));
        assert!(self.forgets || !is_known_refused || is_known_fresh, "{key} was turned away, and goes on");
    }

    /// After every input: what was owed and is no more was told.
    fn look(&mut self) {
        let keys = self.gate.flights.keys();
        let owes: HashSet<_> = keys.iter().filter(|key| self.gate.flights.is_owed(**key)).collect();
        let owes: HashSet<_> = owes.into_iter().map(ToString::to_string).collect();
        if !self.gate.last_try {
            let lost: Vec<_> = self.owes.difference(&owes).collect();
            assert!(lost.is_empty(), "{lost:?} were owed, and nobody told them");
        }
        assert!(owes.len() <= OWED && owes.len() == self.gate.flights.owed());
        assert!(keys.len() <= WAITING + OWED + CALLS, "{} flights", keys.len());
        assert!(self.gate.flights.asking() <= CALLS);
        self.owes = owes;
    }

    fn landed(&mut self, key: SubjectKey) {
        self.told += u64::from(self.owes.remove(&key.to_string()));
    }

    fn let_go(&mut self, key: SubjectKey) {
        let was_held = self.leases.remove(&key.to_string());
        // A plugin that is removed lets go of what nobody needs, and may still hear of it.
        assert!(was_held || self.gate.last_try, "{key} is let go of without a lease");
    }

    fn take_outputs(&mut self) {
        loop {
            let outputs = self.gate.drain();
            if outputs.is_empty() {
                return;
            }
            let mut claims = Vec::new();
            for output in outputs {
                match output {
                    Output::Call(id, call) => {
                        let about = subject_of(&call);
                        let twice =
                            about.is_some() && self.calls.iter().any(|(_, other)| subject_of(other) == about);
                        assert!(!twice, "two calls about {about:?} are under way");
                        let may_ask = about.is_none_or(|key| self.leases.contains(&key));
                        assert!(may_ask || self.gate.last_try, "without a lease");
                        self.calls.push((id, call));
                    }
                    Output::Settle(ticket, verdict) => self.settle(ticket, &verdict),
                    Output::Claim { query, may_ask } => claims.push((query, may_ask)),
                    Output::Learnt(key, known) => {
                        self.let_go(key);
                        self.process.insert(key.to_string(), known);
                        self.landed(key);
                    }
                    Output::Missed { key, .. } | Output::LetGo(key) => {
                        self.let_go(key);
                    }
                    Output::Report(Event::ArrivalOwed) => self.counted_owed += 1,
                    Output::Report(Event::ArrivalsDropped(count)) => self.counted_dropped += count,
                    Output::Report(_) => {}
                    Output::Follow { .. } | Output::Tell { .. } => panic!("no feed is followed here"),
                }
            }
            self.look();
            for (query, may_ask) in claims {
                let found = self.word_on(&query, may_ask);
                if let Claim::Known(_) = found.claim {
                    self.landed(query.key);
                }
                self.gate.claimed(query.key, found, self.now);
                self.look();
            }
        }
    }

    fn word_on(&mut self, query: &Query, may_ask: bool) -> Found {
        let key = query.key.to_string();
        let whim = if self.is_stormy { self.dice.roll(10) } else { 9 };
        if whim == 0 {
            let known = self.learnt_elsewhere(query);
            self.process.insert(key.clone(), known);
        }
        let besides = self.process.get(&key).cloned();
        let claim = match besides {
            Some(known) if known.answers(query, self.now) => {
                return Found { claim: Claim::Known(known), besides: None };
            }
            _ if whim == 1 => Claim::Elsewhere,
            _ if whim == 2 && may_ask => {
                let span = Duration::from_millis(self.dice.roll(3000) as u64);
                Claim::Shut { until: self.now.after(span) }
            }
            _ if may_ask && self.gate.may_ask() => {
                assert!(self.leases.insert(key), "it asks about {:?} already", query.key);
                Claim::Granted
            }
            _ => Claim::Unknown,
        };
        Found { claim, besides }
    }

    fn learnt_elsewhere(&mut self, query: &Query) -> Known {
        let standing = match self.dice.roll(3) {
            0 => Standing::Refused(Box::new(Refusal::of(Reason::AccountDeparted))),
            1 => Standing::Present(None),
            _ => {
                let id = Some(query.key.to_string().into());
                Standing::Present(Some(Arc::new(Account { id, headers: Box::new([]) })))
            }
        };
        let told = (self.dice.roll(2) == 0)
            .then_some(Told { fingerprint: Fingerprint(7), issued_at: Timestamp::from_secs(START - 50) });
        let span = Duration::from_millis(self.dice.roll(3000) as u64);
        Known { standing, until: self.now.after(span), told, asked_at: self.now }
    }

    fn admit(&mut self, path: &str, token: &str) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.open.insert(ticket, self.now);
        let authorization = format!("Bearer {token}");
        let headers = [(":method", "GET"), (":path", path), ("authorization", &authorization)];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let step = self.gate.admit(ticket, &headers, self.now);
        self.take_outputs();
        if let Step::Settle(verdict) = step {
            self.settle(ticket, &verdict);
        }
    }

    fn conclude_any(&mut self, issuer: &TestIssuer) {
        if self.calls.is_empty() {
            return;
        }
        let at = self.dice.roll(self.calls.len());
        let (id, call) = self.calls.swap_remove(at);
        let reply = self.reply(&call, issuer);
        self.gate.conclude(id, &reply, self.now);
        self.take_outputs();
    }

    fn reply(&mut self, call: &Call, issuer: &TestIssuer) -> Reply {
        let good = match call.path.as_str() {
            "/jwks" => issuer.jwks().to_string(),
            "/v1/arrivals" => {
                json!({"status": "active", "account": {"id": subject_of(call)}, "valid_for": 3}).to_string()
            }
            "/v1/sightings" => "{}".to_owned(),
            _ => issuer.discovery().to_string(),
        };
        let wait = ["1", "2", "99999999999"][self.dice.roll(3)];
        let (status, body) = match if self.is_stormy { self.dice.roll(15) } else { 14 } {
            0 => return Reply::Failed(Failure::Broken),
            1 | 2 => (503, "upstream connect error".to_owned()),
            3 => (200, "<html>".to_owned()),
            4 => (403, json!({"status": "denied"}).to_string()),
            5 => (410, String::new()),
            6 | 7 => (422, String::new()),
            8 => (409, String::new()),
            _ => (200, good),
        };
        let headers = vec![("retry-after".to_owned(), wait.as_bytes().to_vec())];
        Reply::Answer { status, headers, body: body.into_bytes() }
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

    /// The clock is put right. The process no longer believes what the future says.
    fn set_back(&mut self, span: Duration) {
        self.gate.tick(self.now);
        self.take_outputs();
        self.now = self.now.before(span);
        let latest = self.now.after(Duration::from_secs(1));
        self.process.retain(|_, known| known.asked_at <= latest);
        self.gate.tick(self.now);
        self.take_outputs();
        self.open.values_mut().for_each(|since| *since = (*since).before(span));
    }

    fn abandon_any(&mut self) {
        let at = self.dice.roll(self.open.len().max(1));
        if let Some(ticket) = self.open.keys().nth(at).copied() {
            self.open.remove(&ticket);
            self.gate.abandon(ticket);
        }
    }

    fn rages(&mut self, steps: usize, tokens: &[String], issuer: &TestIssuer) {
        for _ in 0..steps {
            match self.dice.roll(20) {
                0..=8 => {
                    let path = ["/behind", "/lenient", "/", "/"][self.dice.roll(4)];
                    let token = &tokens[self.dice.roll(tokens.len())];
                    self.admit(path, token);
                }
                9..=12 => self.conclude_any(issuer),
                13 | 14 => self.abandon_any(),
                15 if self.dice.roll(10) == 0 => {
                    let span = Duration::from_millis(1000 + self.dice.roll(100_000) as u64);
                    self.set_back(span);
                }
                _ => {
                    let span = Duration::from_millis(self.dice.roll(600) as u64);
                    self.pass(span);
                }
            }
        }
    }

    /// The sun comes out: everybody who is left is told, and nothing is.
    fn calms_down(&mut self, issuer: &TestIssuer) {
        self.is_stormy = false;
        // Nobody who asks to be left alone is left alone for more than an hour.
        for _ in 0..1300 {
            while !self.calls.is_empty() {
                self.conclude_any(issuer);
            }
            self.pass(Duration::from_secs(3));
        }
        assert!(self.open.is_empty(), "{:?} were never settled", self.open);
        assert_eq!((self.gate.flights.keys().len(), self.gate.flights.looking()), (0, 0));
        assert_eq!((self.gate.flights.asking(), self.leases.len()), (0, 0));
        assert_eq!(self.counted_owed, self.told, "what is owed is told");
        assert!(self.gate.next_tick() > self.now, "it ticks for nothing");
    }

    /// The plugin is removed in the middle of it.
    fn is_removed(&mut self, issuer: &TestIssuer) {
        while !self.open.is_empty() {
            self.pass(Duration::from_millis(500));
        }
        let (owed, told, dropped) = (self.gate.flights.owed() as u64, self.told, self.counted_dropped);
        assert_eq!(self.counted_owed, told + owed);
        self.gate.flush(self.now);
        self.take_outputs();
        for _ in 0..2000 {
            if self.gate.is_flushed() {
                break;
            }
            self.conclude_any(issuer);
            self.pass(Duration::from_millis(20));
        }
        assert!(self.gate.is_flushed(), "it is never flushed");
        assert_eq!(
            owed,
            self.told - told + self.counted_dropped - dropped,
            "what is owed is told or counted"
        );
    }
}

fn subject_of(call: &Call) -> Option<String> {
    let said: serde_json::Value = serde_json::from_slice(&call.body).ok()?;
    Some(said.get("subject")?.get("key")?.as_str()?.to_owned())
}

fn tokens(issuer: &TestIssuer) -> Vec<String> {
    let mut tokens = Vec::new();
    for number in 0..SUBJECTS {
        for (iat, group) in [(Some(START - 100), "dev"), (Some(START - 50), "ops"), (None, "all")] {
            let claims = json!({"iat": iat, "exp": START + 100_000, "groups": [group]});
            tokens.push(issuer.access_token(&format!("user-{number}"), "api", START, claims));
        }
    }
    let stranger = SigningKey::generate(Algorithm::ES256, "stranger");
    let claims = json!({"iss": "https://idp", "sub": "eve", "aud": "api", "exp": START + 60}).to_string();
    tokens.push(stranger.sign(&json!({"alg": "ES256", "kid": "stranger"}), claims.as_bytes()));
    tokens.push(stranger.sign(&json!({"alg": "ES256", "kid": "key-1"}), claims.as_bytes()));
    tokens.push("not.a.token".into());
    tokens
}

#[test]
fn whatever_happens_every_request_is_settled_exactly_once_and_what_is_owed_is_told_or_counted() {
    let issuer = TestIssuer::new("https://idp", Algorithm::ES256);
    let tokens = tokens(&issuer);
    let (mut owed, mut dropped) = (0, 0);
    for seed in 1..=40 {
        let mut storm = Storm::new(seed);
        storm.rages(500, &tokens, &issuer);
        assert!(storm.settled > 50, "seed {seed}: only {} settled", storm.settled);
        if seed % 2 == 0 {
            storm.calms_down(&issuer);
        } else {
            storm.is_removed(&issuer);
        }
        (owed, dropped) = (owed + storm.counted_owed, dropped + storm.counted_dropped);
    }
    assert!(owed > 100 && dropped > 20, "{owed} and {dropped}: the weather is too fair");
}
