//! Tokens of events and logout tokens that the transmitter did sign, whatever they say: those that are taken meet every
//! rule of their kind, as a second reader reads them, none lets anybody in, and nobody is named who does not stand in it.
//!
//! Input: a line with the header, and the payload.
#![no_main]

use firstsight::config::{IssuerPolicy, KeySource};
use firstsight::domain::{Issuer, Subject};
use firstsight::token::{ALGORITHMS, EventToken, Jws, LOGOUT_EVENT, Transmitter};
use firstsight::wire::signals::{Alias, signals};
use firstsight_fuzz::{AUDIENCE, ISSUER, NOW, now, once, policy, sign};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::time::Duration;

once!(trusted: IssuerPolicy = policy(json!({"issuers": [{"issuer": ISSUER, "any_audience": true, "token": "any",
      "require_exp": false, "max_age": "1h", "jwks": firstsight_fuzz::jwks()}]})).issuers.into_iter().next().expect("there is one"));
once!(transmitter: Transmitter = Transmitter {
    issuer: Issuer::parse(ISSUER).expect("it is one"),
    audiences: vec![AUDIENCE.to_owned()],
    algorithms: ALGORITHMS.to_vec(),
    clock_skew: Duration::from_secs(30),
    max_age: Duration::from_secs(3600),
});

fuzz_target!(|text: &str| {
    let Some((header, payload)) = text.split_once('\n') else { return };
    let token = sign(header, payload);
    let KeySource::Inline(keys) = &trusted().keys else { unreachable!("they are in the configuration") };
    let events = Jws::parse_events(&token).ok().and_then(|jws| transmitter().verify(jws, keys, now()).ok());
    let logout =
        Jws::parse_logout(&token).ok().and_then(|jws| transmitter().verify_logout(jws, keys, now()).ok());
    assert!(events.is_none() || logout.is_none(), "it is of two kinds");
    let lets_in = Jws::parse(&token).is_ok_and(|jws| trusted().trust.verify(jws, keys, now()).is_ok());
    assert!(!lets_in || (events.is_none() && logout.is_none()), "a token of events lets somebody in");

    if let Some(taken) = events.as_ref().or(logout.as_ref()) {
        let header: Value = serde_json::from_str(header).expect("only JSON is read");
        let said: Value = serde_json::from_str(payload).expect("only JSON is read");
        let typ = header["typ"].as_str().unwrap_or("jwt").to_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if events.is_some() {
            assert!(typ == "secevent+jwt" && said.get("sub").is_none() && said.get("exp").is_none());
        } else {
            assert!(matches!(typ, "logout+jwt" | "jwt") && said["events"][LOGOUT_EVENT].is_object());
            assert!(said.get("nonce").is_none() && (said["sub"].is_string() || said["sid"].is_string()));
        }
        meets_what_is_required_of_any(taken, &said);
    }

    // What it says is read the same, whoever signed it.
    let Ok(Value::Object(claims)) = serde_json::from_str(payload) else { return };
    let every: Vec<_> = ["tenant", "group", "org_unit", "application"].map(str::to_owned).to_vec();
    let (mut texts, said) = (Vec::new(), Value::Object(claims.clone()));
    collect(&said, &mut texts);
    let (free, strict) = (signals(&claims, &[]), signals(&claims, &every));
    let events = claims.get("events").and_then(Value::as_object);
    assert_eq!(free.len(), events.map_or(0, serde_json::Map::len));
    for (free, strict) in free.iter().zip(&strict) {
        assert_eq!((&free.event, &free.meaning), (&strict.event, &strict.meaning));
        assert!(strict.about.is_none() || strict.about == free.about);
        assert!(
            free.reason
                .as_ref()
                .is_none_or(|text| text.chars().count() <= 200 && !text.contains(char::is_control))
        );
        let Some(named) = &free.about else { continue };
        let stands = |text: &str| texts.iter().any(|one| one == text);
        let is_there = |subject: &Subject| stands(subject.issuer.as_str()) && stands(subject.id.as_str());
        assert!(named.subjects.iter().all(is_there), "somebody is named who is not there");
        let own = transmitter().issuer.clone();
        assert_eq!(named.subjects(&[], &own), named.subjects, "a name means somebody that nobody explained");
        for subject in named.subjects(&[Alias::Opaque, Alias::ScimId, Alias::ScimExternalId], &own) {
            let id = subject.id.as_str();
            assert!(stands(id) || texts.iter().any(|text| text.ends_with(&format!("/Users/{id}"))), "{id}");
        }
    }
});

fn meets_what_is_required_of_any(taken: &EventToken, said: &Value) {
    assert_eq!(Some(taken.members()), said.as_object());
    assert_eq!(said["iss"], ISSUER);
    let is_ours = |value: &Value| value == AUDIENCE;
    assert!(is_ours(&said["aud"]) || said["aud"].as_array().is_some_and(|list| list.iter().any(is_ours)));
    assert!(said["jti"] == taken.id() && (1..=255).contains(&taken.id().len()));
    let iat = said["iat"].as_f64().expect("it was made some time");
    let age = NOW as f64 - iat;
    assert!((-30.001..3630.001).contains(&age), "{age}");
    let events = said["events"].as_object().expect("there are events");
    assert!(!events.is_empty() && events.values().all(Value::is_object));
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}
