//! What a token may be used for, and its name.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One use of the API. A token has one or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// What gateways do: arrivals, sightings, departures.
    Gateway,
    /// Accounts through SCIM.
    Scim,
    /// Handing in security events.
    Signals,
    /// Accounts, their states, the audit, and tokens, of whatever scope.
    Admin,
    /// Reading accounts and the audit.
    Auditor,
}

impl Scope {
    pub(in crate::directory) const ALL: [Self; 5] =
        [Self::Gateway, Self::Scim, Self::Signals, Self::Admin, Self::Auditor];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scim => "scim",
            Self::Signals => "signals",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// Scopes as they are kept: their words, with spaces between them. Words that are none are left out.
    pub(super) fn read(words: &str) -> Vec<Self> {
        Self::ALL.into_iter().filter(|scope| words.split(' ').any(|word| word == scope.word())).collect()
    }

    pub(super) fn write(scopes: &[Self]) -> String {
        let named = Self::ALL.iter().filter(|scope| scopes.contains(scope));
        named.map(|scope| scope.word()).collect::<Vec<_>>().join(" ")
    }
}

/// A token's name, which is the actor in the audit: 1 to 64 letters, digits and `-._~`. One word is not for tokens of the
/// table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

impl Name {
    /// The actor behind the token of the environment.
    pub(super) const ENVIRONMENT: &str = "environment";

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if text == Self::ENVIRONMENT {
            return Err("this name is FIRSTSIGHT_TOKEN's");
        }
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err("a name is 1 to 64 letters, digits and -._~") }
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
