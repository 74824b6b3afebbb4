//! A client's request and its answer, as a scenario writes and reads them.

use firstsight::domain::Reason;
use serde_json::Value;

/// A client's request: raw bytes, as a client may send what is no text.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn get(path: &str) -> Request {
    let host = "app.test".to_owned();
    Request { method: "GET", host, path: path.to_owned(), headers: vec![], body: vec![] }
}

pub(crate) fn head(path: &str) -> Request {
    Request { method: "HEAD", ..get(path) }
}

/// A call as a gRPC client makes it, but for its HTTP/2.
pub(crate) fn grpc(path: &str) -> Request {
    post(path, vec![0; 5]).header("content-type", "application/grpc").header("te", "trailers")
}

pub(crate) fn post(path: &str, body: Vec<u8>) -> Request {
    Request { method: "POST", body, ..get(path) }
}

/// What a browser asks before it sends a request with this method from another origin.
pub(crate) fn preflight(path: &str, method: &str) -> Request {
    let request = Request { method: "OPTIONS", ..get(path) };
    request.header("origin", "https://shop.test").header("access-control-request-method", method)
}

impl Request {
    pub(crate) fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }
}

/// What came back, and what reached the application.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) seen: Option<Seen>,
}

/// A request as the application saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// The account that the application was told of; fails if the request did not reach it.
#[track_caller]
pub(crate) fn account(answer: Answer) -> Option<String> {
    answer.forwarded().header("x-account-id")
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        values(&self.headers, name).into_iter().next()
    }

    /// What the application saw; fails if the request did not reach it.
    #[track_caller]
    pub(crate) fn forwarded(self) -> Seen {
        let text = self.text();
        self.seen.unwrap_or_else(|| panic!("it did not reach the application: {text}"))
    }

    /// Checks that it was refused with this status and problem, and reached nobody.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, slug: &str) -> Self {
        let text = self.text();
        assert!(self.seen.is_none(), "it reached the application: {text}");
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type").as_deref(), Some("application/problem+json"), "{text}");
        assert_eq!(self.header("cache-control").as_deref(), Some("no-store"), "{text}");
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {text}"));
        assert_eq!(problem["type"], format!("urn:firstsight:problem:{slug}"), "{text}");
        assert_eq!(problem["status"], status, "{text}");
        self.challenged_for(slug);
        let may_pass = self.header("retry-after").is_some_and(|text| text.parse::<u64>().is_ok());
        assert_eq!(may_pass, status == 503, "Retry-After goes with 503: {text}");
        self
    }

    /// Checks that it was refused in the words of gRPC, with this code and problem, and reached nobody.
    #[track_caller]
    pub(crate) fn refused_in_grpc(self, code: u16, slug: &str) -> Self {
        let text = self.text();
        assert!(self.seen.is_none(), "it reached the application: {text}");
        assert_eq!((self.status, self.body.len()), (200, 0), "{text}");
        assert_eq!(self.header("content-type").as_deref(), Some("application/grpc"), "{text}");
        assert_eq!(self.header("cache-control").as_deref(), Some("no-store"), "{text}");
        assert_eq!(self.header("grpc-status"), Some(code.to_string()), "{text}");
        let problem = format!("urn:firstsight:problem:{slug}");
        assert_eq!(self.header("firstsight-problem"), Some(problem), "{text}");
        let message = self.header("grpc-message").unwrap_or_default();
        assert!(message.starts_with("The ") || message.starts_with("No "), "{text}");
        self.challenged_for(slug);
        self
    }

    /// Every header is there once, and a challenge if the reason wants one.
    #[track_caller]
    fn challenged_for(&self, slug: &str) {
        let text = self.text();
        let reason = Reason::ALL.iter().find(|reason| reason.slug() == slug);
        let is_challenged = reason.unwrap_or_else(|| panic!("{slug} is no reason")).is_challenged();
        let challenges = values(&self.headers, "www-authenticate");
        assert_eq!(challenges.len(), usize::from(is_challenged), "{text}");
        assert!(challenges.iter().all(|challenge| challenge.starts_with("Bearer realm=")), "{text}");
    }

    /// The problem's `detail`.
    pub(crate) fn detail(&self) -> Option<String> {
        let problem: Value = serde_json::from_slice(&self.body).ok()?;
        problem.get("detail")?.as_str().map(str::to_owned)
    }

    fn text(&self) -> String {
        let line =
            |(name, value): &(String, Vec<u8>)| format!("{name}: {}\n", String::from_utf8_lossy(value));
        let headers: String = self.headers.iter().map(line).collect();
        format!("{}\n{headers}\n{}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Seen {
    /// The one value of a header; fails if there are several.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut found = values(&self.headers, name);
        assert!(found.len() < 2, "{name} is there more than once: {found:?}");
        found.pop()
    }

    /// The names of all headers that an application might take for `name`, whichever way it spells `-`.
    pub(crate) fn spellings(&self, name: &str) -> Vec<String> {
        let folded = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        let like = self.headers.iter().filter(|(key, _)| folded(key) == folded(name));
        like.map(|(key, _)| key.clone()).collect()
    }
}

fn values(headers: &[(String, Vec<u8>)], name: &str) -> Vec<String> {
    let found = headers.iter().filter(|(key, _)| key == name);
    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}
