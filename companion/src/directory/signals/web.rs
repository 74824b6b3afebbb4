//! Asking transmitters over HTTP: protected on the way, and with a bound on what comes back.

use firstsight::domain::Reply;
use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use std::time::Duration;

/// How long whoever is asked for keys may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// The one client of the process. It follows no redirect: where keys come from is the operator's to say.
///
/// # Errors
/// If the system's certificates cannot be read.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    // Somebody else in the process may have installed it: that is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let agent = concat!("firstsight/", env!("CARGO_PKG_VERSION"));
    Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).user_agent(agent).build()
}

/// A URL under which nobody can change what is said on its way: https, or on this machine.
///
/// # Errors
/// What it should have been.
pub(super) fn protected(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "a URL such as https://idp.example.com/jwks")?;
    let own = match url.host_str() {
        // RFC 6761 §6.3.
        Some(host) if host == "localhost" || host.ends_with(".localhost") => true,
        Some(host) => {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            address.is_ok_and(|address| address.is_loopback())
        }
        None => return Err("a URL such as https://idp.example.com/jwks"),
    };
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => Err("a URL without credentials"),
        "https" => Ok(url),
        "http" if own => Ok(url),
        _ => Err("https, as anybody on the way could change what http says"),
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// A few words without anything from the answer.
pub(super) async fn ask(request: RequestBuilder) -> Result<Reply, &'static str> {
    let response = request.send().await.map_err(|error| match error.is_timeout() {
        true => "no answer in time",
        false => "it cannot be reached",
    })?;
    let status = response.status().as_u16();
    let named = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    let headers = response.headers().iter().map(named).collect();
    Ok(Reply::Answer { status, headers, body: body(response).await? })
}

async fn body(mut response: Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "its answer broke off")? {
        if body.len() + chunk.len() > LONGEST {
            return Err("its answer is too long");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_alone() {
        for good in [
            "https://idp.example.com/jwks",
            "http://127.0.0.1:1/x",
            "http://[::1]/",
            "http://localhost:8080",
            "http://idp.localhost/jwks",
        ] {
            assert!(protected(good).is_ok(), "{good}");
        }
        for bad in [
            "http://idp.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://a:b@idp",
            "ftp://idp",
            "jwks",
            "",
        ] {
            assert!(protected(bad).is_err(), "{bad}");
        }
    }
}
