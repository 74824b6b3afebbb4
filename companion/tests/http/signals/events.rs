//! What becomes of accounts.

use super::transmitter::{iss_sub, now};
use super::*;
use crate::program::{arrival, subject};
use std::time::{Duration, Instant};

fn words(told: &[(&str, &str)]) -> Vec<(String, String)> {
    told.iter().map(|(id, state)| ((*id).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn every_event_that_shuts_an_account_refuses_its_subject_and_is_told() {
    let world = World::with("sub = [\"scim.externalId\"]", &[]).await;
    let scim = "urn:ietf:params:scim:event:";
    let cases = [
        (
            format!("{RISC}account-disabled"),
            json!({"reason": "hijacking"}),
            "disabled",
            "account-disabled: hijacking",
        ),
        (format!("{RISC}account-purged"), json!({}), "departed", "account-purged"),
        (format!("{scim}prov:deactivate"), json!({}), "disabled", "prov:deactivate"),
        (format!("{scim}prov:delete"), json!({}), "departed", "prov:delete"),
        (format!("{scim}feed:remove"), json!({}), "disabled", "feed:remove"),
        (format!("{scim}prov:put:full"), json!({"data": {"active": false}}), "disabled", "prov:put:full"),
    ];
    for (number, (event, payload, state, reason)) in cases.iter().enumerate() {
        let sub = format!("sub-{number}");
        let id = world.directory.account_of(&sub).await;
        let sub_id = match event.starts_with("urn:") {
            true => json!({"format": "scim", "uri": "/Users/7", "externalId": sub}),
            false => iss_sub(&sub),
        };
        let token = world.transmitter.events(&world.transmitter.claims(&sub_id, event, payload));
        assert_eq!(world.push_text(&token).await.0, 202, "{event}");
        assert_eq!(world.directory.account(&id).await["state"], *state, "{event}");
        assert_eq!(world.told().await.last(), Some(&(sub.clone(), "departed".to_owned())), "{event}");
        let refused = if *state == "departed" { 410 } else { 403 };
        assert_eq!(world.directory.arrival(&arrival(&sub, json!({}))).await.0, refused, "{event}");
        let word = if *state == "departed" { "departure" } else { "disable" };
        assert_eq!(world.records().await.last(), Some(&record(word, "signal", "idp", reason)), "{event}");
    }
}

#[tokio::test]
async fn every_event_that_ends_sessions_leaves_the_account_and_outdates_its_tokens() {
    let world = World::start().await;
    let id = world.directory.account_of("jane").await;
    let before = world.directory.account(&id).await;
    let cases = [
        (
            format!("{CAEP}session-revoked"),
            json!({"reason_admin": {"en": "land speed"}}),
            "session-revoked: land speed",
        ),
        (format!("{CAEP}token-claims-change"), json!({"claims": {"role": "admin"}}), "token-claims-change"),
        (format!("{CAEP}credential-change"), json!({"change_type": "revoke"}), "credential-change"),
        (format!("{RISC}sessions-revoked"), json!({}), "sessions-revoked"),
        (
            format!("{RISC}account-credential-change-required"),
            json!({}),
            "account-credential-change-required",
        ),
        (format!("{RISC}credential-compromise"), json!({}), "credential-compromise"),
    ];
    for (event, payload, reason) in cases {
        world.push("jane", &event, &payload).await;
        assert_eq!(
            world.records().await.last(),
            Some(&record("revocation", "signal", "idp", reason)),
            "{event}"
        );
    }
    let after = world.directory.account(&id).await;
    assert_eq!((&after["state"], &after["state_since"]), (&json!("active"), &before["state_since"]));
    assert_eq!(world.told().await, words(&[("jane", "returned")]));
    let (_, feed) = answer(world.directory.get("/v1/departures")).await;
    let told_at = feed["departures"][0]["at"].as_str().unwrap();
    assert!(told_at > before["created_at"].as_str().unwrap(), "tokens of before {told_at} are outdated");
    assert_eq!(world.directory.arrival(&arrival("jane", json!({}))).await.0, 200);
    assert!(!world.directory.records("").await.iter().any(|record| record.to_string().contains("admin\"")));
}

#[tokio::test]
async fn who_waits_for_departures_is_told_of_a_signal_at_once() {
    let world = World::start().await;
    world.directory.account_of("jane").await;
    let begun = Instant::now();
    let (page, ()) = tokio::join!(answer(world.directory.get("/v1/departures?wait=20s")), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.push("jane", &format!("{CAEP}session-revoked"), &json!({})).await;
    });
    assert_eq!(page.1["departures"][0]["state"], "returned");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn who_is_shut_out_before_the_first_arrival_is_refused_when_it_comes() {
    let world = World::start().await;
    world.push("gone", &format!("{RISC}account-purged"), &json!({})).await;
    world.push("out", &format!("{RISC}account-disabled"), &json!({})).await;
    assert_eq!(world.told().await, words(&[("gone", "departed"), ("out", "departed")]));
    assert_eq!(world.directory.arrival(&arrival("gone", json!({}))).await.0, 410);
    assert_eq!(world.directory.arrival(&arrival("out", json!({}))).await.0, 403);
    let (_, feed) = answer(world.directory.get("/v1/departures")).await;
    assert_eq!(feed["departures"][0]["key"], subject("gone").key().to_string());
    world.push("out", &format!("{RISC}account-enabled"), &json!({})).await;
    assert_eq!(world.directory.arrival(&arrival("out", json!({"email": "1"}))).await.0, 200);
}

#[tokio::test]
async fn who_was_never_there_is_not_let_past_an_approval_by_a_signal() {
    let world = World::with("", &["--new-accounts", "pending"]).await;
    world.push("jane", &format!("{RISC}account-disabled"), &json!({})).await;
    world.push("jane", &format!("{RISC}account-enabled"), &json!({})).await;
    assert_eq!(world.directory.arrival(&arrival("jane", json!({}))).await.0, 403);
}

#[tokio::test]
async fn nobody_is_made_by_an_event_that_shuts_nobody_out() {
    let world = World::start().await;
    for event in ["account-enabled", "sessions-revoked"] {
        world.push("jane", &format!("{RISC}{event}"), &json!({})).await;
    }
    world
        .push("jane", "urn:ietf:params:scim:event:prov:create:full", &json!({"data": {"userName": "j"}}))
        .await;
    assert_eq!(world.directory.page("").await["accounts"], json!([]));
}

#[tokio::test]
async fn an_account_is_opened_only_by_the_transmitter_who_shut_it() {
    let world = World::start().await;
    let [by_signal, by_admin, gone] = ["a", "b", "c"].map(|sub| world.directory.account_of(sub));
    let (by_signal, by_admin, gone) = (by_signal.await, by_admin.await, gone.await);
    world.push("a", &format!("{RISC}account-disabled"), &json!({})).await;
    world.directory.act(&by_admin, "disable").await;
    world.push("c", &format!("{RISC}account-purged"), &json!({})).await;
    for sub in ["a", "b", "c"] {
        world.push(sub, &format!("{RISC}account-enabled"), &json!({})).await;
    }
    assert_eq!(world.directory.account(&by_signal).await["state"], "active");
    assert_eq!(world.directory.account(&by_admin).await["state"], "disabled");
    assert_eq!(world.directory.account(&gone).await["state"], "departed");
}

#[tokio::test]
async fn the_newest_event_has_the_last_word_whenever_it_comes() {
    let world = World::start().await;
    let id = world.directory.account_of("jane").await;
    let push = async |seconds, event: &str| {
        let token = world.transmitter.earlier(seconds, "jane", &format!("{RISC}{event}"));
        assert_eq!(world.push_text(&token).await.0, 202);
        world.directory.account(&id).await["state"].clone()
    };
    assert_eq!(push(50, "account-disabled").await, "disabled");
    assert_eq!(push(60, "account-enabled").await, "disabled");
    assert_eq!(push(40, "account-enabled").await, "active");
    assert_eq!(push(45, "account-disabled").await, "active");
    assert_eq!(push(40, "account-disabled").await, "disabled");
}

#[tokio::test]
async fn a_signal_changes_attributes_that_are_there_and_never_the_key() {
    let world = World::start().await;
    let mut arrived =
        arrival("jane", json!({"userName": "jane@old.test", "emails": [{"value": "jane@old.test"}]}));
    arrived["issued_at"] = json!("2026-01-01T00:00:00Z");
    let (_, body) = world.directory.arrival(&arrived).await;
    let id = body["account"]["id"].as_str().unwrap();
    let named = json!({"format": "aliases", "identifiers": [{"format": "email", "email": "jane@old.test"}, iss_sub("jane")]});
    let event = format!("{RISC}identifier-changed");
    let changed = world.transmitter.claims(&named, &event, &json!({"new-value": "jane@new.test"}));
    assert_eq!(world.push_text(&world.transmitter.events(&changed)).await.0, 202);
    let account = world.directory.account(id).await;
    assert_eq!(
        account["attributes"],
        json!({"userName": "jane@new.test", "emails": [{"value": "jane@new.test"}]})
    );
    assert_eq!(account["subject"]["id"], "jane");
    let last = world.directory.records("").await.pop().unwrap();
    assert_eq!((&last["event"], &last["cause"]), (&json!("drift"), &json!("signal")));
    assert_eq!(last["attributes"], json!(["emails", "userName"]));
    assert!(!last.to_string().contains("new.test"), "the audit holds no values");

    // A token of before does not bring the old ones back.
    assert_eq!(world.directory.arrival(&arrived).await.0, 200);
    assert_eq!(world.directory.account(id).await["attributes"]["userName"], "jane@new.test");

    let put = json!({"data": {"userName": "june", "emails": [{"value": "june@new.test"}], "title": "Dr"}});
    let mut claims =
        world.transmitter.claims(&iss_sub("jane"), "urn:ietf:params:scim:event:prov:put:full", &put);
    claims["iat"] = json!(now() - 60);
    assert_eq!(world.push_text(&world.transmitter.events(&claims)).await.0, 202);
    assert_eq!(world.directory.account(id).await["attributes"]["userName"], "jane@new.test", "it is older");
    world.push("jane", "urn:ietf:params:scim:event:prov:put:full", &put).await;
    let after = world.directory.account(id).await;
    assert_eq!(after["attributes"], json!({"userName": "june", "emails": [{"value": "june@new.test"}]}));
}

#[tokio::test]
async fn nobody_is_found_by_an_email_address_alone_or_a_name_nobody_explained() {
    let world = World::start().await;
    world.directory.arrival(&arrival("jane", json!({"email": "jane@x.test"}))).await;
    for sub_id in [
        json!({"format": "email", "email": "jane@x.test"}),
        json!({"format": "opaque", "id": "jane"}),
        json!({"format": "scim", "uri": "/Users/jane", "externalId": "jane"}),
        json!({"format": "complex", "session": iss_sub("jane")}),
    ] {
        let claims = world.transmitter.claims(&sub_id, &format!("{RISC}account-disabled"), &json!({}));
        assert_eq!(world.push_text(&world.transmitter.events(&claims)).await.0, 202, "{sub_id}");
    }
    assert_eq!(world.told().await, []);
}

#[tokio::test]
async fn an_event_with_a_critical_member_that_is_not_understood_is_discarded() {
    let world = World::with("critical = [\"tenant\"]", &[]).await;
    world.directory.account_of("jane").await;
    let subject =
        json!({"format": "complex", "user": iss_sub("jane"), "tenant": {"format": "opaque", "id": "t"}});
    let claims = world.transmitter.claims(&subject, &format!("{RISC}account-disabled"), &json!({}));
    assert_eq!(world.push_text(&world.transmitter.events(&claims)).await.0, 202);
    assert_eq!(world.told().await, []);
}

#[tokio::test]
async fn what_is_unknown_or_about_no_account_is_acknowledged_and_changes_nothing() {
    let world = World::start().await;
    world.directory.account_of("jane").await;
    let before = world.records().await;
    let ssf = "https://schemas.openid.net/secevent/ssf/event-type/";
    for (event, payload) in [
        ("urn:example:unknown".to_owned(), json!({"odd": {}})),
        (format!("{RISC}opt-in"), json!({})),
        (format!("{ssf}verification"), json!({"state": "s"})),
        (format!("{ssf}stream-updated"), json!({"status": "paused"})),
        ("urn:ietf:params:scim:event:misc:asyncresp".to_owned(), json!({})),
    ] {
        world.push("jane", &event, &payload).await;
    }
    assert_eq!((world.told().await, world.records().await), (vec![], before));
}
