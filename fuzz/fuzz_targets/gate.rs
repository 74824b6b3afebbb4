//! Requests, replies, clients that leave and time that passes, in any order: every request is settled once and in time,
//! nobody is let through who must not be, and what is kept stays within its bounds.
#![no_main]

use firstsight::config::Policy;
use firstsight::domain::{Call, CallId, Failure, Passage, Reply, Ticket, Timestamp, Verdict};
use firstsight::gate::{Gate, Output, Step};
use firstsight_fuzz::{AUDIENCE, ISSUER, NOW, access_token, drain, jwks, once, policy, sign, unsigned};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

const HOLD: Duration = Duration::from_secs(5);
const WAITING: usize = 6;
const CALLS: usize = 3;
const OWED: usize = 2;
const USERS: usize = 8;

#[derive(Debug, Arbitrary)]
struct Story {
    settings: Settings,
    events: Vec<Event>,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
struct Settings {
    reports_only: bool,
    allows_when_unavailable: bool,
    lenient: bool,
}

#[derive(Debug, Arbitrary)]
enum Event {
    Admit(u8),
    Conclude(u8, Answer),
    ConcludeAgain(u8),
    Abandon(u8),
    Pass(u16),
    SetBack(u8),
    Flush,
}

#[derive(Debug, Arbitrary)]
enum Answer {
    Good,
    Failed,
    Broken,
    Empty(u16),
    Refused,
    Other { status: u8, text: String },
}

/// Users' tokens; then such as must not be let through: a key that is not there, a foreign signature, too old, nonsense.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut tokens: Vec<_> = (0..USERS).map(|user| access_token(&format!("user-{user}"))).collect();
    let claims = json!({"iss": ISSUER, "sub": "eve", "aud": AUDIENCE, "exp": NOW + 3600}).to_string();
    tokens.push(sign(r#"{"alg":"EdDSA","kid":"new"}"#, &claims));
    tokens.push(format!("{}.{}", unsigned(r#"{"alg":"EdDSA","kid":"ed"}"#, &claims), "Q0FG".repeat(16)));
    tokens.push(sign(r#"{"alg":"EdDSA"}"#, &claims.replace("exp", "nbf")));
    tokens.push("not.a.token".into());
    tokens
});

impl Settings {
    fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self {
            reports_only: bits & 1 != 0,
            allows_when_unavailable: bits & 2 != 0,
            lenient: bits & 4 != 0,
        })
    }

    fn index(self) -> usize {
        usize::from(self.reports_only)
            + 2 * usize::from(self.allows_when_unavailable)
            + 4 * usize::from(self.lenient)
    }

    fn policy(self) -> Policy {
        let posture = if self.allows_when_unavailable { "allow" } else { "deny" };
        let mode = if self.reports_only { "report" } else { "enforce" };
        let access = if self.lenient { "lenient" } else { "required" };
        policy(json!({
            "mode": mode,
            "routes": [{"access": access}],
            "issuers": [{"issuer": ISSUER, "cluster": "idp", "audiences": [AUDIENCE],
                         "keys_refresh": {"every": "7s", "stale_for": "20s", "unknown_kid": "2s"}}],
            "provisioning": {"cluster": "directory", "when_unavailable": posture, "refresh": "9s"},
            "last_seen": {"every": "1s", "batch": 2, "buffer": 5},
            "limits": {"waiting": WAITING, "calls": CALLS, "owed": OWED, "subjects": 4, "hold": "5s", "tokens": 5, "tokens_bytes": 4000},
        }))
    }
}

// In the order of `Settings::all`.
once!(policies: Vec<Policy> = Settings::all().map(Settings::policy).collect());

struct World {
    gate: Gate,
    settings: Settings,
    now: Timestamp,
    /// Who waits, since when, with which token.
    open: BTreeMap<Ticket, (Timestamp, usize)>,
    calls: Vec<(CallId, Call)>,
    concluded: Vec<CallId>,
    next_ticket: u32,
    flushed: bool,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            gate: Gate::new(policies()[settings.index()].clone(), [0; 16]),
            settings,
            now: Timestamp::from_secs(NOW),
            open: BTreeMap::new(),
            calls: Vec::new(),
            concluded: Vec::new(),
            next_ticket: 0,
            flushed: false,
        }
    }

    fn check(&self, verdict: &Verdict, token: usize) {
        match verdict {
            Verdict::Forward(headers) => {
                assert!(token < USERS, "token {token} is let through");
                let user = format!("user-{token}");
                for (name, value) in headers.headers() {
                    assert!(
                        name == "x-account-id" || name == "x-user-id" && value == user.as_bytes(),
                        "{headers:?}"
                    );
                }
            }
            Verdict::Pass(Passage::Reported(_)) => assert!(self.settings.reports_only),
            Verdict::Pass(Passage::Anonymous) => assert!(self.settings.lenient),
            Verdict::Pass(passage) => panic!("{passage:?} without a rule for it"),
            Verdict::Refuse(_) => assert!(!self.settings.reports_only && !self.settings.lenient),
        }
    }

    fn take_outputs(&mut self) {
        for output in drain(&mut self.gate, self.now) {
            match output {
                Output::Call(id, call) => self.calls.push((id, call)),
                Output::Settle(ticket, verdict) => {
                    let (_, token) = self.open.remove(&ticket).expect("only who waits is settled, and once");
                    self.check(&verdict, token);
                }
                Output::Report(event) => assert!(!event.to_string().contains("user-"), "{event}"),
                Output::Learnt(..) | Output::Missed { .. } | Output::LetGo(_) => {}
                Output::Claim { .. } => unreachable!("it is answered as it comes"),
                Output::Follow { .. } | Output::Tell { .. } => unreachable!("no feed is followed"),
            }
        }
        // One fetch of keys, one batch of sightings, and one arrival for each subject.
        let key = |call: &Call| match serde_json::from_slice::<Value>(&call.body) {
            Ok(Value::Object(arrival)) => arrival["subject"].to_string(),
            _ => call.cluster.clone() + if call.body.is_empty() { "keys" } else { "sightings" },
        };
        let different: HashSet<_> = self.calls.iter().map(|(_, call)| key(call)).collect();
        assert_eq!(different.len(), self.calls.len(), "a call is made twice");
        assert!(self.calls.len() <= CALLS + 2, "{} calls are under way", self.calls.len());
        assert!(self.open.len() <= WAITING, "{} requests wait", self.open.len());
    }

    fn admit(&mut self, token: u8) {
        let token = usize::from(token) % TOKENS.len();
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.open.insert(ticket, (self.now, token));
        let headers = [("authorization", format!("Bearer {}", TOKENS[token]))].into_iter().collect();
        let step = self.gate.admit(ticket, &headers, self.now);
        if let Step::Settle(verdict) = step {
            self.open.remove(&ticket);
            self.check(&verdict, token);
        }
        self.take_outputs();
    }

    fn conclude(&mut self, which: u8, answer: Answer) {
        if self.calls.is_empty() {
            return;
        }
        let (id, call) = self.calls.swap_remove(usize::from(which) % self.calls.len());
        self.gate.conclude(id, &reply(&call, answer), self.now);
        // As the shell does in the worker's own context.
        self.gate.proceed(self.now);
        self.concluded.push(id);
        self.take_outputs();
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
        if self.gate.next_tick() <= self.now {
            self.gate.tick(self.now);
            self.take_outputs();
        }
        let late = self.open.iter().find(|(_, (since, _))| self.now.since(*since) > HOLD + span);
        assert_eq!(late, None, "a request waits longer than it may");
    }

    fn set_back(&mut self, span: Duration) {
        // What the last tick did not see of time passing, the gate cannot know of.
        self.gate.tick(self.now);
        self.now = self.now.before(span);
        self.open.values_mut().for_each(|(since, _)| *since = since.before(span));
        self.gate.tick(self.now);
        self.take_outputs();
    }

    fn live(&mut self, event: Event) {
        match event {
            Event::Admit(token) => self.admit(token),
            Event::Conclude(which, answer) => self.conclude(which, answer),
            Event::ConcludeAgain(which) if !self.concluded.is_empty() => {
                let id = self.concluded[usize::from(which) % self.concluded.len()];
                self.gate.conclude(id, &Reply::Failed(Failure::Broken), self.now);
                assert_eq!(self.gate.drain(), [], "a reply counts once");
            }
            Event::ConcludeAgain(_) => {}
            Event::Abandon(which) => {
                let at = usize::from(which) % self.open.len().max(1);
                if let Some(ticket) = self.open.keys().nth(at).copied() {
                    self.open.remove(&ticket);
                    self.gate.abandon(ticket);
                }
            }
            Event::Pass(millis) => self.pass(Duration::from_millis(u64::from(millis) % 4000)),
            Event::SetBack(minutes) => self.set_back(Duration::from_secs(60 * u64::from(minutes) + 1)),
            Event::Flush => {
                self.gate.flush(self.now);
                self.flushed = true;
                self.take_outputs();
            }
        }
    }
}

fn reply(call: &Call, answer: Answer) -> Reply {
    let good = match call.path.as_str() {
        "/jwks" => jwks(),
        "/v1/arrivals" => json!({"status": "active", "account": {"id": "a"}, "valid_for": 3}),
        "/v1/sightings" => json!({}),
        _ => json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks")}),
    };
    let (status, body) = match answer {
        Answer::Good => (200, good.to_string()),
        Answer::Failed => return Reply::Failed(Failure::Refused),
        Answer::Broken => return Reply::Failed(Failure::Broken),
        Answer::Empty(status) => (status, String::new()),
        Answer::Refused => (403, json!({"status": "denied"}).to_string()),
        Answer::Other { status, text } => (200 + u16::from(status), text),
    };
    Reply::Answer {
        status,
        headers: vec![("cache-control".into(), b"max-age=9".to_vec())],
        body: body.into_bytes(),
    }
}

fuzz_target!(|story: Story| {
    let mut world = World::new(story.settings);
    for event in story.events.into_iter().take(300) {
        world.live(event);
    }
    world.pass(HOLD + Duration::from_secs(1));
    assert!(world.open.is_empty(), "{:?} were never settled", world.open);
    world.gate.flush(world.now);
    world.take_outputs();
    for _ in 0..100 {
        world.conclude(0, Answer::Good);
    }
    assert!(world.gate.is_flushed(), "something is left to tell");
});
