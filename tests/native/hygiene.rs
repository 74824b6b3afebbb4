//! Header hygiene as properties: whatever a client sends and whatever a claim holds, the application gets what the mapping
//! wrote, and nothing else under any spelling of its names.

use crate::support::behaviour::Behaviour;
use crate::support::config::{Config, usual};
use crate::support::message::{Request, Seen, get};
use crate::support::world::{World, unavailable};
use crate::world::NativeWorld;
use base64::{Engine, engine::general_purpose::STANDARD};
use firstsight::mapping::{Format, NonAscii, Rendering};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// Enough to find what is there to be found, in a second.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    ForwardedAtOnce,
    HeldThenForwarded,
    /// By a posture that lets new subjects through while the directory is away.
    HeldThenForwardedWithoutAccount,
    RefusedAtOnce,
    HeldThenRefused,
}

const OUTCOMES: [Outcome; 5] = [
    Outcome::ForwardedAtOnce,
    Outcome::HeldThenForwarded,
    Outcome::HeldThenForwardedWithoutAccount,
    Outcome::RefusedAtOnce,
    Outcome::HeldThenRefused,
];

/// The names that the mapping writes, as it writes them.
const MANAGED: [&str; 5] = ["x-user-id", "x-user-email", "x-user-groups", "x-account-id", "x_jwt_payload"];

fn config() -> Config {
    // Each case tries its luck once, and none leaves the directory alone.
    let config = usual().set("/provisioning/when_unavailable", json!("allow"));
    let config = config.set("/provisioning/retry", json!({"attempts": 1}));
    let mut config = config.set("/provisioning/breaker", json!({"failures": 10_000}));
    let payload = json!({"header": "x_jwt_payload", "payload": "base64url"});
    config.0["headers"].as_array_mut().unwrap().push(payload);
    config
}

/// A managed name with any case and any of `-` and `_`.
fn spelling() -> impl Strategy<Value = String> {
    (select(MANAGED.as_slice()), any::<u64>()).prop_map(|(name, bits)| {
        let spell = |(index, character): (usize, char)| match (character, bits >> index & 1) {
            ('-' | '_', 0) => '-',
            ('-' | '_', _) => '_',
            (letter, 0) => letter,
            (letter, _) => letter.to_ascii_uppercase(),
        };
        name.chars().enumerate().map(spell).collect()
    })
}

fn forged_headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let other = select(&["x-user", "x-user-id2", "accept", "x-other_header"][..]).prop_map(str::to_owned);
    vec((prop_oneof![4 => spelling(), 1 => other], vec(any::<u8>(), 0..12)), 0..12)
}

fn request(token: &str, forged: &[(String, Vec<u8>)]) -> Request {
    forged.iter().fold(get("/orders").bearer(token), |request, (name, value)| request.header(name, value))
}

/// What the application sees under any spelling of a managed name.
fn managed(seen: &Seen) -> Vec<(String, Vec<u8>)> {
    let spelled = |name: &String| MANAGED.iter().any(|own| own.replace('_', "-") == name.replace('_', "-"));
    let mut found: Vec<_> = seen.headers.iter().filter(|(name, _)| spelled(name)).cloned().collect();
    found.sort();
    found
}

#[test]
fn whatever_a_client_sends_the_application_sees_what_the_mapping_wrote() {
    let world = RefCell::new(NativeWorld::usual(&config()));
    let case = (select(OUTCOMES.as_slice()), forged_headers(), any::<bool>(), any::<bool>());
    let number = Cell::new(0);
    let result = TestRunner::new(cases(200)).run(&case, |(outcome, forged, has_email, has_groups)| {
        let world = &mut *world.borrow_mut();
        number.set(number.get() + 1);
        let sub = format!("crowd-{}", number.get());
        let email = if has_email { json!("jane@people.test") } else { Value::Null };
        let groups = if has_groups { json!(["staff", "admin"]) } else { Value::Null };
        let token = world.token_with(&sub, &json!({"email": email, "groups": groups}));
        let active =
            json!({"status": "active", "account": {"id": format!("account-of-{sub}")}, "valid_for": 3600});
        world.directory().answers(Behaviour::json(200, &active));
        match outcome {
            Outcome::ForwardedAtOnce => drop(world.send(get("/orders").bearer(&token)).forwarded()),
            Outcome::HeldThenForwarded => {}
            Outcome::HeldThenForwardedWithoutAccount => world.directory().answers(unavailable()),
            Outcome::RefusedAtOnce => {
                let answer = world.send(request("a.b.c", &forged)).refused(401, "token-malformed");
                prop_assert!(answer.seen.is_none());
                return Ok(());
            }
            Outcome::HeldThenRefused => {
                world.directory().answers(Behaviour::json(410, &json!({})));
                world.send(request(&token, &forged)).refused(403, "account-departed");
                return Ok(());
            }
        }
        let seen = world.send(request(&token, &forged)).forwarded();
        let payload = token.split('.').nth(1).unwrap_or_default().to_owned();
        let account = format!("account-of-{sub}");
        let expected = [
            (outcome != Outcome::HeldThenForwardedWithoutAccount).then_some(("x-account-id", account)),
            has_email.then(|| ("x-user-email", "jane@people.test".to_owned())),
            has_groups.then(|| ("x-user-groups", "staff,admin".to_owned())),
            Some(("x-user-id", sub)),
            Some(("x_jwt_payload", payload)),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect();
        prop_assert_eq!(managed(&seen), expected);
        let others = |name: &str| forged.iter().filter(|(key, _)| key == name).count();
        for name in ["x-user", "x-user-id2", "accept", "x-other_header"] {
            let left = seen.headers.iter().filter(|(key, _)| key == name).count();
            prop_assert_eq!(left, others(name), "{} is not ours", name);
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Text with what is dangerous in headers, lists and encodings.
fn text() -> impl Strategy<Value = String> {
    let plain = select(&['a', 'B', '7', '-', 'ö', '中', '👋'][..]);
    let blank = select(&[' ', '\u{a0}', '\u{2028}'][..]);
    let odd = select(&[',', '%', '\r', '\n', '\t', '\0', '\u{7f}', '\u{85}', '"', '\\'][..]);
    let character = prop_oneof![8 => plain, 2 => blank, 2 => odd, 1 => any::<char>()];
    vec(character, 0..10).prop_map(|characters| characters.into_iter().collect())
}

/// JSON as a verified token may hold it. Numbers are exact, so that reading them again gives the same.
fn claim() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        5 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let members = btree_map(text(), inner.clone(), 0..4);
        let object = members.prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![vec(inner, 0..4).prop_map(Value::Array), object]
    })
}

fn rendering() -> impl Strategy<Value = Rendering> {
    let formats = select(&[Format::Plain, Format::Csv, Format::Json, Format::Base64Json][..]);
    let ways = select(&[NonAscii::Utf8, NonAscii::Percent, NonAscii::Missing][..]);
    (formats, ways, prop_oneof![1_usize..80, Just(10_000)])
        .prop_map(|(format, non_ascii, max_bytes)| Rendering { format, non_ascii, max_bytes })
}

fn rendered(rendering: Rendering, claim: &Value) -> Option<String> {
    let value = rendering.render(claim).ok()?;
    Some(std::str::from_utf8(value.as_bytes()).expect("it is UTF-8").to_owned())
}

/// What a reader of a list in a header sees.
fn split(rendering: Rendering, text: &str) -> Vec<String> {
    let decoded = |item: &str| match rendering.non_ascii {
        NonAscii::Percent => {
            percent_encoding::percent_decode_str(item).decode_utf8().expect("UTF-8").into_owned()
        }
        NonAscii::Utf8 | NonAscii::Missing => item.to_owned(),
    };
    text.split(',').map(|item| decoded(item.trim())).collect()
}

fn as_text(item: &Value) -> String {
    item.as_str().map_or_else(|| item.to_string(), str::to_owned)
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn a_rendered_value_may_be_sent_as_it_is(claim in prop_oneof![claim(), text().prop_map(Value::from)], rendering in rendering()) {
        let Some(text) = rendered(rendering, &claim) else { return Ok(()) };
        prop_assert!(!text.is_empty() && text.len() <= rendering.max_bytes);
        prop_assert!(!text.chars().any(char::is_control), "{text:?}");
        prop_assert_eq!(text.trim(), &text);
        let is_json = matches!(rendering.format, Format::Json | Format::Base64Json);
        if is_json || rendering.non_ascii != NonAscii::Utf8 {
            prop_assert!(text.is_ascii(), "{text:?}");
        }
        if rendering.format == Format::Csv {
            let items = claim.as_array().cloned().unwrap_or_else(|| vec![claim.clone()]);
            let items: Vec<_> = items.iter().map(as_text).collect();
            prop_assert_eq!(split(rendering, &text), items);
        }
    }

    #[test]
    fn any_claim_but_null_reads_the_same_from_json(claim in claim()) {
        let through = |format| rendered(Rendering { format, non_ascii: NonAscii::Utf8, max_bytes: usize::MAX }, &claim);
        let json = through(Format::Json).map(String::into_bytes);
        let base64 = through(Format::Base64Json).map(|text| STANDARD.decode(text).expect("it is base64"));
        for written in [json, base64] {
            let read = written.map(|bytes| serde_json::from_slice::<Value>(&bytes).expect("it is JSON"));
            prop_assert_eq!(read, (!claim.is_null()).then(|| claim.clone()));
        }
    }

    #[test]
    fn a_list_of_words_is_always_sent(words in vec("[a-zA-Zöé中%:/]{1,6}", 1..6)) {
        for non_ascii in [NonAscii::Utf8, NonAscii::Percent] {
            let rendering = Rendering { format: Format::Csv, non_ascii, max_bytes: 1000 };
            let text = rendered(rendering, &json!(words)).expect("there is nothing wrong with it");
            prop_assert_eq!(&split(rendering, &text), &words);
        }
    }
}
