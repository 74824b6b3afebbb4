//! How a request ends.

use super::{Account, HeaderSource, Identity};
use http::HeaderName;
use std::sync::Arc;
use std::time::Duration;

/// The gate's last word on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on to the application as somebody.
    Forward(Forwarded),
    /// It goes on to the application without an identity: no managed header is there.
    Pass(Passage),
    /// It is answered here.
    Refuse(Refusal),
}

impl Verdict {
    /// The counter of requests that end this way.
    pub const fn metric(&self) -> &'static str {
        match self {
            Self::Forward(_) => "firstsight.requests.forwarded",
            Self::Pass(passage) => passage.metric(),
            Self::Refuse(refusal) => refusal.reason.metric(),
        }
    }
}

/// Who a request goes on as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// Whom its token stands for.
    pub identity: Arc<Identity>,
    /// Their account, if the directory said which.
    pub account: Option<Arc<Account>>,
}

impl Forwarded {
    /// The headers that are set; all other managed headers are gone.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.identity.headers.iter().filter_map(|(name, source)| Some((name, self.value(source)?)))
    }

    /// What the proxy's other filters and its log are told.
    pub fn filter_state(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.identity.filter_state.iter().filter_map(|(key, source)| Some((&**key, self.value(source)?)))
    }

    fn value<'a>(&'a self, source: &'a HeaderSource) -> Option<&'a [u8]> {
        match source {
            HeaderSource::Claim(value) => Some(value.as_bytes()),
            HeaderSource::Account(member) => Some(self.account.as_ref()?.member(*member)?.as_bytes()),
        }
    }
}

/// The key under which the proxy's log finds the reason of a refusal (the proxy puts `wasm.` before it).
pub const REASON_KEY: &str = "firstsight.reason";

/// Why a request goes on without an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Its route is public.
    Public,
    /// Its route does not need a token, and it has none that holds.
    Anonymous,
    /// It is a browser's question before a request from another origin.
    Preflight,
    /// It would be refused for this reason, but the gateway only reports.
    Reported(Reason),
}

impl Passage {
    const fn metric(self) -> &'static str {
        match self {
            Self::Public => "firstsight.requests.public",
            Self::Anonymous => "firstsight.requests.anonymous",
            Self::Preflight => "firstsight.requests.preflight",
            Self::Reported(reason) => reason.reported_metric(),
        }
    }
}

/// Why and how a request is refused. Holds nothing from the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The one word for it.
    pub reason: Reason,
    /// What the directory wants the person to read, if it said anything.
    pub message: Option<String>,
    /// When trying again may help.
    pub retry_after: Option<Duration>,
    /// The scopes that would do, separated by blanks (RFC 6750 §3), where scopes are what is missing.
    pub scope: Option<Arc<str>>,
}

impl Refusal {
    /// A refusal with nothing to add.
    pub fn of(reason: Reason) -> Self {
        Self { reason, message: None, retry_after: None, scope: None }
    }

    /// A refusal that may pass: try again after `wait`.
    pub fn for_now(reason: Reason, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::of(reason) }
    }

    /// A refusal for want of one of the scopes in `scope`, which are separated by blanks.
    pub fn for_want_of(scope: Arc<str>) -> Self {
        Self { scope: Some(scope), ..Self::of(Reason::ScopeInsufficient) }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident $slug:literal $status:literal $error:expr;)+) => {
        /// Why a request is refused: one word for logs, metrics and problem types.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word: in metric names, log lines and `urn:firstsight:problem:<slug>`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// The counter of requests refused for this reason.
            pub const fn metric(self) -> &'static str {
                match self { $(Self::$name => concat!("firstsight.requests.", $slug),)+ }
            }

            /// The counter of requests that would be refused for this reason, if the gateway did not only report.
            pub const fn reported_metric(self) -> &'static str {
                match self { $(Self::$name => concat!("firstsight.reported.", $slug),)+ }
            }

            /// The HTTP status of the refusal.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The error code of the RFC 6750 §3.1 challenge; `None` where there is none, or no challenge.
            pub const fn challenge_error(self) -> Option<&'static str> {
                match self { $(Self::$name => $error,)+ }
            }

            /// Whether the answer carries a challenge: another token, or one at all, may help (RFC 6750 §3).
            pub const fn is_challenged(self) -> bool {
                self.status() == 401 || self.challenge_error().is_some()
            }

            /// One sentence for the client; it says nothing about the token's content.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

reasons! {
    /// No bearer token came with the request.
    TokenMissing "token-missing" 401 None;
    /// The request carries credentials more than once or in a form that is not one bearer token.
    CredentialsInvalid "credentials-invalid" 400 Some("invalid_request");
    /// The request's headers cannot be read here.
    RequestUnreadable "request-unreadable" 400 None;
    /// The bearer token is longer than this gateway reads.
    TokenOversized "token-oversized" 400 Some("invalid_request");
    /// The request's host or path can be read in two ways, and this gateway's rules may differ for them.
    TargetAmbiguous "target-ambiguous" 400 None;
    /// The bearer token is not a well-formed signed JWT.
    TokenMalformed "token-malformed" 401 Some("invalid_token");
    /// The token's type or algorithm is not accepted here.
    TokenUnsupported "token-unsupported" 401 Some("invalid_token");
    /// The token's issuer is not trusted here.
    IssuerUnknown "issuer-unknown" 401 Some("invalid_token");
    /// The token was signed with a key that its issuer does not publish.
    KeyUnknown "key-unknown" 401 Some("invalid_token");
    /// The token's signature does not verify.
    SignatureInvalid "signature-invalid" 401 Some("invalid_token");
    /// The token has expired.
    TokenExpired "token-expired" 401 Some("invalid_token");
    /// The token is not valid yet.
    TokenPremature "token-premature" 401 Some("invalid_token");
    /// The token is older, or lives longer, than this gateway accepts.
    TokenOutdated "token-outdated" 401 Some("invalid_token");
    /// The token is meant for another audience.
    AudienceMismatch "audience-mismatch" 401 Some("invalid_token");
    /// The token lacks a usable subject.
    SubjectInvalid "subject-invalid" 401 Some("invalid_token");
    /// The token lacks a claim that this gateway requires.
    ClaimMissing "claim-missing" 403 None;
    /// The token has a claim in a form that this gateway cannot use.
    ClaimMalformed "claim-malformed" 403 None;
    /// The token lacks a scope that this request requires.
    ScopeInsufficient "scope-insufficient" 403 Some("insufficient_scope");
    /// The token lacks a claim value that this request requires.
    ClaimMismatch "claim-mismatch" 403 None;
    /// This subject may not use this gateway.
    SubjectForbidden "subject-forbidden" 403 None;
    /// Tokens of this kind, as a service's or an agent's, are not accepted here.
    KindRefused "kind-refused" 403 None;
    /// This tenant may not use this gateway.
    TenantForbidden "tenant-forbidden" 403 None;
    /// The account waits for approval.
    AccountPending "account-pending" 403 None;
    /// No account may be made for this subject.
    AccountDenied "account-denied" 403 None;
    /// The account was closed.
    AccountDeparted "account-departed" 403 None;
    /// The directory did not accept the account's attributes.
    AccountInvalid "account-invalid" 403 None;
    /// The issuer's keys cannot be had right now.
    KeysUnavailable "keys-unavailable" 503 None;
    /// The directory cannot be reached right now.
    DirectoryUnavailable "directory-unavailable" 503 None;
    /// It is not known right now whether this account was closed.
    DeparturesUnknown "departures-unknown" 503 None;
    /// Too many requests wait here already.
    Overloaded "overloaded" 503 None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_slug_and_a_sentence() {
        let slugs: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.slug()).collect();
        assert_eq!(slugs.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(reason.title().ends_with('.') && !reason.title().starts_with(' '), "{reason:?}");
        }
    }

    #[test]
    fn a_challenge_error_goes_with_the_status_rfc_6750_gives_it() {
        for reason in Reason::ALL {
            match reason.challenge_error() {
                Some("invalid_request") => assert_eq!(reason.status(), 400),
                Some("invalid_token") => assert_eq!(reason.status(), 401),
                Some("insufficient_scope") => assert_eq!(reason.status(), 403),
                other => assert_eq!(other, None, "{reason:?}"),
            }
        }
    }
}
