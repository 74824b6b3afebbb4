//! What a SCIM directory can be asked to do, read from a request's method and place.

use super::BASE;
use crate::support::behaviour::Heard;
use percent_encoding::percent_decode_str;

/// What it is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Config,
    LookUp,
    Create,
    Read,
    Patch,
    Put,
    LookUpGroups,
    PatchGroup,
    /// Nothing that it knows.
    Unknown,
}

impl Operation {
    /// What a request wants, and of whom: the query of a lookup, or an id.
    pub(super) fn of(heard: &Heard) -> (Self, String) {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
        let place = path.strip_prefix(BASE).unwrap_or_default();
        // As a form has it: a plus is a space.
        let query = || query.replace('+', " ");
        let id = |folder| {
            let id: Option<&str> = place.strip_prefix(folder);
            id.filter(|id| !id.is_empty() && !id.contains('/')).map(decoded)
        };
        let known = match (heard.method.as_str(), place) {
            ("GET", "/ServiceProviderConfig") => Some((Self::Config, String::new())),
            ("GET", "/Users") => Some((Self::LookUp, query())),
            ("POST", "/Users") => Some((Self::Create, String::new())),
            ("GET", _) if place.starts_with("/Users/") => id("/Users/").map(|id| (Self::Read, id)),
            ("PATCH", _) if place.starts_with("/Users/") => id("/Users/").map(|id| (Self::Patch, id)),
            ("PUT", _) => id("/Users/").map(|id| (Self::Put, id)),
            ("GET", "/Groups") => Some((Self::LookUpGroups, query())),
            ("PATCH", _) => id("/Groups/").map(|id| (Self::PatchGroup, id)),
            _ => None,
        };
        known.unwrap_or((Self::Unknown, String::new()))
    }
}
