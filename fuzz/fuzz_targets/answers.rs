//! The directory's answers: whatever comes back, whoever waits is let through only by the contract, and a refusal is a
//! sound answer of bounded size.
//!
//! Input: a status, a blank and headers; an empty line; a body.
#![no_main]

use firstsight::config::Policy;
use firstsight::domain::{Refusal, Reply, Response, Ticket, Verdict};
use firstsight::gate::{Gate, Output, Step};
use firstsight::wire::{ArrivalAnswer, Dialect, Refusals};
use firstsight_fuzz::{access_token, drain, headers, now, once, policy, request};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;

const STATUSES: &[u16] = &[
    100, 200, 201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504,
];

// A try that fails is not tried again: its verdict is due at once.
once!(the_policy: Policy = policy(json!({"provisioning": {"cluster": "directory", "retry": {"attempts": 1}}})));
static REFUSALS: LazyLock<Refusals> = LazyLock::new(|| Refusals::under(the_policy().challenge.clone()));
static AUTHORIZATION: LazyLock<String> = LazyLock::new(|| format!("Bearer {}", access_token("jane")));

/// What the contract allows an answer to mean, read a second time.
fn is_allowed(status: u16, body: &[u8], answer: &ArrivalAnswer) -> bool {
    let document = serde_json::from_slice::<Value>(body).ok();
    // A member that nobody reads is skipped, whatever it holds: then the word, or an escape that may be it, will do.
    let text = String::from_utf8_lossy(body);
    let says = |word: &str| match &document {
        Some(document) => document["status"] == word,
        None => text.contains(word) || text.contains("\\u"),
    };
    match answer {
        ArrivalAnswer::Active { account, .. } => {
            let sound = account
                .as_ref()
                .is_none_or(|account| account.texts().all(|text| (1..=256).contains(&text.len())));
            sound && (status == 409 || matches!(status, 200 | 201) && says("active"))
        }
        ArrivalAnswer::Pending(message) => {
            says("pending") && (200..=202).contains(&status) && is_short(message.as_deref())
        }
        ArrivalAnswer::Denied(message) => says("denied") && status == 403 && is_short(message.as_deref()),
        ArrivalAnswer::Departed => status == 410 || says("departed"),
        ArrivalAnswer::Invalid => matches!(status, 400 | 422),
        ArrivalAnswer::Unavailable(wait) => wait.is_none_or(|wait| wait <= Duration::from_secs(3600)),
    }
}

fn is_short(message: Option<&str>) -> bool {
    message.is_none_or(|message| message.chars().count() <= 500)
}

fn is_sound(answer: &Response, refusal: &Refusal, dialect: Dialect) {
    assert_eq!(answer.status, refusal.reason.status());
    assert!(answer.body.len() <= 500 * 6 + 500, "an answer of {} bytes", answer.body.len());
    let value = |wanted: &str| {
        answer.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_bytes())
    };
    assert_eq!(value("cache-control"), Some(&b"no-store"[..]));
    let seconds = value("retry-after").map(|text| String::from_utf8_lossy(text).parse::<u64>());
    assert!(seconds.is_none_or(|seconds| seconds.is_ok_and(|seconds| (1..=3600).contains(&seconds))));
    match dialect {
        Dialect::Http => {
            let problem: Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
            assert_eq!(problem["status"], answer.status);
            assert_eq!(problem["detail"].as_str(), refusal.message.as_deref());
        }
        Dialect::Grpc => assert!(value("grpc-status").is_some_and(|status| status != b"0")),
    }
}

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let body = data.get(end + 2..).unwrap_or_default();
    let head = &data[..end];
    let at = head.iter().position(|byte| *byte == b' ').unwrap_or(head.len());
    let status = std::str::from_utf8(&head[..at]).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let headers = headers(head.get(at + 1..).unwrap_or_default());
    let reply = |status| Reply::Answer { status, headers: headers.clone(), body: body.to_vec() };
    for status in STATUSES.iter().copied().chain([status]) {
        let answer = ArrivalAnswer::read(&reply(status), &[]);
        assert!(is_allowed(status, body, &answer), "{status}: {answer:?}");
    }

    let mut gate = Gate::new(the_policy().clone(), [7; 16]);
    let step = gate.admit(Ticket(1), &request(&[("authorization", &AUTHORIZATION)]), now());
    assert_eq!(step, Step::Wait);
    let call = |output| match output {
        Output::Call(id, _) => Some(id),
        _ => None,
    };
    let calls: Vec<_> = drain(&mut gate, now()).into_iter().filter_map(call).collect();
    assert_eq!(calls.len(), 1, "one arrival is asked about");
    gate.conclude(calls[0], &reply(status), now());
    let active = matches!(ArrivalAnswer::read(&reply(status), &[]), ArrivalAnswer::Active { .. });
    let settled = |output| match output {
        Output::Settle(ticket, verdict) => Some((ticket, verdict)),
        _ => None,
    };
    let settled: Vec<_> = drain(&mut gate, now()).into_iter().filter_map(settled).collect();
    match settled.as_slice() {
        [(Ticket(1), Verdict::Forward(headers))] => {
            assert!(active, "nobody let it through");
            assert!(headers.headers().all(|(name, _)| name == "x-user-id" || name == "x-account-id"));
        }
        [(Ticket(1), Verdict::Refuse(refusal))] => {
            assert!(!active);
            for dialect in [Dialect::Http, Dialect::Grpc] {
                is_sound(&REFUSALS.response(refusal, dialect), refusal, dialect);
            }
        }
        other => panic!("one verdict is due: {other:?}"),
    }
});
