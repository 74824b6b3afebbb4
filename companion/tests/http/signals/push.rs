//! `POST /v1/signals` (RFC 8935).

use super::transmitter::{iss_sub, now};
use super::*;
use crate::program::{TOKEN, client};
use firstsight_testkit::{Algorithm, SigningKey};

fn disabled() -> String {
    format!("{RISC}account-disabled")
}

#[tokio::test]
async fn a_token_that_comes_again_is_answered_alike_and_changes_nothing() {
    let world = World::start().await;
    let id = world.directory.account_of("jane").await;
    let token = world.transmitter.about("jane", &format!("{CAEP}session-revoked"), &json!({}));
    for _ in 0..3 {
        assert_eq!(world.push_text(&token).await, (202, String::new()));
    }
    let story = world.directory.account(&id).await["story"].as_array().unwrap().len();
    assert_eq!(story, 2, "an arrival and a revocation");
    let World { directory, transmitter, _settings } = world;
    directory.program.terminate();
    assert!(directory.program.ended().success());
    let settings = transmitter.section("");
    let world = World::on(directory.database, transmitter, &settings, &[]);
    assert_eq!(world.push_text(&token).await.0, 202);
    assert_eq!(
        world.directory.account(&id).await["story"].as_array().unwrap().len(),
        2,
        "nor after a restart"
    );
}

#[tokio::test]
async fn every_refusal_has_its_registered_code() {
    let world = World::start().await;
    world.directory.account_of("jane").await;
    let good = world.transmitter.claims(&iss_sub("jane"), &disabled(), &json!({}));
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for (claims, code) in [
        (with("iss", json!("https://other.example.com")), "invalid_issuer"),
        (with("iss", json!(7)), "invalid_issuer"),
        (with("aud", json!("https://other.example.com")), "invalid_audience"),
        (with("sub", json!("jane")), "invalid_request"),
        (with("exp", json!(now() + 60)), "invalid_request"),
        (with("jti", json!(null)), "invalid_request"),
        (with("iat", json!(now() + 120)), "invalid_request"),
        (with("iat", json!(now() - 8 * 24 * 3600)), "invalid_request"),
        (with("events", json!({})), "invalid_request"),
        (
            with("sub_id", json!({"format": "iss_sub", "iss": "https://other.example.com", "sub": "x"})),
            "access_denied",
        ),
    ] {
        assert_eq!(world.refused(&world.transmitter.events(&claims)).await, code, "{claims}");
    }
    for typ in ["JWT", "at+jwt", "logout+jwt"] {
        assert_eq!(world.refused(&world.transmitter.sign(typ, &good)).await, "invalid_request", "{typ}");
    }
    for text in ["", "a.b.c", "a.b.c.d.e", "\u{7f}"] {
        assert_eq!(world.refused(text).await, "invalid_request", "{text}");
    }
    let stranger = SigningKey::generate(Algorithm::ES256, "key-1");
    let header = json!({"typ": "secevent+jwt", "alg": "ES256", "kid": "key-1"});
    let forged = stranger.sign(&header, good.to_string().as_bytes());
    assert_eq!(world.refused(&forged).await, "authentication_failed");
    assert_eq!(world.told().await, []);
    assert_eq!(world.push_text(&world.transmitter.events(&good)).await.0, 202);
}

#[tokio::test]
async fn a_refusal_is_json_in_a_language_and_a_body_of_another_type_is_refused() {
    let world = World::start().await;
    let url = format!("{}/v1/signals", world.directory.program.url);
    let token = world.transmitter.about("jane", &disabled(), &json!({}));
    let response = client().post(&url).body(token.clone()).header("content-type", "application/jwt").send();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        (header(&response, "content-type"), header(&response, "content-language")),
        ("application/json", "en")
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["err"], "invalid_request");
    let odd = client().post(&url).body(token).header("content-type", "Application/SecEvent+JWT; x=y");
    assert_eq!(odd.send().await.unwrap().status(), 202);
    let long =
        client().post(&url).body("x".repeat(300_000)).header("content-type", "application/secevent+jwt");
    assert_eq!(long.send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn an_api_token_is_not_needed_unless_the_transmitter_is_to_have_one() {
    let world = World::with("bearer = true", &[]).await;
    let token = world.transmitter.about("jane", &disabled(), &json!({}));
    assert_eq!(world.refused(&token).await, "authentication_failed");
    let url = format!("{}/v1/signals", world.directory.program.url);
    let with = |bearer: &str| {
        let request = client().post(&url).body(token.clone()).bearer_auth(bearer);
        request.header("content-type", "application/secevent+jwt")
    };
    assert_eq!(with("another-token-that-is-long").send().await.unwrap().status(), 401);
    assert_eq!(with(TOKEN).send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn what_is_taken_is_kept_until_it_would_be_too_old() {
    let world = World::with("max_age = \"2s\"\nclock_skew = \"1s\"", &[]).await;
    let token = world.transmitter.about("jane", &disabled(), &json!({}));
    assert_eq!(world.push_text(&token).await.0, 202);
    tokio::time::sleep(std::time::Duration::from_millis(4500)).await;
    assert_eq!(world.refused(&token).await, "invalid_request");
    // Nothing is left of it but what it brought about, once another one comes.
    world.push("john", &disabled(), &json!({})).await;
    world.directory.database.execute(
        "CREATE TABLE one (n INTEGER CHECK (n = 1)); INSERT INTO one SELECT count(*) FROM signals_taken",
    );
}

#[tokio::test]
async fn the_audit_is_whole_after_signals() {
    let world = World::start().await;
    world.push("jane", &disabled(), &json!({})).await;
    world.push("jane", &format!("{RISC}account-enabled"), &json!({})).await;
    world.push("jane", &format!("{CAEP}session-revoked"), &json!({})).await;
    let database = world.directory.database.url().to_owned();
    let verified = crate::program::command(&["audit", "verify", "--database", &database]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    assert!(String::from_utf8_lossy(&verified.stdout).starts_with("3 records"));
}
