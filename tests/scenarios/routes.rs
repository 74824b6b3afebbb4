//! Which rule a request falls under, and what becomes of it there.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, ISSUER, usual};
use crate::support::message::{Request, Seen, get, post, preflight};
use crate::support::world::{Upstreams, World, unavailable};
use serde_json::json;

/// A route of every kind; whatever is under none needs a token.
fn every_access() -> Config {
    usual().set(
        "/routes",
        json!([
            {"path": {"prefix": "/open/admin"}, "access": "required"},
            {"path": {"prefix": "/open"}, "access": "public"},
            {"path": {"prefix": "/maybe"}, "access": "optional"},
            {"path": {"prefix": "/try"}, "access": "lenient"},
        ]),
    )
}

/// A request that brings identity headers of its own, in three spellings.
fn forged(path: &str) -> Request {
    let request = get(path).header("x-user-id", "admin-0815").header("X_User_Id", "admin-0815");
    request.header("x-user-email", "admin-0815@people.test").header("x-account-id", "acct-0815")
}

#[track_caller]
fn is_nobody(seen: &Seen) {
    for name in ["x-user-id", "x-user-email", "x-user-groups", "x-account-id"] {
        assert_eq!(seen.spellings(name), Vec::<String>::new());
    }
}

#[track_caller]
fn is_jane(seen: &Seen) {
    assert_eq!(seen.spellings("x-user-id"), ["x-user-id"]);
    assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"));
    assert_eq!(seen.header("x-account-id").as_deref(), Some("acct-1"));
}

#[test]
fn the_first_route_that_matches_counts_and_under_none_a_token_is_needed() {
    let routes = json!([
        {"path": {"exact": "/health"}, "methods": ["GET", "HEAD"], "access": "public"},
        {"path": {"suffix": ".css"}, "access": "public"},
        {"path": {"regex": "/v[0-9]+/docs"}, "access": "public"},
        {"path": {"prefix": "/docs/drafts"}, "access": "required"},
        {"path": {"prefix": "/docs"}, "access": "public"},
        {"hosts": ["*.Open.test", "open.test"], "path": {"prefix": "/"}, "access": "public"},
        {"hosts": ["regex:\\D+[.]lab[.]test"], "methods": ["GET"], "access": "public"},
    ]);
    let mut world = Here::usual(&usual().set("/routes", routes));
    let public = [
        get("/health?verbose=/.."),
        get("/assets/site.css"),
        get("/v12/docs"),
        get("/docs"),
        get("/docs/a/b?x"),
        get("/docs/draftsman"),
        get("/orders").host("eu.open.test"),
        get("/orders").host("EU.OPEN.TEST:8443"),
        post("/orders", b"1".to_vec()).host("open.test"),
        get("/orders").host("eu.lab.test"),
    ];
    let count = public.len() as u64;
    for request in public {
        is_nobody(&world.send(request).forwarded());
    }
    assert_eq!(world.counter("firstsight.requests.public"), count);
    for request in [
        post("/health", vec![]),
        get("/health/"),
        get("/healthy"),
        get("/assets/site.css/x"),
        get("/assets/site.css2?.css"),
        get("/vx/docs"),
        get("/v1/docs/x"),
        get("/docs/drafts"),
        get("/docs/drafts/1"),
        get("/docsearch"),
        get("/orders").host("open.test.attacker.test"),
        get("/orders").host("notopen.test"),
        get("/orders").host("1.lab.test"),
        post("/orders", vec![]).host("eu.lab.test"),
    ] {
        world.send(request).refused(401, "token-missing");
    }
    is_jane(&world.visit("jane-4711").forwarded());
}

#[test]
fn a_public_route_never_looks_at_tokens() {
    let upstreams = Upstreams::default();
    upstreams.issuer.goes_down();
    let mut world = Here::start(upstreams, &every_access()).unwrap();
    let token = world.token("jane-4711");
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    for request in [
        forged("/open"),
        forged("/open").bearer(&token),
        forged("/open").bearer(&expired),
        forged("/open").bearer("no token at all"),
        forged("/open").bearer(&token).bearer(&token),
        forged("/open").header("authorization", b"Bearer \xff\xfe"),
        forged("/open").bearer(&"a".repeat(100_000)),
    ] {
        is_nobody(&world.send(request).forwarded());
    }
    let seen = world.send(get("/open/x").bearer(&token)).forwarded();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {token}")));
    assert_eq!(world.counter("firstsight.requests.public"), 8);
    assert_eq!(world.directory().arrivals().len(), 0);
    world.send(get("/open/admin")).refused(401, "token-missing");
}

#[test]
fn on_an_optional_route_a_token_may_be_absent_but_not_wrong() {
    let mut world = Here::usual(&every_access());
    is_nobody(&world.send(forged("/maybe")).forwarded());
    is_nobody(&world.send(forged("/maybe").header("authorization", "Basic amFuZTpz")).forwarded());
    assert_eq!(world.counter("firstsight.requests.anonymous"), 2);
    let token = world.token("jane-4711");
    for _ in 0..4 {
        is_jane(&world.send(forged("/maybe/x").bearer(&token)).forwarded());
    }
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    world.send(forged("/maybe").bearer(&expired)).refused(401, "token-expired");
    world.send(forged("/maybe").bearer("a.b.c")).refused(401, "token-malformed");
    world.send(forged("/maybe").bearer(&token).bearer(&token)).refused(400, "credentials-invalid");
    world.send(forged("/maybe").bearer("")).refused(400, "credentials-invalid");
    world.directory().answers(Behaviour::json(403, &json!({"status": "denied"})));
    world.send(get("/maybe").bearer(&world.token("john-4712"))).refused(403, "account-denied");
    assert_eq!(world.counter("firstsight.requests.anonymous"), 2);
}

#[test]
fn on_a_lenient_route_whoever_is_nobody_goes_on_as_nobody() {
    let mut world = Here::usual(&every_access().set("/limits/hold", json!("300ms")));
    let token = world.token("jane-4711");
    for _ in 0..4 {
        is_jane(&world.send(forged("/try").bearer(&token)).forwarded());
    }
    let expired = world.token_with("jane-4711", &json!({"exp": 1_000_000_000}));
    let elsewhere = world.token_with("jane-4711", &json!({"aud": "invoices-api"}));
    for request in [
        forged("/try"),
        forged("/try").bearer(&expired),
        forged("/try").bearer(&elsewhere),
        forged("/try").bearer("a.b.c"),
        forged("/try").bearer(&token).bearer(&token),
    ] {
        is_nobody(&world.send(request).forwarded());
    }
    assert_eq!(world.counter("firstsight.requests.anonymous"), 5);
    assert_eq!(world.counter("firstsight.requests.token-expired"), 0, "nobody was refused");

    // Those that were held as well.
    let answers = [
        Behaviour::json(403, &json!({"status": "denied"})),
        Behaviour::json(202, &json!({"status": "pending"})),
        Behaviour::text(410, ""),
        unavailable(),
        Behaviour::Hangs,
    ];
    for (number, behaviour) in answers.into_iter().enumerate() {
        world.directory().answers(behaviour);
        let token = world.token(&format!("crowd-{number}"));
        is_nobody(&world.send(forged("/try").bearer(&token)).forwarded());
    }
    assert_eq!(world.counter("firstsight.requests.anonymous"), 10);
    world.directory().behaves();
    world.issuer().rotates();
    world.issuer().goes_down();
    is_nobody(&world.send(forged("/try").bearer(&world.token("jane-4711"))).forwarded());
}

#[test]
fn identity_headers_of_clients_are_removed_under_every_rule() {
    let mut world = Here::usual(&every_access().set("/cors_preflight", json!("pass")));
    let token = world.token("jane-4711");
    for path in ["/open", "/maybe", "/try"] {
        is_nobody(&world.send(forged(path)).forwarded());
    }
    for path in ["/maybe", "/try", "/orders", "/open/admin"] {
        is_jane(&world.send(forged(path).bearer(&token)).forwarded());
    }
    let question = Request { headers: forged("/").headers, ..preflight("/orders", "PUT") };
    let question =
        question.header("origin", "https://shop.test").header("access-control-request-method", "PUT");
    is_nobody(&world.send(question).forwarded());
}

#[test]
fn a_route_asks_for_scopes_claims_audiences_and_issuers_of_its_own() {
    let upstreams = Upstreams::default();
    let partner = "http://partner.test";
    let config = usual()
        .set(
            "/routes",
            json!([
                {"path": {"prefix": "/orders"}, "methods": ["GET"], "require": {"scopes": ["orders.read"]}},
                {"path": {"prefix": "/orders"}, "require": {"scopes": ["orders.read", "orders.write"]}},
                {"path": {"prefix": "/reports"}, "require": {"claims": {"email_verified": true, "realm_access.roles": ["auditor", "admin"]}}},
                {"path": {"prefix": "/invoices"}, "audiences": ["invoices-api"]},
                {"path": {"prefix": "/partners"}, "issuers": [partner]},
                {"path": {"prefix": "/staff"}, "issuers": [ISSUER]},
            ]),
        );
    let entry = json!({"issuer": partner, "jwks": upstreams.issuer.jwks(), "audiences": ["orders-api"]});
    let mut world = Here::start(upstreams, &config.set("/issuers/1", entry)).unwrap();
    let mut send = |request: Request, claims: serde_json::Value| {
        let token = world.token_with("jane-4711", &claims);
        world.send(request.bearer(&token))
    };

    send(get("/orders/1"), json!({"scope": "openid orders.read"})).forwarded();
    send(get("/orders/1"), json!({"scp": ["orders.read"]})).forwarded();
    let answer =
        send(get("/orders"), json!({"scope": "orders.readonly openid"})).refused(403, "scope-insufficient");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#", scope="orders.read""#), "{challenge}");
    let answer =
        send(post("/orders", vec![]), json!({"scope": "orders.read"})).refused(403, "scope-insufficient");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains(r#", scope="orders.read orders.write""#), "{challenge}");
    send(post("/orders", vec![]), json!({"scope": "orders.write orders.read"})).forwarded();

    let roles = |list: serde_json::Value| json!({"email_verified": true, "realm_access": {"roles": list}});
    send(get("/reports"), roles(json!(["user", "auditor"]))).forwarded();
    send(get("/reports"), roles(json!("admin"))).forwarded();
    send(get("/reports"), roles(json!(["user"]))).refused(403, "claim-mismatch");
    send(get("/reports"), json!({"email_verified": "true", "realm_access": {"roles": ["admin"]}}))
        .refused(403, "claim-mismatch");
    send(get("/reports"), json!({})).refused(403, "claim-mismatch");

    send(get("/invoices"), json!({"aud": "invoices-api"})).forwarded();
    send(get("/invoices"), json!({"aud": "orders-api"})).refused(401, "audience-mismatch");
    send(get("/staff"), json!({"aud": "invoices-api"})).refused(401, "audience-mismatch");

    send(get("/partners"), json!({"iss": partner})).forwarded();
    send(get("/partners"), json!({})).refused(401, "issuer-unknown");
    send(get("/staff"), json!({"iss": partner})).refused(401, "issuer-unknown");
    send(get("/staff"), json!({})).forwarded();
    send(get("/elsewhere"), json!({"iss": partner})).forwarded();
}

#[test]
fn a_path_that_may_be_read_as_another_is_refused_where_the_rules_differ() {
    let mut world = Here::usual(&every_access());
    let token = world.token("jane-4711");
    for path in [
        "/open/../orders",
        "/open/%2e%2e/orders",
        "/open/%252e%252e/orders",
        "/open/..;x=1/orders",
        "/open%2f..%2forders",
        "/open/..%2forders",
        "/open/..%3f",
        "/open/%2e%2e%23/orders",
        "/open/..\\orders",
        "/open//admin",
        "/open/./admin",
        "/open/%61dmin",
        "/open/;x/admin",
        "/open/admin;x",
        "/open/admin%3fx",
        "//open",
        "/%6fpen",
        "/orders/../open",
    ] {
        for request in [get(path), get(path).bearer(&token)] {
            let answer = world.send(request);
            assert!(answer.seen.is_none(), "{path}");
            assert_eq!(answer.status, 400, "{path}");
            assert!(answer.header("www-authenticate").is_none(), "{path}");
        }
    }
    assert!(world.counter("firstsight.requests.target-ambiguous") >= 30);
    // What makes no difference, or is none, goes on as it came.
    for path in ["/open/a%20b;c=d", "/open//x", "/open/a%2fb", "/open/100%25", "/open/..."] {
        assert_eq!(world.send(get(path)).forwarded().target, path);
    }
}

#[test]
fn a_host_is_the_same_however_it_is_written() {
    let routes = json!([
        {"hosts": ["admin.test"], "access": "required"},
        {"path": {"regex": "/pages/[a-z]+"}, "access": "public"},
        {"path": {"prefix": "/open"}, "access": "public"},
    ]);
    let mut world = Here::usual(&usual().set("/routes", routes));
    for host in ["admin.test", "ADMIN.test:8443", "admin.test.", "Admin.Test.:80"] {
        world.send(get("/open").host(host)).refused(401, "token-missing");
    }
    for host in ["me@admin.test", "open.test:80@admin.test", "open.test,admin.test", "admin.test:80:80"] {
        let answer = world.send(get("/open").host(host));
        assert!(answer.seen.is_none() && answer.status == 400, "{host}: {answer:?}");
    }
    for host in ["open.test", "admin.test.open.test", "127.0.0.1:80", "[::1]:80"] {
        world.send(get("/open").host(host)).forwarded();
    }
    // A proxy joins two of them.
    let two = world.send(get("/open").host("open.test").header("host", "admin.test"));
    assert!(two.seen.is_none() && two.status >= 400, "{two:?}");
    // Expressions are not asked about paths without end.
    world.send(get("/pages/abc")).forwarded();
    world.send(get(&format!("/pages/{}", "a".repeat(50_000)))).refused(400, "target-ambiguous");
}

#[test]
fn without_rules_a_path_is_nobodys_business() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    for path in ["/a/../b", "//a", "/a/%2e%2e/b"] {
        assert_eq!(world.send(get(path).bearer(&token)).forwarded().target, path);
    }
}

#[test]
fn a_browsers_question_before_a_request_goes_on_only_where_that_is_written() {
    let mut world = Here::usual(&usual());
    world.send(preflight("/orders", "PUT")).refused(401, "token-missing");

    let mut world = Here::usual(&usual().set("/cors_preflight", json!("pass")));
    let seen = world.send(preflight("/orders", "PUT").header("x-user-id", "admin-0815")).forwarded();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("OPTIONS", "/orders"));
    is_nobody(&seen);
    assert_eq!(world.counter("firstsight.requests.preflight"), 1);
    let options = || Request { method: "OPTIONS", ..get("/orders") };
    world.send(options()).refused(401, "token-missing");
    world.send(options().header("origin", "https://shop.test")).refused(401, "token-missing");
    world.send(options().header("access-control-request-method", "PUT")).refused(401, "token-missing");
    let disguised = Request { method: "POST", ..preflight("/orders", "PUT") };
    world.send(disguised).refused(401, "token-missing");
}
