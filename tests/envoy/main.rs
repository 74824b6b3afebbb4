//! Every scenario, through a real Envoy with two workers; and what only a real one can show. Wants a module
//! (FIRSTSIGHT_WASM, by default dist/firstsight.wasm) and an Envoy (FIRSTSIGHT_ENVOY, by default `envoy`).
#![expect(
    clippy::disallowed_methods,
    reason = "real processes and sockets need threads, a clock and an environment"
)]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod app;
mod bootstrap;
mod capabilities;
mod client;
mod directory;
mod hosts;
mod istio;
mod keycloak;
mod oidc_provider;
mod process;
mod published;
mod scim_directories;
mod server;
mod service;
mod several;
mod traps;
mod verdicts;
mod world;

/// Where the scenarios take place.
type Here = world::EnvoyWorld;

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
#[path = "../scenarios/sightings.rs"]
mod sightings;
#[path = "../scenarios/standards.rs"]
mod standards;
#[path = "../scenarios/terms.rs"]
mod terms;
#[path = "../scenarios/tokens.rs"]
mod tokens;
