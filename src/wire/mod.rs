//! What goes over the wire, one definition for both ends: the gateway and the directory. Text in, values out; knows
//! nothing of what is decided with them.

mod answer;
mod arrival;
mod caching;
mod departure;
mod dialect;
mod discovery;
mod problem;
pub mod scim;
mod sighting;
pub mod signals;

pub use answer::{ArrivalAnswer, retry_after};
pub use arrival::{Arrival, ArrivalSubject, Cause};
pub use caching::fresh_for;
pub use departure::{Departure, DepartureState, Departures};
pub use dialect::Dialect;
pub use discovery::{Discovery, DiscoveryError, discovery_path, ssf_configuration_path};
pub use problem::{ChallengeTerms, Refusals, is_quotable};
pub use sighting::{CONTENT_TYPE as SIGHTINGS_CONTENT_TYPE, Sighting, SightingEvent};
