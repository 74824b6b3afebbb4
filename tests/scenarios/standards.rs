//! Clauses of the standards that show at the outside only; `docs/conformance.md` lists them all.

use crate::Here;
use crate::support::behaviour::{Behaviour, Said};
use crate::support::config::{ISSUER, usual};
use crate::support::issuer::AUDIENCE;
use crate::support::message::{get, post};
use crate::support::world::{Upstreams, World};
use firstsight_testkit::{Algorithm, TestIssuer};
use serde_json::{Value, json};

/// RFC 6750 §2.2, §2.3, §3.1: ways of sending a token that are not supported, or not switched on, are no credentials.
#[test]
fn a_token_in_a_body_or_a_query_is_not_looked_at_unless_an_operator_says_so() {
    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    let form = post("/orders", format!("access_token={token}").into_bytes());
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let query = get(&format!("/orders?access_token={token}"));
    for request in [form, query.clone()] {
        let answer = world.send(request).refused(401, "token-missing");
        assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer realm=\"firstsight\""));
    }
    world.send(query.bearer(&token)).forwarded();
}

/// RFC 6750 §2, §3.1: one request, one way.
#[test]
fn a_token_sent_in_two_ways_is_one_too_many() {
    let from = json!([{"header": "authorization"}, {"query": "access_token"}]);
    let mut world = Here::usual(&usual().set("/credentials", json!({"from": from})));
    let (one, other) = (world.token("jane-4711"), world.token("john-4712"));
    let query = get(&format!("/orders?access_token={one}"));
    world.send(query.clone()).forwarded();
    for second in [&one, &other] {
        let answer = world.send(query.clone().bearer(second)).refused(400, "credentials-invalid");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_request\""), "{challenge}");
    }
}

/// RFC 6750 §3: a challenge is of one scheme, none of its parameters is there twice, and all keep to their characters.
#[test]
fn a_challenge_is_well_formed() {
    let config = usual()
        .set("/resource_metadata", json!("https://api.test/.well-known/oauth-protected-resource"))
        .set("/issuers/0/require", json!({"scopes": ["orders:read"]}));
    let mut world = Here::usual(&config);
    let token = world.token("jane-4711");
    for (request, status, slug) in [
        (get("/orders"), 401, "token-missing"),
        (get("/orders").bearer("a b"), 400, "credentials-invalid"),
        (get("/orders").bearer("a.b.c"), 401, "token-malformed"),
        (get("/orders").bearer(&token), 403, "scope-insufficient"),
    ] {
        let challenge = world.send(request).refused(status, slug).header("www-authenticate").unwrap();
        let parameters = challenge.strip_prefix("Bearer ").expect("the scheme");
        let mut names = vec![];
        for parameter in parameters.split(", ") {
            let (name, value) = parameter.split_once("=\"").expect("a quoted parameter");
            let value = value.strip_suffix('"').expect("a quoted parameter");
            assert!(
                value.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{challenge}"
            );
            names.push(name);
        }
        let mut each = names.clone();
        each.sort_unstable();
        each.dedup();
        assert_eq!(each.len(), names.len(), "{challenge}");
    }
}

/// RFC 8725 §3.8: the keys of one issuer say nothing about the tokens of another; nor do those that one tenant of a shared
/// key set has for itself.
#[test]
fn a_token_of_one_issuer_is_never_checked_with_the_keys_of_another() {
    let other = TestIssuer::new("https://other.test", Algorithm::ES256);
    let shared = TestIssuer::new("https://login.test/consumers/v2.0", Algorithm::ES256);
    let mut owned = shared.jwks();
    owned["keys"][0]["issuer"] = json!(shared.url());
    let others = [
        json!({"issuer": other.url(), "jwks": other.jwks(), "audiences": [AUDIENCE]}),
        json!({
            "issuer": "https://login.test/{tid}/v2.0", "jwks": owned, "audiences": [AUDIENCE],
            "tenants": {"claim": "tid", "allow": ["acme", "consumers"]},
        }),
    ];
    let mut config = usual();
    config.0["issuers"].as_array_mut().unwrap().extend(others);
    let mut world = Here::usual(&config);
    let now = world.now().as_millis() / 1000;
    let mut send = |signer: &TestIssuer, claims: Value| {
        let token = signer.access_token("jane-4711", AUDIENCE, now, claims);
        world.send(get("/orders").bearer(&token))
    };
    send(&other, json!({})).forwarded();
    send(&other, json!({"iss": ISSUER})).refused(401, "signature-invalid");
    send(&shared, json!({"iss": other.url()})).refused(401, "signature-invalid");
    send(&shared, json!({"tid": "consumers"})).forwarded();
    let acme = json!({"iss": "https://login.test/acme/v2.0", "tid": "acme"});
    send(&shared, acme).refused(401, "key-unknown");
    let own = world.token_with("jane-4711", &json!({"iss": other.url()}));
    world.send(get("/orders").bearer(&own)).refused(401, "signature-invalid");
}

/// OpenID Connect Discovery §4.2: only a 200 is an answer. A redirect leads wherever whoever sent it likes.
#[test]
fn a_redirect_is_not_followed_to_keys() {
    let upstreams = Upstreams::default();
    let keys = format!("{ISSUER}/jwks");
    upstreams.issuer.answers_discovery(Behaviour::text(302, "").with_header("location", keys.as_bytes()));
    let mut world = Here::start(upstreams, &usual().set("/limits/hold", json!("200ms"))).unwrap();
    world.visit("jane-4711").refused(503, "keys-unavailable");
    assert_eq!(world.issuer().fetches(), 0);
}

/// OpenID Connect Discovery §4.2, RFC 7517 §8.5: what a document is, its content says.
#[test]
fn documents_are_read_whatever_their_content_type_says() {
    let upstreams = Upstreams::default();
    let discovery = json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"), "extra": [1]});
    let said = |body: &Value, content_type: &str| {
        let headers = vec![("content-type".to_owned(), content_type.as_bytes().to_vec())];
        Behaviour::Says(Said { status: 200, headers, body: body.to_string().into_bytes() })
    };
    upstreams.issuer.answers_discovery(said(&discovery, "text/plain"));
    let keys = upstreams.issuer.jwks();
    upstreams.issuer.answers_jwks(said(&keys, "application/jwk-set+json"));
    let mut world = Here::start(upstreams, &usual()).unwrap();
    world.visit("jane-4711").forwarded();
}
