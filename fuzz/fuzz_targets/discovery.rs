//! Discovery documents, and what the answers that bring them say of their freshness.
//!
//! Input: headers, an empty line, a body.
#![no_main]

use firstsight::domain::{Issuer, Reply};
use firstsight::wire::{Discovery, discovery_path, fresh_for};
use firstsight_fuzz::headers;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, data), |end| (&data[..end], &data[end + 2..]));
    for url in ["https://idp.example.com/a", "http://idp.test"] {
        let issuer = Issuer::parse(url).expect("it is one");
        let Ok(found) = Discovery::read(body, &issuer) else { continue };
        // A member that nobody reads is skipped, whatever it holds.
        let document = serde_json::from_slice::<Value>(body);
        assert!(document.is_err() || document.is_ok_and(|document| document["issuer"] == url));
        assert!(found.jwks_uri.authority().is_some_and(|authority| !authority.host().is_empty()));
        let scheme = found.jwks_uri.scheme_str();
        assert!(scheme == Some("https") || (scheme == Some("http") && url.starts_with("http:")));
    }
    if let Some(uri) = std::str::from_utf8(body).ok().and_then(|text| text.parse().ok()) {
        assert!(discovery_path(&uri).ends_with("/.well-known/openid-configuration"));
    }

    let headers = headers(head);
    let written: Vec<_> = headers.iter().filter(|(name, _)| name == "cache-control").collect();
    let said =
        String::from_utf8_lossy(&written.iter().map(|(_, value)| &value[..]).collect::<Vec<_>>().join(&b' '))
            .to_ascii_lowercase();
    let fresh = fresh_for(&Reply::Answer { status: 200, headers, body: vec![] });
    match fresh.map(|span| span.as_secs()) {
        None => {}
        Some(0) => assert!(["max-age", "no-store", "no-cache"].iter().any(|word| said.contains(word))),
        Some(seconds) => {
            assert!(seconds <= 1 << 31);
            assert!(said.contains("max-age"));
            let digits = said.bytes().filter(u8::is_ascii_digit).count();
            assert!(digits > 0);
        }
    }
});
