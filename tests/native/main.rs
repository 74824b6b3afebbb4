//! Every scenario, against the shell over a fake proxy with a virtual clock; and the house rules.

#[path = "../support/mod.rs"]
mod support;

mod capabilities;
mod clauses;
mod conformance;
mod following;
mod following_events;
mod following_scim;
mod host;
mod hygiene;
mod peculiarities;
mod process;
mod spans;
mod worker;
mod world;

/// Where the scenarios take place.
type Here = world::NativeWorld;

#[path = "../scenarios/arrivals.rs"]
mod arrivals;
#[path = "../scenarios/behind.rs"]
mod behind;
#[path = "../scenarios/cache.rs"]
mod cache;
#[path = "../scenarios/configuration.rs"]
mod configuration;
#[path = "../scenarios/credentials.rs"]
mod credentials;
#[path = "../scenarios/departures.rs"]
mod departures;
#[path = "../scenarios/departures_events.rs"]
mod departures_events;
#[path = "../scenarios/departures_scim.rs"]
mod departures_scim;
#[path = "../scenarios/headers.rs"]
mod headers;
#[path = "../scenarios/hostile.rs"]
mod hostile;
#[path = "../scenarios/keys.rs"]
mod keys;
#[path = "../scenarios/mapping.rs"]
mod mapping;
#[path = "../scenarios/outages.rs"]
mod outages;
#[path = "../scenarios/refusals.rs"]
mod refusals;
#[path = "../scenarios/report.rs"]
mod report;
#[path = "../scenarios/routes.rs"]
mod routes;
#[path = "../scenarios/scim.rs"]
mod scim;
#[path = "../scenarios/scim_groups.rs"]
mod scim_groups;
#[path = "../scenarios/scim_quirks.rs"]
mod scim_quirks;
#[path = "../scenarios/scim_spared.rs"]
mod scim_spared;
mod shared;
#[path = "../scenarios/sightings.rs"]
mod sightings;
#[path = "../scenarios/standards.rs"]
mod standards;
#[path = "../scenarios/terms.rs"]
mod terms;
mod tidy;
mod together;
#[path = "../scenarios/tokens.rs"]
mod tokens;
mod trailers;
mod unreadable;
mod vectors;
