//! Envoy's admin interface.

use crate::client;
use crate::support::message::get;
use std::collections::BTreeMap;
use std::time::Duration;

/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admin(pub(crate) u16);

impl Admin {
    /// The address that Envoy wrote into the file of `--admin-address-path`, once it has.
    pub(crate) fn read(address: &str) -> Option<Self> {
        address.trim().rsplit_once(':')?.1.parse().ok().map(Self)
    }

    pub(crate) fn fetch(self, path: &str) -> String {
        // While the main thread compiles a module, nobody is answered.
        let answer = client::receive(client::send(self.0, &get(path)).patiently(PATIENCE));
        answer.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default()
    }

    /// The port of the one listener, once it listens.
    pub(crate) fn listener(self) -> Option<u16> {
        self.fetch("/listeners").trim().rsplit_once(':')?.1.parse().ok()
    }

    /// Every counter and gauge whose name contains `part`.
    pub(crate) fn stats(self, part: &str) -> BTreeMap<String, u64> {
        let text = self.fetch(&format!("/stats?filter={part}"));
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    /// The sum over the same.
    pub(crate) fn stat(self, part: &str) -> u64 {
        self.stats(part).values().sum()
    }
}
