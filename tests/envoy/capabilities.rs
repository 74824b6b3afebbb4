//! What the module may do: everything on the list is missed, loudly, and nothing else is. Every other test of this suite
//! runs under the list, too.

use crate::bootstrap;
use crate::client;
use crate::support::capabilities;
use crate::support::config::{Config, usual};
use crate::support::message::{Answer, Request, get};
use crate::support::world::World;
use crate::world::EnvoyWorld;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A configuration that makes use of everything.
fn demanding() -> Config {
    usual()
        .set("/departures", json!({"wait": "100ms", "timeout": "800ms"}))
        .set("/credentials", json!({"from": [{"header": "Authorization"}, {"query": "access_token"}]}))
        .set("/last_seen/every", json!("1h"))
}

/// Sends a request, and takes any answer, or none.
fn ask(world: &EnvoyWorld, request: &Request) -> Option<Answer> {
    client::receive(client::send(world.port(), request))
}

fn spoofed() -> Request {
    get("/orders").header("x-user-id", "admin-0815")
}

/// Makes the plugin do all that it can, until `is_enough`.
fn exercise(world: &mut EnvoyWorld, is_enough: impl Fn(&EnvoyWorld) -> bool) {
    let token = world.token("jane-4711");
    let query = get(&format!("/orders?access_token={token}"));
    let steps = [spoofed(), get("/orders").bearer("a.b.c"), spoofed().bearer(&token), query];
    // Each worker is to have its turn. What waited in a VM that trapped is never answered, so no answer is waited for.
    let mut open = vec![];
    for request in steps.iter().cycle().take(steps.len() * 6) {
        if is_enough(world) {
            return;
        }
        open.push(client::send(world.port(), request));
        world.pass(Duration::from_millis(100));
    }
    // The old configuration tells the sightings that it kept, and says when it is done.
    world.update(&demanding().set("/gateway", json!("edge-2"))).unwrap_or_else(|log| panic!("{log}"));
    for _ in 0..50 {
        if is_enough(world) {
            return;
        }
        world.pass(Duration::from_millis(100));
    }
}

#[test]
fn a_function_that_is_withheld_is_named_in_the_log_and_missed() {
    // Of `proxy_done` below.
    let functions = capabilities::allowed();
    let functions =
        functions.into_iter().filter(|name| !name.starts_with("proxy_on_") && name != "proxy_done");
    for name in functions {
        let is_named = |log: &str| {
            let mut lines = log.lines().filter(|line| line.contains("restricted"));
            lines.any(|line| line.ends_with(&format!("capability: {name}")))
        };
        match EnvoyWorld::without(&name, &demanding()) {
            Err(log) => assert!(is_named(&log), "{name} is not told:\n{log}"),
            Ok(mut world) => {
                exercise(&mut world, |world| is_named(&world.log()));
                let log = world.log();
                assert!(is_named(&log), "nobody misses {name}, which so has no place on the list:\n{log}");
            }
        }
    }
}

/// Checks that it is told, once by every worker that noticed, that the proxy withholds a callback.
#[track_caller]
fn told(world: &mut EnvoyWorld, callback: &str) {
    world.until("it is told", |world| world.log().contains(&format!("the proxy withholds {callback}:")));
    assert!(world.counter("firstsight.withheld") > 0);
}

fn without(callback: &str, config: &Config) -> EnvoyWorld {
    EnvoyWorld::without(callback, config).unwrap_or_else(|log| panic!("{log}"))
}

#[test]
fn without_contexts_nothing_starts() {
    let log = EnvoyWorld::without("proxy_on_context_create", &usual()).err().expect("it is refused");
    assert!(log.contains("invalid context_id"), "{log}");
}

#[test]
fn without_a_configuration_nobody_is_let_through_and_it_is_told() {
    let mut world = without("proxy_on_configure", &usual());
    for _ in 0..4 {
        assert_eq!(ask(&world, &spoofed()).map(|answer| answer.status), Some(503));
    }
    told(&mut world, "proxy_on_configure");
}

#[test]
fn a_proxy_that_shows_no_headers_is_found_out_at_the_first_request_and_gets_no_other_through() {
    let mut world = without("proxy_on_request_headers", &usual());
    let passes = |world: &EnvoyWorld| ask(world, &spoofed()).is_some_and(|answer| answer.seen.is_some());
    assert!(passes(&world), "if the first does not pass, tell it in SECURITY.md");
    told(&mut world, "proxy_on_request_headers");
    let passed = (0..40).filter(|_| passes(&world)).count();
    assert!(passed < EnvoyWorld::WORKERS, "{passed} more passed");
    for _ in 0..20 {
        let answer = ask(&world, &spoofed()).expect("an answer");
        assert!(answer.seen.is_none() && answer.status == 503, "{answer:?}");
    }
}

#[test]
fn a_proxy_that_delivers_no_replies_is_found_out_when_the_first_is_overdue() {
    let mut world = without("proxy_on_http_call_response", &usual());
    world.visit("jane-4711").refused(503, "keys-unavailable");
    world.pass(Duration::from_secs(6));
    world.send(spoofed()).refused(401, "token-missing");
    told(&mut world, "proxy_on_http_call_response");
}

#[test]
fn a_proxy_without_a_timer_is_found_out_after_seconds() {
    let mut world = without("proxy_on_tick", &usual());
    world.pass(Duration::from_millis(5200));
    ask(&world, &spoofed());
    told(&mut world, "proxy_on_tick");
}

#[test]
fn a_proxy_that_does_not_say_when_a_request_ends_is_found_out_when_it_is_forgotten() {
    let mut world = without("proxy_on_done", &usual());
    world.visit("jane-4711").forwarded();
    told(&mut world, "proxy_on_done");
}

#[test]
fn a_proxy_that_forgets_no_request_is_found_out_at_the_next() {
    let mut world = without("proxy_on_delete", &usual());
    for _ in 0..8 {
        world.visit("jane-4711").forwarded();
    }
    told(&mut world, "proxy_on_delete");
}

/// The one callback whose absence nobody can notice: hardly any request has trailers.
#[test]
fn a_proxy_that_withholds_trailers_is_not_found_out_and_lets_them_pass() {
    assert_eq!(trailers_behind(false), "none");
    assert_eq!(trailers_behind(true), "admin-0815");
}

/// A filter behind the plugin that tells what it finds among the trailers.
const TELLS_TRAILERS: &str = r#"
function envoy_on_request(request)
  local trailers = request:trailers()
  request:logWarn("behind: " .. (trailers and trailers:get("x-user-id") or "none") .. ";")
end"#;

/// What is left of a managed name that a client sent among the trailers.
fn trailers_behind(is_withheld: bool) -> String {
    let change = move |listener: &mut Value| {
        if is_withheld {
            bootstrap::withhold(listener, "proxy_on_request_trailers");
        }
        let lua = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": TELLS_TRAILERS},
        });
        bootstrap::http_filters(listener).insert(1, json!({"name": "lua", "typed_config": lua}));
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = json!({"enable_trailers": true});
    };
    let config = usual().set("/routes", json!([{"path": {"prefix": "/open"}, "access": "public"}]));
    let mut world = EnvoyWorld::with(&config, change).unwrap_or_else(|log| panic!("{log}"));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, world.port())).expect("it takes connections");
    let request = "POST /open HTTP/1.1\r\nhost: app.test\r\ntransfer-encoding: chunked\r\n\r\n\
        2\r\nhi\r\n0\r\nx-user-id: admin-0815\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it is sent");
    world.until("it is behind the plugin", |world| world.log().contains("behind: "));
    let log = world.log();
    let told = log.split("behind: ").nth(1).and_then(|rest| rest.split(';').next());
    told.expect("it is told").to_owned()
}

#[test]
fn an_answer_of_a_filter_before_the_plugin_is_no_alarm() {
    let fault = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"header_abort": {}, "percentage": {"numerator": 100}},
    });
    let change = move |listener: &mut Value| {
        let fault = json!({"name": "fault", "typed_config": fault});
        bootstrap::http_filters(listener).insert(0, fault);
    };
    let mut world = EnvoyWorld::with(&usual(), change).unwrap_or_else(|log| panic!("{log}"));
    for _ in 0..8 {
        let answer = ask(&world, &spoofed().header("x-envoy-fault-abort-request", "418"));
        assert_eq!(answer.map(|answer| answer.status), Some(418));
    }
    assert_eq!(world.counter("firstsight.withheld"), 0);
    world.visit("jane-4711").forwarded();
}
