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
    if readings(path).is_none_or(|others| !others.is_empty()) {
        return Err("the path is not in its plainest form");
    }
    Ok(path)
}

/// All readings of a path together have at most so many bytes: several of the longest honest path. Each is read in turn,
/// and costs a walk through the rules.
const MOST_BYTES: usize = 32 * 1024;

/// How applications may read a path, beside as it stands; `None` where that cannot be told: it climbs (`..`) in some
/// reading, so that where it ends depends on the reader, or it can be read in too many ways.
///
/// Readers decode escapes (some again what was encoded twice), take `\` for `/`, drop parameters of segments, merge slashes
/// and single dots, or end at what ends a path elsewhere: any of it, in any order.
pub(super) fn readings(path: &str) -> Option<Vec<String>> {
    // CONNECT has no path, and OPTIONS may ask about the whole server.
    let is_rooted = path.starts_with('/') || matches!(path, "" | "*");
    let plain = is_rooted && !path.contains(['%', '\\', ';']) && !path.contains("//") && !path.contains("/.");
    if plain {
        return Some(Vec::new());
    }
    let mut known = vec![path.as_bytes().to_vec()];
    let (mut next, mut bytes) = (0, 0);
    while let Some(text) = known.get(next) {
        bytes += text.len();
        if bytes > MOST_BYTES || segments(text).any(|name| name == b"..") {
            return None;
        }
        for read in [decode(text), slash(text), strip(text), merge(text), cut(text)] {
            if !known.contains(&read) {
                known.push(read);
            }
        }
        next += 1;
    }
    Some(known.iter().skip(1).map(|text| String::from_utf8_lossy(text).into_owned()).collect())
}

/// The path with `\` taken for `/`.
fn slash(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// The path without the parameters of its segments.
fn strip(path: &[u8]) -> Vec<u8> {
    let names = segments(path).map(|name| name.split(|byte| *byte == b';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(&b'/')
}

/// The path without empty segments and dots; one that ended in them ends in a slash.
fn merge(path: &[u8]) -> Vec<u8> {
    let is_nothing = |name: &&[u8]| matches!(*name, b"" | b".");
    let names: Vec<_> = segments(path).filter(|name| !is_nothing(name)).collect();
    let is_open = !names.is_empty() && segments(path).next_back().is_some_and(|last| is_nothing(&last));
    let end: &[u8] = if is_open { b"/" } else { b"" };
    [b"/", names.join(&b'/').as_slice(), end].concat()
}

/// The path up to what ends one where it is no longer encoded: a query, a fragment, the end of a C string.
fn cut(path: &[u8]) -> Vec<u8> {
    path.split(|byte| b"?#\0".contains(byte)).next().unwrap_or_default().to_vec()
}

fn segments(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
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
    fn a_path_with_too_many_readings_is_not_read_on() {
        let encoded = |times| format!("/%{}61", "25".repeat(times));
        assert_eq!(readings(&encoded(20)).map(|list| list.len()), Some(21));
        assert!(readings(&encoded(300)).is_none());
        assert!(readings(&format!("/%61{}", "a".repeat(MOST_BYTES))).is_none());
    }

    #[test]
    fn a_path_is_read_in_every_way_that_applications_may_read_it() {
        let read = |path: &str| match readings(path) {
            Some(list) => list.join(" "),
            None => "untold".to_owned(),
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
            ("/%61%2Fb%5cc", "/a/b\\c /a/b/c"),
            ("/a%2561", "/a%61 /aa"),
            ("/%61;%2fb", "/a;/b /%61 /a/b /a"),
            ("/a;b%2ec", "/a;b.c /a"),
            ("/a%00.c", "/a\0.c /a"),
            ("/100%", ""),
            ("", ""),
            ("*", ""),
            ("a/b", "/a/b"),
            ("/%zz", ""),
            ("/a/..", "untold"),
            ("/a/..;x/b", "untold"),
            ("/%25%32%65%252e/x", "untold"),
            ("/a\\..\\b", "untold"),
            ("/a%2f..%2fb", "untold"),
            ("/a%3fb", "/a?b /a"),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
