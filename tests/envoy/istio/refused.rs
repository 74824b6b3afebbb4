//! What is no good is refused while the old one serves on; and what stands in for a module that cannot be fetched.

use super::{alone, among, busy, generation, has_generation, usual};
use crate::istio::plugin::WasmPlugin;
use crate::support::message::get;
use crate::support::world::World;
use crate::world::EnvoyWorld;
use serde_json::json;
use std::fs;

/// How many deliveries were refused, as an operator sees it.
fn refused(world: &EnvoyWorld) -> u64 {
    world.admin().stat("extension_config_discovery.*config_fail")
}

#[test]
fn a_bad_update_under_load_is_refused_with_every_problem_while_the_old_one_serves_and_a_good_one_is_taken() {
    let mut world = alone(&usual());
    let load = busy(&mut world);
    let bad = usual()
        .set("/isuers", json!([]))
        .set("/issuers/0/clock_skew", json!("soon"))
        .set("/limits/waiting", json!(0.5));
    let told = world.update(&bad).expect_err("it is refused");
    for place in ["isuers: ", "issuers[0].clock_skew: ", "limits.waiting: ", "3 problem"] {
        assert!(told.contains(place), "{place} is not told:\n{told}");
    }
    assert_eq!(refused(&world), 1);
    load.goes_on(100);
    world.update(&generation(usual(), 2)).unwrap_or_else(|log| panic!("{log}"));
    load.goes_on(100);
    has_generation(&mut world, 2);
    load.lost_nothing();
}

#[test]
fn a_file_that_is_no_module_is_refused_while_the_old_one_serves_and_a_good_one_is_taken() {
    let mut world = alone(&usual());
    let load = busy(&mut world);
    let path = world.folder().file("none.wasm");
    fs::write(&path, "<html>").expect("a file can be written");
    let plugin = WasmPlugin::firstsight(&generation(usual(), 1)).with_module(path);
    world.deliver(&plugin).expect_err("it is refused");
    assert_eq!(refused(&world), 1);
    load.goes_on(50);
    world.update(&generation(usual(), 2)).unwrap_or_else(|log| panic!("{log}"));
    has_generation(&mut world, 2);
    load.lost_nothing();
}

#[test]
fn while_the_module_cannot_be_fetched_everybody_is_denied_and_a_later_delivery_lets_them_in() {
    let plugin = WasmPlugin::firstsight(&usual());
    let mut world = among(&[plugin.clone().that_cannot_be_fetched()]);
    assert_eq!(world.visit("jane-4711").status, 403);
    assert_eq!(world.send(get("/orders")).status, 403);
    world.deliver(&plugin).unwrap_or_else(|log| panic!("{log}"));
    world.visit("jane-4711").forwarded();
    // The next version of it cannot be fetched: the old one does not go on.
    world.deliver(&plugin.clone().that_cannot_be_fetched()).unwrap_or_else(|log| panic!("{log}"));
    world.at_every_worker(|world| assert_eq!(world.visit("jane-4711").status, 403));
    world.deliver(&plugin).unwrap_or_else(|log| panic!("{log}"));
    world.visit("jane-4711").forwarded();
}
