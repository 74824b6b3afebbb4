//! The companion as whoever runs it sees it: a process that is spoken to over HTTP.

mod dev;
mod directory;
mod lifetime;
mod support;
