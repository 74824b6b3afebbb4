//! Whether a form was sent by one of our own pages: the browser says where a request is from, and no page can make it lie.

use http::{HeaderMap, HeaderName, header};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the request is from the page's own origin. A browser that leaves `Sec-Fetch-Site` out, as older ones do and all do
/// without TLS, names the origin (RFC 6454); what names neither is no browser.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, &SITE) {
        return site == "same-origin";
    }
    let origin = text(headers, &header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let own = text(headers, &header::HOST);
    origin.is_some_and(|(_, authority)| own.is_some_and(|own| own.eq_ignore_ascii_case(authority)))
}

/// Whether the browser speaks TLS, if only with a proxy before this process.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    text(headers, &header::ORIGIN).is_some_and(|origin| origin.starts_with("https://"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn the_browsers_word_on_the_site_decides() {
        for (site, own) in
            [("same-origin", true), ("same-site", false), ("cross-site", false), ("none", false)]
        {
            let sent = [("sec-fetch-site", site), ("origin", "https://a.example"), ("host", "a.example")];
            assert_eq!(is_own(&headers(&sent)), own, "{site}");
        }
        let behind_a_proxy =
            [("sec-fetch-site", "same-origin"), ("origin", "https://a.example"), ("host", "directory:8090")];
        assert!(is_own(&headers(&behind_a_proxy)));
    }

    #[test]
    fn without_it_the_origin_is_the_host_that_was_asked() {
        for (origin, own) in [
            ("http://a.example:8090", true),
            ("http://A.example:8090", true),
            ("http://a.example", false),
            ("http://b.example:8090", false),
            ("null", false),
        ] {
            assert_eq!(is_own(&headers(&[("origin", origin), ("host", "a.example:8090")])), own, "{origin}");
        }
        assert!(!is_own(&headers(&[("host", "a.example")])));
    }

    #[test]
    fn tls_is_known_by_the_origin() {
        assert!(is_secure(&headers(&[("origin", "https://a.example")])));
        assert!(!is_secure(&headers(&[("origin", "http://a.example")])));
    }
}
