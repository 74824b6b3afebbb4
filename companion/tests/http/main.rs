//! The companion as its users have it: the program is started, and spoken to over HTTP.

mod accounts;
mod application;
mod arrivals;
mod attributes;
mod audit;
mod backup;
mod database;
mod departures;
mod dormancy;
mod dormitory;
mod issuer;
mod kills;
mod life;
mod lifecycle;
mod limits;
mod logs;
mod program;
mod returning;
mod scim;
mod scim2_tester;
mod sightings;
mod signals;
mod stopping;
mod tls;
mod tokens;
