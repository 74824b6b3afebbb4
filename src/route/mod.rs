//! Which rule a request falls under. Knows requests and nothing of tokens: what a rule asks of them is kept beside it.

mod path;

pub use path::PathMatch;

use crate::domain::{Headers, Pattern, Reason};

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

/// The longest path that is compared with expressions, in bytes: what a request line of other servers holds at most.
const LONGEST_PATH: usize = 8 * 1024;
/// The longest host there is (RFC 1035 §2.3.4).
const LONGEST_HOST: usize = 255;

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
    /// `TargetAmbiguous` if the path falls under one rule as it stands, and under another as an application may read it, if
    /// there are too many ways to read it, or if it climbs (`/public/..;/admin`, `/public/%2e%2e/admin`): a proxy that
    /// does not normalise paths would open the latter. Clients resolve dots before they send a path. The same where rules
    /// name hosts, and the request's is none (`open.test:80@admin.test`), and where rules are expressions, and the path is
    /// too long for them: no client may keep a worker busy.
    pub fn choose(&self, request: &Headers) -> Result<Chosen, Reason> {
        if self.rules.is_empty() {
            return Ok(self.chosen(0));
        }
        // A request without a path (CONNECT) is under no rule that names one.
        let value = |name| {
            let bytes = request.all(name).next().unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|_| Reason::TargetAmbiguous)
        };
        let (method, target) = (value(":method")?, value(":path")?);
        let host = match self.rules.iter().any(|rule| !rule.hosts.is_empty()) {
            true => host_of(value(":authority")?).ok_or(Reason::TargetAmbiguous)?,
            false => String::new(),
        };
        let path = match target.split(['?', '#']).next().unwrap_or_default() {
            // `http://host?x`, taken apart by the proxy.
            "" if !target.is_empty() => "/",
            path => path,
        };
        let is_expression = |rule: &Route| rule.path.as_ref().is_some_and(PathMatch::is_expression);
        if path.len() > LONGEST_PATH && self.rules.iter().any(is_expression) {
            return Err(Reason::TargetAmbiguous);
        }
        let first = |path: &str| {
            let found = self.rules.iter().position(|rule| rule.matches(&host, method, path));
            found.unwrap_or(self.rules.len())
        };
        let index = first(path);
        match path::readings(path) {
            Some(others) if others.iter().all(|other| first(other) == index) => Ok(self.chosen(index)),
            _ => Err(Reason::TargetAmbiguous),
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

/// The host of an authority, without port, in lower case, and without the dot that a whole name may end in. `None` if it
/// is none that everybody reads alike: credentials are not allowed (RFC 9110 §4.2.4, RFC 9113 §8.3.1), and escapes are
/// nobody's habit.
fn host_of(authority: &str) -> Option<String> {
    let end = match authority.rfind(':') {
        // A colon within brackets belongs to an IPv6 address.
        Some(colon) if authority.rfind(']').is_none_or(|bracket| bracket < colon) => colon,
        _ => authority.len(),
    };
    let (host, port) = authority.split_at_checked(end)?;
    if !port.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let is_address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|address| {
        address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
    });
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (host.len() <= LONGEST_HOST && (is_address || is_name)).then(|| host.to_owned())
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
        let root = Routes::new(vec![route(Some("/"), &[], &[], Access::Public)], false);
        assert_eq!((choose(&root, "GET", "a", "?x"), choose(&root, "OPTIONS", "a", "*")), (Ok(0), Ok(1)));
        assert_eq!(index("POST", "X.Open.example.com:8443", "/"), Ok(2));
        assert_eq!(index("POST", "[::1]:80", "/"), Ok(3));
        assert_eq!(routes.chosen(3).access, Access::Required);
    }

    #[test]
    fn no_path_is_too_long_but_for_expressions() {
        let long = format!("/public/{}", "a".repeat(60_000));
        let prefix = route(Some("/public"), &[], &[], Access::Public);
        let expression = PathMatch::Pattern(Pattern::parse("regex:/x.*").unwrap());
        let by_expression = Route { path: Some(expression), ..prefix.clone() };
        assert_eq!(choose(&Routes::new(vec![prefix.clone()], false), "GET", "a", &long), Ok(0));
        let routes = Routes::new(vec![prefix, by_expression], false);
        assert_eq!(choose(&routes, "GET", "a", &long), Err(Reason::TargetAmbiguous));
        assert_eq!(choose(&routes, "GET", "a", &format!("/public/x?{long}")), Ok(0));
    }

    #[test]
    fn a_host_is_the_same_however_it_is_written_or_it_is_none() {
        let rules = vec![
            route(None, &[], &["admin.test", "[::1]"], Access::Required),
            route(None, &[], &[], Access::Public),
        ];
        let index = |authority: &str| choose(&Routes::new(rules.clone(), false), "GET", authority, "/");
        for admin in [
            "admin.test",
            "Admin.Test",
            "admin.test.",
            "admin.test:8443",
            "ADMIN.test.:80",
            "[::1]:80",
            "[::1]",
        ] {
            assert_eq!(index(admin), Ok(0), "{admin}");
        }
        for other in ["open.test", "admin.test.open.test", "", "127.0.0.1:80", "[::2]"] {
            assert_eq!(index(other), Ok(1), "{other}");
        }
        for odd in [
            "me@admin.test",
            "open.test:80@admin.test",
            "admin.test:80:80",
            "%61dmin.test",
            "admin.test,open.test",
            "open.test/admin.test",
            "[::1",
            "::1",
            "[open]",
            &"a".repeat(256),
            "öpen.test",
            "admin.test ",
        ] {
            assert_eq!(index(odd), Err(Reason::TargetAmbiguous), "{odd}");
        }
        let without_hosts = Routes::new(vec![route(None, &[], &[], Access::Public)], false);
        assert_eq!(choose(&without_hosts, "GET", "me@admin.test", "/"), Ok(0), "where no rule names a host");
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
            assert_eq!(choose(&routes, "GET", "a", tricky), Err(Reason::TargetAmbiguous), "{tricky}");
        }
        for plain in ["/public/a%20b", "/public/a;b=c", "/public/a%2fb", "/public//x"] {
            assert_eq!(choose(&routes, "GET", "a", plain), Ok(0), "{plain}");
        }
        assert_eq!(choose(&routes, "GET", "a", "/admin//x"), Ok(1));
    }

    #[test]
    fn a_reader_may_drop_parameters_before_or_after_decoding_or_not_at_all() {
        let admin = Route { path: Some(PathMatch::Exact("/public/admin".into())), ..ANYTHING };
        let scripts = Pattern::parse("*.jsp").map(PathMatch::Pattern).ok();
        let scripts = Route { path: scripts, ..ANYTHING };
        let rules = vec![admin, scripts, route(Some("/public"), &[], &[], Access::Public)];
        let routes = Routes::new(rules, false);
        for tricky in ["/public/%61dmin;%2fx", "/public/a;x%2ejsp", "/public/x%00.jsp", "/public/a.jsp%3fx"] {
            let chosen = choose(&routes, "GET", "a", tricky);
            assert!(matches!(chosen, Err(Reason::TargetAmbiguous) | Ok(1)), "{tricky}: {chosen:?}");
        }
        assert_eq!(choose(&routes, "GET", "a", "/public/a;b=c/d%20e"), Ok(2));
    }

    const ANYTHING: Route =
        Route { hosts: Vec::new(), methods: Vec::new(), path: None, access: Access::Required };
}
