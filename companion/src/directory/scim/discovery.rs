//! What tells clients how to speak with the service (RFC 7644 §4). It is the same for everybody and needs no token, as RFC
//! 7643 §5 wants it.

use super::failure::Failure;
use super::query::{DEFAULT_PAGE, LARGEST_PAGE};
use super::reply::Scim;
use super::schema::{ResourceType, Schema};
use super::site::Site;
use crate::directory::Directory;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::routing::get;
use scim_v2::models::service_provider_config::{
    AuthenticationScheme, Filter, ServiceProviderConfig, Supported,
};
use scim_v2::schema_urns;
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Directory> {
    Router::new()
        .route("/ServiceProviderConfig", get(provider))
        .route("/ResourceTypes", get(resource_types))
        .route("/ResourceTypes/{id}", get(resource_type))
        .route("/Schemas", get(schemas))
        .route("/Schemas/{id}", get(schema))
}

async fn provider(site: Site) -> Scim {
    let supported = Supported { supported: true };
    let scheme = AuthenticationScheme {
        name: "Bearer token".to_owned(),
        r#type: Some("oauthbearertoken".to_owned()),
        description: "A token of the directory with the scope scim (RFC 6750).".to_owned(),
        spec_uri: Some("https://www.rfc-editor.org/info/rfc6750".to_owned()),
        primary: Some(true),
        ..AuthenticationScheme::default()
    };
    let config = ServiceProviderConfig {
        patch: supported.clone(),
        etag: supported,
        filter: Filter { supported: true, max_results: LARGEST_PAGE },
        authentication_schemes: vec![scheme],
        ..ServiceProviderConfig::default()
    };
    let mut config = serde_json::to_value(config).unwrap_or_default();
    config["pagination"] = json!({
        "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": DEFAULT_PAGE,
        "maxPageSize": LARGEST_PAGE,
    });
    let location = format!("{}/ServiceProviderConfig", site.base);
    config["meta"] = json!({"resourceType": "ServiceProviderConfig", "location": location});
    Scim::ok(config)
}

async fn resource_types(site: Site, RawQuery(query): RawQuery) -> Result<Scim, Failure> {
    list(ResourceType::ALL.map(|kind| described(&site, kind)).into(), query.as_deref())
}

async fn resource_type(site: Site, Path(id): Path<String>) -> Result<Scim, Failure> {
    let found = ResourceType::ALL.into_iter().find(|kind| kind.name() == id);
    found.map(|kind| Scim::ok(described(&site, kind))).ok_or_else(Failure::not_found)
}

async fn schemas(site: Site, RawQuery(query): RawQuery) -> Result<Scim, Failure> {
    list(Schema::all().map(|definition| located(&site, definition)).into(), query.as_deref())
}

async fn schema(site: Site, Path(id): Path<String>) -> Result<Scim, Failure> {
    let found = Schema::all().into_iter().find(|definition| definition["id"] == id.as_str());
    found.map(|definition| Scim::ok(located(&site, definition))).ok_or_else(Failure::not_found)
}

/// All there are: what a client would filter or sort here it knows already, and a filter is refused as RFC 7644 §4 wants it.
fn list(resources: Vec<Value>, query: Option<&str>) -> Result<Scim, Failure> {
    if query.unwrap_or_default().split('&').any(|part| part.starts_with("filter=")) {
        return Err(Failure::no_filter());
    }
    let total = resources.len();
    Ok(Scim::ok(json!({
        "schemas": [schema_urns::LIST_RESPONSE], "totalResults": total, "itemsPerPage": total, "startIndex": 1,
        "Resources": resources,
    })))
}

fn described(site: &Site, kind: ResourceType) -> Value {
    let extensions: Vec<_> = kind
        .extensions()
        .into_iter()
        .map(|schema| json!({"schema": schema.urn, "required": false}))
        .collect();
    json!({
        "schemas": [schema_urns::RESOURCE_TYPE], "id": kind.name(), "name": kind.name(),
        "endpoint": format!("/{}", kind.endpoint()), "schema": kind.schema().urn, "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": format!("{}/ResourceTypes/{}", site.base, kind.name())},
    })
}

fn located(site: &Site, definition: &Value) -> Value {
    let mut schema = definition.clone();
    let location = format!("{}/Schemas/{}", site.base, definition["id"].as_str().unwrap_or_default());
    schema["meta"] = json!({"resourceType": "Schema", "location": location});
    schema
}
