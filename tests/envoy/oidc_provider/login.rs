//! Somebody logs in at a browser: an authorization code with PKCE, and the pages that the package has for developers.

use crate::client;
use crate::service::Service;
use crate::support::message::{Answer, Request, get, post};
use serde_json::Value;
use std::collections::BTreeMap;

/// Of RFC 7636, appendix B: what is kept, and what is shown at first.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1/back";
const RESOURCE: &str = "https://orders.example/%3Falg=ES256%26aud=orders-api";

/// The answer to a login at the issuer with this path: an access, an ID and a refresh token.
pub(super) fn log_in(provider: &Service, path: &str, person: &str) -> Value {
    let mut browser = Browser { port: provider.port, cookies: BTreeMap::new() };
    let wish = "client_id=orders-cli&response_type=code&scope=openid+api&code_challenge_method=S256";
    let more = format!("code_challenge={CHALLENGE}&redirect_uri={BACK}&resource={RESOURCE}");
    let login = browser.page(get(&format!("{path}/auth?{wish}&{more}")));
    let consent = browser.page(form(&login, &format!("prompt=login&login={person}&password=any")));
    let back = browser.send(form(&consent, "prompt=consent"));
    let address = back.header("location").expect("it is sent back");
    let code = address.strip_prefix(&format!("{BACK}?code=")).and_then(|rest| rest.split('&').next());
    let code = code.unwrap_or_else(|| panic!("no code: {address}"));
    let proof = format!("code={code}&code_verifier={VERIFIER}&redirect_uri={BACK}");
    ask(provider, path, &format!("grant_type=authorization_code&{proof}"))
}

/// The answer to a refresh token.
pub(super) fn refresh(provider: &Service, path: &str, token: &Value) -> Value {
    let token = token.as_str().expect("there is a refresh token");
    ask(provider, path, &format!("grant_type=refresh_token&refresh_token={token}"))
}

fn ask(provider: &Service, path: &str, wish: &str) -> Value {
    let body = format!("client_id=orders-cli&{wish}").into_bytes();
    provider.ask(&encoded(post(&format!("{path}/token"), body))).1
}

/// What is sent when the form of a page is filled in.
fn form(page: &str, fields: &str) -> Request {
    let action = page.split_once("action=\"").and_then(|(_, rest)| rest.split('"').next());
    let path =
        action.and_then(|action| action.strip_prefix("http://")?.find('/').map(|at| &action[at + 7..]));
    let path = path.unwrap_or_else(|| panic!("no form: {page}"));
    encoded(post(path, fields.as_bytes().to_vec()))
}

fn encoded(request: Request) -> Request {
    request.header("content-type", "application/x-www-form-urlencoded")
}

/// Keeps cookies, and follows redirects as long as they stay at this server.
struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn page(&mut self, request: Request) -> String {
        let answer = self.send(request);
        assert_eq!(answer.status, 200, "{:?}", String::from_utf8_lossy(&answer.body));
        String::from_utf8(answer.body).expect("a page is text")
    }

    fn send(&mut self, request: Request) -> Answer {
        let here = format!("127.0.0.1:{}", self.port);
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.host(&here).header("cookie", cookies.join("; "));
        let answer = client::receive(client::send(self.port, &request)).expect("it answers");
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let line = String::from_utf8_lossy(line);
            let cookie = line.split(';').next().and_then(|pair| pair.split_once('='));
            self.cookies.extend(cookie.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let url = answer.header("location").unwrap_or_default();
        let path = url.strip_prefix(&format!("http://{here}")).unwrap_or(&url);
        if path.starts_with('/') { self.send(get(path)) } else { answer }
    }
}
