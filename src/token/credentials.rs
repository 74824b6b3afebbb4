//! Where in a request a token may be, and how it is taken out again.

use crate::domain::{Edit, Headers, Reason};

/// The places that are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// At least one, no two alike.
    pub from: Vec<Source>,
    /// Whether the application gets the token as well. A token in a query never goes on, as queries end up in logs
    /// (RFC 6750 §5.3).
    pub forward: bool,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A header (lower case), behind a scheme that is compared without case, or as its whole value.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the token: `Bearer`.
        scheme: Option<String>,
    },
    /// A cookie of this name.
    Cookie(String),
    /// A parameter of the query.
    Query(String),
}

impl Default for Credentials {
    /// `Authorization: Bearer …` (RFC 6750 §2.1), passed on.
    fn default() -> Self {
        let source = Source::Header { name: "authorization".to_owned(), scheme: Some("Bearer".to_owned()) };
        Self { from: vec![source], forward: true }
    }
}

impl Credentials {
    /// The one token of the request, unread.
    ///
    /// # Errors
    /// `TokenMissing` without any; `CredentialsInvalid` if there is more than one, in whatever places (RFC 6750 §2).
    pub fn find<'a>(&self, request: &'a Headers) -> Result<&'a [u8], Reason> {
        let mut found = Err(Reason::TokenMissing);
        for source in &self.from {
            source.visit(request, &mut |token| {
                found = match found {
                    Err(Reason::TokenMissing) => Ok(token),
                    _ => Err(Reason::CredentialsInvalid),
                };
            });
        }
        found
    }

    /// What has to be done for the application not to see the token, or any of several.
    pub fn strip(&self, request: &Headers) -> Vec<Edit> {
        let goes = |source: &&Source| !self.forward || matches!(source, Source::Query(_));
        let (mut edits, mut cookies, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
        for source in self.from.iter().filter(goes).filter(|source| source.is_in(request)) {
            match source {
                Source::Header { name, .. } => edits.push(Edit::Remove(name.clone())),
                Source::Cookie(name) => cookies.push(name.as_str()),
                Source::Query(name) => parameters.push(name.as_str()),
            }
        }
        // All cookies are in one header and all parameters in another: each is written once, without any of the tokens.
        edits.extend((!cookies.is_empty()).then(|| without_cookies(&cookies, request)));
        edits.extend((!parameters.is_empty()).then(|| without_parameters(&parameters, request)).flatten());
        edits
    }
}

impl Source {
    /// Shows every token that is in this place.
    fn visit<'a>(&self, request: &'a Headers, found: &mut impl FnMut(&'a [u8])) {
        match self {
            Self::Header { name, scheme } => {
                request.all(name).filter_map(|value| after_scheme(value, scheme.as_deref())).for_each(found);
            }
            Self::Cookie(name) => {
                request.all("cookie").flat_map(pairs(b';')).filter_map(value_of(name)).for_each(found);
            }
            Self::Query(name) => {
                let query = request.all(":path").filter_map(query_of).next();
                query.into_iter().flat_map(pairs(b'&')).filter_map(value_of(name)).for_each(found);
            }
        }
    }

    fn is_in(&self, request: &Headers) -> bool {
        let mut is_in = false;
        self.visit(request, &mut |_| is_in = true);
        is_in
    }
}

fn without_cookies(names: &[&str], request: &Headers) -> Edit {
    let kept: Vec<_> = request.all("cookie").flat_map(pairs(b';')).filter(is_none_of(names)).collect();
    match kept.is_empty() {
        true => Edit::Remove("cookie".to_owned()),
        false => Edit::Set("cookie".to_owned(), kept.join(&b"; "[..])),
    }
}

fn without_parameters(names: &[&str], request: &Headers) -> Option<Edit> {
    let target = request.all(":path").next()?;
    let at = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = (target.get(..at)?, target.get(at + 1..)?);
    let kept: Vec<_> = pairs(b'&')(query).filter(is_none_of(names)).collect();
    let mut target = path.to_vec();
    if !kept.is_empty() {
        target.push(b'?');
        target.extend(kept.join(&b'&'));
    }
    Some(Edit::Set(":path".to_owned(), target))
}

/// Whether a pair is that of none of these names, or without a value.
fn is_none_of<'a>(names: &'a [&str]) -> impl Fn(&&[u8]) -> bool + 'a {
    |pair| names.iter().all(|name| value_of(name)(pair).is_none())
}

/// The token of a header's value; `None` if the header carries something else. (`Bearer` without a token is a token, an
/// empty one: the client meant to send one.)
fn after_scheme<'a>(value: &'a [u8], scheme: Option<&str>) -> Option<&'a [u8]> {
    let Some(scheme) = scheme else {
        let token = value.trim_ascii();
        return (!token.is_empty()).then_some(token);
    };
    let (found, token) = match value.iter().position(|byte| *byte == b' ') {
        Some(at) => value.split_at(at),
        None => (value, [].as_slice()),
    };
    found.eq_ignore_ascii_case(scheme.as_bytes()).then(|| token.trim_ascii())
}

fn query_of(target: &[u8]) -> Option<&[u8]> {
    let at = target.iter().position(|byte| *byte == b'?')?;
    target.get(at + 1..)
}

/// The trimmed items of a list.
fn pairs<'a>(separator: u8) -> impl Fn(&'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
    move |list| {
        let items = list.split(move |byte| *byte == separator).map(<[u8]>::trim_ascii);
        Box::new(items.filter(|item| !item.is_empty()))
    }
}

/// The value of `name=value`, if it has one.
fn value_of<'a>(name: &str) -> impl Fn(&'a [u8]) -> Option<&'a [u8]> {
    move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=").filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(forward: bool) -> Credentials {
        let header = |name: &str, scheme: Option<&str>| Source::Header {
            name: name.to_owned(),
            scheme: scheme.map(str::to_owned),
        };
        let from = vec![
            header("authorization", Some("Bearer")),
            header("x-token", None),
            Source::Cookie("session".into()),
            Source::Query("access_token".into()),
        ];
        Credentials { from, forward }
    }

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().copied().collect()
    }

    fn found(pairs: &[(&str, &str)]) -> Vec<String> {
        let request = headers(pairs);
        let mut found = vec![];
        for source in &credentials(true).from {
            source.visit(&request, &mut |token| found.push(String::from_utf8_lossy(token).into_owned()));
        }
        let expected = match found.as_slice() {
            [] => Err(Reason::TokenMissing),
            [one] => Ok(one.as_bytes()),
            [..] => Err(Reason::CredentialsInvalid),
        };
        assert_eq!(credentials(true).find(&request), expected);
        found
    }

    fn stripped(pairs: &[(&str, &str)], forward: bool) -> Vec<Edit> {
        credentials(forward).strip(&headers(pairs))
    }

    #[test]
    fn a_token_is_found_in_every_place_and_nowhere_else() {
        for (name, value, token) in [
            ("authorization", "bearer  a.b.c ", Some("a.b.c")),
            ("authorization", "Bearer", Some("")),
            ("authorization", "Basic abc", None),
            ("authorization", "Bearerx a", None),
            ("x-token", " a.b.c", Some("a.b.c")),
            ("x-token", " ", None),
            ("cookie", "a=1; session=a.b.c;b=2", Some("a.b.c")),
            ("cookie", "session=; xsession=a; session2=b; session", None),
            (":path", "/p?x=1&access_token=a.b.c&y", Some("a.b.c")),
            (":path", "/p?access_token=&xaccess_token=a", None),
            (":path", "/access_token=a", None),
        ] {
            assert_eq!(found(&[(name, value)]), token.into_iter().collect::<Vec<_>>(), "{name}: {value}");
        }
    }

    #[test]
    fn more_than_one_token_is_found_and_refused() {
        assert_eq!(found(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]).len(), 2);
        assert_eq!(found(&[("cookie", "session=a; session=b")]).len(), 2);
        assert_eq!(found(&[("cookie", "session=a"), ("cookie", "session=b")]).len(), 2);
        assert_eq!(found(&[(":path", "/?access_token=a&access_token=b")]).len(), 2);
        assert_eq!(found(&[("authorization", "Bearer a"), (":path", "/?access_token=a")]).len(), 2);
    }

    #[test]
    fn a_stripped_token_leaves_everything_else_as_it_was() {
        let remove = |name: &str| vec![Edit::Remove(name.to_owned())];
        let set = |name: &str, value: &str| vec![Edit::Set(name.to_owned(), value.as_bytes().to_vec())];
        assert_eq!(stripped(&[("authorization", "Bearer a")], false), remove("authorization"));
        assert_eq!(stripped(&[("authorization", "Basic a")], false), []);
        assert_eq!(stripped(&[("cookie", "session=a")], false), remove("cookie"));
        let cookies = [("cookie", "x=1;session=a"), ("cookie", "y=2; session=b")];
        assert_eq!(stripped(&cookies, false), set("cookie", "x=1; y=2"));
        let two = credentials(false);
        let two = Credentials { from: vec![Source::Cookie("a".into()), Source::Cookie("b".into())], ..two };
        let left = two.strip(&headers(&[("cookie", "a=1; c=3; b=2; a=4")]));
        assert_eq!(left, set("cookie", "c=3"), "none of several comes back with the next");
        assert_eq!(stripped(&[(":path", "/p?access_token=a")], false), set(":path", "/p"));
        assert_eq!(
            stripped(&[(":path", "/p?x=1&access_token=a&y=2#f")], false),
            set(":path", "/p?x=1&y=2#f")
        );
    }

    #[test]
    fn tokens_in_two_places_of_one_header_are_all_stripped() {
        let mut credentials = credentials(false);
        credentials.from.extend([Source::Cookie("id".into()), Source::Query("token".into())]);
        let headers =
            headers(&[("cookie", "id=a; x=1; session=b"), (":path", "/?token=a&x=1&access_token=b")]);
        let set = |name: &str, value: &str| Edit::Set(name.to_owned(), value.as_bytes().to_vec());
        let edits = credentials.strip(&headers);
        assert_eq!(edits, [set("cookie", "x=1"), set(":path", "/?x=1")]);
    }

    #[test]
    fn a_token_that_is_passed_on_stays_where_it_is_but_for_the_query() {
        let everywhere =
            [("authorization", "Bearer a"), ("cookie", "session=a"), (":path", "/?access_token=a")];
        let edits = stripped(&everywhere, true);
        assert_eq!(edits, [Edit::Set(":path".to_owned(), b"/".to_vec())]);
    }
}
