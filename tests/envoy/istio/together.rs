//! Several plugins in one proxy. All have an empty vm_id, so they share data; those with the same module share their virtual
//! machine, too.

use super::updates::another_build;
use super::{PEOPLE, among, busy, generation, requests, seen_at_every_worker, usual};
use crate::istio::plugin::WasmPlugin;
use crate::support::config::Config;
use crate::support::message::get;
use crate::support::world::World;
use crate::world::EnvoyWorld;
use serde_json::json;

/// Another plugin's configuration: it lets everybody through, writes a header of its own, and asks another directory.
fn neighbours() -> Config {
    let headers = json!([{"header": "x-login", "claim": "preferred_username", "when_missing": "omit"}]);
    usual()
        .set("/gateway", json!("edge-2"))
        .set("/provisioning/authority", json!("other.test"))
        .set("/headers", headers)
        .set("/routes", json!([{"access": "lenient"}]))
}

/// Both do what they are there for, at every worker; nobody was asked about more than once by each.
#[track_caller]
fn both_serve(world: &mut EnvoyWorld) {
    seen_at_every_worker(world, |seen| {
        assert!(seen.header("x-account-id").is_some(), "firstsight is not there");
        assert!(seen.header("x-login").is_some(), "its neighbour is not there");
    });
    for authority in ["directory.test", "other.test"] {
        let heard = world.directory().heard("/v1/arrivals");
        let asked = heard.iter().filter(|one| one.header("host").as_deref() == Some(authority)).count();
        assert_eq!(asked, PEOPLE, "questions to {authority}");
    }
    world.send(get("/")).refused(401, "token-missing");
}

#[test]
fn two_plugins_of_the_same_module_keep_out_of_each_others_way() {
    let neighbour = WasmPlugin::firstsight(&neighbours()).named("neighbour");
    let mut world = among(&[WasmPlugin::firstsight(&usual()), neighbour.clone()]);
    let load = busy(&mut world);
    both_serve(&mut world);
    for number in 1..=2 {
        let newer = WasmPlugin::firstsight(&generation(neighbours(), number)).named("neighbour");
        world.deliver(&newer).unwrap_or_else(|log| panic!("{log}"));
        both_serve(&mut world);
        world.update(&usual().set("/last_seen/every", json!("300ms"))).unwrap_or_else(|log| panic!("{log}"));
        both_serve(&mut world);
        world.update(&usual()).unwrap_or_else(|log| panic!("{log}"));
    }
    load.lost_nothing();
}

#[test]
fn another_module_with_an_empty_vm_id_does_not_disturb_and_is_not_disturbed() {
    // It keeps the same subjects in the same places of what both share, and reads them in another way.
    let config = neighbours().set("/limits/subjects", json!(50));
    let neighbour = WasmPlugin::firstsight(&config).named("neighbour");
    let mut world = among(&[neighbour.clone(), WasmPlugin::firstsight(&usual())]);
    let load = busy(&mut world);
    for name in ["newer", "newest"] {
        let newer = neighbour.clone().with_module(another_build(&world, name));
        world.deliver(&newer).unwrap_or_else(|log| panic!("{log}"));
        load.goes_on(100);
        both_serve(&mut world);
    }
    load.lost_nothing();
}

#[test]
fn a_neighbour_that_cannot_be_fetched_denies_everybody_and_takes_nothing_of_what_firstsight_knows() {
    let neighbour = WasmPlugin::firstsight(&neighbours()).named("neighbour");
    let mut world = among(&[neighbour.clone(), WasmPlugin::firstsight(&usual())]);
    let requests = requests(&world);
    for answer in world.send_all(requests.clone()) {
        answer.forwarded();
    }
    world.deliver(&neighbour.clone().that_cannot_be_fetched()).unwrap_or_else(|log| panic!("{log}"));
    for answer in world.send_all(requests) {
        assert_eq!(answer.status, 403);
    }
    world.deliver(&neighbour).unwrap_or_else(|log| panic!("{log}"));
    both_serve(&mut world);
}
