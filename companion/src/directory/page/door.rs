//! The login: an API token opens a session. Wrong ones count among those of their address, as they do at the API.

use super::failure::Failure;
use super::form::{Fields, Form};
use super::session::{self, Id, LONGEST, Session};
use super::visit::{READERS, Visit};
use super::{accounts, frame, origin};
use crate::directory::access::{Access, Digest};
use crate::directory::store::Store;
use axum::Extension;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::{HeaderMap, Method, StatusCode, header};
use maud::html;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;

/// The session's cookie where the browser speaks TLS: it then takes it from nobody else (RFC 6265bis §4.1.3.2).
const SECURE_COOKIE: &str = "__Host-firstsight";
/// And where it does not.
const COOKIE: &str = "firstsight";

/// What the way in and the way out need.
#[derive(Clone)]
pub(super) struct Door {
    access: Access,
    store: Store,
}

/// Where somebody wanted to go.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Aim {
    then: String,
}

impl Door {
    pub(super) fn open(access: Access, store: Store) -> Self {
        Self { access, store }
    }
}

/// Lets in who is logged in, and leads everybody else to the login.
pub(super) async fn admit(
    State(door): State<Door>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(session) = find(&door, request.headers()).await? else {
        // Nested routers see their own part of the path; a form that was sent is lost, and its page is asked for anew.
        let place = request.uri().path_and_query().map(|place| format!("/console{place}"));
        let place = place.filter(|_| request.method() == Method::GET);
        let login = frame::address("/console/login", &[("then", place.as_deref().unwrap_or_default())]);
        return Ok(Redirect::to(&login).into_response());
    };
    // PostgreSQL takes no NUL.
    if request.uri().to_string().contains("%00") {
        return Err(Failure::query());
    }
    request.extensions_mut().insert(Visit::begin(&door.store, session).await?);
    Ok(next.run(request).await)
}

async fn find(door: &Door, headers: &HeaderMap) -> Result<Option<Session>, sqlx::Error> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<_> = cookies.flat_map(|cookies| cookies.split("; ")).collect();
    let sent = [SECURE_COOKIE, COOKIE].iter().find_map(|name| {
        cookies.iter().find_map(|cookie| cookie.split_once('=').filter(|(sent, _)| sent == name))
    });
    let Some((_, id)) = sent else { return Ok(None) };
    let found = session::find(&door.store, &door.access, Id::sent(id)).await?;
    Ok(found.filter(|session| session.caller.has_any(READERS)))
}

/// The page with the login.
pub(super) async fn show(Query(Aim { then }): Query<Aim>) -> Response {
    login(StatusCode::OK, &then, None)
}

/// Somebody gives a token.
pub(super) async fn enter(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Failure> {
    let then = fields.one("then");
    let token = fields.one("token").trim();
    let Some(caller) = door.access.caller_of(Digest::of(token)).await? else {
        tracing::warn!("the console was given a token that is not known");
        let Err(wait) = door.access.failed(Some(peer.ip())) else {
            let told = "This token is not known, or it expired or was revoked.";
            return Ok(login(StatusCode::FORBIDDEN, then, Some(told)));
        };
        let told = "Too many wrong tokens came from your address. Wait a minute, then try again.";
        let mut answer = login(StatusCode::TOO_MANY_REQUESTS, then, Some(told));
        answer.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        return Ok(answer);
    };
    if !caller.has_any(READERS) {
        let told = "This token does not open the console: it needs the scope admin or auditor.";
        return Ok(login(StatusCode::FORBIDDEN, then, Some(told)));
    }
    let id = session::open(&door.store, token).await?;
    tracing::info!(actor = caller.name, "logged in to the console");
    let place = if is_ours(then) { then } else { accounts::PATH };
    let cookie = cookie(origin::is_secure(&headers), id.text(), LONGEST);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(place)).into_response())
}

/// Somebody logs out.
pub(super) async fn leave(
    State(store): State<Store>,
    Extension(visit): Extension<Visit>,
    _: Form,
) -> Result<Response, Failure> {
    session::close(&store, &visit.session.id).await?;
    let gone = [true, false].map(|secure| (header::SET_COOKIE, cookie(secure, "", Duration::ZERO)));
    Ok((AppendHeaders(gone), Redirect::to("/console/login")).into_response())
}

fn cookie(secure: bool, value: &str, age: Duration) -> String {
    let (name, more) = if secure { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{more}", age.as_secs())
}

/// Whether a place is a page of the console, and cannot be read as another site.
fn is_ours(place: &str) -> bool {
    place.starts_with("/console/") && place.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn login(status: StatusCode, then: &str, problem: Option<&str>) -> Response {
    let body = html! {
        form.login method="post" action="/console/login" {
            @if let Some(problem) = problem {
                p.problem #problem role="alert" { (problem) }
            }
            label for="token" { "API token" }
            input #token type="password" name="token" required autofocus autocomplete="current-password"
                spellcheck="false" aria-invalid=[problem.map(|_| "true")]
                aria-describedby=[problem.map(|_| "problem")];
            input type="hidden" name="then" value=(then);
            p.hint {
                "A token with the scope " code { "admin" } ", or " code { "auditor" } " to look only. You stay logged \
                 in for twelve hours at most, and one hour without a page."
            }
            button.primary { "Log in" }
        }
        @if is_ours(then) && problem.is_none() {
            p.aside { "You followed a link from elsewhere and are logged in already? " a href=(then) { "Go on." } }
        }
    };
    (status, frame::bare("Log in", body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_gone_to_after_the_login() {
        assert!(is_ours("/console/accounts?state=pending"));
        for elsewhere in
            ["", "/", "//evil.example", "https://evil.example", "/console", "/console/\\evil", "/console/ a"]
        {
            assert!(!is_ours(elsewhere), "{elsewhere}");
        }
    }
}
