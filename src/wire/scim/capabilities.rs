//! What a directory can do (`ServiceProviderConfig`, RFC 7643 §5, RFC 7644 §4).

use super::reply;
use crate::domain::Reply;
use serde_json::{Map, Value};

/// What a directory says, or shows, that it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Attributes can be changed one by one; else resources are replaced.
    pub patch: bool,
    /// Resources can be asked for by what they hold; else they are read one after the other.
    pub filter: bool,
    /// Versions keep one writer from undoing what another wrote.
    pub etag: bool,
}

impl Default for Capabilities {
    /// What is assumed of a directory that does not say.
    fn default() -> Self {
        Self { patch: true, filter: true, etag: false }
    }
}

impl Capabilities {
    /// Reads the answer to `GET /ServiceProviderConfig`. One that says nothing of use is no reason to go without the
    /// directory: what is commonly supported is assumed. `None` if the directory may say so later.
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        if reply::is_passing(reply) {
            return None;
        }
        let assumed = Self::default();
        let Some(said) = reply::resource(reply) else { return Some(assumed) };
        let or = |name, assumed| supported(&said, name).unwrap_or(assumed);
        Some(Self {
            patch: or("patch", assumed.patch),
            filter: or("filter", assumed.filter),
            etag: or("etag", assumed.etag),
        })
    }
}

fn supported(said: &Map<String, Value>, name: &str) -> Option<bool> {
    reply::member(reply::member(said, name)?.as_object()?, "supported")?.as_bool()
}
