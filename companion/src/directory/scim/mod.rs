//! SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) as a service: accounts are users, and there are groups. What it changes of an
//! account's state goes the way of every other change.

mod body;
mod discovery;
mod external_id;
mod failure;
mod filter;
mod groups;
mod listing;
mod narrow;
mod own_schemas;
mod patch;
mod query;
mod reply;
mod resources;
mod schema;
mod selection;
mod site;
mod time;
mod users;

use super::access::{Access, Scope};
use super::{Directory, problem};
use axum::Router;
use axum::middleware::map_response;
pub(super) use groups::leave_all;
pub(super) use site::Terms;

/// Where the service is, unless something in front of it puts it elsewhere.
const PATH: &str = "/scim/v2";
/// What bodies are (RFC 7644 §3.1).
const MEDIA_TYPE: &str = "application/scim+json";

/// The whole of the service, guarded but for discovery.
pub(super) fn routes(access: &Access) -> Router<Directory> {
    let discovery = discovery::routes().method_not_allowed_fallback(problem::no_such_method);
    let nowhere = Router::new().fallback(problem::no_such_place);
    let service = discovery
        .merge(access.guard(&[Scope::Scim], resources::routes()))
        .merge(access.guard(&Scope::ALL, nowhere))
        .layer(map_response(failure::translate));
    Router::new().nest(PATH, service)
}
