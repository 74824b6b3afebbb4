//! The shell: drives a Gate over any Host. Decides first, lets go of its state, then performs.

mod host;

pub use host::{CallToken, Host, Level};

/// What the proxy is told when it removes the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Nothing is left to do.
    Done,
    /// Sightings are on their way; [`Host::removed`] follows.
    Flushing,
}
