//! A transmitter that is polled (RFC 8936): a long poll that is asked again and again. What was taken is acknowledged once
//! it is on the disk; what will never be taken is said so with its code; the rest comes again. Several processes over one
//! database may poll the same transmitter: what was taken changes nothing the second time.

use super::source::{Declined, Kind, Source};
use super::{Signals, take, web};
use crate::clock;
use firstsight::domain::{Backoff, Dice, Reply};
use firstsight::wire::signals::{PollAnswer, PollRequest, SetError};
use reqwest::{Url, header};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where a transmitter is polled.
pub(super) struct Polled {
    pub(super) url: Url,
    /// The bearer token for it.
    pub(super) token: Option<String>,
    /// The most tokens in one answer.
    pub(super) max_events: u32,
}

/// How long a transmitter may make us wait for something to tell.
const LONGEST_POLL: Duration = Duration::from_secs(120);
/// Between two questions that bring nothing: not every transmitter makes us wait.
const PAUSE: Duration = Duration::from_secs(2);
/// After a question that failed, or tokens that nothing can be done with now.
const BACKOFF: Backoff = Backoff { shortest: Duration::from_millis(500), longest: Duration::from_secs(60) };

/// Follows one source for ever.
pub(super) async fn follow(signals: Signals, index: usize) {
    let Some(source) = signals.sources.get(index) else { return };
    let Some(polled) = &source.polled else { return };
    let (mut dice, mut failures) = (Dice::new(seed()), 0_u32);
    let mut request = PollRequest { max_events: Some(polled.max_events), ..PollRequest::default() };
    loop {
        let asked = Instant::now();
        match ask(source, polled, &request).await {
            Ok(answer) => {
                // The transmitter has heard of them.
                (request.ack, request.set_errs) = Default::default();
                let came = !answer.sets.is_empty();
                let all = take_all(&signals, source, answer, &mut request).await;
                failures = if all { 0 } else { failures + 1 };
                if !came {
                    sleep(PAUSE.saturating_sub(asked.elapsed())).await;
                }
            }
            Err(problem) => {
                failures += 1;
                // Once when it begins, and again now and then.
                if failures.is_power_of_two() {
                    tracing::warn!(source = source.name, failures, "polling fails: {problem}");
                }
            }
        }
        // While nothing can be done with some, the others are acknowledged without waiting for more.
        request.return_immediately = failures > 0;
        if failures > 0 {
            sleep(BACKOFF.after(failures, &mut dice)).await;
        }
    }
}

/// Takes what came, and notes what to say of it; false if something has to come again.
async fn take_all(signals: &Signals, source: &Source, answer: PollAnswer, request: &mut PollRequest) -> bool {
    for (id, text) in answer.sets {
        match take_one(signals, source, &id, &text).await {
            Ok(()) => request.ack.push(id),
            Err(Declined::Refused(code, description)) => {
                tracing::warn!(source = source.name, code, "a token was refused: {description}");
                request.set_errs.insert(id, SetError::new(code, &description));
            }
            Err(Declined::Later) => return false,
        }
    }
    true
}

async fn take_one(signals: &Signals, source: &Source, id: &str, text: &str) -> Result<(), Declined> {
    let token = source.verify(Kind::Events, text).await?;
    if token.id() != id {
        let what = "its jti is not the one under which it came";
        return Err(Declined::Refused("invalid_request", what.to_owned()));
    }
    take::take(signals, source, &token).await
}

async fn ask(source: &Source, polled: &Polled, request: &PollRequest) -> Result<PollAnswer, &'static str> {
    let asked = source.client.post(polled.url.clone()).timeout(LONGEST_POLL).json(request);
    let asked = asked.header(header::ACCEPT, "application/json");
    let asked = match &polled.token {
        Some(token) => asked.bearer_auth(token),
        None => asked,
    };
    match web::ask(asked).await? {
        Reply::Answer { status: 200, body, .. } => {
            serde_json::from_slice(&body).map_err(|_| "its answer is none to a poll")
        }
        Reply::Answer { status: 401 | 403, .. } => Err("it does not let us in"),
        _ => Err("it did not answer with 200"),
    }
}

/// Other processes roll other dice.
fn seed() -> u64 {
    clock::now().as_millis() ^ (u64::from(std::process::id()) << 32)
}
