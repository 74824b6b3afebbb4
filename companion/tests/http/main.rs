//! The companion as its users have it: the program is started, and spoken to over HTTP.

mod accounts;
mod application;
mod arrivals;
mod attributes;
mod audit;
mod database;
mod departures;
mod issuer;
mod life;
mod lifecycle;
mod program;
mod scim;
mod scim2_tester;
mod sightings;
