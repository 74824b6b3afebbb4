//! `[[signals]]` in the settings.

use crate::program::command;
use std::process::Output;

fn serve(settings: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("directory.toml");
    std::fs::write(&file, settings).unwrap();
    let database = format!("sqlite:{}", folder.path().join("accounts.db").display());
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--database", &database, "--config", file.to_str().unwrap()];
    command(&arguments).env_remove("NO_SUCH_TOKEN").output().unwrap()
}

#[test]
fn everything_that_is_wrong_with_transmitters_is_told_at_once() {
    let settings = r#"
        [[signals]]
        issuer = "http://idp.example.com"
        audiences = []
        jwks_uri = "http://idp.example.com/jwks"
        discovery = "ssf"
        subjects = ["idp"]
        algorithms = ["HS256"]
        name = ""
        push = false
        [[signals]]
        issuer = "https://idp.example.com"
        audiences = ["a"]
        jwks_file = "/nowhere"
        poll = { url = "http://idp.example.com/poll", authorization_env = "NO_SUCH_TOKEN", max_events = 0 }
        [[signals]]
        issuer = "https://two.example.com"
        audiences = ["a"]
        [[signals]]
        issuer = "https://two.example.com"
        audiences = ["a"]
        [[signals]]
        issuer = "https://three.example.com"
        audiences = ["a"]
        max_age = "soon"
        [[signals]]
        isuer = "https://four.example.com"
    "#;
    let output = serve(settings);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for place in [
        "signals[0].issuer: https",
        "signals[0].audiences: ",
        "signals[0].jwks_uri: one of",
        "signals[0].jwks_uri: https",
        "signals[0].subjects: ",
        "signals[0].algorithms: one of RS256",
        "signals[0].name: ",
        "signals[0].push: ",
        "signals[1].jwks_file: cannot be read",
        "signals[1].poll.url: https",
        "signals[1].poll.authorization_env: NO_SUCH_TOKEN",
        "signals[1].poll.max_events: ",
        "signals[3].issuer: another",
        "signals[4].max_age: ",
        "signals[5].isuer: unknown",
    ] {
        assert!(told.contains(place), "{place} is not told in {told}");
    }
}
