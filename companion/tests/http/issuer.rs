//! `firstsight dev issuer`.

use crate::program::{Program, answer, client, header};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

fn start(more: &[&str]) -> Program {
    Program::start(
        &[&["dev", "issuer", "--listen", "127.0.0.1:0", "--client", "orders=s3cret"], more].concat(),
    )
}

/// The claims of a token as a relying party reads them, which knows the issuer's URL only.
async fn claims(issuer: &str, audience: &str, token: &str) -> Option<Value> {
    let discovery = client().get(format!("{issuer}/.well-known/openid-configuration"));
    let (_, discovery) = answer(discovery).await;
    assert_eq!(discovery["issuer"], issuer);
    let (_, keys) = answer(client().get(discovery["jwks_uri"].as_str().unwrap())).await;
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let mut terms = Validation::new(header.alg);
    terms.set_issuer(&[issuer]);
    terms.set_audience(&[audience]);
    let key = DecodingKey::from_jwk(keys.find(&header.kid?)?).unwrap();
    decode(token, &key, &terms).ok().map(|token| token.claims)
}

async fn token(issuer: &Program, wanted: Value) -> String {
    let (status, body) = answer(client().post(format!("{}/dev/token", issuer.url)).json(&wanted)).await;
    assert_eq!(status, 200);
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_verifies_against_the_published_keys() {
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let issuer = start(&["--algorithm", algorithm]);
        let token = token(&issuer, json!({"sub": "jane", "email": "jane@example.com", "jti": null})).await;
        let claims = claims(&issuer.url, "orders-api", &token).await.unwrap();
        assert_eq!((&claims["sub"], &claims["email"]), (&json!("jane"), &json!("jane@example.com")));
        assert_eq!(claims.get("jti"), None);
    }
}

#[tokio::test]
async fn documents_are_below_the_path_of_the_issuers_url() {
    let issuer = start(&["--issuer", "http://idp.example.com/realms/acme/"]);
    let base = format!("{}/realms/acme", issuer.url);
    let (status, discovery) = answer(client().get(format!("{base}/.well-known/openid-configuration"))).await;
    assert_eq!((status, &discovery["issuer"]), (200, &json!("http://idp.example.com/realms/acme/")));
    assert_eq!(discovery["jwks_uri"], "http://idp.example.com/realms/acme/jwks");
    assert_eq!(answer(client().get(format!("{base}/jwks"))).await.0, 200);
}

#[tokio::test]
async fn a_client_gets_a_token_about_itself() {
    let issuer = start(&[]);
    let url = format!("{}/token", issuer.url);
    let grant = [("grant_type", "client_credentials"), ("audience", "billing"), ("scope", "read")];
    let by_form = [("client_id", "orders"), ("client_secret", "s3cret")];
    let both_ways = [
        client().post(&url).basic_auth("orders", Some("s3cret")).form(&grant),
        client().post(&url).form(&[&grant[..], &by_form[..]].concat()),
    ];
    for request in both_ways {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "cache-control"), "no-store");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["token_type"], "Bearer");
        let claims = claims(&issuer.url, "billing", body["access_token"].as_str().unwrap()).await.unwrap();
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("orders"), &json!("orders")));
        assert_eq!(claims["scope"], "read");
    }
}

#[tokio::test]
async fn a_client_that_is_not_known_gets_none() {
    let issuer = start(&[]);
    let url = format!("{}/token", issuer.url);
    let grant = [("grant_type", "client_credentials")];
    for (id, secret) in [("orders", "wrong"), ("nobody", "s3cret")] {
        let (status, body) = answer(client().post(&url).basic_auth(id, Some(secret)).form(&grant)).await;
        assert_eq!((status, body), (401, json!({"error": "invalid_client"})));
    }
    assert_eq!(answer(client().post(&url).form(&grant)).await.0, 401);
    assert_eq!(
        answer(client().post(&url).form(&[("grant_type", "password")])).await,
        (400, json!({"error": "unsupported_grant_type"}))
    );
    assert_eq!(answer(client().post(&url)).await, (400, json!({"error": "invalid_request"})));
}

#[tokio::test]
async fn rotation_takes_the_old_key_away_unless_it_is_kept() {
    let issuer = start(&[]);
    let old = token(&issuer, json!({"sub": "jane"})).await;
    answer(client().post(format!("{}/dev/rotate?keep=1", issuer.url))).await;
    assert!(claims(&issuer.url, "orders-api", &old).await.is_some());
    answer(client().post(format!("{}/dev/rotate", issuer.url))).await;
    assert!(claims(&issuer.url, "orders-api", &old).await.is_none());
    let new = token(&issuer, json!({"sub": "jane"})).await;
    assert!(claims(&issuer.url, "orders-api", &new).await.is_some());
}
