//! The stylesheet and the icon, named by what is in them: browsers keep them for good, and never one that is old.

use super::failure::Failure;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file that comes with the program.
pub(super) struct Asset {
    name: String,
    kind: &'static str,
    content: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("style.css")));
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_str!("icon.svg")));

impl Asset {
    fn new(ending: &str, kind: &'static str, content: &'static str) -> Self {
        let hash = format!("{:x}", Sha256::digest(content));
        Self { name: format!("{}.{ending}", hash.get(..16).unwrap_or(&hash)), kind, content }
    }

    pub(super) fn path(&self) -> String {
        format!("/console/style/{}", self.name)
    }
}

pub(super) async fn show(Path(name): Path<String>) -> Response {
    match [&*STYLE, &*ICON].into_iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let for_good = "public, max-age=31536000, immutable";
            let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, for_good)];
            (headers, asset.content).into_response()
        }
        None => Failure::no_such_page().into_response(),
    }
}
