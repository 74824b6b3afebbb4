//! Somebody at the console, without a browser: keeps the cookie, and sends forms as a page of the console does.

use crate::program::{Directory, TOKEN, answer, client};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::json;

/// Somebody, logged in or not.
pub(crate) struct Somebody<'a> {
    directory: &'a Directory,
    client: Client,
    pub(crate) cookie: String,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where it sends the browser.
    pub(crate) location: String,
    pub(crate) html: String,
}

/// Makes a token with this scope; returns its text.
pub(crate) async fn token(directory: &Directory, scope: &str) -> String {
    let body = json!({"name": format!("{scope}-1"), "scopes": [scope]}).to_string();
    let (status, made) = answer(directory.post("/v1/tokens", body)).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

impl<'a> Somebody<'a> {
    pub(crate) fn outside(directory: &'a Directory) -> Self {
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { directory, client, cookie: String::new() }
    }

    /// Logs in with the token that opens everything.
    pub(crate) async fn admin(directory: &'a Directory) -> Self {
        Self::with(directory, TOKEN).await
    }

    /// Logs in with a token that must work.
    pub(crate) async fn with(directory: &'a Directory, token: &str) -> Self {
        let mut somebody = Self::outside(directory);
        let page = somebody.login(token).await;
        assert_eq!((page.status, page.location.as_str()), (303, "/console/accounts"), "{}", page.html);
        somebody
    }

    /// Gives a token.
    pub(crate) async fn login(&mut self, token: &str) -> Page {
        let response = self.form("/console/login", &[("token", token)]).send().await.unwrap();
        if let Some(cookie) = response.headers().get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        page(response).await
    }

    pub(crate) fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.directory.program.url)).header("cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        page(self.request(path).send().await.unwrap()).await
    }

    /// A form that a page of the console sends.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.bare_form(path, fields).header("sec-fetch-site", "same-origin")
    }

    /// A form without a word on where it is from.
    pub(crate) fn bare_form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.directory.program.url));
        request.header("cookie", &self.cookie).form(fields)
    }

    /// What the session's forms carry.
    pub(crate) async fn mark(&self) -> String {
        let html = self.get("/console/accounts").await.html;
        let (_, rest) = html.split_once(r#"name="form" value=""#).expect("a page has a form to log out");
        rest.split('"').next().unwrap().to_owned()
    }

    /// Decides about accounts on a page of the console.
    pub(crate) async fn decide(&self, decision: &str, accounts: &[&str], more: &[(&str, &str)]) -> Page {
        let mark = self.mark().await;
        let mut fields = vec![("form", mark.as_str()), ("decision", decision)];
        fields.extend(accounts.iter().map(|id| ("account", *id)));
        fields.extend(more);
        page(self.form("/console/act", &fields).send().await.unwrap()).await
    }
}

pub(crate) async fn page(response: Response) -> Page {
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    Page { status, location: location.unwrap_or_default(), html: response.text().await.unwrap() }
}

/// Whether the API takes what the console's cookie says: it never does.
pub(crate) async fn api_takes(directory: &Directory, cookie: &str) -> bool {
    let request = client().get(format!("{}/v1/accounts", directory.program.url)).header("cookie", cookie);
    request.send().await.unwrap().status().is_success()
}
