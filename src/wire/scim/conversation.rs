//! The conversation: what can you do, do you know them, then make, bring up to date, or leave alone. Every reply leads to
//! one request or to the answer, and there are so many requests at the most. Knows no clock and no proxy.

use super::capabilities::Capabilities;
use super::compare::operations;
use super::groups::{Known, Memberships, Turn, names};
use super::reply::{self, member};
use super::request::{ScimRequest, resource_path};
use super::resource::{Resource, creation, is_active, kept, shaped, usable_id};
use super::search::{Found, Search};
use super::{GroupTerms, Newcomer, ScimTerms};
use crate::domain::Account;
use crate::domain::Reply;
use crate::wire::answer::{ArrivalAnswer, retry_after};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::mem;
use std::time::Duration;

/// One subject's arrival at a SCIM directory.
#[derive(Debug, Clone)]
pub struct Conversation {
    base: String,
    external_id: String,
    /// What a new account gets.
    attributes: Map<String, Value>,
    /// What an account that exists is kept in step with.
    kept: Map<String, Value>,
    groups: Option<Groups>,
    capabilities: Option<Capabilities>,
    /// Those that this conversation found out.
    learned: Option<Capabilities>,
    stage: Stage,
    requests: usize,
    /// Somebody else made the account first, or it cannot be made.
    conflicted: bool,
    /// The account changed while it was brought up to date, so it was read once more.
    reread: bool,
    /// PATCH was answered as if there were none.
    misses_patch: bool,
    /// The account, once it is known to be there and active.
    account: Option<String>,
    snags: Vec<Snag>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Make this request and say what came of it.
    Ask(ScimRequest),
    /// That is the directory's answer; nothing is asked any more.
    Done(ArrivalAnswer),
}

/// What went wrong on the way and does not show in the answer. Somebody should know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snag {
    /// More than one account has the subject's external id. Nobody guesses which: the answer is `Invalid`.
    Ambiguous,
    /// The subject's account says no id that can be used, or it cannot be told whether it is active: the answer is
    /// `Invalid`.
    Malformed,
    /// The directory ignores filters and has too many accounts to read them all: the answer is `Unavailable`.
    Unfiltered,
    /// The directory refuses the attributes of an account that exists: it stays as it was, and is `Active`.
    Refused,
    /// The account, or its memberships, could not be brought up to date just now: it is `Active`, for a short time.
    Late,
    /// Not all memberships could be brought into step; the account is `Active`.
    Memberships,
}

/// The groups a subject is to be in.
#[derive(Debug, Clone)]
struct Groups {
    terms: GroupTerms,
    wanted: Vec<String>,
    /// Only a new account is put into them.
    initial: bool,
}

#[derive(Debug, Clone)]
enum Stage {
    Capabilities,
    Search(Search),
    Creation,
    Update { account: Resource, patch: bool },
    Memberships(Memberships),
    Over,
}

/// The most requests of a conversation: enough to read every page three times, or to keep as many memberships as one account
/// may have changed.
const MOST_REQUESTS: usize = 100;
/// How long an account that could not be brought up to date is relied on, at the least.
const LATE: Duration = Duration::from_secs(60);

/// The one place where an account's id becomes what the directory said of the account.
fn active(id: String, valid_for: Option<Duration>) -> Move {
    let account = Account { id: Some(id.into()), headers: Box::new([]) };
    Move::Done(ArrivalAnswer::Active { account: Some(account), existed: false, valid_for })
}

fn unavailable(reply: &Reply) -> Move {
    Move::Done(ArrivalAnswer::Unavailable(retry_after(reply)))
}

impl Conversation {
    /// Begins, with the first request. What the directory can do is asked unless it is known.
    pub fn begin(terms: &ScimTerms, newcomer: &Newcomer, known: Option<Capabilities>) -> (Self, ScimRequest) {
        let mapped = &newcomer.attributes;
        let attributes = shaped(mapped);
        let mut conversation = Self {
            base: terms.base.clone(),
            external_id: newcomer.external_id.clone(),
            kept: kept(&attributes, &newcomer.initial),
            attributes,
            groups: None,
            capabilities: known,
            learned: None,
            stage: Stage::Capabilities,
            requests: 1,
            conflicted: false,
            reread: false,
            misses_patch: false,
            account: None,
            snags: Vec::new(),
        };
        // Without the attribute nobody said anything about groups, and nothing is changed.
        if let (Some(terms), Some(mapped)) = (&terms.groups, member(mapped, "groups")) {
            let initial = newcomer.initial.iter().any(|name| name.eq_ignore_ascii_case("groups"));
            match names(mapped) {
                Some(wanted) => conversation.groups = Some(Groups { terms: terms.clone(), wanted, initial }),
                None => conversation.snag(Snag::Memberships),
            }
        }
        let first = match known {
            None => ScimRequest::get(format!("{}/ServiceProviderConfig", terms.base)),
            Some(_) => conversation.search(),
        };
        (conversation, first)
    }

    /// Takes what came of the last request.
    pub fn hear(&mut self, reply: &Reply) -> Move {
        let next = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Capabilities => match Capabilities::read(reply) {
                Some(capabilities) => {
                    self.capabilities = Some(capabilities);
                    self.learned = Some(capabilities);
                    Move::Ask(self.search())
                }
                None => unavailable(reply),
            },
            Stage::Search(search) => self.hear_search(search.hear(reply)),
            Stage::Creation => self.hear_creation(reply),
            Stage::Update { account, patch } => self.hear_update(reply, account, patch),
            Stage::Memberships(mut memberships) => {
                let turn = memberships.hear(reply);
                self.follow(memberships, turn)
            }
            Stage::Over => unavailable(reply),
        };
        self.requests = self.requests.saturating_add(1);
        match next {
            Move::Ask(_) if self.requests > MOST_REQUESTS => {
                self.stage = Stage::Over;
                self.late(None)
            }
            next => next,
        }
    }

    /// What this conversation found out about the directory's capabilities: good for others to come.
    pub fn learned(&self) -> Option<Capabilities> {
        self.learned
    }

    /// What went wrong on the way, each once.
    pub fn snags(&self) -> &[Snag] {
        &self.snags
    }

    fn snag(&mut self, snag: Snag) {
        if !self.snags.contains(&snag) {
            self.snags.push(snag);
        }
    }

    fn can(&self) -> Capabilities {
        self.capabilities.unwrap_or_default()
    }

    fn search(&mut self) -> ScimRequest {
        let (search, first) = Search::begin(&self.base, &self.external_id, self.can());
        self.stage = Stage::Search(search);
        first
    }

    fn hear_search(&mut self, found: Found) -> Move {
        match found {
            Found::More(search, next) => {
                self.stage = Stage::Search(search);
                Move::Ask(next)
            }
            Found::One(account) if !account.active => Move::Done(ArrivalAnswer::Departed),
            Found::One(account) => self.update(account),
            // Somebody else's account has what must be unique, a user name as a rule. It is not taken over.
            Found::Nobody if self.conflicted => Move::Done(ArrivalAnswer::Invalid),
            Found::Nobody => {
                self.account = None;
                self.stage = Stage::Creation;
                let user = creation(&self.external_id, &self.attributes);
                Move::Ask(ScimRequest::post(format!("{}/Users", self.base), &user))
            }
            // About one subject, and the same another time: nobody else is to suffer from it.
            Found::Several => self.invalid(Snag::Ambiguous),
            Found::Malformed => self.invalid(Snag::Malformed),
            Found::TooMany => {
                self.snag(Snag::Unfiltered);
                Move::Done(ArrivalAnswer::Unavailable(None))
            }
            Found::Unusable(wait) => Move::Done(ArrivalAnswer::Unavailable(wait)),
        }
    }

    fn hear_creation(&mut self, reply: &Reply) -> Move {
        match reply::status(reply) {
            Some(200 | 201) => {}
            // Another gateway may have been quicker.
            Some(409) if !self.conflicted => {
                self.conflicted = true;
                return Move::Ask(self.search());
            }
            Some(400 | 409 | 422) => return Move::Done(ArrivalAnswer::Invalid),
            _ => return unavailable(reply),
        }
        let made = reply::resource(reply).unwrap_or_default();
        let is_ours = |made: &Map<String, Value>| {
            member(made, "externalId").is_none() || Resource::is_of(made, &self.external_id)
        };
        if !is_ours(&made) {
            return unavailable(reply);
        }
        let said = member(&made, "id");
        match (said.map_or_else(|| located(reply), usable_id), is_active(&made)) {
            // A directory may make accounts that wait for somebody. From then on they look like closed ones.
            (Some(_), Some(false)) => Move::Done(ArrivalAnswer::Departed),
            (Some(id), Some(true)) => self.keep_memberships(id, &Known::None),
            // It is there, and is found the next time.
            (None, _) if said.is_none() => unavailable(reply),
            _ => self.invalid(Snag::Malformed),
        }
    }

    fn update(&mut self, account: Resource) -> Move {
        self.account = Some(account.id.clone());
        let operations = operations(&account.members, &self.kept);
        if operations.is_empty() {
            return self.settle(&account);
        }
        let patch = self.can().patch;
        let path = resource_path(&self.base, "Users", &account.id);
        let request = match patch {
            true => ScimRequest::patch(path, operations),
            false => ScimRequest::put(path, &account.replacement(&self.kept)),
        };
        let version = account.version.clone().filter(|_| self.can().etag);
        self.stage = Stage::Update { account, patch };
        Move::Ask(request.if_match(version))
    }

    fn hear_update(&mut self, reply: &Reply, account: Resource, patch: bool) -> Move {
        match reply::status(reply) {
            Some(200 | 204) => {
                // It was there to be changed all along: it is PATCH that is not.
                if self.misses_patch {
                    self.learned = self.capabilities;
                }
                let now = reply::resource(reply).unwrap_or_default();
                match is_active(&now) {
                    Some(false) => Move::Done(ArrivalAnswer::Departed),
                    _ => self.settle(&account),
                }
            }
            // It changed, or is gone. Some who have no PATCH say that it is not found.
            Some(404 | 412) if !self.reread => {
                self.reread = true;
                Move::Ask(self.search())
            }
            Some(404 | 405 | 501) if patch => {
                self.misses_patch = true;
                self.capabilities = Some(Capabilities { patch: false, ..self.can() });
                self.update(account)
            }
            Some(400 | 403 | 405 | 409 | 413 | 422 | 501) => {
                self.snag(Snag::Refused);
                self.settle(&account)
            }
            _ => self.late(retry_after(reply)),
        }
    }

    /// The account is as it should be, as far as the directory lets it.
    fn settle(&mut self, account: &Resource) -> Move {
        if self.groups.as_ref().is_some_and(|groups| groups.initial) {
            self.groups = None;
        }
        self.keep_memberships(account.id.clone(), &Known::read(&account.members))
    }

    fn keep_memberships(&mut self, id: String, known: &Known) -> Move {
        self.account = Some(id.clone());
        let Some(Groups { terms, wanted, .. }) = self.groups.take() else {
            return active(id, None);
        };
        let mut memberships = Memberships::begin(&self.base, &id, &terms, &wanted, known);
        match memberships.next() {
            // A group is not read and written as a whole: it may have any number of members.
            Turn::Ask(_) if !self.can().patch => {
                self.snag(Snag::Memberships);
                active(id, None)
            }
            turn => self.follow(memberships, turn),
        }
    }

    fn follow(&mut self, memberships: Memberships, turn: Turn) -> Move {
        if memberships.flawed {
            self.snag(Snag::Memberships);
        }
        match (turn, self.account.clone()) {
            (Turn::Ask(request), _) => {
                self.stage = Stage::Memberships(memberships);
                Move::Ask(request)
            }
            (Turn::Over, Some(id)) => active(id, None),
            (Turn::Over, None) => self.late(None),
            (Turn::Later(wait), _) => self.late(wait),
        }
    }

    fn invalid(&mut self, snag: Snag) -> Move {
        self.snag(snag);
        Move::Done(ArrivalAnswer::Invalid)
    }

    /// The account is there and active, and the rest can wait: nobody is turned away because a directory cannot be written
    /// to. Without an account there is no answer.
    fn late(&mut self, wait: Option<Duration>) -> Move {
        match self.account.clone() {
            Some(id) => {
                self.snag(Snag::Late);
                active(id, Some(wait.unwrap_or_default().max(LATE)))
            }
            None => Move::Done(ArrivalAnswer::Unavailable(wait)),
        }
    }
}

/// The id at the end of `Location` (RFC 7644 §3.1).
fn located(reply: &Reply) -> Option<String> {
    let (_, last) = reply.header("location")?.rsplit_once('/')?;
    let id = percent_decode_str(last).decode_utf8().ok()?;
    usable_id(&Value::from(id))
}
