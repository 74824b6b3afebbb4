//! The companion as its users have it: the program is started, and spoken to over HTTP.

mod accounts;
mod application;
mod arrivals;
mod attributes;
mod database;
mod issuer;
mod life;
mod program;
mod sightings;
