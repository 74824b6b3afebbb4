//! The schemas of what describes the service: its configuration, its kinds of resources, its schemas (RFC 7643 §5, §6, §7;
//! RFC 9865 §4 adds `pagination`). Nobody writes any of it.

use scim_v2::schema_urns;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// `ServiceProviderConfig`, `ResourceType` and `Schema`.
pub(super) static ALL: LazyLock<[Value; 3]> = LazyLock::new(|| [provider(), resource_type(), schema()]);

fn definition(urn: &str, name: &str, attributes: Vec<Value>) -> Value {
    json!({"schemas": [schema_urns::SCHEMA], "id": urn, "name": name, "attributes": attributes})
}

fn plain(name: &str, kind: &str, required: bool) -> Value {
    json!({
        "name": name, "type": kind, "multiValued": false, "required": required, "caseExact": false,
        "mutability": "readOnly", "returned": "default", "uniqueness": "none",
    })
}

fn with(mut attribute: Value, member: &str, value: Value) -> Value {
    attribute[member] = value;
    attribute
}

fn many(attribute: Value) -> Value {
    with(attribute, "multiValued", json!(true))
}

fn link(name: &str, required: bool, to: &str) -> Value {
    with(with(plain(name, "reference", required), "referenceTypes", json!([to])), "caseExact", json!(true))
}

fn complex(name: &str, required: bool, below: &[Value]) -> Value {
    with(plain(name, "complex", required), "subAttributes", json!(below))
}

fn provider() -> Value {
    let supported = || plain("supported", "boolean", true);
    let feature = |name: &str| complex(name, true, &[supported()]);
    let number = |name: &str, required: bool| plain(name, "integer", required);
    let schemes = complex(
        "authenticationSchemes",
        true,
        &[
            plain("type", "string", true),
            plain("name", "string", true),
            plain("description", "string", true),
            link("specUri", false, "external"),
            link("documentationUri", false, "external"),
            plain("primary", "boolean", false),
        ],
    );
    let pagination = complex(
        "pagination",
        false,
        &[
            plain("cursor", "boolean", true),
            plain("index", "boolean", true),
            plain("defaultPaginationMethod", "string", false),
            number("defaultPageSize", false),
            number("maxPageSize", false),
            number("cursorTimeout", false),
        ],
    );
    let bulk = [supported(), number("maxOperations", true), number("maxPayloadSize", true)];
    let attributes = vec![
        link("documentationUri", false, "external"),
        feature("patch"),
        complex("bulk", true, &bulk),
        complex("filter", true, &[supported(), number("maxResults", true)]),
        feature("changePassword"),
        feature("sort"),
        feature("etag"),
        many(schemes),
        pagination,
    ];
    definition(schema_urns::SERVICE_PROVIDER_CONFIG, "ServiceProviderConfig", attributes)
}

fn resource_type() -> Value {
    let extension = [link("schema", true, "uri"), plain("required", "boolean", true)];
    let attributes = vec![
        plain("name", "string", true),
        plain("description", "string", false),
        link("endpoint", true, "uri"),
        link("schema", true, "uri"),
        many(complex("schemaExtensions", false, &extension)),
    ];
    definition(schema_urns::RESOURCE_TYPE, "ResourceType", attributes)
}

fn schema() -> Value {
    let attribute = |below: Option<Value>| {
        let own = [
            plain("name", "string", true),
            plain("type", "string", true),
            plain("multiValued", "boolean", true),
            plain("description", "string", false),
            plain("required", "boolean", false),
            many(plain("canonicalValues", "string", false)),
            plain("caseExact", "boolean", false),
            plain("mutability", "string", false),
            plain("returned", "string", false),
            plain("uniqueness", "string", false),
            many(plain("referenceTypes", "string", false)),
        ];
        own.into_iter().chain(below).collect::<Vec<_>>()
    };
    let below = many(complex("subAttributes", false, &attribute(None)));
    let attributes = vec![
        plain("name", "string", false),
        plain("description", "string", false),
        many(complex("attributes", true, &attribute(Some(below)))),
    ];
    definition(schema_urns::SCHEMA, "Schema", attributes)
}
