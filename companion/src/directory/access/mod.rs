//! Who may do what through the API: a bearer token says who calls (RFC 6750 §2.1), and its scopes what for.

mod environment;
mod scope;

use super::problem::{self, Problem};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use environment::{EnvironmentToken, NoToken};
use http::header;
pub(super) use scope::Scope;

/// The tokens that are known.
#[derive(Clone)]
pub(super) struct Access {
    environment: EnvironmentToken,
}

/// Who calls; every request that was let through carries one in its extensions.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The token's name: the actor in the audit's records of what it does.
    pub(super) name: String,
    scopes: Vec<Scope>,
}

/// What a guarded router wants.
#[derive(Clone)]
struct Guard {
    access: Access,
    /// One of these is enough.
    scopes: &'static [Scope],
    /// Whether somebody without any token may pass, as nobody.
    anonymous: bool,
}

impl Access {
    /// # Errors
    /// If the environment holds no token that can be used.
    pub(super) fn open() -> Result<Self, NoToken> {
        Ok(Self { environment: EnvironmentToken::read()? })
    }

    /// These routes for whoever has one of these scopes; everybody else is answered 401 or 403.
    pub(super) fn guard<S: Clone + Send + Sync + 'static>(
        &self,
        scopes: &'static [Scope],
        routes: Router<S>,
    ) -> Router<S> {
        Guard { access: self.clone(), scopes, anonymous: false }.before(routes)
    }

    /// These routes for whoever presents no token, as nobody; a token that is presented has to have one of these scopes.
    pub(super) fn guard_presented<S: Clone + Send + Sync + 'static>(
        &self,
        scopes: &'static [Scope],
        routes: Router<S>,
    ) -> Router<S> {
        Guard { access: self.clone(), scopes, anonymous: true }.before(routes)
    }

    /// Whose token this is.
    fn caller(&self, token: &str) -> Option<Caller> {
        let everything = || Caller { name: "environment".to_owned(), scopes: Scope::ALL.to_vec() };
        self.environment.is(token).then(everything)
    }
}

impl Guard {
    fn before<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        let routes = routes.method_not_allowed_fallback(problem::no_such_method);
        routes.layer(middleware::from_fn_with_state(self, required))
    }
}

async fn required(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    if guard.anonymous && !request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let presented = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = presented.and_then(|value| value.split_once(' ')) else {
        return Problem::unauthorized("Bearer").into_response();
    };
    let caller = guard.access.caller(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    let Some(caller) = caller else {
        return Problem::unauthorized(r#"Bearer error="invalid_token""#).into_response();
    };
    if !caller.scopes.iter().any(|scope| guard.scopes.contains(scope)) {
        return Problem::forbidden().into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}
