//! How long an answer stays fresh by its own word: `Cache-Control` and `Age` (RFC 9111 §5.1, §5.2.2). The filter is a
//! private cache, so `s-maxage` is not for it (§5.2.2.10); `Expires` is not read.

use crate::domain::Reply;
use std::time::Duration;

/// How much longer an answer that has just arrived is fresh: its `max-age` less its `Age` (§4.2); nothing if it is not to
/// be kept (`no-store`, `no-cache`). `None` if it does not say. What cannot be read counts as not said; of a directive
/// that is there twice the first counts (§4.2.1).
pub fn fresh_for(reply: &Reply) -> Option<Duration> {
    let lines: Vec<_> = all(reply, "cache-control").collect();
    let directives: Vec<_> = lines.iter().flat_map(|line| split(line)).filter_map(directive).collect();
    let says = |wanted: &str| directives.iter().any(|(name, value)| name == wanted && value.is_none());
    if says("no-store") || says("no-cache") {
        return Some(Duration::ZERO);
    }
    let max_age = directives.iter().find_map(|(name, value)| match value {
        Some(value) if name == "max-age" => seconds(value),
        _ => None,
    })?;
    let age = all(reply, "age").next().and_then(|text| seconds(text.trim())).unwrap_or_default();
    Some(max_age.saturating_sub(age))
}

/// Every value of a header that is text, in order.
fn all<'a>(reply: &'a Reply, name: &'static str) -> impl Iterator<Item = &'a str> {
    let headers = match reply {
        Reply::Answer { headers, .. } => headers.as_slice(),
        Reply::Failed(_) => &[],
    };
    headers
        .iter()
        .filter(move |(key, _)| key == name)
        .filter_map(|(_, value)| std::str::from_utf8(value).ok())
}

/// The items of a list; a comma within quotes separates nothing (RFC 9110 §5.6.1, §5.6.4).
fn split(line: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |c: char| {
        quoted ^= c == '"' && !escaped;
        escaped = quoted && !escaped && c == '\\';
        !quoted && c == ','
    };
    line.split(separates).collect()
}

/// A directive's name in lower case, and its argument: a token or a quoted string (§5.2).
fn directive(item: &str) -> Option<(String, Option<&str>)> {
    let (name, value) = match item.trim().split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (item.trim(), None),
    };
    let sound = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '"');
    let unquoted =
        |value| str::strip_prefix(value, '"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    sound.then(|| (name.to_ascii_lowercase(), value.map(unquoted)))
}

/// Delta-seconds: digits and nothing else; what is beyond 2³¹ is 2³¹ (§1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse::<u64>().unwrap_or(u64::MAX).min(1 << 31)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(headers: &[(&str, &str)]) -> Option<u64> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        let headers = headers.iter().map(owned).collect();
        fresh_for(&Reply::Answer { status: 200, headers, body: vec![] }).map(|span| span.as_secs())
    }

    fn control(line: &str) -> Option<u64> {
        fresh(&[("cache-control", line)])
    }

    #[test]
    fn max_age_is_read_in_every_spelling() {
        for line in
            ["max-age=600", "MAX-Age=600", "public, max-age=600", "max-age=\"600\"", " ,, max-age=600 ,x"]
        {
            assert_eq!(control(line), Some(600), "{line}");
        }
        assert_eq!(fresh(&[("cache-control", "public"), ("cache-control", "max-age=7")]), Some(7));
        assert_eq!(control("max-age=1, max-age=2"), Some(1));
        assert_eq!(control("max-age=99999999999999999999999"), Some(1 << 31));
    }

    #[test]
    fn the_age_that_an_answer_arrives_with_is_taken_off() {
        let with_age = |age| fresh(&[("cache-control", "max-age=600"), ("age", age)]);
        assert_eq!(with_age("100"), Some(500));
        assert_eq!(with_age("9999"), Some(0));
        assert_eq!((with_age("-1"), with_age("soon"), with_age("")), (Some(600), Some(600), Some(600)));
    }

    #[test]
    fn what_is_not_to_be_kept_is_fresh_for_no_time() {
        for line in ["no-store", "No-Cache", "max-age=600, no-store", "no-cache, max-age=600"] {
            assert_eq!(control(line), Some(0), "{line}");
        }
        assert_eq!(
            control("no-cache=\"set-cookie, age\", max-age=5"),
            Some(5),
            "it is about these fields alone"
        );
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for line in [
            "",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age= 5",
            "max-age =5",
            "max-age=5s",
            "s-maxage=600",
            "xmax-age=5",
            "x=\"max-age=5",
            "x=\"a, max-age=5\"",
            "x=\"\\\", max-age=5\"",
            "private",
        ] {
            assert_eq!(control(line), None, "{line}");
        }
        assert_eq!(fresh(&[]), None);
        assert_eq!(fresh_for(&Reply::Failed(crate::domain::Failure::Broken)), None);
    }
}
