//! First sight: who is new is made known to the directory before the request goes on, and the directory has the last word.

use crate::Here;
use crate::support::behaviour::Behaviour;
use crate::support::config::{DIRECTORY_TOKEN, ISSUER, usual};
use crate::support::message::{account, get};
use crate::support::world::{World, millis, unavailable};
use firstsight::domain::Kind;
use firstsight::wire::Cause;
use serde_json::json;

fn active(account: &str) -> Behaviour {
    Behaviour::json(201, &json!({"status": "active", "account": {"id": account}, "valid_for": 3600}))
}

#[test]
fn the_first_sight_of_a_subject_makes_its_account_before_the_request_goes_on() {
    let mut world = Here::usual(&usual());
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));

    let arrivals = world.directory().arrivals();
    assert_eq!(arrivals.len(), 1);
    let arrival = &arrivals[0];
    assert_eq!((arrival.subject.issuer.as_str(), arrival.subject.id.as_str()), (ISSUER, "jane-4711"));
    assert_eq!((arrival.cause, arrival.kind), (Cause::Arrival, Kind::Person));
    assert_eq!(arrival.gateway, "edge-1");
    let attributes = json!({"userName": "login-of-jane-4711", "name": {"givenName": "Given-jane-4711"}});
    assert_eq!(serde_json::Value::from(arrival.attributes.clone()), attributes);

    let heard = &world.directory().heard("/v1/arrivals")[0];
    assert_eq!(heard.header("authorization"), Some(format!("Bearer {DIRECTORY_TOKEN}")));
    assert_eq!(heard.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(heard.header("host").as_deref(), Some("directory.test"));
    assert!(heard.header("idempotency-key").is_some_and(|key| key.len() >= 16));
    assert_eq!(world.counter("firstsight.arrivals.active"), 1);
}

#[test]
fn a_known_subject_is_served_without_asking_again() {
    let mut world = Here::usual(&usual());
    for _ in 0..12 {
        assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));
    }
    assert_eq!(world.directory().arrivals().len(), 1, "one worker asks for all");
}

#[test]
fn concurrent_first_requests_of_one_subject_share_one_call_and_all_are_answered() {
    let mut world = Here::usual(&usual());
    world.directory().answers(active("shared").after(millis(250)));
    let answers = world.visits("jane-4711", 64);
    for answer in answers {
        assert_eq!(account(answer).as_deref(), Some("shared"));
    }
    assert_eq!(world.directory().arrivals().len(), 1, "one worker asks for all");
}

#[test]
fn only_issuer_and_sub_make_an_account() {
    let mut world = Here::usual(&usual());
    let mut visit = |sub: &str, email: &str, login: &str| {
        let token = world.token_with(sub, &json!({"email": email, "preferred_username": login}));
        account(world.send(get("/orders").bearer(&token)))
    };
    let jane = visit("jane-4711", "jane@people.test", "jane-login");
    assert_eq!(visit("jane-4711", "married@people.test", "other-login"), jane);
    assert_ne!(visit("JANE-4711", "jane@people.test", "jane-login"), jane);
}

#[test]
fn a_first_client_that_disconnects_loses_nobody_elses_answer() {
    let mut world = Here::usual(&usual());
    world.directory().answers(active("shared").after(millis(500)));
    let token = world.token("jane-4711");
    let request = || get("/orders").bearer(&token);
    let leader = world.open(request());
    world.until("the leader's call is made", |world| world.directory().arrivals().len() == 1);
    let followers: Vec<_> = (0..10).map(|_| world.open(request())).collect();
    world.pass(millis(50));
    world.abort(leader);
    for follower in followers {
        assert_eq!(account(world.answer(follower)).as_deref(), Some("shared"));
    }
}

#[test]
fn clients_that_disconnect_while_they_wait_make_room_for_others() {
    let config = usual().set("/limits/waiting", json!(12)).set("/provisioning/timeout", json!("5s"));
    let mut world = Here::usual(&config);
    world.directory().answers(active("late").after(millis(900)));
    for round in 0..3 {
        let token = world.token(&format!("jane-471{round}"));
        let open: Vec<_> = (0..6).map(|_| world.open(get("/orders").bearer(&token))).collect();
        world.until("it is asked for", |world| world.directory().arrivals().len() > round);
        for request in open {
            world.abort(request);
        }
    }
    world.pass(millis(200));
    for answer in world.visits("john-4712", 6) {
        assert_eq!(account(answer).as_deref(), Some("late"));
    }
}

#[test]
fn the_directory_has_the_last_word_on_a_subject() {
    let mut world = Here::usual(&usual());
    let message = "Ask your team's \"owner\".\r\nx-admin: 1 <b>";
    let pending = json!({"status": "pending", "message": message});
    let denied = json!({"status": "denied", "message": message});
    let problems = json!({"problems": ["userName is taken"]});
    let words = [
        (Behaviour::json(202, &pending), "account-pending", Some(message), "pending"),
        (Behaviour::json(403, &denied), "account-denied", Some(message), "denied"),
        (Behaviour::json(403, &json!({"status": "denied"})), "account-denied", None, "denied"),
        (Behaviour::json(410, &json!({})), "account-departed", None, "departed"),
        (Behaviour::json(200, &json!({"status": "departed"})), "account-departed", None, "departed"),
        (Behaviour::json(422, &problems), "account-invalid", None, "invalid"),
        (Behaviour::json(400, &problems), "account-invalid", None, "invalid"),
    ];
    for (number, (word, slug, detail, metric)) in words.into_iter().enumerate() {
        world.directory().answers(word);
        let counted = world.counter(&format!("firstsight.arrivals.{metric}"));
        let answer = world.visit(&format!("jane-47{number}")).refused(403, slug);
        assert_eq!(answer.detail().as_deref(), detail);
        assert_eq!(answer.header("x-admin"), None);
        assert_eq!(world.counter(&format!("firstsight.arrivals.{metric}")), counted + 1);
        assert!(world.counter(&format!("firstsight.requests.{slug}")) > 0);
    }
    world.directory().answers(Behaviour::text(409, ""));
    assert_eq!(account(world.visit("john-4712")), None);
    assert_eq!(world.counter("firstsight.arrivals.exists"), 1);
}

#[test]
fn a_refused_subject_is_not_asked_about_with_every_request() {
    let mut world = Here::usual(&usual());
    for status in ["pending", "denied", "departed"] {
        let code = if status == "denied" { 403 } else { 200 };
        world.directory().answers(Behaviour::json(code, &json!({"status": status})));
        let before = world.directory().arrivals().len();
        for _ in 0..10 {
            world.visit(&format!("jane-{status}")).refused(403, &format!("account-{status}"));
        }
        let calls = world.directory().arrivals().len() - before;
        assert_eq!(calls, 1, "about a subject that is {status}");
    }
}

#[test]
fn an_unavailable_directory_is_answered_by_the_posture_and_not_remembered() {
    let mut world = Here::usual(&usual());
    world.directory().answers(unavailable());
    let answer = world.visit("jane-4711").refused(503, "directory-unavailable");
    assert_eq!(answer.header("retry-after").as_deref(), Some("7"), "as the directory asked");
    assert_eq!(world.counter("firstsight.arrivals.unavailable"), 1);
    world.directory().behaves();
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));

    world.directory().goes_down();
    world.visit("john-4712").refused(503, "directory-unavailable");
    for _ in 0..6 {
        // Whichever worker knows jane serves her; none asks somebody who is not there and then says yes.
        let answer = world.visit("jane-4711");
        assert!(answer.seen.is_some() || answer.status == 503);
    }
    world.directory().comes_back();
    assert_eq!(account(world.visit("john-4712")).as_deref(), Some("acct-2"));
}

#[test]
fn with_the_posture_to_allow_a_new_subject_is_served_without_an_account() {
    let config = usual().set("/provisioning/when_unavailable", json!("allow"));
    let mut world = Here::usual(&config.set("/provisioning/breaker", json!({"failures": 1000})));
    world.directory().goes_down();
    for _ in 0..3 {
        assert_eq!(account(world.visit("jane-4711")), None);
    }
    world.directory().comes_back();
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));
    world.directory().answers(Behaviour::json(403, &json!({"status": "denied"})));
    world.visit("john-4712").refused(403, "account-denied");
}

#[test]
fn the_hold_ends_by_the_filters_own_clock() {
    let config = usual().set("/provisioning/timeout", json!("30s")).set("/limits/hold", json!("300ms"));
    let mut world = Here::usual(&config);
    world.visit("ready-0").forwarded();
    world.directory().answers(Behaviour::Hangs);
    let before = world.now();
    for answer in world.visits("jane-4711", 4) {
        answer.refused(503, "directory-unavailable");
    }
    let waited = world.now().since(before);
    assert!((millis(250)..millis(2500)).contains(&waited), "{waited:?}");
}

#[test]
fn an_answer_that_comes_after_the_hold_is_used_for_the_next_request() {
    let config = usual().set("/provisioning/timeout", json!("30s")).set("/limits/hold", json!("200ms"));
    let mut world = Here::usual(&config);
    world.visit("ready-0").forwarded();
    world.directory().answers(active("late").after(millis(500)));
    for answer in world.visits("jane-4711", 8) {
        answer.refused(503, "directory-unavailable");
    }
    world.pass(millis(600));
    let served = (0..12).filter(|_| world.visit("jane-4711").seen.is_some()).count();
    assert!(served > 0, "the late answer was thrown away");
}

#[test]
fn only_so_many_requests_wait_for_the_directory() {
    let mut world = Here::usual(&usual().set("/limits/waiting", json!(3)));
    world.visit("ready-0").forwarded();
    world.directory().answers(active("late").after(millis(400)));
    let answers = world.visits("jane-4711", 20);
    let (forwarded, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|one| one.seen.is_some());
    assert!((3..=3 * Here::WORKERS).contains(&forwarded.len()), "{} forwarded", forwarded.len());
    for answer in refused {
        answer.refused(503, "overloaded");
    }
}

#[test]
fn services_and_agents_are_told_from_persons() {
    let mut world = Here::usual(&usual());
    for (sub, claims) in [
        ("batch-job-1", json!({"client_id": "batch-job-1"})),
        ("jane-4711", json!({"client_id": "web-shop-1"})),
        ("john-4712", json!({"client_id": "web-shop-1", "act": {"sub": "assistant-1"}})),
    ] {
        let token = world.token_with(sub, &claims);
        world.send(get("/orders").bearer(&token)).forwarded();
    }
    let kinds: Vec<_> = world.directory().arrivals().iter().map(|arrival| arrival.kind).collect();
    assert_eq!(kinds, [Kind::Service, Kind::Person, Kind::Agent]);
}

#[test]
fn a_subject_that_was_forgotten_for_want_of_room_is_asked_about_again() {
    let mut world = Here::usual(&usual().set("/limits/subjects", json!(4)));
    for number in 0..40 {
        world.visit(&format!("crowd-{number}")).forwarded();
    }
    assert_eq!(account(world.visit("crowd-0")).as_deref(), Some("acct-1"));
}

#[test]
fn headers_of_the_account_reach_the_application_where_they_are_mapped() {
    let config = usual()
        .set("/headers/4", json!({"header": "x-plan", "account": "headers.plan"}))
        .set("/headers/5", json!({"header": "x-region", "account": "headers.region"}))
        .set("/filter_state", json!([{"key": "user", "account": "headers.plan"}]));
    let mut world = Here::usual(&config);
    let headers = json!({"plan": "gold", "unmapped": "a\r\nx-admin: 1"});
    let account = json!({"status": "active", "account": {"id": "a-1", "headers": headers}});
    world.directory().answers(Behaviour::json(200, &account));
    // Each worker has it from the answer or from another worker.
    for _ in 0..8 {
        let token = world.token("jane-4711");
        let forged = get("/orders").bearer(&token).header("x-plan", "platinum").header("x-region", "forged");
        let seen = world.send(forged).forwarded();
        assert_eq!(seen.header("x-plan").as_deref(), Some("gold"));
        assert_eq!(seen.header("x-filter-state").as_deref(), Some("gold"));
        assert_eq!((seen.header("x-region"), seen.header("x-admin")), (None, None));
    }
    assert_eq!(world.directory().arrivals().len(), 1);
}

#[test]
fn an_update_of_the_configuration_forgets_nobody_unless_the_directory_is_another() {
    let mut world = Here::usual(&usual());
    assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));
    world.update(&usual().set("/last_seen/every", json!("300ms"))).unwrap_or_else(|log| panic!("{log}"));
    for _ in 0..8 {
        assert_eq!(account(world.visit("jane-4711")).as_deref(), Some("acct-1"));
    }
    assert_eq!(world.directory().arrivals().len(), 1);
    let other = usual().set("/provisioning/authority", json!("other.test"));
    world.update(&other).unwrap_or_else(|log| panic!("{log}"));
    world.visit("jane-4711").forwarded();
    assert_eq!(world.directory().arrivals().len(), 2);
}
