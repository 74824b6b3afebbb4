//! Updates of the configuration and of the module, while requests are under way.

use super::{PEOPLE, alone, busy, generation, has_generation, usual};
use crate::istio::plugin::WasmPlugin;
use crate::process::module;
use crate::support::behaviour::Behaviour;
use crate::support::message::get;
use crate::support::world::{World, millis};
use crate::world::EnvoyWorld;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Another build of the module: the same code, and a section that nobody reads.
pub(super) fn another_build(world: &EnvoyWorld, name: &str) -> PathBuf {
    let mut bytes = fs::read(module()).expect("the module can be read");
    let length = u8::try_from(name.len()).expect("a short name");
    bytes.extend([0, length + 1, length]);
    bytes.extend(name.bytes());
    let path = world.folder().file(&format!("{name}.wasm"));
    fs::write(&path, bytes).expect("a module can be written");
    path
}

/// Somebody's requests that wait for a slow directory.
fn held(world: &mut EnvoyWorld) -> Vec<<EnvoyWorld as World>::Open> {
    world.directory().takes(millis(800));
    let token = world.token("newcomer-1");
    let open: Vec<_> = (0..6).map(|_| world.open(get("/orders").bearer(&token))).collect();
    world.until("the directory is asked", |world| !world.directory().arrivals().is_empty());
    open
}

#[test]
fn what_is_delivered_serves_and_provisions_the_first_request() {
    let mut world = alone(&usual());
    let seen = world.visit("jane-4711").forwarded();
    assert_eq!(seen.header("x-account-id").as_deref(), Some("acct-1"));
    assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
}

#[test]
fn updates_under_load_lose_and_refuse_no_request_and_act_at_every_worker() {
    let config = usual().set("/limits/tokens", json!(100)).set("/limits/waiting", json!(50));
    let mut world = alone(&config);
    let load = busy(&mut world);
    for number in 1..=5 {
        world.update(&generation(config.clone(), number)).unwrap_or_else(|log| panic!("{log}"));
        load.goes_on(100);
        has_generation(&mut world, number);
    }
    assert!(load.lost_nothing() >= 600);
    assert_eq!(world.directory().arrivals().len(), PEOPLE, "nobody is asked about again");
}

#[test]
fn a_module_that_is_swapped_under_load_loses_no_request_and_forgets_nobody() {
    let mut world = alone(&usual());
    let load = busy(&mut world);
    for (number, name) in ["newer", "newest"].into_iter().enumerate() {
        let plugin = WasmPlugin::firstsight(&generation(usual(), number));
        let plugin = plugin.with_module(another_build(&world, name));
        world.deliver(&plugin).unwrap_or_else(|log| panic!("{log}"));
        load.goes_on(300);
        has_generation(&mut world, number);
    }
    let served = load.lost_nothing();
    assert_eq!(world.directory().arrivals().len(), PEOPLE, "nobody is asked about again");
    let seen = |world: &EnvoyWorld| {
        (0..PEOPLE).map(|number| world.directory().seen(&format!("crowd-{number}"))).sum::<u64>()
    };
    let forwarded = world.counter("firstsight.requests.forwarded");
    assert!(forwarded >= served as u64, "{forwarded} are counted, {served} were served");
    world.until("every request of theirs is told", |world| seen(world) == forwarded);
    assert_eq!(world.counter("firstsight.sightings.dropped"), 0);
}

#[test]
fn requests_that_are_held_when_the_configuration_is_updated_are_answered() {
    let mut world = alone(&usual());
    let open = held(&mut world);
    world.update(&generation(usual(), 1)).unwrap_or_else(|log| panic!("{log}"));
    for open in open {
        let seen = world.answer(open).forwarded();
        assert_eq!(seen.header("x-account-id").as_deref(), Some("acct-1"));
        assert_eq!(seen.header("x-generation"), None, "it is served by the configuration that it came under");
    }
    has_generation(&mut world, 1);
}

#[test]
fn requests_that_are_held_when_the_module_is_swapped_are_answered() {
    let mut world = alone(&usual());
    let open = held(&mut world);
    let newer = another_build(&world, "newer");
    let plugin = WasmPlugin::firstsight(&generation(usual(), 1)).with_module(newer);
    world.deliver(&plugin).unwrap_or_else(|log| panic!("{log}"));
    // The newer module waits for what the older one asked.
    let meanwhile = world.visit("newcomer-1").forwarded();
    assert_eq!(meanwhile.header("x-account-id").as_deref(), Some("acct-1"));
    for open in open {
        assert_eq!(world.answer(open).forwarded().header("x-account-id").as_deref(), Some("acct-1"));
    }
    assert_eq!(world.directory().arrivals().len(), 1);
}

/// The proxy ends the older module at once, whatever it waits for: what goes out is what fits into one call, over a
/// connection that is there.
#[test]
fn sightings_that_are_kept_when_the_module_is_swapped_are_told_in_a_last_call() {
    let config = usual().set("/last_seen/every", json!("1h"));
    let mut world = alone(&config);
    for number in 0..9 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    assert!(world.directory().batches().is_empty());
    let newer = another_build(&world, "newer");
    world.deliver(&WasmPlugin::firstsight(&config).with_module(newer)).unwrap_or_else(|log| panic!("{log}"));
    world.until("all are told", |world| world.directory().sightings().len() == 9);
    let told: BTreeSet<_> = world.directory().sightings().into_iter().map(|event| event.data.id).collect();
    assert_eq!(told.len(), 9);
}

#[test]
fn arrivals_that_are_owed_when_the_configuration_is_updated_are_told() {
    let config = usual()
        .set("/provisioning/when_unavailable", json!("allow"))
        .set("/provisioning/retry", json!({"attempts": 1}))
        .set("/provisioning/breaker", json!({"failures": 1000}));
    let mut world = alone(&config);
    world.directory().answers(Behaviour::text(503, "").with_header("retry-after", b"3600"));
    for number in 0..5 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    assert_eq!(world.counter("firstsight.arrivals.owed"), 5);
    world.directory().behaves();
    world.update(&config.set("/gateway", json!("edge-2"))).unwrap_or_else(|log| panic!("{log}"));
    world.until("everybody has an account", |world| world.directory().accounts() == 5);
    assert_eq!(world.counter("firstsight.arrivals.dropped"), 0);
}
