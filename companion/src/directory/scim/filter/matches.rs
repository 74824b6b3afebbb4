//! Whether a resource is what a filter asks for (RFC 7644 §3.4.2.2). Of an attribute with many values one is enough.

use super::{Filter, Test, Wants};
use crate::directory::scim::schema::{Place, Shape};
use crate::directory::scim::time;
use scim_v2::filter::CompareOp;
use serde_json::{Map, Value};
use std::cmp::Ordering;

impl Filter {
    /// Whether a resource, or one value of an attribute, is like this.
    pub(in crate::directory::scim) fn matches(&self, resource: &Map<String, Value>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.matches(resource)),
            Self::Any(any) => any.iter().any(|one| one.matches(resource)),
            Self::Not(one) => !one.matches(resource),
            Self::Within(place, one) => {
                let values = place.values(resource);
                values.into_iter().filter_map(Value::as_object).any(|value| one.matches(value))
            }
            Self::Test(test) => test.matches(resource),
        }
    }
}

impl Test {
    fn matches(&self, resource: &Map<String, Value>) -> bool {
        let values = self.place.map(|place| place.values(resource)).unwrap_or_default();
        let case_exact = self
            .place
            .and_then(|place| place.leaf())
            .is_some_and(|leaf| leaf.case_exact || leaf.shape == Shape::Binary);
        match &self.wants {
            Wants::Present => !values.is_empty(),
            Wants::Absent => values.is_empty(),
            // What has no value is not the same as any.
            Wants::Text(CompareOp::Ne, _)
            | Wants::Boolean(CompareOp::Ne, _)
            | Wants::Time(CompareOp::Ne, _)
                if values.is_empty() =>
            {
                true
            }
            Wants::Text(op, wanted) => {
                values.iter().filter_map(|value| scalar(value)?.as_str()).any(|said| match case_exact {
                    true => compare(op, said, wanted),
                    false => compare(op, &said.to_lowercase(), &wanted.to_lowercase()),
                })
            }
            Wants::Boolean(op, wanted) => {
                let mut said = values.iter().filter_map(|value| scalar(value)?.as_bool());
                said.any(|said| (said == *wanted) == (*op == CompareOp::Eq))
            }
            Wants::Time(op, wanted) => {
                let said = values.iter().filter_map(|value| time::parse(scalar(value)?.as_str()?));
                said.map(|said| said.cmp(wanted)).any(|order| is(op, order))
            }
        }
    }
}

fn compare(op: &CompareOp, said: &str, wanted: &str) -> bool {
    match op {
        CompareOp::Co => said.contains(wanted),
        CompareOp::Sw => said.starts_with(wanted),
        CompareOp::Ew => said.ends_with(wanted),
        op => is(op, said.cmp(wanted)),
    }
}

fn is(op: &CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

/// What is compared of a value that has others below.
fn scalar(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(members) => members.get("value"),
        value => Some(value),
    }
}

impl Place {
    /// The values that are there.
    fn values<'a>(&self, resource: &'a Map<String, Value>) -> Vec<&'a Value> {
        let within = match self.extension {
            Some(urn) => resource.get(urn).and_then(Value::as_object),
            None => Some(resource),
        };
        let there = self.attribute.and_then(|attribute| within?.get(&attribute.name));
        let values: Vec<_> = match there {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
        };
        match self.below {
            None => values,
            Some(below) => values.into_iter().filter_map(|value| value.get(&below.name)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::directory::scim::schema::ResourceType;
    use serde_json::json;

    fn jane() -> Map<String, Value> {
        let jane = json!({
            "id": "1", "externalId": "Jane", "userName": "jane", "active": true, "title": "Tour Guide",
            "emails": [{"value": "jane@work.test", "type": "work"}, {"value": "jane@home.test", "type": "home"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours"},
            "meta": {"lastModified": "2026-11-23T12:00:00.000Z"},
        });
        jane.as_object().unwrap().clone()
    }

    fn bound(filter: &str) -> Result<Filter, ()> {
        let bound = Filter::bind(&parse(filter).map_err(drop)?, &[ResourceType::User]).map_err(drop)?;
        bound.into_iter().next().ok_or(())
    }

    #[test]
    fn a_filter_finds_what_it_asks_for() {
        for filter in [
            "userName eq \"JANE\"",
            "externalId eq \"Jane\"",
            "USERNAME sw \"J\" and title co \"guide\"",
            "title ew \"x\" or active eq true",
            "not (userName eq \"john\")",
            "nickName ne \"x\" and not (nickName pr) and nickName eq null",
            "emails co \"home\"",
            "emails.type eq \"work\"",
            "emails[type eq \"work\" and value ew \"work.test\"]",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"tours\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName pr",
            "meta.lastModified ge \"2026-11-23T13:00:00+01:00\"",
            "meta.lastModified lt \"2026-11-23T12:00:00.001Z\"",
        ] {
            assert!(bound(filter).unwrap().matches(&jane()), "{filter}");
        }
    }

    #[test]
    fn and_nothing_else() {
        for filter in [
            "externalId eq \"jane\"",
            "active ne true",
            "emails[type eq \"work\" and value ew \"home.test\"]",
            "title gt \"u\"",
            "nickName eq \"x\"",
            "meta.lastModified gt \"2026-11-23T12:00:00Z\"",
        ] {
            assert!(!bound(filter).unwrap().matches(&jane()), "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for filter in [
            "userName eq jane",
            "shoeSize eq \"40\"",
            "active gt true",
            "active eq \"true\"",
            "userName eq 7",
            "meta.lastModified co \"2026\"",
            "meta.lastModified gt \"yesterday\"",
            "name eq \"Jane\"",
            "userName[type eq \"x\"]",
            "emails[colour eq \"red\"]",
            "password pr",
        ] {
            assert!(bound(filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn of_several_kinds_those_without_the_attribute_are_without_its_value() {
        let filter = parse("userName eq \"jane\" or not (displayName pr)").unwrap();
        let bound = Filter::bind(&filter, &ResourceType::ALL).unwrap();
        let group = json!({"displayName": "Tours"}).as_object().unwrap().clone();
        assert!(bound[0].matches(&jane()) && !bound[1].matches(&group));
        assert!(Filter::bind(&parse("shoeSize pr").unwrap(), &ResourceType::ALL).is_err());
    }
}
