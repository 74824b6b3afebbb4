//! `POST /v1/signals/logout` (OpenID Connect Back-Channel Logout).

use super::transmitter::{id, now};
use super::*;
use crate::program::client;
use reqwest::Response;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A directory that takes logout tokens of the issuer of its subjects.
async fn world() -> World {
    let transmitter = Transmitter::start().await;
    let url = transmitter.url.clone();
    let section =
        format!("[[signals]]\nissuer = \"{url}\"\naudiences = [\"client-1\"]\nlogout = true\npush = false\n");
    World::on(Database::create(), transmitter, &section, &[])
}

fn claims(world: &World) -> Value {
    json!({"iss": world.transmitter.url, "aud": "client-1", "iat": now(), "exp": now() + 120, "jti": id(),
           "sub": "jane", "sid": "s", "events": {EVENT: {}}})
}

async fn send(world: &World, token: &str) -> Response {
    let url = format!("{}/v1/signals/logout", world.directory.program.url);
    let response = client().post(url).form(&[("logout_token", token)]).send().await.unwrap();
    assert_eq!(header(&response, "cache-control"), "no-store");
    response
}

/// Makes an account at the transmitter's own issuer.
async fn arrive(world: &World) -> String {
    let issuer = firstsight::domain::Issuer::parse(&world.transmitter.url).unwrap();
    let subject =
        firstsight::domain::Subject { issuer, id: firstsight::domain::SubjectId::parse("jane").unwrap() };
    let mut arrival = crate::program::arrival("jane", json!({}));
    arrival["subject"] =
        json!({"issuer": world.transmitter.url, "id": "jane", "key": subject.key().to_string()});
    let (_, body) = world.directory.arrival(&arrival).await;
    body["account"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_logout_outdates_every_token_of_its_subject() {
    let world = world().await;
    let account = arrive(&world).await;
    for typ in ["logout+jwt", "JWT"] {
        let token = world.transmitter.sign(typ, &claims(&world));
        assert_eq!(send(&world, &token).await.status(), 200, "{typ}");
        assert_eq!(send(&world, &token).await.status(), 200, "{typ}, again");
    }
    assert_eq!(world.told().await, [("jane".to_owned(), "returned".to_owned())]);
    assert_eq!(world.directory.account(&account).await["state"], "active");
    let revocation = record("revocation", "signal", &world.transmitter.url, "backchannel-logout");
    assert_eq!(world.records().await[1..], [revocation.clone(), revocation]);
}

#[tokio::test]
async fn a_logout_token_that_breaks_a_rule_is_refused() {
    let world = world().await;
    arrive(&world).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&world);
        claims[name] = value;
        world.transmitter.sign("logout+jwt", &claims)
    };
    for token in [
        with("nonce", json!("n")),
        with("aud", json!("client-2")),
        with("iss", json!("https://other.example.com")),
        with("events", json!({"urn:example:x": {}})),
        with("exp", json!(now() - 60)),
        with("iat", json!(now() - 8 * 24 * 3600)),
        with("jti", json!(null)),
        world.transmitter.sign("secevent+jwt", &claims(&world)),
        world.transmitter.sign("at+jwt", &claims(&world)),
        "a.b.c".to_owned(),
    ] {
        let response = send(&world, &token).await;
        assert_eq!(response.status(), 400, "{token}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "invalid_request");
    }
    let mut alone = claims(&world);
    alone.as_object_mut().unwrap().remove("sub");
    assert_eq!(send(&world, &world.transmitter.sign("logout+jwt", &alone)).await.status(), 400, "sid alone");
    assert_eq!(world.told().await, []);
}

#[tokio::test]
async fn what_is_no_form_is_refused_and_kept_by_nobody() {
    let world = world().await;
    let url = format!("{}/v1/signals/logout", world.directory.program.url);
    for request in [client().post(&url).body("{}"), client().post(&url).form(&[("token", "a.b.c")])] {
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (400, "no-store"));
    }
}

#[tokio::test]
async fn a_logout_token_is_no_event_and_an_event_no_logout() {
    let world = world().await;
    assert_eq!(
        world.refused(&world.transmitter.sign("logout+jwt", &claims(&world))).await,
        "invalid_request"
    );
    let event = world.transmitter.about("jane", &format!("{CAEP}session-revoked"), &json!({}));
    assert_eq!(world.refused(&event).await, "access_denied", "nothing is pushed");
    let usual = World::start().await;
    let response = send(&usual, &usual.transmitter.sign("logout+jwt", &claims(&usual))).await;
    assert_eq!(response.status(), 400, "logout tokens are not taken unless the operator says so");
}
