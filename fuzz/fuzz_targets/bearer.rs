//! Where tokens are found and how they are taken out: once they are, none is found, and all else is as it was.
//!
//! Input: a byte that chooses the places, then headers.
#![no_main]

use firstsight::domain::{Edit, Headers, Reason};
use firstsight::token::{Credentials, Jws, KnownHeaders, Source};
use firstsight_fuzz::headers;
use libfuzzer_sys::fuzz_target;

type Pairs = Vec<(String, Vec<u8>)>;

const LIMIT: usize = 64;

fn places(choice: u8) -> Credentials {
    let header = |name: &str, scheme: Option<&str>| Source::Header {
        name: name.into(),
        scheme: scheme.map(Into::into),
    };
    let all = [
        header("authorization", Some("Bearer")),
        header("authorization", Some("JWT")),
        header("x-token", None),
        Source::Cookie("session".into()),
        Source::Cookie("token".into()),
        Source::Query("access_token".into()),
        Source::Query("token".into()),
    ];
    let chosen =
        all.into_iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1).map(|(_, place)| place);
    Credentials { from: chosen.collect(), forward: choice >> 7 == 1 }
}

fn apply(edits: Vec<Edit>, mut headers: Pairs) -> Pairs {
    for edit in edits {
        let (name, value) = match edit {
            Edit::Remove(name) => (name, None),
            Edit::Set(name, value) => (name, Some(value)),
        };
        headers.retain(|(other, _)| *other != name);
        headers.extend(value.map(|value| (name, value)));
    }
    headers
}

/// The non-empty items of a list, but for those that give one of `names` a value.
fn without(list: &[u8], separator: u8, names: &[&str]) -> Vec<Vec<u8>> {
    let gives = |item: &[u8], name: &str| {
        item.len() > name.len() + 1 && item.starts_with(name.as_bytes()) && item[name.len()] == b'='
    };
    let items = list.split(|byte| *byte == separator).map(<[u8]>::trim_ascii);
    let kept = items.filter(|item| !item.is_empty() && !names.iter().any(|name| gives(item, name)));
    kept.map(<[u8]>::to_vec).collect()
}

/// What must not change: headers that are no place for tokens, cookies and parameters that are none, the path.
fn rest(headers: &Pairs, credentials: &Credentials) -> Vec<(String, Vec<Vec<u8>>)> {
    let name_of =
        |wanted: fn(&Source) -> Option<&str>| credentials.from.iter().filter_map(wanted).collect::<Vec<_>>();
    let in_headers = name_of(|place| match place {
        Source::Header { name, .. } => Some(name),
        _ => None,
    });
    let in_cookies = name_of(|place| if let Source::Cookie(name) = place { Some(name) } else { None });
    let in_query = name_of(|place| if let Source::Query(name) = place { Some(name) } else { None });
    let mut rest = vec![];
    let mut cookies = vec![];
    for (name, value) in headers {
        match name.as_str() {
            "cookie" => {
                cookies.extend(without(value, b';', if credentials.forward { &[] } else { &in_cookies }))
            }
            ":path" => {
                let (path, query) = match value.iter().position(|byte| *byte == b'?') {
                    Some(at) => value.split_at(at),
                    None => (&value[..], &b"?"[..]),
                };
                rest.push((name.clone(), vec![path.to_vec()]));
                rest.push((name.clone(), without(&query[1.min(query.len())..], b'&', &in_query)));
            }
            other if in_headers.contains(&other) && !credentials.forward => {}
            _ => rest.push((name.clone(), vec![value.clone()])),
        }
    }
    rest.push(("cookie".into(), cookies));
    rest.sort();
    rest
}

fn find(headers: &[(String, Vec<u8>)], credentials: &Credentials) -> Result<Vec<u8>, Reason> {
    let request: Headers = headers.iter().cloned().collect();
    credentials.find(&request).map(<[u8]>::to_vec)
}

fuzz_target!(|data: &[u8]| {
    // Whatever a proxy hands over as a block of headers can be looked into.
    if let Some(headers) = Headers::read(data.to_vec()) {
        assert!(headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= data.len());
    }
    let Some((choice, text)) = data.split_first() else { return };
    let credentials = places(*choice);
    let mut headers = headers(text);
    // A proxy lets no request through that has two targets.
    let mut targets = 0;
    headers.retain(|(name, _)| name != ":path" || std::mem::replace(&mut targets, 1) == 0);
    let found = find(&headers, &credentials);
    if let Ok(token) = &found {
        let read = Jws::read(token, LIMIT, &KnownHeaders::default());
        let is_sound = token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte));
        match read.err() {
            Some(Reason::TokenOversized) => assert!(token.len() > LIMIT),
            Some(Reason::CredentialsInvalid) => assert!(token.is_empty() || !is_sound),
            _ => assert!(is_sound && (1..=LIMIT).contains(&token.len())),
        }
        let carries = |value: &[u8]| value.windows(token.len()).any(|part| part == token.as_slice());
        assert!(token.is_empty() || headers.iter().any(|(_, value)| carries(value)));
    }
    let edits = credentials.strip(&headers.iter().cloned().collect());
    assert!(found != Err(Reason::TokenMissing) || edits.is_empty(), "there is nothing to strip");
    let stripped = apply(edits, headers.clone());
    let gone = Credentials {
        from: credentials
            .from
            .iter()
            .filter(|place| !credentials.forward || matches!(place, Source::Query(_)))
            .cloned()
            .collect(),
        forward: false,
    };
    let left = find(&stripped, &gone);
    assert_eq!(left, Err(Reason::TokenMissing), "a token is left");
    assert_eq!(rest(&stripped, &credentials), rest(&headers, &credentials));
});
