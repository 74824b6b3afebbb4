//! Who may do what through the API: a bearer token says who calls (RFC 6750 §2.1), and its scopes what for.

mod api;
mod command;
mod environment;
mod rates;
mod register;
mod scope;
mod secret;
mod tokens;

use super::limits::Limits;
use super::problem::{self, Problem};
use super::store::Store;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
pub(crate) use command::{Command, run};
pub(super) use environment::EnvironmentToken;
use environment::NoToken;
use http::{HeaderValue, header};
use rates::Rates;
use register::Register;
use scope::Name;
pub(super) use scope::Scope;
pub(super) use secret::{Digest, random};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The tokens that are known; clones are the same ones.
#[derive(Clone)]
pub(super) struct Access(Arc<Inside>);

struct Inside {
    environment: Option<EnvironmentToken>,
    register: Register,
    rates: Rates,
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
    /// If there is no token with which anybody could come, or the database cannot be read.
    pub(super) async fn open(
        environment: Option<EnvironmentToken>,
        store: &Store,
        limits: &Limits,
    ) -> Result<Self, Box<dyn Error>> {
        let register = Register::new(store.clone());
        if environment.is_none() && !register.is_of_use().await? {
            return Err(NoToken::None.into());
        }
        let rates = Rates::new(limits.requests_per_second, limits.failures_per_minute);
        Ok(Self(Arc::new(Inside { environment, register, rates })))
    }

    /// These routes for whoever has one of these scopes; everybody else is answered 401 or 403, and who comes too often 429.
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

    /// Whose token this is, if it works now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn caller(&self, token: &str) -> Result<Option<Caller>, Problem> {
        Ok(self.caller_of(Digest::of(token)).await?)
    }

    /// Whose token has this digest, if it works now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn caller_of(&self, digest: Digest) -> Result<Option<Caller>, sqlx::Error> {
        if self.0.environment.as_ref().is_some_and(|environment| environment.is(digest)) {
            return Ok(Some(Caller { name: Name::ENVIRONMENT.to_owned(), scopes: Scope::ALL.to_vec() }));
        }
        self.0.register.find(digest).await
    }

    /// What whoever came from this address without a token that works is answered: that one is wanted, or, after too many of
    /// these, to wait. Whoever has one is never made to wait for what others from the same address did: behind a proxy
    /// all have one address, and 256 random bits are not guessed, however often somebody tries.
    pub(super) fn refuse(&self, address: Option<IpAddr>, challenge: &'static str) -> Problem {
        let counted = self.failed(address);
        counted.map_or_else(Problem::too_many, |()| Problem::unauthorized(challenge))
    }

    /// Counts that somebody at this address had no token that works.
    ///
    /// # Errors
    /// How long to wait, after too many of these.
    pub(super) fn failed(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        address.map_or(Ok(()), |address| self.0.rates.failure(address))
    }

    /// Has this process look at the tokens anew.
    fn forget(&self) {
        self.0.register.forget();
    }
}

impl Caller {
    /// Whether one of these scopes is the caller's.
    pub(super) fn has_any(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| scopes.contains(scope))
    }
}

impl Guard {
    async fn admit(
        &self,
        presented: Option<HeaderValue>,
        address: Option<IpAddr>,
    ) -> Result<Caller, Problem> {
        let presented = presented.as_ref().and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = presented.and_then(|value| value.split_once(' ')) else {
            return Err(self.access.refuse(address, "Bearer"));
        };
        let caller = match scheme.eq_ignore_ascii_case("bearer") {
            true => self.access.caller(token.trim()).await?,
            false => None,
        };
        let invalid = || self.access.refuse(address, r#"Bearer error="invalid_token""#);
        let caller = caller.ok_or_else(invalid)?;
        self.access.0.rates.request(&caller.name).map_err(Problem::too_many)?;
        if caller.has_any(self.scopes) { Ok(caller) } else { Err(Problem::forbidden()) }
    }

    fn before<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        let routes = routes.method_not_allowed_fallback(problem::no_such_method);
        routes.layer(middleware::from_fn_with_state(self, required))
    }
}

async fn required(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    if guard.anonymous && !request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let presented = request.headers().get(header::AUTHORIZATION).cloned();
    match guard.admit(presented, address).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}
