//! The companion as its users have it: the program is started, and spoken to over HTTP.

mod accounts;
mod application;
mod arrivals;
mod attributes;
mod audit;
mod backup;
mod browser;
mod database;
mod departures;
mod dormancy;
mod dormitory;
mod issuer;
mod life;
mod lifecycle;
mod limits;
mod logs;
mod page;
mod program;
mod returning;
mod sightings;
mod stopping;
mod tls;
mod tokens;
