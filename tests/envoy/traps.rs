//! What only a real Envoy can show: that the traps of host-facts were really stepped on.

use crate::bootstrap::{self, Ports};
use crate::client;
use crate::process::{Folder, Process, module};
use crate::support::behaviour::Behaviour;
use crate::support::config::usual;
use crate::support::message::get;
use crate::support::world::World;
use crate::world::EnvoyWorld;
use serde_json::json;
use std::time::Duration;

#[test]
fn an_envoy_with_a_bad_configuration_does_not_start_and_says_why() {
    let folder = Folder::new();
    let config = usual()
        .set("/isuers", json!([]))
        .set("/issuers/0/audiences", json!([]))
        .set("/provisioning/cluster", json!(7));
    let ports = Ports { issuer: 1, directory: 1, app: 1 };
    let listener = bootstrap::listener(&module(), &config);
    let path = folder.write("bootstrap.json", &bootstrap::bootstrap(ports, None, Some(listener)));
    let mut envoy = Process::start(folder, &path);
    assert_ne!(envoy.end(Duration::from_secs(20)), 0);
    for place in ["isuers: ", "issuers[0].audiences: ", "provisioning.cluster: ", "3 problem"] {
        assert!(envoy.log().contains(place), "{place} is not told:\n{}", envoy.log());
    }
}

#[test]
fn a_proxy_that_does_not_check_signatures_is_told_apart_and_has_no_es512() {
    let folder = Folder::new();
    let config = usual().set("/issuers/0/algorithms", json!(["ES256", "ES512"]));
    let mut listener = bootstrap::listener(&module(), &config);
    // As if the proxy had none of its own functions.
    bootstrap::withhold(&mut listener, "proxy_call_foreign_function");
    let ports = Ports { issuer: 1, directory: 1, app: 1 };
    let path = folder.write("bootstrap.json", &bootstrap::bootstrap(ports, None, Some(listener)));
    let mut envoy = Process::start(folder, &path);
    assert_ne!(envoy.end(Duration::from_secs(20)), 0);
    for line in [
        "the proxy does not check signatures for its modules",
        "issuers[0].algorithms[1]: this proxy cannot verify ES512",
        "1 problem",
    ] {
        assert!(envoy.log().contains(line), "{line} is not told:\n{}", envoy.log());
    }
}

#[test]
fn a_call_that_times_out_and_one_that_nobody_takes_are_told_by_the_proxy() {
    let config = usual().set("/provisioning/timeout", json!("200ms"));
    let mut world = EnvoyWorld::usual(&config.set("/provisioning/breaker", json!({"failures": 1000})));
    world.directory().answers(Behaviour::Hangs);
    world.visit("jane-4711").refused(503, "directory-unavailable");
    assert!(world.admin().stat("cluster.directory.upstream_rq_timeout") > 0);
    world.directory().behaves();
    world.directory().goes_down();
    world.visit("jane-4711").refused(503, "directory-unavailable");
    assert!(world.admin().stat("cluster.directory.upstream_cx_connect_fail") > 0);
    world.directory().comes_back();
    world.visit("jane-4711").forwarded();
}

#[test]
fn a_client_that_leaves_while_it_is_held_resets_its_stream() {
    let mut world = EnvoyWorld::usual(&usual());
    world.directory().answers(Behaviour::Hangs);
    let token = world.token("jane-4711");
    let open = world.open(get("/orders").bearer(&token));
    world.until("it is held", |world| world.directory().arrivals().len() == 1);
    world.abort(open);
    world.until("the proxy has noticed", |world| {
        world.admin().stat("http.edge.downstream_cx_destroy_remote_active_rq") > 0
    });
}

#[test]
fn headers_above_the_proxys_limit_never_reach_the_plugin() {
    let mut world = EnvoyWorld::usual(&usual());
    let request = get("/orders").bearer(&"a".repeat(3 * 1024 * 1024));
    if let Some(answer) = client::receive(client::send(world.port(), &request)) {
        assert_eq!(answer.status, 431);
    }
    assert_eq!(world.counter("firstsight.requests.token-oversized"), 0);
    world.visit("jane-4711").forwarded();
}

#[test]
fn requests_are_spread_over_both_workers() {
    let mut world = EnvoyWorld::usual(&usual());
    for answer in world.visits("jane-4711", 32) {
        answer.forwarded();
    }
    let taken = world.admin().stats("worker_[0-9].downstream_cx_total");
    assert!(taken.len() == 2 && taken.values().all(|count| *count > 0), "{taken:?}");
}

#[test]
fn the_access_log_tells_why_a_request_was_refused() {
    let mut world = EnvoyWorld::usual(&usual());
    world.send(get("/orders")).refused(401, "token-missing");
    world.visit("jane-4711").forwarded();
    world.until("both are logged", |world| world.log().contains("access: 200 -"));
    assert!(world.log().contains("access: 401 token-missing"), "{}", world.log());
    world.update(&usual().set("/mode", json!("report"))).unwrap_or_else(|log| panic!("{log}"));
    world.send(get("/orders")).forwarded();
    world.until("it is logged", |world| world.log().contains("access: 200 token-missing"));
}
