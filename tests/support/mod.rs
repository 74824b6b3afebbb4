//! What both worlds share: the scripted upstreams (one implementation, called in process or behind sockets), the words of
//! a scenario, and the checks that end every one of them.

pub(crate) mod behaviour;
pub(crate) mod capabilities;
pub(crate) mod config;
pub(crate) mod directory;
pub(crate) mod feed;
pub(crate) mod issuer;
pub(crate) mod message;
pub(crate) mod scim;
pub(crate) mod switch;
pub(crate) mod transmitter;
pub(crate) mod vectors;
pub(crate) mod world;
