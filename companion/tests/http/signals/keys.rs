//! A transmitter's keys.

use super::*;
use std::time::Duration;

fn event() -> String {
    format!("{CAEP}session-revoked")
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_one_is_not_known() {
    let world = World::start().await;
    for _ in 0..3 {
        world.push("jane", &event(), &json!({})).await;
    }
    assert_eq!(world.transmitter.keys_asked(), 1);
    world.transmitter.rotate();
    let token = world.transmitter.about("jane", &event(), &json!({}));
    // Nobody knows yet whether the key is new or made up, and asking is not for everybody to bring about.
    for _ in 0..10 {
        assert_eq!(world.push_text(&token).await.0, 503);
    }
    assert_eq!(world.transmitter.keys_asked(), 1);
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(world.push_text(&token).await.0, 202);
    assert_eq!(world.transmitter.keys_asked(), 2);
}

#[tokio::test]
async fn a_key_that_is_not_there_after_asking_again_is_refused() {
    let world = World::start().await;
    world.push("jane", &event(), &json!({})).await;
    let old = world.transmitter.about("jane", &event(), &json!({}));
    world.transmitter.rotate();
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(world.push_text(&world.transmitter.about("jane", &event(), &json!({}))).await.0, 202);
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(world.refused(&old).await, "invalid_key");
}

#[tokio::test]
async fn no_event_is_lost_while_keys_cannot_be_fetched() {
    let world = World::start().await;
    world.transmitter.keys_are_away(true);
    let token = world.transmitter.about("jane", &format!("{RISC}account-disabled"), &json!({}));
    let url = format!("{}/v1/signals", world.directory.program.url);
    let request = crate::program::client().post(url).body(token.clone());
    let response = request.header("content-type", "application/secevent+jwt").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "1"));
    world.transmitter.keys_are_away(false);
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(world.push_text(&token).await.0, 202);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn keys_are_found_in_every_place() {
    for place in ["discovery = \"openid\"", "discovery = \"ssf\"", "jwks_uri = \"URL/jwks\""] {
        let transmitter = Transmitter::start().await;
        let section = transmitter.section(&place.replace("URL", &transmitter.url));
        let world = World::on(Database::create(), transmitter, &section, &[]);
        world.push("jane", &format!("{RISC}account-disabled"), &json!({})).await;
    }
}
