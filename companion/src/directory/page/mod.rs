//! The console: pages of HTML for people, behind a login with an API token. Without scripts; everything it changes goes the
//! same way as through the API. Times are UTC; values of attributes are on their subject's own page and nowhere else.

mod account;
mod accounts;
mod act;
mod audit;
mod confirmation;
mod decision;
mod door;
mod dormant;
mod failure;
mod find;
mod form;
mod frame;
mod origin;
mod pending;
mod queue;
mod session;
mod style;
mod table;
mod visit;
mod words;

use super::Directory;
use super::access::Access;
use super::store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use door::Door;
use failure::Failure;
use http::{HeaderValue, header};

/// The largest form, in bytes: a page full of accounts and a reason.
const LIMIT: usize = 64 * 1024;

/// What browsers are told with every page: it may load its own style and icon, send forms to where it is from, and be
/// framed by nobody; nobody keeps a copy, and no other site is told where somebody came from.
///
/// The referrer goes to the page's own origin, as a browser that may not send it hides the origin of forms too.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The pages, and the way to them from `/`.
pub(super) fn routes(access: &Access, store: &Store) -> Router<Directory> {
    let door = Door::open(access.clone(), store.clone());
    let inside = Router::new()
        .route("/", get(|| async { Redirect::to(accounts::PATH) }))
        .route("/accounts", get(accounts::show))
        .route("/accounts/{id}", get(account::show))
        .route("/pending", get(pending::show))
        .route("/dormant", get(dormant::show))
        .route("/audit", get(audit::show))
        .route("/act", post(act::take))
        .route("/logout", post(door::leave))
        .fallback(|| async { Failure::no_such_page() })
        .layer(middleware::from_fn_with_state(door.clone(), door::admit));
    let outside = Router::new()
        .route("/login", get(door::show).post(door::enter))
        .with_state(door)
        .route("/style/{name}", get(style::show));
    let console = Router::new()
        .merge(outside)
        .merge(inside)
        .layer(DefaultBodyLimit::max(LIMIT))
        .layer(middleware::map_response(strict));
    Router::new().route("/", get(|| async { Redirect::to(accounts::PATH) })).nest("/console", console)
}

async fn strict(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
