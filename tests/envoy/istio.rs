//! Delivered as Istio does it: the listener names its filters, each is discovered by its name (ECDS; here from a file), all
//! have an empty vm_id, and an update replaces one filter while the listener and its connections stay.

mod load;
pub(crate) mod plugin;
mod refused;
mod together;
mod updates;

use crate::several::patient;
use crate::support::config::{self, Config};
use crate::support::message::{Request, Seen, get};
use crate::support::world::{Upstreams, World};
use crate::world::{EnvoyWorld, Others};
use load::Load;
use plugin::WasmPlugin;
use serde_json::json;

/// How many people there are, and how many clients each of them has.
const PEOPLE: usize = 8;
const CLIENTS: usize = 3;

/// The usual configuration. Modules are compiled while requests are served, so that everything may take its time.
fn usual() -> Config {
    patient(config::usual())
}

/// A proxy with these plugins, in this order.
fn among(plugins: &[WasmPlugin]) -> EnvoyWorld {
    EnvoyWorld::discovering(Upstreams::default(), Others::default(), plugins)
        .unwrap_or_else(|log| panic!("{log}"))
}

fn alone(config: &Config) -> EnvoyWorld {
    among(&[WasmPlugin::firstsight(config)])
}

/// A configuration that can be told by what the application sees.
fn generation(config: Config, number: usize) -> Config {
    let header = json!({
        "header": "x-generation", "claim": "nobodys", "when_missing": {"default": number.to_string()},
    });
    let place = config.0["headers"].as_array().map_or(0, Vec::len);
    config.set(&format!("/headers/{place}"), header)
}

/// One request of each of the people.
fn requests(world: &EnvoyWorld) -> Vec<Request> {
    let request = |number| get("/orders").bearer(&world.token(&format!("crowd-{number}")));
    (0..PEOPLE).map(request).collect()
}

/// All of them ask, all the time; every one has been served before.
fn busy(world: &mut EnvoyWorld) -> Load {
    let requests = requests(world);
    for answer in world.send_all(requests.clone()) {
        answer.forwarded();
    }
    let all = requests.iter().cycle().take(PEOPLE * CLIENTS).cloned().collect();
    let load = Load::of(all, world.port());
    load.goes_on(100);
    load
}

/// Every worker serves the next requests of these people, and the application sees them like this.
#[track_caller]
fn seen_at_every_worker(world: &mut EnvoyWorld, check: impl Fn(&Seen)) {
    let requests = requests(world);
    let mut turns = requests.iter().cycle();
    world.at_every_worker(|world| {
        let request = turns.next().expect("there is somebody").clone();
        check(&world.send(request).forwarded());
    });
}

/// Every worker has the configuration with this number.
#[track_caller]
fn has_generation(world: &mut EnvoyWorld, number: usize) {
    let number = number.to_string();
    seen_at_every_worker(world, |seen| {
        assert_eq!(seen.header("x-generation").as_deref(), Some(number.as_str()));
    });
}
