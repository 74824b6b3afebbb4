//! The console over HTTP: who gets in, what may be done, and what is never shown. How it looks is for `tests/page`.

use crate::browser::{Somebody, api_takes, page, token};
use crate::program::{Directory, TOKEN, arrival, client, header, status, subject};
use serde_json::json;

#[tokio::test]
async fn who_is_not_logged_in_sees_the_login_and_is_led_to_where_they_wanted_to_go() {
    let directory = Directory::start();
    let mut somebody = Somebody::outside(&directory);
    assert_eq!(somebody.get("/").await.location, "/console/accounts");
    for path in ["/console/accounts?state=pending", "/console/audit", "/console/nowhere"] {
        let led = somebody.get(path).await;
        assert_eq!(led.status, 303, "{path}");
        let then = led.location.strip_prefix("/console/login?then=").expect(&led.location).to_owned();
        assert_eq!(percent_decoded(&then), path);
    }
    somebody.cookie = "firstsight=made-up".into();
    assert_eq!(somebody.get("/console/accounts").await.status, 303);
    let fields = [("token", TOKEN), ("then", "/console/audit?event=drift")];
    let entered = page(somebody.form("/console/login", &fields).send().await.unwrap()).await;
    assert_eq!(entered.location, "/console/audit?event=drift");
    let fields = [("token", TOKEN), ("then", "//evil.example/console/")];
    let entered = page(somebody.form("/console/login", &fields).send().await.unwrap()).await;
    assert_eq!(entered.location, "/console/accounts");
}

#[tokio::test]
async fn only_a_token_for_people_opens_the_console() {
    let directory = Directory::start();
    let mut somebody = Somebody::outside(&directory);
    for scope in ["gateway", "scim", "signals"] {
        let refused = somebody.login(&token(&directory, scope).await).await;
        assert!(
            refused.status == 403 && refused.html.contains("needs the scope admin or auditor"),
            "{scope}"
        );
    }
    for unknown in ["", "a-token-that-is-not-known"] {
        let refused = somebody.login(unknown).await;
        assert!(
            refused.status == 403 && refused.html.contains("This token is not known"),
            "{}",
            refused.html
        );
        assert!(unknown.is_empty() || !refused.html.contains(unknown));
    }
    assert_eq!(somebody.cookie, "");
    for scope in ["admin", "auditor"] {
        let somebody = Somebody::with(&directory, &token(&directory, scope).await).await;
        let accounts = somebody.get("/console/accounts").await;
        assert!(accounts.html.contains(&format!("{scope}-1")), "{}", accounts.html);
    }
}

#[tokio::test]
async fn wrong_tokens_are_few_a_minute_and_do_not_keep_out_who_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("directory.toml");
    std::fs::write(&settings, "[limits]\nfailures_per_minute = 2\n").unwrap();
    let directory = Directory::with(&["--config", settings.to_str().unwrap()]);
    let mut somebody = Somebody::outside(&directory);
    for answered in [403, 403, 429] {
        let refused = somebody.login("a-token-that-is-not-known").await;
        assert_eq!(refused.status, answered, "{}", refused.html);
    }
    assert_eq!(somebody.login(TOKEN).await.status, 303);
}

#[tokio::test]
async fn a_session_ends_with_its_time_with_its_token_and_with_the_logout() {
    let directory = Directory::start();
    let session_ends = |change: &str| directory.database.execute(&format!("UPDATE sessions SET {change}"));
    for (still, over) in [
        ("used_at = used_at - 3590000", "used_at = used_at - 3600001"),
        ("opened_at = opened_at - 43190000", "opened_at = opened_at - 43200001"),
    ] {
        let somebody = Somebody::admin(&directory).await;
        session_ends(still);
        assert_eq!(somebody.get("/console/accounts").await.status, 200, "{still}");
        session_ends(over);
        assert_eq!(somebody.get("/console/accounts").await.status, 303, "{over}");
    }
    let auditor = Somebody::with(&directory, &token(&directory, "auditor").await).await;
    assert_eq!(auditor.get("/console/accounts").await.status, 200);
    let revoked = client().delete(format!("{}/v1/tokens/auditor-1", directory.program.url));
    assert_eq!(status(revoked.bearer_auth(TOKEN)).await, 204);
    assert_eq!(auditor.get("/console/accounts").await.status, 303);

    let somebody = Somebody::admin(&directory).await;
    let mark = somebody.mark().await;
    let left = page(somebody.form("/console/logout", &[("form", &mark)]).send().await.unwrap()).await;
    assert_eq!((left.status, left.location.as_str()), (303, "/console/login"));
    assert_eq!(somebody.get("/console/accounts").await.status, 303, "the cookie alone opens nothing");
}

#[tokio::test]
async fn a_cookie_is_a_secret_of_the_browser_and_opens_no_api() {
    let directory = Directory::start();
    let outside = Somebody::outside(&directory);
    let fields = [("token", TOKEN)];
    let plain = outside.form("/console/login", &fields).send().await.unwrap();
    let cookie = header(&plain, "set-cookie").to_owned();
    assert!(cookie.starts_with("firstsight=") && !cookie.contains("Secure"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");
    let tls = outside.form("/console/login", &fields).header("origin", "https://directory.example");
    let tls = tls.send().await.unwrap();
    let cookie = header(&tls, "set-cookie");
    assert!(cookie.starts_with("__Host-firstsight=") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict;"), "{cookie}");
    assert!(!api_takes(&directory, cookie.split(';').next().unwrap()).await);
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let (jane, john) = (Somebody::admin(&directory).await, Somebody::admin(&directory).await);
    let (own, others) = (jane.mark().await, john.mark().await);
    let host = directory.program.url.clone();
    let fields = |mark: &str| {
        let pairs = [("form", mark), ("decision", "disable"), ("account", &id), ("reason", "x")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let attempts: [(&str, &[(&str, &str)]); 7] = [
        (&own, &[("sec-fetch-site", "cross-site")]),
        (&own, &[("sec-fetch-site", "same-site"), ("origin", &host)]),
        (&own, &[("origin", "https://evil.example")]),
        (&own, &[("origin", "null")]),
        (&own, &[]),
        (&others, &[("sec-fetch-site", "same-origin")]),
        ("", &[("sec-fetch-site", "same-origin")]),
    ];
    for (mark, headers) in attempts {
        let fields = fields(mark);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sent = jane.bare_form("/console/act", &fields);
        let sent = headers.iter().fold(sent, |sent, (name, value)| sent.header(*name, *value));
        let refused = page(sent.send().await.unwrap()).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert_eq!(directory.account(&id).await["state"], "active", "{headers:?}");
    }
    let login = jane.bare_form("/console/login", &[("token", TOKEN)]);
    let login = login.header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!((login.status().as_u16(), header(&login, "set-cookie")), (403, ""));

    let older_browser = fields(&own);
    let fields: Vec<_> = older_browser.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let taken = jane.bare_form("/console/act", &fields).header("origin", &host).send().await.unwrap();
    assert_eq!(taken.status().as_u16(), 303);
    assert_eq!(directory.account(&id).await["state"], "disabled");
}

#[tokio::test]
async fn what_is_decided_is_in_the_audit_under_the_name_of_the_token() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    for sub in ["jane", "john"] {
        directory.arrival(&arrival(sub, json!({}))).await;
    }
    let waiting = directory.page("").await["accounts"].clone();
    let ids: Vec<_> = (0..2).map(|index| waiting[index]["id"].as_str().unwrap().to_owned()).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let admin = Somebody::with(&directory, &token(&directory, "admin").await).await;
    let back = ("back", "/console/pending");
    let done = admin.decide("approve", &ids, &[("reason", "they are new here"), back]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/console/pending"));
    let pending = admin.get("/console/pending").await.html;
    assert!(pending.contains("2 accounts were approved.") && pending.contains("Nobody waits"), "{pending}");
    assert!(!admin.get("/console/pending").await.html.contains("were approved"), "it is said once");
    for id in ids {
        let account = directory.account(id).await;
        let last = account["story"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&account["state"], &last["event"]), (&json!("active"), &json!("approval")));
        assert_eq!((&last["actor"], &last["cause"]), (&json!("admin-1"), &json!("admin")));
        assert_eq!(last["reason"], "they are new here");
    }
}

#[tokio::test]
async fn a_departure_is_asked_once_more_and_nothing_is_done_without_a_reason() {
    let directory = Directory::start();
    let id = directory.account_of("jane").await;
    let admin = Somebody::admin(&directory).await;
    let asked = admin.decide("depart", &[&id], &[("reason", "she left")]).await;
    assert!(asked.status == 200 && asked.html.contains("Depart jane?"), "{}", asked.html);
    for reason in ["", " ", "a\nb"] {
        let asked = admin.decide("depart", &[&id], &[("reason", reason), ("confirmed", "yes")]).await;
        assert!(asked.status == 422 && asked.html.contains("Say why"), "{reason:?}: {}", asked.html);
    }
    assert_eq!(admin.decide("disable", &[], &[("reason", "x")]).await.status, 422);
    assert_eq!(admin.decide("disable", &["none"], &[("reason", "x")]).await.status, 404);
    assert_eq!(admin.decide("erase", &[&id], &[("reason", "x")]).await.status, 400);
    assert_eq!(directory.account(&id).await["state"], "active");
    let done = admin.decide("depart", &[&id], &[("reason", "she left"), ("confirmed", "yes")]).await;
    assert_eq!((done.status, done.location), (303, format!("/console/accounts/{id}")));
    assert_eq!(directory.account(&id).await["state"], "departed");
    let late = admin.decide("disable", &[&id], &[("reason", "x")]).await;
    assert_eq!(late.status, 303);
    let told = admin.get(&late.location).await.html;
    assert!(told.contains("0 accounts were disabled. Left as they are: jane is departed."), "{told}");
}

#[tokio::test]
async fn only_what_would_change_something_is_offered() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrival(&arrival("jane", json!({}))).await;
    let id = directory.page("").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    let admin = Somebody::admin(&directory).await;
    let offered = async || {
        let html = admin.get(&format!("/console/accounts/{id}")).await.html;
        let buttons = html.split(r#"name="decision" value=""#).skip(1);
        buttons.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(offered().await, ["approve", "revoke", "disable", "depart"]);
    for (action, possible) in [
        ("approve", ["revoke", "disable", "depart"].as_slice()),
        ("disable", &["enable", "depart"]),
        ("depart", &["return"]),
    ] {
        directory.act(&id, action).await;
        assert_eq!(offered().await, possible, "{action}");
    }
}

#[tokio::test]
async fn an_auditor_looks_at_everything_and_changes_nothing() {
    let directory = Directory::with(&["--new-accounts", "pending"]);
    directory.arrival(&arrival("jane", json!({}))).await;
    let id = directory.page("").await["accounts"][0]["id"].as_str().unwrap().to_owned();
    let auditor = Somebody::with(&directory, &token(&directory, "auditor").await).await;
    for path in ["accounts", &format!("accounts/{id}"), "pending", "dormant", "audit"] {
        let page = auditor.get(&format!("/console/{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.html.contains("/console/act") && !page.html.contains("checkbox"), "{path}");
    }
    let refused = auditor.decide("approve", &[&id], &[("reason", "x")]).await;
    assert!(refused.status == 403 && refused.html.contains("changes nothing"), "{}", refused.html);
    assert_eq!(directory.account(&id).await["state"], "pending");
}

#[tokio::test]
async fn what_gateways_sent_is_text_and_values_are_on_the_subjects_page_alone() {
    let directory = Directory::start();
    let evil = r#"<script>alert("1")</script>"#;
    let sub = "\"><img src=x onerror=alert(1)>";
    let mut arrival = arrival(sub, json!({"title": evil, "userName": "jane@secret.example"}));
    arrival["gateway"] = json!("<b>edge</b>");
    let (answered, answer) = directory.arrival(&arrival).await;
    assert_eq!(answered, 201, "{answer}");
    let id = answer["account"]["id"].as_str().unwrap();
    let admin = Somebody::admin(&directory).await;
    let pages = [format!("accounts/{id}"), "accounts".into(), "accounts?q=jane@s".into(), "audit".into()];
    for (index, path) in pages.iter().enumerate() {
        let html = admin.get(&format!("/console/{path}")).await.html;
        for raw in ["<script", "<img src=x", "<b>edge"] {
            assert!(!html.contains(raw), "{path}: {html}");
        }
        assert!(html.contains("&lt;b&gt;edge") && html.contains("&quot;&gt;&lt;img src=x"), "{path}: {html}");
        let shown = html.contains("&lt;script&gt;") && html.contains(r#"<td>jane@secret.example</td>"#);
        assert_eq!(shown, index == 0, "{path}");
    }
    let echoed = admin.get("/console/accounts?q=%22%3E%3Cscript%3E&kind=%22%3E%3Cb%3E").await.html;
    assert!(!echoed.contains("<script") && !echoed.contains("<b>"), "{echoed}");
    assert!(admin.get("/console/audit?whom=%00").await.status == 400);
}

#[tokio::test]
async fn every_answer_of_the_console_is_strict_and_only_its_style_is_kept() {
    let directory = Directory::start();
    let admin = Somebody::admin(&directory).await;
    let html = admin.get("/console/accounts").await.html;
    for path in ["/console/login", "/console/accounts", "/console/accounts/none", "/console/nowhere"] {
        let response = admin.request(path).send().await.unwrap();
        let policy = header(&response, "content-security-policy");
        for rule in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "referrer-policy"), "same-origin", "{path}");
    }
    let (_, style) = html.split_once(r#"rel="stylesheet" href=""#).unwrap();
    let style = style.split('"').next().unwrap();
    let response = Somebody::outside(&directory).request(style).send().await.unwrap();
    assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
    assert!(header(&response, "cache-control").contains("immutable"));
    assert_eq!(Somebody::outside(&directory).get("/console/style/old.css").await.status, 404);
}

#[tokio::test]
async fn accounts_are_found_by_what_they_are_called_and_listed_page_by_page() {
    let directory = Directory::start();
    for number in 0..60 {
        let body = json!({"userName": format!("User-{number:02}@acme.example")});
        directory.arrival(&arrival(&format!("sub-{number:02}"), body)).await;
    }
    let admin = Somebody::admin(&directory).await;
    let subs = async |query: &str| {
        let html = admin.get(&format!("/console/accounts{query}")).await.html;
        let rows = html.matches(r#"role="rowheader""#).count();
        let (_, next) = html.split_once(r#"rel="next""#).map_or(("", ""), |(before, after)| (before, after));
        (rows, !next.is_empty(), html)
    };
    let (rows, more, html) = subs("").await;
    assert!(rows == 50 && more && html.contains("sub-59") && !html.contains("sub-09"));
    let oldest = directory.page("?limit=11").await["accounts"][10]["id"].as_str().unwrap().to_owned();
    let (rows, more, html) = subs(&format!("?before={oldest}")).await;
    assert!(rows == 10 && !more && html.contains("sub-09"), "{html}");

    let key = subject("sub-07").key().to_string();
    let id = directory.account_of("sub-07").await;
    for called in ["sub-07", key.as_str(), id.as_str(), "user-07", "USER-07@acme.example"] {
        let (rows, _, html) = subs(&format!("?q={called}")).await;
        assert!(rows == 1 && html.contains("sub-07"), "{called}");
    }
    assert_eq!(subs("?q=user-0").await.0, 10);
    assert_eq!(subs("?q=acme").await.0, 0, "names are found by how they begin");
    assert_eq!(subs("?kind=service").await.0, 0);
    assert_eq!(subs("?kind=person&issuer=https://idp.example.com&state=active").await.0, 50);
    assert_eq!(subs("?issuer=https://other.example.com").await.0, 0);
    assert_eq!(subs("?state=departed").await.0, 0);
    assert_eq!(admin.get("/console/accounts?state=gone").await.status, 400);
}

#[tokio::test]
async fn the_audit_is_searched_by_whom_what_how_by_whom_where_and_when() {
    let directory = Directory::start();
    let jane = directory.account_of("jane").await;
    directory.account_of("john").await;
    directory.act(&jane, "depart").await;
    directory.act(&jane, "return").await;
    let admin = Somebody::admin(&directory).await;
    let found = async |query: &str| {
        let html = admin.get(&format!("/console/audit?{query}")).await.html;
        html.matches(r#"role="rowheader""#).count()
    };
    let key = subject("jane").key().to_string();
    for (query, number) in [
        ("", 4),
        ("whom=jane", 3),
        (&format!("whom={jane}"), 3),
        (&format!("whom={key}&event=departure"), 1),
        ("whom=nobody", 0),
        ("event=arrival", 2),
        ("cause=admin", 2),
        ("actor=environment", 4),
        ("actor=nobody", 0),
        ("gateway=edge-1", 2),
        ("gateway=edge-1&event=return", 0),
        ("from=2020-01-01T00:00&until=2099-01-01T00:00:30", 4),
        ("from=2099-01-01T00:00", 0),
        ("until=2020-01-01T00:00", 0),
        ("before=3", 2),
    ] {
        assert_eq!(found(query).await, number, "{query}");
    }
    let html = admin.get("/console/audit").await.html;
    let head = directory.records("").await[3]["hash"].as_str().unwrap().to_owned();
    assert!(html.contains(&head) && html.contains("firstsight audit verify"), "{html}");
    assert_eq!(admin.get("/console/audit?from=yesterday").await.status, 400);
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
