//! Transmitters that are polled (RFC 8936).

use super::transmitter::iss_sub;
use super::*;
use std::time::Duration;

/// A directory that polls, with these subjects' accounts made before.
async fn world(transmitter: Transmitter, more: &str) -> World {
    let section = transmitter.polled(more);
    World::on(Database::create(), transmitter, &section, &[])
}

#[tokio::test]
async fn everything_that_waits_is_taken_and_acknowledged_page_by_page() {
    let transmitter = Transmitter::start().await;
    let mut expected: Vec<_> = (0..5)
        .map(|number| transmitter.queue(&format!("sub-{number}"), &format!("{RISC}account-disabled")))
        .map(|id| (id, "ack".to_owned()))
        .collect();
    let world = world(transmitter, "").await;
    let mut said = world.transmitter.has_heard(5).await;
    said.sort();
    expected.sort();
    assert_eq!(said, expected);
    assert_eq!(world.told().await.len(), 5);
    let polls = world.transmitter.polls();
    assert!(
        polls.iter().all(|(_, poll)| poll["maxEvents"] == 2 && poll["returnImmediately"] == false),
        "{polls:?}"
    );

    world.transmitter.queue("later", &format!("{RISC}account-disabled"));
    world.transmitter.has_heard(6).await;
    assert_eq!(world.told().await.len(), 6);
}

#[tokio::test]
async fn what_will_never_be_taken_is_said_so_with_its_code_and_holds_up_nobody() {
    let transmitter = Transmitter::start().await;
    transmitter.queue_text("1", "no token");
    let mut claims = transmitter.claims(&iss_sub("a"), &format!("{RISC}account-disabled"), &json!({}));
    transmitter.queue_text("2", &transmitter.events(&claims));
    claims["jti"] = json!("3");
    claims["aud"] = json!("https://other.example.com");
    transmitter.queue_text("3", &transmitter.events(&claims));
    let good = transmitter.queue("jane", &format!("{RISC}account-disabled"));
    let world = world(transmitter, "").await;
    let mut said = world.transmitter.has_heard(4).await;
    said.sort();
    let expected =
        [("1", "invalid_request"), ("2", "invalid_request"), ("3", "invalid_audience"), (&good, "ack")];
    assert_eq!(said, expected.map(|(id, word)| (id.to_owned(), word.to_owned())));
    assert_eq!(world.told().await, [("jane".to_owned(), "departed".to_owned())]);
}

#[tokio::test]
async fn nothing_is_lost_while_the_transmitter_or_its_keys_are_away() {
    let transmitter = Transmitter::start().await;
    transmitter.fail(2);
    transmitter.keys_are_away(true);
    let id = transmitter.queue("jane", &format!("{RISC}account-disabled"));
    let world = world(transmitter, "").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.transmitter.said(), [], "it is neither taken nor refused");
    let polls = world.transmitter.polls().len();
    assert!((2..10).contains(&polls), "{polls} polls: they are further and further apart");
    world.transmitter.keys_are_away(false);
    assert_eq!(world.transmitter.has_heard(1).await, [(id, "ack".to_owned())]);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn what_was_taken_and_not_acknowledged_comes_again_and_changes_nothing() {
    let transmitter = Transmitter::start().await;
    let claims = transmitter.claims(&iss_sub("jane"), &format!("{CAEP}session-revoked"), &json!({}));
    let (id, token) = (claims["jti"].as_str().unwrap().to_owned(), transmitter.events(&claims));
    let settings = transmitter.polled("push = true");
    let world = World::on(Database::create(), transmitter, &settings, &[]);
    let account = world.directory.account_of("jane").await;
    assert_eq!(world.push_text(&token).await.0, 202);
    let World { directory, transmitter, _settings } = world;
    directory.program.kill();
    transmitter.queue_text(&id, &token);
    let world = World::on(directory.database, transmitter, &settings, &[]);
    assert_eq!(world.transmitter.has_heard(1).await, [(id, "ack".to_owned())]);
    assert_eq!(world.directory.account(&account).await["story"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_transmitter_is_shown_the_token_from_the_environment() {
    let transmitter = Transmitter::start().await;
    // Any variable that is there will do.
    let section =
        transmitter.polled("").replace("max_events", "authorization_env = \"FIRSTSIGHT_TOKEN\"\nmax_events");
    transmitter.queue("jane", &format!("{RISC}account-disabled"));
    let world = World::on(Database::create(), transmitter, &section, &[]);
    world.transmitter.has_heard(1).await;
    let expected = Some(format!("Bearer {}", crate::program::TOKEN));
    assert!(world.transmitter.polls().iter().all(|(token, _)| *token == expected));
}

#[tokio::test]
async fn a_directory_that_polls_stops_at_once() {
    let world = world(Transmitter::start().await, "").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = std::time::Instant::now();
    world.directory.program.terminate();
    assert!(world.directory.program.ended().success());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn processes_that_poll_the_same_transmitter_take_every_event_once() {
    let transmitter = Transmitter::start().await;
    let settings = transmitter.polled("");
    let one = World::on(Database::create(), transmitter.clone(), &settings, &[]);
    if !one.directory.database.can_be_shared() {
        eprintln!("SKIPPED: SQLite has one process; scripts/postgres.sh runs this over PostgreSQL");
        return;
    }
    let _another = World::on(one.directory.database.clone(), transmitter, &settings, &[]);
    let account = one.directory.account_of("jane").await;
    for _ in 0..5 {
        one.transmitter.queue("jane", &format!("{CAEP}session-revoked"));
    }
    one.transmitter.has_heard(5).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(one.directory.account(&account).await["story"].as_array().unwrap().len(), 6);
}
