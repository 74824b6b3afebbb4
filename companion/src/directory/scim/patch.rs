//! Changing a resource by operations (RFC 7644 §3.5.2). Knows neither what becomes of it nor the database.

use super::failure::Failure;
use super::filter::Filter;
use super::schema::{Attribute, Mutability, Place, ResourceType, Shape};
use scim_v2::filter::{AttrExp, CompValue, CompareOp, PatchPath, ValFilter};
use scim_v2::models::errors::ScimType;
use scim_v2::schema_urns;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The operations of a request, in their order.
pub(super) struct Patch(Vec<Operation>);

struct Operation {
    op: Op,
    path: Option<PatchPath>,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Remove,
    Replace,
}

#[derive(Deserialize)]
struct Message {
    schemas: Vec<String>,
    #[serde(rename = "Operations")]
    operations: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    op: String,
    path: Option<String>,
    value: Option<Value>,
}

/// The most operations of one request: each may look through the whole of the resource.
const MOST: usize = 100;

impl Patch {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 `invalidSyntax` for another message, `invalidPath` for a path that is none, `noTarget` for a removal without one.
    pub(super) fn read(body: Value) -> Result<Self, Failure> {
        let message: Message = serde_path_to_error::deserialize(body).map_err(|error| {
            Failure::bad(ScimType::InvalidSyntax, format!("{}: not there, or of another type", error.path()))
        })?;
        let is_one = message.schemas.iter().any(|urn| urn.eq_ignore_ascii_case(schema_urns::PATCH_OP));
        if !is_one || !(1..=MOST).contains(&message.operations.len()) {
            let detail = "A PatchOp has its schema and 1 to 100 operations.";
            return Err(Failure::bad(ScimType::InvalidSyntax, detail));
        }
        message.operations.into_iter().map(Operation::read).collect::<Result<_, _>>().map(Self)
    }

    /// Does all of it.
    ///
    /// # Errors
    /// 400 with what went wrong first; then nothing is to be kept of it.
    pub(super) fn apply(self, kind: ResourceType, resource: &mut Map<String, Value>) -> Result<(), Failure> {
        self.0.into_iter().try_for_each(|operation| operation.apply(kind, resource))
    }
}

impl Operation {
    fn read(written: Written) -> Result<Self, Failure> {
        let op = match written.op.to_ascii_lowercase().as_str() {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            _ => return Err(Failure::bad(ScimType::InvalidSyntax, "op: add, remove or replace")),
        };
        let path = written.path.filter(|path| !path.is_empty()).map(|path| {
            let none = |_| Failure::bad(ScimType::InvalidPath, "path: not as RFC 7644 §3.5.2 has it");
            path.parse::<PatchPath>().map_err(none)
        });
        let path = path.transpose()?;
        if op == Op::Remove && path.is_none() {
            return Err(Failure::bad(ScimType::NoTarget, "path: a removal says what is removed"));
        }
        match (op, written.value) {
            (Op::Add | Op::Replace, None) => Err(Failure::value("value", "is missing")),
            (_, value) => Ok(Self { op, path, value: value.unwrap_or_default() }),
        }
    }

    fn apply(self, kind: ResourceType, resource: &mut Map<String, Value>) -> Result<(), Failure> {
        match &self.path {
            None => {
                let Value::Object(members) = self.value else {
                    return Err(Failure::value("value", "without a path it is an object"));
                };
                write_all(kind, resource, self.op, members)
            }
            Some(PatchPath::Attr(path)) => {
                let place = kind.find(path).ok_or_else(|| no_such(&path.name))?;
                place.may_be_written(self.op)?;
                write_at(kind, resource, &place, self.op, self.value)
            }
            Some(PatchPath::Value(path)) => {
                let mut place = kind.find(&path.attr).ok_or_else(|| no_such(&path.attr.name))?;
                let attribute = place.attribute.filter(|attribute| attribute.many && place.below.is_none());
                let attribute = attribute.ok_or_else(|| no_such(&path.attr.name))?;
                if let Some(name) = &path.sub_attr {
                    let below = attribute.below.iter().find(|below| below.is(name));
                    place.below = Some(below.ok_or_else(|| no_such(name))?);
                }
                place.may_be_written(self.op)?;
                let among = Among { filter: Filter::value(attribute, &path.filter)?, written: &path.filter };
                let container = within(resource, &place);
                container.map_or(Ok(()), |it| among.write(it, attribute, place.below, self.op, self.value))
            }
        }
    }
}

fn no_such(name: &str) -> Failure {
    Failure::bad(ScimType::InvalidPath, format!("{name}: there is no such attribute"))
}

impl Place {
    fn may_be_written(&self, op: Op) -> Result<(), Failure> {
        let Some(attribute) = self.attribute else { return Ok(()) };
        let leaf = self.below.unwrap_or(attribute);
        let refused = attribute.mutability == Mutability::ReadOnly
            || leaf.mutability == Mutability::ReadOnly
            || self.below.is_some() && leaf.mutability == Mutability::Immutable
            || op == Op::Remove && leaf.required;
        let detail = || format!("{}: not for clients to change like this", leaf.name);
        if refused { Err(Failure::bad(ScimType::Mutability, detail())) } else { Ok(()) }
    }
}

/// Without a path the value's members say where (RFC 7644 §3.5.2.1). Some clients write whole paths as names, which is
/// understood; what means nothing, or is not theirs to write, is passed over as in a whole resource (§3.3).
fn write_all(
    kind: ResourceType,
    resource: &mut Map<String, Value>,
    op: Op,
    members: Map<String, Value>,
) -> Result<(), Failure> {
    for (name, value) in members {
        let Ok(PatchPath::Attr(path)) = name.parse() else { continue };
        if let Some(place) = kind.find(&path).filter(|place| place.may_be_written(op).is_ok()) {
            write_at(kind, resource, &place, op, value)?;
        }
    }
    Ok(())
}

fn write_at(
    kind: ResourceType,
    resource: &mut Map<String, Value>,
    place: &Place,
    op: Op,
    value: Value,
) -> Result<(), Failure> {
    let Some(attribute) = place.attribute else {
        let urn = place.extension.unwrap_or_default();
        return match (op, value) {
            (Op::Remove, _) | (_, Value::Null) => {
                resource.remove(urn);
                Ok(())
            }
            (op, Value::Object(members)) => {
                let members = members.into_iter().map(|(name, value)| (format!("{urn}:{name}"), value));
                write_all(kind, resource, op, members.collect())
            }
            _ => Err(Failure::value("value", "an extension is an object")),
        };
    };
    let Some(container) = within(resource, place) else { return Ok(()) };
    match place.below {
        None => write(container, attribute, op, value),
        Some(below) if attribute.many => {
            let values = container.get_mut(&attribute.name).and_then(Value::as_array_mut);
            let values = values.into_iter().flatten().filter_map(Value::as_object_mut);
            values.into_iter().try_for_each(|element| write(element, below, op, value.clone()))
        }
        Some(below) => {
            let members = container.entry(&attribute.name).or_insert_with(|| json!({}));
            members.as_object_mut().map_or(Ok(()), |members| write(members, below, op, value))
        }
    }
}

/// What holds the attribute: the resource, or the extension.
fn within<'a>(resource: &'a mut Map<String, Value>, place: &Place) -> Option<&'a mut Map<String, Value>> {
    match place.extension {
        None => Some(resource),
        Some(urn) => resource.entry(urn).or_insert_with(|| json!({})).as_object_mut(),
    }
}

fn write(
    container: &mut Map<String, Value>,
    attribute: &Attribute,
    op: Op,
    value: Value,
) -> Result<(), Failure> {
    let name = &attribute.name;
    match (op, value) {
        (Op::Remove, Value::Null) => drop(container.remove(name)),
        // Some name the values to be removed beside the path instead of in it.
        (Op::Remove, value) if attribute.many => {
            let gone: HashSet<_> = list(attribute, value).iter().map(identity).collect();
            if let Some(values) = container.get_mut(name).and_then(Value::as_array_mut) {
                values.retain(|value| !gone.contains(&identity(value)));
            }
        }
        (Op::Remove, _) | (_, Value::Null) => drop(container.remove(name)),
        (Op::Replace, value) if attribute.many => {
            container.insert(name.clone(), list(attribute, value).into());
        }
        (Op::Add, value) if attribute.many => {
            let values = container.entry(name).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                add(values, list(attribute, value));
            }
        }
        // What is not named of a complex attribute stays as it is (RFC 7644 §3.5.2.1, §3.5.2.3).
        (_, Value::Object(new)) if attribute.shape == Shape::Complex => {
            let members = container.entry(name).or_insert_with(|| json!({}));
            if let Some(members) = members.as_object_mut() {
                members.extend(new);
            }
        }
        (_, value) => {
            container.insert(name.clone(), one(attribute, value));
        }
    }
    Ok(())
}

/// The values of an attribute that has many.
fn list(attribute: &Attribute, value: Value) -> Vec<Value> {
    let values = if let Value::Array(values) = value { values } else { vec![value] };
    values.into_iter().map(|value| one(attribute, value)).collect()
}

/// A plain value of an attribute that has others below is its `value`.
fn one(attribute: &Attribute, value: Value) -> Value {
    match value {
        Value::String(_) if attribute.below.iter().any(|below| below.is("value")) => json!({"value": value}),
        value => value,
    }
}

/// What a value is known by: its `value`, if it has one.
fn identity(value: &Value) -> String {
    value.get("value").unwrap_or(value).to_string()
}

/// Adds values that are not there yet. A new one that is primary makes the others not (RFC 7644 §3.5.2).
fn add(values: &mut Vec<Value>, new: Vec<Value>) {
    let mut there: HashSet<_> = values.iter().map(Value::to_string).collect();
    for one in new {
        if !there.insert(one.to_string()) {
            continue;
        }
        if one.get("primary") == Some(&Value::Bool(true)) {
            no_longer_primary(values);
        }
        values.push(one);
    }
}

fn no_longer_primary(values: &mut [Value]) {
    for value in values {
        if value.get("primary") == Some(&Value::Bool(true)) {
            value["primary"] = Value::Bool(false);
        }
    }
}

/// Some of the values of an attribute.
struct Among<'a> {
    filter: Filter,
    written: &'a ValFilter,
}

impl Among<'_> {
    fn write(
        &self,
        container: &mut Map<String, Value>,
        attribute: &Attribute,
        below: Option<&Attribute>,
        op: Op,
        value: Value,
    ) -> Result<(), Failure> {
        let values = container.entry(&attribute.name).or_insert_with(|| json!([]));
        let Some(values) = values.as_array_mut() else { return Ok(()) };
        let is_meant = |value: &Value| value.as_object().is_some_and(|value| self.filter.matches(value));
        let any = values.iter().any(is_meant);
        match (op, below) {
            (Op::Remove, None) => values.retain(|value| !is_meant(value)),
            (Op::Replace, _) if !any => {
                return Err(Failure::bad(ScimType::NoTarget, "path: no value is like that"));
            }
            (Op::Add, below) if !any => {
                let mut new = equalities(self.written);
                match (below, value) {
                    (Some(below), value) => drop(new.insert(below.name.clone(), value)),
                    (None, Value::Object(members)) => new.extend(members),
                    (None, value) => drop(new.insert("value".to_owned(), value)),
                }
                add(values, vec![new.into()]);
            }
            (op, below) => {
                let becomes_primary = match below {
                    Some(below) => below.is("primary") && value == Value::Bool(true),
                    None => value.get("primary") == Some(&Value::Bool(true)),
                };
                let meant: Vec<_> = values.iter().map(is_meant).collect();
                if becomes_primary {
                    no_longer_primary(values);
                }
                for (element, _) in values.iter_mut().zip(meant).filter(|(_, meant)| *meant) {
                    match (below, element.as_object_mut()) {
                        (Some(below), Some(members)) => write(members, below, op, value.clone())?,
                        (None, Some(members)) if op == Op::Add => {
                            members.extend(value.as_object().cloned().unwrap_or_default());
                        }
                        _ => *element = one(attribute, value.clone()),
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a value that does not exist yet has to have so that it is meant.
fn equalities(filter: &ValFilter) -> Map<String, Value> {
    match filter {
        ValFilter::And(items) => items.iter().flat_map(equalities).collect(),
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, value)) => {
            let value = match value {
                CompValue::Str(text) => json!(text),
                CompValue::True => json!(true),
                CompValue::False => json!(false),
                CompValue::Number(number) => json!(number),
                CompValue::Null => return Map::new(),
            };
            Map::from_iter([(path.name.clone(), value)])
        }
        _ => Map::new(),
    }
}
