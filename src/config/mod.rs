//! What the operator writes becomes a [`Policy`] that is always valid, or the list of everything that is wrong with it.
//! Nothing past this floor checks configuration again.

mod attributes;
mod challenge;
mod compile;
mod credentials;
mod departures;
mod document;
mod fallbacks;
mod filter_state;
mod headers;
mod issuers;
mod kinds;
mod policy;
mod problem;
mod provisioning;
mod read;
mod routes;
#[cfg(feature = "schema")]
mod schema;
mod scim;
mod terms;
#[cfg(test)]
mod tests;
mod upstream;

pub use compile::{Surroundings, compile};
pub use policy::{
    DeparturesFeed, FeedProtocol, IssuerPolicy, KeySource, KeysRefresh, LastSeen, Limits, Mode, Pace, Policy,
    Posture, Protocol, Provisioning, ScimFeed, TransmitterPolicy, Upstream, WhenStale,
};
pub use problem::Problem;
#[cfg(feature = "schema")]
pub use schema::schema;
