//! Where the service is, as its clients see it, and whose `sub` a plain `externalId` is: what the operator says of it.

use super::external_id::Names;
use crate::directory::settings::Settings;
use axum::extract::{FromRef, FromRequestParts};
use firstsight::domain::Issuer;
use http::header;
use http::request::Parts;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;

/// The section `[scim]` of the settings.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    issuer: Option<String>,
    url: Option<String>,
}

/// What is said of the service; clones are the same.
#[derive(Clone, Default)]
pub(in crate::directory) struct Terms(Arc<Said>);

#[derive(Default)]
struct Said {
    names: Names,
    /// Its URL, without a slash at its end.
    url: Option<String>,
    /// Whether it speaks TLS itself.
    tls: bool,
}

/// The service as one request sees it.
pub(super) struct Site {
    /// The URL that resources are below.
    pub(super) base: String,
    terms: Terms,
}

impl Terms {
    /// Reads the section of a service that speaks TLS itself, or does not; what is wrong is noted in the settings.
    pub(in crate::directory) fn read(settings: &mut Settings, tls: bool) -> Self {
        let Section { issuer, url } = settings.section("scim");
        let issuer = issuer.and_then(|issuer| match Issuer::parse(&issuer) {
            Ok(issuer) => Some(issuer),
            Err(why) => {
                settings.problem("scim.issuer", why);
                None
            }
        });
        let is_url = |url: &&String| {
            let uri: Option<http::Uri> = url.parse().ok();
            uri.is_some_and(|uri| {
                uri.query().is_none()
                    && matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.host().is_some()
            })
        };
        if url.as_ref().is_some_and(|url| !is_url(&url)) {
            settings.problem("scim.url", "a URL such as https://directory.example.com/scim/v2");
        }
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        Self(Arc::new(Said { names: Names { issuer }, url, tls }))
    }
}

impl Site {
    pub(super) fn names(&self) -> &Names {
        &self.terms.0.names
    }

    /// The URL of a resource.
    pub(super) fn location(&self, endpoint: &str, id: &str) -> String {
        format!("{}/{endpoint}/{id}", self.base)
    }
}

/// Without a URL in the settings it is where the client went, as if no proxy were between them.
impl<S: Sync> FromRequestParts<S> for Site
where
    Terms: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let terms = Terms::from_ref(state);
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let scheme = if terms.0.tls { "https" } else { "http" };
        let here = || format!("{scheme}://{}{}", host.unwrap_or("localhost"), super::PATH);
        let base = terms.0.url.clone().unwrap_or_else(here);
        Ok(Self { base, terms })
    }
}
