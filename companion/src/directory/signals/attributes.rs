//! Attributes that a transmitter says are others now: those that the account has, and never its key. The newest word has
//! the last word, a token's or an event's.

use super::take::Taking;
use crate::clock;
use crate::directory::audit::{self, Entry};
use crate::directory::lifecycle::{Cause, Event, State};
use crate::directory::profile::Profile;
use crate::directory::store::Write;
use firstsight::domain::{Subject, Timestamp};
use firstsight::wire::signals::Identifiers;
use serde_json::{Map, Value};
use sqlx::Row;

/// Changes the attributes of an account that is there and not shut, with its record in the audit.
pub(super) async fn apply(
    write: &mut Write,
    taking: &Taking<'_>,
    subject: &Subject,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<(), sqlx::Error> {
    let found = sqlx::query(
        "SELECT id, state, attributes, attributes_issued_at FROM accounts WHERE issuer = $1 AND subject = $2",
    )
    .bind(subject.issuer.as_str())
    .bind(subject.id.as_str())
    .fetch_optional(&mut **write)
    .await?;
    let Some(row) = found else { return Ok(()) };
    let (told_at, told): (Option<i64>, String) =
        (row.try_get("attributes_issued_at")?, row.try_get("attributes")?);
    let told_at = told_at.and_then(|at| u64::try_from(at).ok()).map(Timestamp::from_millis);
    let issued_at = taking.token.issued_at();
    if State::of(&row)?.is_shut() || told_at > Some(issued_at) {
        return Ok(());
    }
    let attributes = serde_json::from_str(&told).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let before = Profile { attributes, ..Profile::default() };
    let mut after = before.clone();
    change(&mut after.attributes);
    if after == before {
        return Ok(());
    }
    let (id, now): (String, _) = (row.try_get("id")?, clock::now());
    sqlx::query(
        "UPDATE accounts SET attributes = $1, attributes_issued_at = $2, updated_at = $3 WHERE id = $4",
    )
    .bind(Value::Object(after.attributes.clone()).to_string())
    .bind(issued_at.as_millis() as i64)
    .bind(now.as_millis() as i64)
    .bind(&id)
    .execute(&mut **write)
    .await?;
    let why = taking.why();
    let entry = Entry {
        at: now,
        account: &id,
        subject_key: &subject.key().to_string(),
        event: Event::Drift,
        cause: Cause::Signal,
        actor: &taking.source.name,
        gateway: None,
        attributes: before.differences(&after),
        reason: Some(&why),
    };
    audit::append(write, &entry).await.map(drop)
}

/// Puts a new address or number wherever one stands that the event gives as the one of before.
pub(super) fn replace(attributes: &mut Map<String, Value>, named: Option<&Identifiers>, new: &str) {
    let Some(named) = named else { return };
    let old = if new.contains('@') { &named.emails } else { &named.phones };
    attributes.values_mut().for_each(|value| replace_in(value, old, new));
}

fn replace_in(value: &mut Value, old: &[String], new: &str) {
    match value {
        Value::String(text) if old.iter().any(|old| old.eq_ignore_ascii_case(text)) => new.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in(item, old, new)),
        Value::Object(members) => members.values_mut().for_each(|member| replace_in(member, old, new)),
        _ => {}
    }
}

/// Takes over what a resource says of attributes that are there and of the same type: which there are, and what they look
/// like, is for the operator's mapping to say.
pub(super) fn take_over(attributes: &mut Map<String, Value>, resource: &Map<String, Value>) {
    for (name, value) in attributes {
        match (value, resource.get(name)) {
            (Value::Object(members), Some(Value::Object(resource))) => take_over(members, resource),
            (value, Some(new)) if is_like(value, new) => new.clone_into(value),
            _ => {}
        }
    }
}

fn is_like(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => match (one.first(), other.first()) {
            (Some(one), Some(other)) => is_like(one, other),
            _ => true,
        },
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => true,
        (Value::Bool(_), Value::Bool(_)) | (Value::Object(_), Value::Object(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_address_is_replaced_wherever_it_stands_and_nothing_else() {
        let named =
            Identifiers { emails: vec!["a@x".into()], phones: vec!["+1".into()], ..Default::default() };
        let mut attributes =
            members(json!({"userName": "a@x", "emails": [{"value": "A@X"}, "b@x"], "phone": "+1"}));
        replace(&mut attributes, Some(&named), "c@x");
        assert_eq!(
            attributes,
            members(json!({"userName": "c@x", "emails": [{"value": "c@x"}, "b@x"], "phone": "+1"}))
        );
        replace(&mut attributes, Some(&named), "+2");
        assert_eq!(attributes["phone"], "+2");
        let before = attributes.clone();
        replace(&mut attributes, Some(&Identifiers::default()), "d@x");
        assert_eq!(attributes, before);
    }

    #[test]
    fn a_resource_changes_only_attributes_that_are_there_and_look_alike() {
        let mut attributes = members(json!({"userName": "jane", "name": {"givenName": "J"}, "emails": "a@x",
                                            "roles": ["x"], "tags": [], "age": 7}));
        let resource = members(json!({"userName": "june", "name": {"givenName": "June", "familyName": "D"},
                                      "emails": [{"value": "a@x"}], "roles": [{"value": "x"}], "tags": ["t"],
                                      "age": null, "title": "Dr"}));
        take_over(&mut attributes, &resource);
        let expected = json!({"userName": "june", "name": {"givenName": "June"}, "emails": "a@x", "roles": ["x"],
                              "tags": ["t"], "age": 7});
        assert_eq!(attributes, members(expected));
    }
}
