//! The issuer and the application for demos.

use crate::support::{Service, told};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use reqwest::Client;
use serde_json::{Value, json};

/// What a relying party that fetches the issuer's keys makes of a token.
async fn verified(issuer: &Service, token: &str) -> Option<Value> {
    let (_, discovery) = told(issuer.get("/.well-known/openid-configuration").await).await;
    assert_eq!(discovery["issuer"], issuer.url);
    let keys = Client::new().get(discovery["jwks_uri"].as_str().unwrap()).send().await.unwrap();
    let keys: JwkSet = keys.json().await.unwrap();
    let header = decode_header(token).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid?)?).unwrap();
    let mut terms = Validation::new(header.alg);
    terms.set_issuer(&[&issuer.url]);
    terms.set_audience(&["orders-api"]);
    decode::<Value>(token, &key, &terms).ok().map(|token| token.claims)
}

async fn any_token(issuer: &Service, claims: Value) -> String {
    let (_, answer) = told(issuer.post("/dev/token", "application/json", claims.to_string()).await).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_issuer_signs_what_it_is_asked_to_with_keys_that_it_publishes() {
    for algorithm in ["ES256", "EdDSA"] {
        let issuer = Service::start(&["dev", "issuer", "--algorithm", algorithm]).await;
        let token = any_token(&issuer, json!({"sub": "jane", "email": "jane@example.com"})).await;
        let claims = verified(&issuer, &token).await.unwrap();
        assert_eq!((&claims["sub"], &claims["email"]), (&json!("jane"), &json!("jane@example.com")));
    }
}

#[tokio::test]
async fn a_client_gets_a_token_of_its_own_and_a_stranger_none() {
    let issuer = Service::start(&["dev", "issuer", "--client", "job=s3cret"]).await;
    let form = [("grant_type", "client_credentials"), ("client_id", "job"), ("client_secret", "s3cret")];
    let url = format!("{}/token", issuer.url);
    let (_, answer) = told(Client::new().post(&url).form(&form).send().await.unwrap()).await;
    let claims = verified(&issuer, answer["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("job"), &json!("job")));
    let basic = Client::new().post(&url).basic_auth("job", Some("s3cret")).form(&form[..1]);
    assert_eq!(basic.send().await.unwrap().status(), 200);
    let stranger = Client::new().post(&url).basic_auth("job", Some("guess")).form(&form[..1]);
    let (status, answer) = told(stranger.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &answer["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn after_a_rotation_old_tokens_verify_only_if_their_key_was_kept() {
    let issuer = Service::start(&["dev", "issuer"]).await;
    let old = any_token(&issuer, json!({})).await;
    issuer.post("/dev/rotate?keep=1", "text/plain", String::new()).await;
    assert!(verified(&issuer, &old).await.is_some());
    issuer.post("/dev/rotate", "text/plain", String::new()).await;
    assert!(verified(&issuer, &old).await.is_none());
    assert!(verified(&issuer, &any_token(&issuer, json!({})).await).await.is_some());
}

#[tokio::test]
async fn the_application_tells_what_it_received() {
    let app = Service::start(&["dev", "app"]).await;
    let request = Client::new().put(format!("{}/a/b?c=d", app.url)).header("x-user-id", "jane");
    let (_, seen) = told(request.send().await.unwrap()).await;
    assert_eq!((&seen["method"], &seen["path"]), (&json!("PUT"), &json!("/a/b?c=d")));
    assert!(seen["headers"].as_array().unwrap().contains(&json!(["x-user-id", "jane"])));
}
