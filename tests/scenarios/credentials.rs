//! Where in a request a token may be, and what of it the application sees.

use crate::Here;
use crate::support::config::{Config, usual};
use crate::support::message::{Request, Seen, get, post};
use crate::support::world::World;
use serde_json::json;

fn everywhere(forward: bool) -> Config {
    let from = json!([
        {"header": "Authorization"},
        {"header": "x-token"},
        {"header": "x-jwt", "scheme": "JWT"},
        {"cookie": "session"},
        {"cookie": "legacy"},
        {"query": "access_token"},
        {"query": "jwt"},
    ]);
    usual().set("/credentials", json!({"from": from, "forward": forward}))
}

/// The same request with the token in each of the places.
fn each_place(token: &str) -> Vec<Request> {
    vec![
        get("/orders?a=1").bearer(token),
        get("/orders?a=1").header("authorization", format!("bEARER   {token} ")),
        get("/orders?a=1").header("x-token", token),
        get("/orders?a=1").header("X-JWT", format!("JWT {token}")),
        get("/orders?a=1").header("cookie", format!("theme=dark; session={token}; lang=en")),
        get("/orders?a=1").header("cookie", format!("legacy={token}")),
        get(&format!("/orders?a=1&access_token={token}")),
        get(&format!("/orders?jwt={token}&a=1")),
    ]
}

fn all_of(seen: &Seen) -> String {
    let lines =
        seen.headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)));
    format!("{} {}\n{}", seen.method, seen.target, lines.collect::<String>())
}

#[test]
fn a_token_is_found_where_the_operator_says_and_nowhere_else() {
    let mut world = Here::usual(&everywhere(true));
    let token = world.token("jane-4711");
    for request in each_place(&token) {
        let shown = format!("{request:?}");
        let seen = world.send(request).forwarded();
        assert_eq!(seen.header("x-user-id").as_deref(), Some("jane-4711"), "{shown}");
    }
    for request in [
        get("/orders").header("x-jwt", token.as_str()),
        get("/orders").header("x-jwt", format!("Bearer {token}")),
        get("/orders").header("cookie", format!("sessions={token}; Session={token}; session=")),
        get(&format!("/orders?token={token}&access_token=&x=access_token={token}")),
        get(&format!("/access_token={token}")),
        post("/orders", format!("access_token={token}").into_bytes()),
    ] {
        world.send(request).refused(401, "token-missing");
    }

    let mut world = Here::usual(&usual());
    let token = world.token("jane-4711");
    let (usual, others): (Vec<_>, Vec<_>) = each_place(&token)
        .into_iter()
        .partition(|request| request.headers.iter().any(|(name, _)| name == "authorization"));
    for request in usual {
        world.send(request).forwarded();
    }
    for request in others {
        world.send(request).refused(401, "token-missing");
    }
}

#[test]
fn more_than_one_token_is_refused_in_whatever_places() {
    let mut world = Here::usual(&everywhere(true));
    let token = world.token("jane-4711");
    let places = each_place(&token);
    for (index, one) in places.iter().enumerate() {
        for other in &places[index + 1..] {
            if one.headers.iter().chain(&other.headers).filter(|(name, _)| name == "cookie").count() > 1 {
                continue;
            }
            let query = other.path.split_once("?a=1&").or(other.path.split_once('?')).map(|(_, query)| query);
            let path = format!("{}&{}", one.path, query.unwrap_or_default());
            let headers = one.headers.iter().chain(&other.headers).cloned().collect();
            let both = Request { path, headers, ..get("") };
            let shown = format!("{both:?}");
            let answer = world.send(both);
            assert!(answer.seen.is_none(), "{shown}");
            answer.refused(400, "credentials-invalid");
        }
    }
    for cookies in ["session={}; session={}", "session={}; legacy={}", "legacy=x; session={}"] {
        let cookies = cookies.replace("{}", &token);
        world.send(get("/orders").header("cookie", cookies)).refused(400, "credentials-invalid");
    }
    let two = get("/orders")
        .header("cookie", format!("session={token}"))
        .header("cookie", format!("legacy={token}"));
    world.send(two).refused(400, "credentials-invalid");
    world
        .send(get("/orders").header("x-token", &token).header("x-token", "a.b.c"))
        .refused(400, "credentials-invalid");
    for query in ["access_token={}&access_token={}", "jwt={}&access_token=x"] {
        let path = format!("/orders?{}", query.replace("{}", &token));
        world.send(get(&path)).refused(400, "credentials-invalid");
    }
    let basic = get("/orders").header("authorization", "Basic amFuZTpz").header("x-token", &token);
    let seen = world.send(basic).forwarded();
    assert_eq!(seen.header("authorization").as_deref(), Some("Basic amFuZTpz"), "it is no token");
}

#[test]
fn a_token_is_passed_on_as_it_came_but_never_in_a_query() {
    let mut world = Here::usual(&everywhere(true));
    let token = world.token("jane-4711");
    for request in each_place(&token) {
        let seen = world.send(request.clone()).forwarded();
        assert_eq!(seen.target, "/orders?a=1");
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value).trim().to_owned();
            let seen = seen.header(&name.to_ascii_lowercase()).map(|value| value.trim().to_owned());
            assert_eq!(seen, Some(value));
        }
    }
}

#[test]
fn the_application_sees_nothing_of_a_token_that_is_not_passed_on() {
    let mut world = Here::usual(&everywhere(false));
    // The first is held, as the directory has to be asked; all others go on at once.
    let token = world.token("jane-4711");
    for request in each_place(&token) {
        let seen = world.send(request.clone()).forwarded();
        let all = all_of(&seen);
        assert!(!all.contains(&token[..20]), "{all}");
        assert_eq!(
            (seen.target.as_str(), seen.header("x-user-id").as_deref()),
            ("/orders?a=1", Some("jane-4711"))
        );
        assert_eq!(seen.header("authorization"), None);
        let cookies = request.headers.iter().any(|(_, value)| value.starts_with(b"theme"));
        assert_eq!(seen.header("cookie").as_deref(), cookies.then_some("theme=dark; lang=en"));
    }
    for (query, left) in [
        ("?access_token={}", ""),
        ("?access_token={}&", ""),
        ("?jwt={}&x=%20&y=a+b&z", "?x=%20&y=a+b&z"),
        ("?x=1&x=2&access_token={}&x=/../?", "?x=1&x=2&x=/../?"),
        ("?access_token=&jwt={}", "?access_token="),
    ] {
        let seen = world.send(get(&format!("/orders/1{}", query.replace("{}", &token)))).forwarded();
        assert_eq!(seen.target, format!("/orders/1{left}"));
    }
    let kept = get("/orders").header("x-token", &token).header("authorization", "Basic amFuZTpz");
    let seen = world.send(kept.header("cookie", "a=1; b=\"x y\"; session=")).forwarded();
    assert_eq!(seen.header("authorization").as_deref(), Some("Basic amFuZTpz"));
    assert_eq!(seen.header("cookie").as_deref(), Some("a=1; b=\"x y\"; session="));
    assert_eq!(seen.header("x-token"), None);
}

#[test]
fn tokens_that_nobody_looks_at_are_not_passed_on_either() {
    let routes = json!([
        {"path": {"prefix": "/open"}, "access": "public"},
        {"path": {"prefix": "/try"}, "access": "lenient"},
    ]);
    for (forward, mode) in [(false, "enforce"), (true, "enforce"), (false, "report")] {
        let config = everywhere(forward).set("/routes", routes.clone()).set("/mode", json!(mode));
        let mut world = Here::usual(&config);
        let (one, other) = (world.token("jane-4711"), world.token("john-4712"));
        let mut paths = vec!["/open", "/try"];
        paths.extend((mode == "report").then_some("/orders"));
        for path in paths {
            let request = get(&format!("{path}?jwt={one}&a=1&access_token={other}&jwt={other}"))
                .bearer(&one)
                .header("x-token", &other)
                .header("x-jwt", format!("JWT {one}"))
                .header(
                    "cookie",
                    format!("theme=dark; session={one}; legacy={other}; lang=en; session={other}"),
                );
            let seen = world.send(request).forwarded();
            assert_eq!(seen.target, format!("{path}?a=1"));
            assert_eq!(seen.header("x-user-id"), None);
            if !forward {
                let all = all_of(&seen);
                assert!(!all.contains(&one[..20]) && !all.contains(&other[..20]), "{all}");
                assert_eq!(seen.header("cookie").as_deref(), Some("theme=dark; lang=en"));
            }
        }
    }
}

#[test]
fn odd_bytes_around_a_token_harm_nobody() {
    let mut world = Here::usual(&everywhere(false));
    let token = world.token("jane-4711");
    let cookie = [b"odd=\xff\xfe; session=".as_slice(), token.as_bytes(), b"; more=\x80"].concat();
    for _ in 0..2 {
        let seen = world.send(get("/orders").header("cookie", &cookie)).forwarded();
        let left = seen.headers.iter().find(|(name, _)| name == "cookie").map(|(_, value)| value.clone());
        assert_eq!(left.as_deref(), Some(b"odd=\xff\xfe; more=\x80".as_slice()));
    }
    let long = "x".repeat(40_000);
    let seen = world.send(get(&format!("/orders?long={long}&jwt={token}"))).forwarded();
    assert_eq!(seen.target, format!("/orders?long={long}"));
    let many = "a=1; ".repeat(5000);
    let seen = world.send(get("/orders").header("cookie", format!("{many}session={token}"))).forwarded();
    assert_eq!(seen.header("cookie").map(|text| text.len()), Some(many.len() - 2));
    for value in ["session=a b", "session=\"quoted\"", "session=a,b"] {
        world.send(get("/orders").header("cookie", value)).refused(400, "credentials-invalid");
    }
    world.send(get("/orders?jwt=a%2eb%2ec")).refused(400, "credentials-invalid");
}
