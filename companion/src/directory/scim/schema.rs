//! The schemas of what is served (RFC 7643 §7): users with the enterprise extension, and groups. What is not served is not
//! in them: no passwords, and no groups within groups.

use scim_v2::models::scim_schema::{Schema as Definition, get_schemas};
use scim_v2::schema_urns;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A kind of resource (RFC 7643 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceType {
    User,
    Group,
}

/// A schema: its definition as it is served, and its attributes.
pub(super) struct Schema {
    pub(super) urn: &'static str,
    pub(super) definition: Value,
    pub(super) attributes: Vec<Attribute>,
}

/// An attribute (RFC 7643 §2), or one below it.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) many: bool,
    pub(super) case_exact: bool,
    pub(super) required: bool,
    pub(super) mutability: Mutability,
    pub(super) below: Vec<Attribute>,
}

/// What its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Binary,
    Boolean,
    Time,
    Complex,
}

/// Who may write it, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
}

/// Where an attribute is: at the top or in an extension, perhaps one below another (RFC 7644 §3.10).
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The extension's URN.
    pub(super) extension: Option<&'static str>,
    /// `None` for the whole of an extension.
    pub(super) attribute: Option<&'static Attribute>,
    pub(super) below: Option<&'static Attribute>,
}

static USER: LazyLock<Schema> = LazyLock::new(|| Schema::published("user", schema_urns::USER));
static ENTERPRISE: LazyLock<Schema> =
    LazyLock::new(|| Schema::published("enterprise_user", schema_urns::ENTERPRISE_USER));
static GROUP: LazyLock<Schema> = LazyLock::new(|| Schema::published("group", schema_urns::GROUP));
/// What every resource has (RFC 7643 §3.1).
static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
    let exact = |name: &str, mutability: &str| json!({"name": name, "type": "string", "caseExact": true, "mutability": mutability});
    let read_only = |name: &str, shape: &str| json!({"name": name, "type": shape, "caseExact": true, "mutability": "readOnly"});
    let meta = [
        read_only("resourceType", "string"),
        read_only("created", "dateTime"),
        read_only("lastModified", "dateTime"),
        read_only("location", "reference"),
        read_only("version", "string"),
    ];
    let common = json!([
        {"name": "schemas", "type": "reference", "multiValued": true, "mutability": "readOnly"},
        exact("id", "readOnly"),
        exact("externalId", "readWrite"),
        {"name": "meta", "type": "complex", "mutability": "readOnly", "subAttributes": meta},
    ]);
    Attribute::read(&common)
});

impl ResourceType {
    pub(super) const ALL: [Self; 2] = [Self::User, Self::Group];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The last part of the path of its resources.
    pub(super) const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    pub(super) fn at(endpoint: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.endpoint() == endpoint)
    }

    pub(super) fn schema(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    pub(super) fn extensions(self) -> Vec<&'static Schema> {
        match self {
            Self::User => vec![&ENTERPRISE],
            Self::Group => vec![],
        }
    }

    /// What a name means, in whatever case (RFC 7643 §2.1); `None` if it means nothing.
    pub(super) fn find(self, path: &scim_v2::filter::AttrPath) -> Option<Place> {
        let whole = path.uri.as_ref().map(|uri| format!("{uri}:{}", path.name));
        let is = |schema: &Schema, urn: &Option<String>| {
            urn.as_ref().is_some_and(|urn| urn.eq_ignore_ascii_case(schema.urn))
        };
        if let Some(schema) = self.extensions().into_iter().find(|schema| is(schema, &whole)) {
            return Some(Place { extension: Some(schema.urn), attribute: None, below: None });
        }
        let (extension, attributes) = match &path.uri {
            None => (None, &self.schema().attributes),
            Some(_) if is(self.schema(), &path.uri) => (None, &self.schema().attributes),
            Some(_) => {
                let schema = self.extensions().into_iter().find(|schema| is(schema, &path.uri))?;
                (Some(schema.urn), &schema.attributes)
            }
        };
        let common = COMMON.iter().filter(|_| extension.is_none());
        let attribute = attributes.iter().chain(common).find(|attribute| attribute.is(&path.name))?;
        let below = match &path.sub_attr {
            None => None,
            Some(name) => Some(attribute.below.iter().find(|below| below.is(name))?),
        };
        Some(Place { extension, attribute: Some(attribute), below })
    }

    /// What its schemas know of `attributes`, in their own spelling and shape; everything else is left out.
    pub(super) fn fit(self, attributes: &Map<String, Value>) -> Map<String, Value> {
        let mut fitting = fit_all(&self.schema().attributes, attributes);
        for schema in self.extensions() {
            let there = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(schema.urn));
            if let Some((_, Value::Object(there))) = there {
                let there = fit_all(&schema.attributes, there);
                if !there.is_empty() {
                    fitting.insert(schema.urn.to_owned(), there.into());
                }
            }
        }
        fitting
    }

    /// Whether a top-level name is one that its schemas know and clients write.
    pub(super) fn writes(self, name: &str) -> bool {
        let writable =
            |attribute: &Attribute| attribute.is(name) && attribute.mutability != Mutability::ReadOnly;
        self.schema().attributes.iter().any(writable)
            || self.extensions().iter().any(|schema| schema.urn.eq_ignore_ascii_case(name))
    }
}

impl Schema {
    /// Every schema that is served, those of the service itself too (RFC 7644 §4).
    pub(super) fn all() -> [&'static Value; 6] {
        let [provider, resource_type, schema] = &*super::own_schemas::ALL;
        [&USER.definition, &ENTERPRISE.definition, &GROUP.definition, provider, resource_type, schema]
    }

    /// One of RFC 7643's, less what is not served.
    fn published(name: &str, urn: &'static str) -> Self {
        let found: Vec<Definition> = get_schemas(vec![name]).unwrap_or_default();
        let mut definition =
            found.first().and_then(|found| serde_json::to_value(found).ok()).unwrap_or_default();
        definition["schemas"] = json!([schema_urns::SCHEMA]);
        if let Some(attributes) = definition["attributes"].as_array_mut() {
            attributes.retain(|attribute| attribute["name"] != "password");
            for attribute in attributes {
                // RFC 7643 §4.2 requires the name of a group, which its §8.7.1 forgets. An account is active or not: there is
                // no third, so that it cannot be removed.
                let is_required = match urn {
                    schema_urns::GROUP => attribute["name"] == "displayName",
                    _ => attribute["name"] == "active",
                };
                if is_required {
                    attribute["required"] = json!(true);
                }
                if attribute["name"] == "members" {
                    for below in attribute["subAttributes"].as_array_mut().into_iter().flatten() {
                        for kinds in ["referenceTypes", "canonicalValues"] {
                            if below[kinds].is_array() {
                                below[kinds] = json!(["User"]);
                            }
                        }
                    }
                }
            }
        }
        let attributes = Attribute::read(&definition["attributes"]);
        Self { urn, definition, attributes }
    }
}

impl Attribute {
    fn read(definitions: &Value) -> Vec<Self> {
        let read = |definition: &Value| Self {
            name: definition["name"].as_str().unwrap_or_default().to_owned(),
            shape: match definition["type"].as_str() {
                Some("boolean") => Shape::Boolean,
                Some("binary") => Shape::Binary,
                Some("dateTime") => Shape::Time,
                Some("complex") => Shape::Complex,
                _ => Shape::Text,
            },
            many: definition["multiValued"] == true,
            case_exact: definition["caseExact"] == true,
            required: definition["required"] == true,
            mutability: match definition["mutability"].as_str() {
                Some("readOnly") => Mutability::ReadOnly,
                Some("immutable") => Mutability::Immutable,
                _ => Mutability::ReadWrite,
            },
            below: Self::read(&definition["subAttributes"]),
        };
        definitions.as_array().into_iter().flatten().map(read).collect()
    }

    /// Whether it is called this.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// A value as this attribute has it; `None` for none, and for what it cannot have.
    fn fit(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) if self.many => {
                let mut items: Vec<_> = items.iter().filter_map(|item| self.fit_one(item)).collect();
                // One at the most (RFC 7643 §2.4).
                let primary = |item: &&mut Value| item.get("primary") == Some(&Value::Bool(true));
                items.iter_mut().filter(primary).skip(1).for_each(|item| item["primary"] = false.into());
                (!items.is_empty()).then_some(Value::Array(items))
            }
            value if self.many => self.fit_one(value).map(|value| json!([value])),
            value => self.fit_one(value),
        }
    }

    fn fit_one(&self, value: &Value) -> Option<Value> {
        match (self.shape, value) {
            (Shape::Complex, Value::Object(members)) => {
                let members = fit_all(&self.below, members);
                (!members.is_empty()).then_some(Value::Object(members))
            }
            (Shape::Boolean, Value::Bool(_)) => Some(value.clone()),
            (Shape::Boolean, Value::String(text)) => {
                text.to_ascii_lowercase().parse::<bool>().ok().map(Value::Bool)
            }
            (Shape::Text | Shape::Binary | Shape::Time, Value::String(_)) => Some(value.clone()),
            _ => None,
        }
    }
}

fn fit_all(attributes: &[Attribute], members: &Map<String, Value>) -> Map<String, Value> {
    let fitting = |attribute: &Attribute| {
        let exact = members.get(&attribute.name);
        let there =
            exact.or_else(|| members.iter().find(|(name, _)| attribute.is(name)).map(|(_, value)| value));
        Some((attribute.name.clone(), attribute.fit(there?)?))
    };
    attributes.iter().filter_map(fitting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(attributes: Value) -> Value {
        ResourceType::User.fit(attributes.as_object().unwrap()).into()
    }

    #[test]
    fn what_the_schemas_do_not_know_or_cannot_have_is_left_out() {
        let enterprise = schema_urns::ENTERPRISE_USER;
        let mapped = json!({
            "USERNAME": "jane", "title": 7, "shoeSize": 40, "name": {"GivenName": "Jane", "middleName": null},
            "emails": [{"value": "jane@x", "primary": "True", "colour": "red"}, 7, {"value": "j@x", "primary": true}],
            "roles": [],
            enterprise.to_uppercase(): {"department": "Tours", "floor": 3}, "password": "secret",
        });
        let view = json!({
            "userName": "jane", "name": {"givenName": "Jane"}, "emails": [{"value": "jane@x", "primary": true}, {"value": "j@x", "primary": false}],
            enterprise: {"department": "Tours"},
        });
        assert_eq!(fit(mapped), view);
    }

    #[test]
    fn a_name_means_the_same_in_any_case_and_with_its_urn() {
        let find = |path: &str| {
            let path: scim_v2::filter::PatchPath = path.parse().unwrap();
            let scim_v2::filter::PatchPath::Attr(path) = path else { panic!("a plain path") };
            let place = ResourceType::User.find(&path)?;
            let name = |attribute: Option<&Attribute>| attribute.map(|attribute| attribute.name.clone());
            Some((place.extension.is_some(), name(place.attribute), name(place.below)))
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(find("USERNAME"), Some((false, some("userName"), None)));
        assert_eq!(
            find("urn:ietf:params:scim:schemas:core:2.0:User:name.GIVENNAME"),
            Some((false, some("name"), some("givenName")))
        );
        let enterprise = schema_urns::ENTERPRISE_USER;
        assert_eq!(find(&format!("{enterprise}:department")), Some((true, some("department"), None)));
        assert_eq!(find(enterprise), Some((true, None, None)));
        assert_eq!(find("meta.lastModified"), Some((false, some("meta"), some("lastModified"))));
        for nothing in ["department", "name.colour", "urn:acme:2.0:User:department", "password"] {
            assert_eq!(find(nothing), None, "{nothing}");
        }
    }
}
