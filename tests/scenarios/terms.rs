//! What an issuer's tokens must be like beside who signed them: kind, age, subject, tenant, scopes and claims.

use crate::Here;
use crate::support::config::{Config, ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::{Answer, get};
use crate::support::world::{Upstreams, World};
use serde_json::{Value, json};
use std::time::Duration;

const SHARED: &str = "http://login.test/{tid}/v2.0";

fn with_terms(terms: Value) -> Config {
    let mut config = usual();
    for (key, value) in terms.as_object().into_iter().flatten() {
        config = config.set(&format!("/issuers/0/{key}"), value.clone());
    }
    config
}

#[track_caller]
fn visit(world: &mut Here, sub: &str, claims: Value) -> Answer {
    let token = world.token_with(sub, &claims);
    world.send(get("/orders").bearer(&token))
}

/// The answer to a token with this `typ` in its header, and a few claims more than the least.
fn typed(world: &mut Here, typ: Option<&str>, extra: Value) -> Answer {
    let (now, issuer) = (world.now().as_millis() / 1000, world.issuer());
    let mut header = json!({"alg": "ES256", "kid": issuer.key().kid()});
    if let Some(typ) = typ {
        header["typ"] = json!(typ);
    }
    let mut claims = json!({"iss": ISSUER, "sub": "jane-4711", "aud": AUDIENCE, "exp": now + 60});
    for (name, value) in extra.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let token = issuer.signs(&header, claims.to_string().as_bytes());
    world.send(get("/orders").bearer(&token))
}

#[test]
fn a_token_of_one_kind_does_not_serve_as_another() {
    let mut world = Here::usual(&usual());
    typed(&mut world, None, json!({})).forwarded();
    typed(&mut world, Some("JWT"), json!({"typ": "Bearer"})).forwarded();
    typed(&mut world, Some("at+jwt"), json!({})).forwarded();
    for id in [json!({"nonce": "n"}), json!({"at_hash": "x"}), json!({"typ": "ID"}), json!({"events": {}})] {
        typed(&mut world, Some("JWT"), id).refused(401, "token-unsupported");
    }

    let mut world = Here::usual(&with_terms(json!({"token": "rfc9068"})));
    let iat = world.now().as_millis() / 1000;
    let all = json!({"iat": iat, "client_id": "web", "jti": "1"});
    typed(&mut world, Some("at+jwt"), all.clone()).forwarded();
    typed(&mut world, Some("JWT"), all.clone()).refused(401, "token-unsupported");
    typed(&mut world, None, all).refused(401, "token-unsupported");
    typed(&mut world, Some("at+jwt"), json!({"iat": iat, "jti": "1"})).refused(401, "token-malformed");

    let mut world = Here::usual(&with_terms(json!({"token": "id"})));
    typed(&mut world, None, json!({"iat": iat, "nonce": "n"})).forwarded();
    typed(&mut world, None, json!({"iat": iat, "aud": [AUDIENCE, "other"], "azp": AUDIENCE}))
        .refused(401, "audience-mismatch");
    typed(&mut world, None, json!({"iat": iat, "azp": "other"})).refused(401, "audience-mismatch");
    typed(&mut world, Some("at+jwt"), json!({"iat": iat})).refused(401, "token-unsupported");
    typed(&mut world, Some("JWT"), json!({"iat": iat, "typ": "Bearer"})).refused(401, "token-unsupported");
    typed(&mut world, None, json!({})).refused(401, "token-malformed");

    let mut world = Here::usual(&with_terms(json!({"token": "any"})));
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        typed(&mut world, typ, json!({"iat": iat, "nonce": "n"})).forwarded();
    }
    typed(&mut world, None, json!({"typ": "Refresh"})).refused(401, "token-unsupported");
    typed(&mut world, Some("logout+jwt"), json!({})).refused(401, "token-unsupported");
}

#[test]
fn a_token_is_not_used_longer_than_the_operator_wants() {
    let mut world =
        Here::usual(&with_terms(json!({"max_age": "10m", "max_lifetime": "2h", "clock_skew": "1ms"})));
    let now = world.now().as_millis() / 1000;
    visit(&mut world, "jane-4711", json!({})).forwarded();
    let long = now + 3600;
    visit(&mut world, "jane-4711", json!({"iat": now - 590, "exp": long})).forwarded();
    visit(&mut world, "jane-4711", json!({"iat": now - 601, "exp": long})).refused(401, "token-outdated");
    visit(&mut world, "jane-4711", json!({"iat": null})).refused(401, "token-malformed");
    visit(&mut world, "jane-4711", json!({"exp": now + 3 * 3600})).refused(401, "token-outdated");
    visit(&mut world, "jane-4711", json!({"exp": now - 5})).refused(401, "token-expired");
    // It is looked at again on every use.
    let token = world.token_with("jane-4711", &json!({"iat": now - 597, "exp": long}));
    for _ in 0..6 {
        world.send(get("/orders").bearer(&token)).forwarded();
    }
    world.pass(Duration::from_millis(4000));
    for _ in 0..3 {
        world.send(get("/orders").bearer(&token)).refused(401, "token-outdated");
    }
}

#[test]
fn a_token_without_an_end_needs_an_age() {
    let mut world = Here::usual(&with_terms(json!({"require_exp": false, "max_age": "1h"})));
    let now = world.now().as_millis() / 1000;
    visit(&mut world, "jane-4711", json!({"exp": null})).forwarded();
    visit(&mut world, "jane-4711", json!({"exp": null, "iat": now - 3700})).refused(401, "token-outdated");
    visit(&mut world, "jane-4711", json!({"exp": null, "iat": null})).refused(401, "token-malformed");
    visit(&mut world, "jane-4711", json!({"exp": now - 60})).refused(401, "token-expired");
}

#[test]
fn times_beyond_all_reason_are_times() {
    let config = with_terms(json!({"require_exp": false, "max_age": "1h", "max_lifetime": "2h"}));
    for (config, odd) in [(usual(), false), (config, true)] {
        let mut world = Here::usual(&config);
        for number in [1e308, -1e308, 9.3e18, -9.3e18, 1.8e19, 0.0, -0.0, 5e-324] {
            for claim in ["exp", "nbf", "iat"] {
                let answer = visit(&mut world, "jane-4711", json!({claim: number}));
                let is_served = answer.seen.is_some();
                let fits = match claim {
                    "exp" => number > 1e18 && !odd,
                    "nbf" => number < 1e18,
                    _ => number < 1e18 && !odd,
                };
                assert_eq!(is_served, fits, "{claim}: {number}");
                assert!(is_served || answer.status == 401, "{claim}: {number}");
            }
        }
        let all = json!({"exp": 1e308, "iat": -1e308, "nbf": -1e308});
        assert_eq!(visit(&mut world, "jane-4711", all).seen.is_some(), !odd);
    }
}

#[test]
fn subjects_are_served_as_the_operator_lists_them() {
    let allow = json!(["jane-4711", "svc-*", "*@clients", "regex:crowd-[0-9]{2}"]);
    let deny = json!(["svc-old-*", "regex:crowd-(00|99)"]);
    let mut world = Here::usual(&with_terms(json!({"subjects": {"allow": allow, "deny": deny}})));
    for sub in ["jane-4711", "svc-1", "svc-", "web@clients", "crowd-01"] {
        visit(&mut world, sub, json!({})).forwarded();
    }
    for sub in [
        "jane-47110",
        "Jane-4711",
        "my-svc-1",
        "svc-old-7",
        "web@clients.test",
        "crowd-123",
        "crowd-99",
        "x-crowd-01",
    ] {
        visit(&mut world, sub, json!({})).refused(403, "subject-forbidden");
    }
    assert!(world.directory().arrivals().iter().all(|arrival| arrival.subject.id != "svc-old-7"));

    let mut world = Here::usual(&with_terms(json!({"subjects": {"deny": ["jane-*"]}})));
    visit(&mut world, "jane-4711", json!({})).refused(403, "subject-forbidden");
    visit(&mut world, "john-4712", json!({})).forwarded();
}

#[test]
fn a_tenant_is_served_if_it_is_listed_and_is_whom_the_issuers_name_says() {
    let upstreams = Upstreams::default();
    let shared = json!({
        "issuer": SHARED, "jwks": upstreams.issuer.jwks(), "audiences": [AUDIENCE],
        "tenants": {"claim": "tid", "allow": ["acme-1", "umbrella"]},
    });
    let mut world = Here::start(upstreams, &usual().set("/issuers/1", shared)).unwrap();
    let of = |tenant: &str| SHARED.replace("{tid}", tenant);
    for tenant in ["acme-1", "umbrella"] {
        let seen = visit(&mut world, "jane-4711", json!({"iss": of(tenant), "tid": tenant})).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
    }
    let arrivals: Vec<_> =
        world.directory().arrivals().iter().map(|arrival| arrival.subject.issuer.clone()).collect();
    assert!(
        arrivals.contains(&of("acme-1")) && arrivals.contains(&of("umbrella")),
        "each has its own: {arrivals:?}"
    );
    visit(&mut world, "jane-4711", json!({"iss": of("acme-1"), "tid": "umbrella"}))
        .refused(403, "tenant-forbidden");
    visit(&mut world, "jane-4711", json!({"iss": of("acme-1")})).refused(403, "tenant-forbidden");
    visit(&mut world, "jane-4711", json!({"iss": of("acme-1"), "tid": ["acme-1"]}))
        .refused(403, "tenant-forbidden");
    for stranger in ["evil", "{tid}", "", "acme-1/v2.0/x", "ACME-1", "acme-1%2f"] {
        visit(&mut world, "jane-4711", json!({"iss": of(stranger), "tid": stranger}))
            .refused(401, "issuer-unknown");
    }

    let mut world = Here::usual(&with_terms(json!({"tenants": {"claim": "org.id", "allow": ["acme-1"]}})));
    visit(&mut world, "jane-4711", json!({"org": {"id": "acme-1"}})).forwarded();
    for org in [json!({"id": "evil"}), json!({"id": 1}), json!("acme-1"), json!(null)] {
        visit(&mut world, "jane-4711", json!({"org": org})).refused(403, "tenant-forbidden");
    }
}

#[test]
fn what_an_issuer_requires_is_required_on_every_route() {
    let require = json!({"scopes": ["openid"], "claims": {"email_verified": true, "level": [2, 3]}});
    let routes = json!([
        {"path": {"prefix": "/maybe"}, "access": "optional"},
        {"path": {"prefix": "/orders"}, "require": {"scopes": ["orders.read", "openid"]}},
    ]);
    let mut world = Here::usual(&with_terms(json!({"require": require})).set("/routes", routes));
    let good = json!({"scope": "openid orders.read", "email_verified": true, "level": 3});
    for path in ["/orders", "/maybe", "/"] {
        let token = world.token_with("jane-4711", &good);
        world.send(get(path).bearer(&token)).forwarded();
    }
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for path in ["/orders", "/maybe", "/"] {
        let token = world.token_with("jane-4711", &with("scope", json!("orders.read")));
        let answer = world.send(get(path).bearer(&token)).refused(403, "scope-insufficient");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let scopes = if path == "/orders" { "openid orders.read" } else { "openid" };
        assert!(challenge.contains(&format!(", scope=\"{scopes}\"")), "{path}: {challenge}");
        for (name, value) in [
            ("email_verified", json!(false)),
            ("level", json!(1)),
            ("level", json!("2")),
            ("level", json!(null)),
        ] {
            let token = world.token_with("jane-4711", &with(name, value));
            world.send(get(path).bearer(&token)).refused(403, "claim-mismatch");
        }
        let token = world.token_with("jane-4711", &with("level", json!([7, 2.0])));
        world.send(get(path).bearer(&token)).forwarded();
    }
}
