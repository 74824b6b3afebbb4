//! Paths: what an operator matches, and how an application may read one that is not in its plainest form.

use crate::domain::Pattern;

/// Which paths are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathMatch {
    /// This one and everything below it: `/api` is `/api` and `/api/…`, not `/apis`; without the slash it may end in.
    Prefix(String),
    /// This one alone.
    Exact(String),
    /// As a pattern has it.
    Pattern(Pattern),
}

impl PathMatch {
    /// The path and everything below it.
    pub fn prefix(path: &str) -> Result<Self, &'static str> {
        plain(path).map(|path| Self::Prefix(path.trim_end_matches('/').to_owned()))
    }

    /// This path alone.
    pub fn exact(path: &str) -> Result<Self, &'static str> {
        plain(path).map(|path| Self::Exact(path.to_owned()))
    }

    pub(super) fn is_expression(&self) -> bool {
        matches!(self, Self::Pattern(pattern) if pattern.is_expression())
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Exact(exact) => exact == path,
            Self::Pattern(pattern) => pattern.matches(path),
        }
    }
}

/// A path that nobody reads in another way: a request for any other is refused.
fn plain(path: &str) -> Result<&str, &'static str> {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err("a path starts with / and has no query");
    }
    if readings(path) != Readings::Some(Vec::new()) {
        return Err("the path is not in its plainest form");
    }
    Ok(path)
}

/// How an application may read a path, beside as it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readings {
    /// In these ways; in none where the path is in its plainest form.
    Some(Vec<String>),
    /// It climbs (`..`), in some reading or other: where it ends depends on the reader.
    Climbs,
}

/// The readings of applications that decode escapes (what was encoded twice, twice), take `\` for `/`, drop parameters of
/// segments or take what was decoded for a query, merge slashes, and follow dots.
pub(super) fn readings(path: &str) -> Readings {
    let mut readings = Vec::new();
    // CONNECT has no path, and OPTIONS may ask about the whole server.
    let is_rooted = path.starts_with('/') || matches!(path, "" | "*");
    let plain = is_rooted && !path.contains(['%', '\\', ';']) && !path.contains("//") && !path.contains("/.");
    if plain {
        return Readings::Some(readings);
    }
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..=3 {
        let text = String::from_utf8_lossy(&decoded).replace('\\', "/");
        let names = text.split('/').map(|segment| segment.split([';', '?', '#']).next().unwrap_or_default());
        let names: Vec<_> = names.collect();
        if names.contains(&"..") {
            return Readings::Climbs;
        }
        let is_open = matches!(names.last(), Some(&("" | ".")));
        let names: Vec<_> = names.into_iter().filter(|name| !matches!(*name, "" | ".")).collect();
        let read = format!("/{}{}", names.join("/"), if is_open && !names.is_empty() { "/" } else { "" });
        if read != path && !readings.contains(&read) {
            readings.push(read);
        }
        decoded = decode(&decoded);
    }
    Readings::Some(readings)
}

/// Decodes escapes once; what is no escape stays.
fn decode(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let ahead = rest.as_slice();
        match (byte, digit(ahead.first()), digit(ahead.get(1))) {
            (b'%', Some(high), Some(low)) => {
                rest.nth(1);
                decoded.push((high * 16 + low) as u8);
            }
            _ => decoded.push(*byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        let api = PathMatch::prefix("/api/").unwrap();
        for (path, meant) in
            [("/api", true), ("/api/", true), ("/api/x", true), ("/apis", false), ("/", false)]
        {
            assert_eq!(api.matches(path), meant, "{path}");
        }
        assert!(PathMatch::prefix("/").unwrap().matches("/anything"));
        for bad in ["api", "", "/a?b", "/a/../b", "/a//b", "/%61"] {
            assert!(PathMatch::prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_is_read_in_every_way_that_applications_may_read_it() {
        let read = |path: &str| match readings(path) {
            Readings::Some(list) => list.join(" "),
            Readings::Climbs => "climbs".to_owned(),
        };
        for (path, expected) in [
            ("/a/b", ""),
            ("/", ""),
            ("/a/", ""),
            ("/a.b", ""),
            ("/.well-known/x", ""),
            ("/a//b/", "/a/b/"),
            ("/a/./b/.", "/a/b/"),
            ("/a;x/b", "/a/b"),
            ("/%61%2Fb%5cc", "/a/b/c"),
            ("/a%2561", "/a%61 /aa"),
            ("/100%", ""),
            ("", ""),
            ("*", ""),
            ("a/b", "/a/b"),
            ("/%zz", ""),
            ("/a/..", "climbs"),
            ("/a/..;x/b", "climbs"),
            ("/%25%32%65%252e/x", "climbs"),
            ("/a\\..\\b", "climbs"),
            ("/a%2f..%2fb", "climbs"),
            ("/a%3fb/c%23", "/a/c"),
            ("/a/..%3f", "climbs"),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
