//! The keys of every issuer: fetched before they are needed, again when they are old, and once more, at a bounded rate,
//! when a token names one that is not there.

use super::{Event, Gate, KeysFailure, Purpose, RETRY_SOON, get};
use crate::config::{KeySource, KeysRefresh, Upstream};
use crate::domain::{Backoff, Call, Dice, Issuer, Reason, Refusal, Reply, Shared, Timestamp, Verdict};
use crate::memory::{KeyName, UnknownKeys, Want};
use crate::token::{Crypto, Keyring};
use crate::wire::{Discovery, fresh_for};
use std::time::Duration;

/// The pauses between tries to fetch keys that cannot be had.
const BACKOFF: Backoff = Backoff { shortest: RETRY_SOON, longest: Duration::from_secs(30) };
/// For how many times `unknown_kid` a key that an issuer did not publish is taken for unknown.
const UNKNOWN_FOR: u32 = 3;

/// What is known of one issuer's keys.
pub(super) struct IssuerKeys {
    issuer: Issuer,
    source: KeySource,
    crypto: Crypto,
    /// The keys, and when they were fetched.
    ring: Option<(Keyring, Timestamp)>,
    stage: Stage,
    /// When they are to be fetched; before that only an unknown key is a reason to.
    due: Timestamp,
    failures: u32,
    /// Before this, an unknown key is no reason to fetch them again.
    refetch_from: Timestamp,
    /// Whether the next fetch, or the one under way, is for an unknown key.
    hurried: bool,
    /// When the issuer's latest word came, of itself or of a failure; what came before is no news.
    heard: Timestamp,
    unknown: UnknownKeys,
    dice: Dice,
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Discovering,
    Fetching,
}

/// What a reply to a fetch leads to.
enum Progress {
    /// One more call.
    Next(Call),
    /// So many usable keys are here.
    Done(usize),
}

impl IssuerKeys {
    /// Those of an issuer; of a transmitter likewise.
    pub(super) fn new(issuer: &Issuer, source: &KeySource, crypto: Crypto, dice: Dice) -> Self {
        Self {
            issuer: issuer.clone(),
            source: source.clone(),
            crypto,
            ring: None,
            stage: Stage::Idle,
            due: Timestamp::from_millis(0),
            failures: 0,
            refetch_from: Timestamp::from_millis(0),
            hurried: false,
            heard: Timestamp::from_millis(0),
            unknown: UnknownKeys::default(),
            dice,
        }
    }

    /// The keys that may be used now.
    pub(super) fn ring(&self, now: Timestamp) -> Option<&Keyring> {
        match (&self.source, &self.ring) {
            (KeySource::Inline(ring), _) => Some(ring),
            (_, Some((ring, fetched))) => {
                let stale_for = self.refresh()?.stale_for;
                (now.since(*fetched) < stale_for).then_some(ring)
            }
            (_, None) => None,
        }
    }

    /// Whether a key that is not there may still come, to whoever waits for it since `since`.
    pub(super) fn may_bring(&self, since: Option<Timestamp>) -> bool {
        let is_newer = |since| self.ring.as_ref().is_some_and(|(_, fetched)| *fetched > since);
        self.refresh().is_some() && !since.is_some_and(is_newer)
    }

    fn age(&self, now: Timestamp) -> Option<Duration> {
        self.ring.as_ref().map(|(_, fetched)| now.since(*fetched))
    }

    /// Whether a key that is not there is a reason to wait for a fetch: it was not asked for in vain lately, and a fetch is
    /// under way or may be started.
    pub(super) fn may_refetch(&self, key: KeyName, now: Timestamp) -> bool {
        self.refresh().is_some()
            && !self.unknown.has(key, now)
            && (self.stage != Stage::Idle || now >= self.refetch_from)
    }

    /// A fetch that was waited for because of this key has succeeded. If it brought the key, no harm is done: only keys
    /// that are not there are ever looked up.
    fn waited_for(&mut self, key: KeyName, now: Timestamp) {
        if let Some(refresh) = self.refresh() {
            let until = now.after(refresh.unknown_kid.saturating_mul(UNKNOWN_FOR));
            self.unknown.remember(key, until);
        }
    }

    /// When the next fetch is due; never for keys from the configuration, or while a fetch is under way.
    pub(super) fn next_fetch(&self) -> Option<Timestamp> {
        (self.refresh().is_some() && self.stage == Stage::Idle).then_some(self.due)
    }

    /// The clock was set back by `span`.
    pub(super) fn move_back(&mut self, span: Duration) {
        self.due = self.due.before(span);
        self.refetch_from = self.refetch_from.before(span);
        self.heard = self.heard.before(span);
        self.unknown.move_back(span);
        if let Some((_, fetched)) = &mut self.ring {
            *fetched = fetched.before(span);
        }
    }

    /// How long it takes until the keys are tried for again, if that is longer than `patience`: waiting would be in vain.
    fn out_of_reach(&self, now: Timestamp, patience: Duration) -> Option<Duration> {
        let pause = self.next_fetch()?.since(now);
        (self.ring(now).is_none() && pause > patience).then_some(pause)
    }

    /// Somebody waits: for the first keys, which are fetched as soon as they are due, or for newer ones, now.
    fn hurry(&mut self, now: Timestamp) {
        if self.ring(now).is_some() && self.stage == Stage::Idle && now >= self.refetch_from {
            self.due = now;
            self.hurried = true;
            self.refetch_from =
                now.after(self.refresh().map_or(BACKOFF.longest, |refresh| refresh.unknown_kid));
        }
    }

    /// What the configuration says is to be fetched first.
    fn at(&self) -> Option<&Upstream> {
        match &self.source {
            KeySource::Inline(_) => None,
            KeySource::Address { at, .. } | KeySource::Discovery { at, .. } => Some(at),
        }
    }

    fn refresh(&self) -> Option<&KeysRefresh> {
        match &self.source {
            KeySource::Inline(_) => None,
            KeySource::Address { refresh, .. } | KeySource::Discovery { refresh, .. } => Some(refresh),
        }
    }

    fn start(&mut self, now: Timestamp) -> Option<Call> {
        if self.next_fetch().is_none_or(|due| now < due) {
            return None;
        }
        self.stage = match &self.source {
            KeySource::Discovery { .. } => Stage::Discovering,
            KeySource::Inline(_) | KeySource::Address { .. } => Stage::Fetching,
        };
        let at = self.at()?;
        Some(self.shared(at, now))
    }

    /// A call that any worker makes for all.
    fn shared(&self, at: &Upstream, now: Timestamp) -> Call {
        let shared = self.shared_name(self.stage).map(|name| Shared { name, after: self.news_after(now) });
        Call { shared, ..get(at) }
    }

    /// An answer that came after this is news. A key that is unknown may be younger than most answers. Without keys, those
    /// that another worker still uses will do.
    fn news_after(&self, now: Timestamp) -> Timestamp {
        let oldest = self.refresh().map(|refresh| match self.hurried {
            true => refresh.unknown_kid,
            false => refresh.stale_for,
        });
        self.heard.max(now.before(oldest.unwrap_or_default()))
    }

    /// What the process knows an issuer's documents by: where the configuration says they are, or start.
    fn shared_name(&self, stage: Stage) -> Option<String> {
        let Upstream { cluster, authority, path, .. } = self.at()?;
        let what = if stage == Stage::Discovering { "discovery" } else { "keys" };
        Some(format!("{what}\n{cluster}\n{authority}\n{path}"))
    }

    /// Takes in a reply that came at `at`.
    fn conclude(&mut self, reply: &Reply, at: Timestamp, now: Timestamp) -> Result<Progress, KeysFailure> {
        let progress = self.read(reply, at, now);
        if let Ok(Progress::Next(_)) = progress {
            return progress;
        }
        (self.stage, self.hurried, self.heard) = (Stage::Idle, false, at);
        if progress.is_ok() {
            self.failures = 0;
            self.due = at.after(self.lifetime(reply));
        } else {
            self.failures = self.failures.saturating_add(1);
            self.due = at.after(BACKOFF.after(self.failures, &mut self.dice));
        }
        progress
    }

    /// How long keys are good for: as long as the issuer says, within the operator's bounds. Up to a tenth less, so that
    /// gateways that started together do not fetch together for ever.
    fn lifetime(&mut self, reply: &Reply) -> Duration {
        let Some(refresh) = self.refresh().copied() else { return BACKOFF.longest };
        let span = fresh_for(reply).map_or(refresh.every, |fresh| fresh.min(refresh.at_most));
        span.saturating_sub(self.dice.up_to(span / 10)).max(refresh.at_least)
    }

    fn read(&mut self, reply: &Reply, at: Timestamp, now: Timestamp) -> Result<Progress, KeysFailure> {
        let body = match reply {
            Reply::Answer { status: 200, body, .. } => body,
            Reply::Answer { status, .. } => return Err(KeysFailure::Status(*status)),
            Reply::Failed(_) => return Err(KeysFailure::NoAnswer),
        };
        match (&self.source, self.stage) {
            (KeySource::Discovery { at: document, .. }, Stage::Discovering) => {
                let jwks_uri = Discovery::read(body, &self.issuer)?.jwks_uri;
                let path = jwks_uri.path_and_query().map_or("/", |path| path.as_str());
                let authority =
                    jwks_uri.authority().map_or(document.authority.as_str(), |authority| authority.as_str());
                let (authority, path) = (authority.to_owned(), path.to_owned());
                let at = Upstream { authority, path, ..document.clone() };
                self.stage = Stage::Fetching;
                Ok(Progress::Next(self.shared(&at, now)))
            }
            _ => {
                let ring = Keyring::read(body, self.crypto)?;
                let usable = ring.len();
                self.ring = Some((ring, at));
                Ok(Progress::Done(usable))
            }
        }
    }
}

impl Gate {
    /// How long a client is told to stay away while this issuer's keys cannot be had, instead of waiting for them in vain.
    pub(super) fn keys_out_of_reach(&self, issuer: usize, now: Timestamp) -> Option<Duration> {
        self.keys.get(issuer)?.out_of_reach(now, self.policy.limits.hold)
    }

    /// Somebody waits for this issuer's keys.
    pub(super) fn hurry_keys(&mut self, issuer: usize, now: Timestamp) {
        if let Some(keys) = self.keys.get_mut(issuer) {
            keys.hurry(now);
        }
        self.fetch_due_keys(now);
    }

    /// How long ago the oldest keys that are in use were fetched.
    pub fn age_of_keys(&self, now: Timestamp) -> Option<Duration> {
        self.keys.iter().filter_map(|keys| keys.age(now)).max()
    }

    /// Starts every fetch that is due.
    pub(super) fn fetch_due_keys(&mut self, now: Timestamp) {
        let due: Vec<_> = self.keys.iter_mut().map(|keys| keys.start(now)).collect();
        for (issuer, call) in due.into_iter().enumerate() {
            if let Some(call) = call {
                self.call(Purpose::Keys(issuer), call);
            }
        }
    }

    /// Concludes a call with a reply: the issuer's own, or one that another worker got at `adopted`. Returns whether it is
    /// good for anything.
    pub(super) fn conclude_keys(
        &mut self,
        issuer: usize,
        reply: &Reply,
        adopted: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        let Some(keys) = self.keys.get_mut(issuer) else { return false };
        let progress = keys.conclude(reply, adopted.unwrap_or(now), now);
        let is_good = progress.is_ok();
        let (name, has_keys) = (keys.issuer.clone(), keys.ring(now).is_some());
        // The worker that asked has told what there is to tell.
        let tell = |event| if adopted.is_some() { Event::KeysShared } else { event };
        match progress {
            Ok(Progress::Next(call)) => self.call(Purpose::Keys(issuer), call),
            Ok(Progress::Done(usable)) => {
                let tickets = self.waiting.for_keys_of(issuer);
                let wants = tickets.iter().filter_map(|ticket| self.waiting.want(*ticket));
                wants.filter_map(Want::unknown_key).for_each(|key| keys.waited_for(key, now));
                self.report(tell(Event::KeysFetched { issuer: name, usable }));
                for ticket in tickets {
                    self.readmit(ticket, now);
                }
            }
            Err(why) => {
                self.report(tell(Event::KeysFailed { issuer: name, why }));
                if has_keys {
                    self.refuse_unknown_keys(issuer);
                }
            }
        }
        is_good
    }

    /// Newer keys were asked for and could not be had: whether the tokens that named an unknown one are forged or just
    /// newer than our keys, nobody can say now. (Without any keys, requests wait for the next try, as long as they may.)
    fn refuse_unknown_keys(&mut self, issuer: usize) {
        for ticket in self.waiting.for_keys_of(issuer) {
            let Some(Want::Keys { route, .. }) = self.waiting.leave(ticket) else { continue };
            let refusal = Refusal::for_now(Reason::KeysUnavailable, RETRY_SOON);
            self.settle(ticket, route, Verdict::Refuse(refusal));
        }
    }
}
