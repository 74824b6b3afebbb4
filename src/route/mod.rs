//! Which rule a request falls under. Knows requests and nothing of tokens: what a rule asks of them is kept beside it.

mod path;

pub use path::PathMatch;

use crate::domain::{Headers, Pattern, Reason};
use path::Readings;

/// One rule. What it does not mention matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Host names without port, compared in lower case.
    pub hosts: Vec<Pattern>,
    /// Methods, compared exactly (RFC 9110 §9.1).
    pub methods: Vec<String>,
    /// Paths, without query.
    pub path: Option<PathMatch>,
    /// What becomes of requests under it.
    pub access: Access,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It goes on; its token, if it has one, is not looked at.
    Public,
    /// Without a token it goes on; a token that it has must hold.
    Optional,
    /// It goes on with an identity if its token holds and its account is in order, and without one if not.
    Lenient,
    /// It needs a token that holds.
    Required,
}

/// The rules, in the operator's order. The first that matches counts; a request that none matches needs a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    rules: Vec<Route>,
    /// Whether a browser's question before a request of another origin goes on without a token.
    pub preflight: bool,
}

/// The rule a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its place in the operator's order; the number of rules where none matches.
    pub index: usize,
    /// What becomes of the request.
    pub access: Access,
}

impl Routes {
    /// These rules.
    pub fn new(rules: Vec<Route>, preflight: bool) -> Self {
        Self { rules, preflight }
    }

    /// The rule a request falls under.
    ///
    /// # Errors
    /// `PathAmbiguous` if the path falls under one rule as it stands, and under another as an application may read it, or
    /// if it climbs (`/public/..;/admin`, `/public/%2e%2e/admin`): a proxy that does not normalise paths would open the
    /// latter. Clients resolve dots before they send a path.
    pub fn choose(&self, request: &Headers) -> Result<Chosen, Reason> {
        if self.rules.is_empty() {
            return Ok(self.chosen(0));
        }
        // A request without a path (CONNECT) is under no rule that names one.
        let value = |name| std::str::from_utf8(request.all(name).next().unwrap_or_default());
        let host = value(":authority").map(host_of).unwrap_or_default();
        let method = value(":method").unwrap_or_default();
        let target = value(":path").map_err(|_| Reason::PathAmbiguous)?;
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let first = |path: &str| {
            let found = self.rules.iter().position(|rule| rule.matches(&host, method, path));
            found.unwrap_or(self.rules.len())
        };
        let index = first(path);
        match path::readings(path) {
            Readings::Some(others) if others.iter().all(|other| first(other) == index) => {
                Ok(self.chosen(index))
            }
            Readings::Some(_) | Readings::Climbs => Err(Reason::PathAmbiguous),
        }
    }

    fn chosen(&self, index: usize) -> Chosen {
        Chosen { index, access: self.rules.get(index).map_or(Access::Required, |rule| rule.access) }
    }

    /// Whether a request is a browser's question whether it may send one from another origin (Fetch, CORS preflight); it
    /// never carries a token.
    pub fn lets_preflight_pass(&self, request: &Headers) -> bool {
        let has = |name| request.all(name).next().is_some();
        self.preflight
            && request.all(":method").eq([b"OPTIONS"])
            && has("origin")
            && has("access-control-request-method")
    }
}

impl Route {
    fn matches(&self, host: &str, method: &str, path: &str) -> bool {
        (self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(host)))
            && (self.methods.is_empty() || self.methods.iter().any(|one| one == method))
            && self.path.as_ref().is_none_or(|pattern| pattern.matches(path))
    }
}

/// The host of an authority, without port and in lower case.
fn host_of(authority: &str) -> String {
    let end = match authority.rfind(':') {
        // A colon within brackets belongs to an IPv6 address.
        Some(colon) if authority.rfind(']').is_none_or(|bracket| bracket < colon) => colon,
        _ => authority.len(),
    };
    authority.get(..end).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: Option<&str>, methods: &[&str], hosts: &[&str], access: Access) -> Route {
        Route {
            hosts: hosts.iter().map(|host| Pattern::parse(host).unwrap()).collect(),
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            path: path.map(|prefix| PathMatch::prefix(prefix).unwrap()),
            access,
        }
    }

    fn choose(routes: &Routes, method: &str, authority: &str, path: &str) -> Result<usize, Reason> {
        let pairs = [(":method", method), (":authority", authority), (":path", path)];
        routes.choose(&pairs.into_iter().collect()).map(|chosen| chosen.index)
    }

    #[test]
    fn the_first_rule_that_matches_counts_and_without_one_a_token_is_needed() {
        let rules = vec![
            route(Some("/health"), &["GET", "HEAD"], &[], Access::Public),
            route(Some("/health"), &[], &[], Access::Optional),
            route(None, &[], &["*.open.example.com"], Access::Public),
        ];
        let routes = Routes::new(rules, false);
        let index = |method, host, path| choose(&routes, method, host, path);
        assert_eq!(index("GET", "a", "/health?x=/.."), Ok(0));
        assert_eq!(index("POST", "a", "/health/live"), Ok(1));
        assert_eq!(index("GET", "a", "/healthy"), Ok(3));
        assert_eq!(index("get", "a", "/health"), Ok(1));
        assert_eq!(index("POST", "X.Open.example.com:8443", "/"), Ok(2));
        assert_eq!(index("POST", "[::1]:80", "/"), Ok(3));
        assert_eq!(routes.chosen(3).access, Access::Required);
    }

    #[test]
    fn a_path_that_may_be_read_as_another_is_refused_where_it_makes_a_difference() {
        let rules = vec![route(Some("/public"), &[], &[], Access::Public)];
        let routes = Routes::new(rules, false);
        for tricky in [
            "/public/../admin",
            "/public/%2e%2E/admin",
            "/public/%252e%252e/admin",
            "/public/..;x=1/admin",
            "/public%2f..%2fadmin",
            "/public\\..\\admin",
            "/public/%5c../..",
            "/public/../admin/x\\..\\..\\public",
            "//public",
            "/./public",
            "/%70ublic",
            "/x/../public",
        ] {
            assert_eq!(choose(&routes, "GET", "a", tricky), Err(Reason::PathAmbiguous), "{tricky}");
        }
        for plain in ["/public/a%20b", "/public/a;b=c", "/public/a%2fb", "/public//x"] {
            assert_eq!(choose(&routes, "GET", "a", plain), Ok(0), "{plain}");
        }
        assert_eq!(choose(&routes, "GET", "a", "/admin//x"), Ok(1));
    }
}
