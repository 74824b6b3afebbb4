//! What the filter would say to a configuration that was found.

use super::found::{Environment, Found};
use firstsight::config::{Surroundings, compile};
use firstsight::token::{Crypto, HostCheck, SignatureHost};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Says what a proxy's filter would say.
pub(super) struct Examiner {
    crypto: Crypto,
}

/// What there is to say, in lines.
pub(super) struct Examined {
    /// Why the filter refuses the configuration.
    pub(super) problems: Vec<String>,
    /// What is dangerous, though it is allowed.
    pub(super) notes: Vec<String>,
}

/// A proxy that verifies signatures in its own code, as Envoy does since 1.30.
struct Proxy;

impl SignatureHost for Proxy {
    fn verifies(check: &HostCheck<'_>) -> bool {
        firstsight_testkit::verify_signature(check.hash, check.key, check.signature, check.message)
    }
}

impl Default for Examiner {
    fn default() -> Self {
        Self { crypto: Crypto::by_host::<Proxy>() }
    }
}

impl Examiner {
    pub(super) fn examine(&self, found: &Found) -> Examined {
        let written = RefCell::new(BTreeSet::new());
        let env = |name: &str| look_up(&found.environment, name, &written);
        let surroundings = Surroundings { env: &env, node: "", crypto: self.crypto };
        let problems = match &found.text {
            Ok(text) => compile(text, &surroundings).err().unwrap_or_default(),
            Err(told) => return Examined { problems: vec![(*told).to_owned()], notes: Vec::new() },
        };
        let shown = |name: &String| {
            format!(
                "the value of {name} is written here for everybody to read (name it alone, and let the proxy's environment have it)"
            )
        };
        let written = written.borrow();
        let notes = found.notes.iter().map(|note| (*note).to_owned()).chain(written.iter().map(shown));
        Examined {
            problems: problems.iter().map(ToString::to_string).collect(),
            notes: notes.map(|note| format!("note: {note}")).collect(),
        }
    }
}

/// A variable's value; a word in its place where only the proxy's machine knows it. Those that are `written` down are noted.
fn look_up(environment: &Environment, name: &str, written: &RefCell<BTreeSet<String>>) -> Option<String> {
    let unknown = || Some("a-token".to_owned());
    match environment {
        Environment::Unknown => unknown(),
        Environment::Declared(variables) => variables.get(name)?.clone().map_or_else(unknown, |value| {
            written.borrow_mut().insert(name.to_owned());
            Some(value)
        }),
    }
}
