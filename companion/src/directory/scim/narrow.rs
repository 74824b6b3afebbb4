//! What of a filter the database can answer: conditions on columns with an index. The rest is looked at row by row.

use super::external_id::Names;
use super::filter::{Filter, Test, Wants};
use super::schema::ResourceType;
use crate::directory::profile::lookup_key;
use firstsight::domain::Subject;
use scim_v2::filter::CompareOp;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

/// A condition, and whether it is the whole of the filter.
pub(super) struct Narrowed {
    /// Made of this file's words alone; values are bound.
    conditions: String,
    values: Vec<Bound>,
    pub(super) is_whole: bool,
    /// Whether they are about states alone, of which the database keeps count.
    pub(super) is_counted: bool,
    /// The order of ids.
    pub(super) order: &'static str,
}

/// A value for a place in a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    Text(String),
    Number(i64),
}

/// When an account was changed last. Written like this in the index, too.
const MODIFIED: &str = "(CASE WHEN updated_at > state_since THEN updated_at ELSE state_since END)";
/// The order of ids by sorting: else SQLite walks through all accounts in their order to find the few that changed.
const SORTED: &str = "id || ''";

impl Narrowed {
    pub(super) fn of(kind: ResourceType, filter: Option<&Filter>, names: &Names) -> Self {
        let base = match kind {
            ResourceType::User => "state <> 'departed'",
            ResourceType::Group => "1 = 1",
        };
        let mut narrowed = Self {
            conditions: base.to_owned(),
            values: Vec::new(),
            is_whole: true,
            is_counted: kind == ResourceType::User,
            order: "id",
        };
        let conjuncts = match filter {
            None => &[],
            Some(Filter::All(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        for conjunct in conjuncts {
            let condition = match conjunct {
                Filter::Test(test) => Condition::of(kind, test, names),
                _ => None,
            };
            let Some(condition) = condition else {
                narrowed.is_whole = false;
                continue;
            };
            narrowed.conditions.push_str(" AND ");
            narrowed.conditions.push_str(&condition.text);
            narrowed.values.extend(condition.values);
            narrowed.is_whole &= condition.says != Says::Part;
            narrowed.is_counted &= condition.says == Says::State;
            if condition.says == Says::Time {
                narrowed.order = SORTED;
            }
        }
        narrowed
    }

    /// The query `SELECT what … WHERE conditions rest`; a `?` of `rest` is the place of one of `more`.
    pub(super) fn query(
        &self,
        what: &str,
        rest: &str,
        more: Vec<Bound>,
    ) -> Query<'static, Any, AnyArguments> {
        let (mut sql, mut place) = (String::new(), 0);
        for c in format!("SELECT {what} WHERE {} {rest}", self.conditions).chars() {
            sql.push(c);
            if c == '?' {
                place += 1;
                sql.pop();
                sql.push_str(&format!("${place}"));
            }
        }
        self.values.iter().cloned().chain(more).fold(sqlx::query(AssertSqlSafe(sql)), |query, value| {
            match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            }
        })
    }
}

/// The condition of one comparison.
struct Condition {
    text: String,
    values: Vec<Bound>,
    says: Says,
}

/// What a condition says of its comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    All,
    /// All of it, about states alone.
    State,
    /// All of it, about when a resource was changed.
    Time,
    /// Others may meet the condition, too.
    Part,
}

impl Condition {
    fn of(kind: ResourceType, test: &Test, names: &Names) -> Option<Self> {
        let place = test.place.filter(|place| place.extension.is_none())?;
        let (attribute, below) = (place.attribute?, place.below.map(|below| below.name.as_str()));
        let condition = |says, text: &str, values: &[&str]| {
            let values = values.iter().map(|value| Bound::Text((*value).to_owned()));
            Some(Self { text: text.to_owned(), values: values.collect(), says })
        };
        match (kind, attribute.name.as_str(), below, &test.wants) {
            (_, "id", None, Wants::Text(CompareOp::Eq, id)) => condition(Says::All, "id = ?", &[id]),
            (ResourceType::User, "externalId", None, Wants::Text(CompareOp::Eq, said)) => {
                // Of an account that nobody gave one it is made of its subject.
                let is_made = |subject: &Subject| {
                    names.external_id(subject.issuer.as_str(), subject.id.as_str()) == *said
                };
                match names.subject(said).filter(is_made) {
                    None => condition(Says::All, "external_id = ?", &[said]),
                    Some(Subject { issuer, id }) => {
                        let text =
                            "(external_id = ? OR (issuer = ? AND subject = ? AND external_id IS NULL))";
                        condition(Says::All, text, &[said, issuer.as_str(), id.as_str()])
                    }
                }
            }
            (ResourceType::Group, "externalId", None, Wants::Text(CompareOp::Eq, said)) => {
                condition(Says::All, "external_id = ?", &[said])
            }
            (ResourceType::User, "userName", None, Wants::Text(CompareOp::Eq, said)) => {
                condition(Says::Part, "user_name = ?", &[&lookup_key(said)])
            }
            (ResourceType::Group, "displayName", None, Wants::Text(CompareOp::Eq, said)) => {
                condition(Says::Part, "name = ?", &[&lookup_key(said)])
            }
            (ResourceType::User, "active", None, Wants::Boolean(op, active)) => {
                match (*op == CompareOp::Eq) == *active {
                    true => condition(Says::State, "state = 'active'", &[]),
                    false => condition(Says::State, "state IN ('pending', 'disabled')", &[]),
                }
            }
            (ResourceType::User, "groups", None | Some("value"), Wants::Text(CompareOp::Eq, id)) => {
                let text = "id IN (SELECT account FROM scim_members WHERE scim_group = ?)";
                condition(Says::All, text, &[id])
            }
            (ResourceType::Group, "members", None | Some("value"), Wants::Text(CompareOp::Eq, id)) => {
                let text = "id IN (SELECT scim_group FROM scim_members WHERE account = ?)";
                condition(Says::All, text, &[id])
            }
            (kind, "meta", Some("lastModified"), Wants::Time(op, time)) => {
                let column = if kind == ResourceType::User { MODIFIED } else { "updated_at" };
                let op = match op {
                    CompareOp::Eq => "=",
                    CompareOp::Gt => ">",
                    CompareOp::Ge => ">=",
                    CompareOp::Lt => "<",
                    CompareOp::Le => "<=",
                    _ => return None,
                };
                let time = Bound::Number(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
                Some(Self { text: format!("{column} {op} ?"), values: vec![time], says: Says::Time })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter;
    use super::*;

    fn narrowed(text: &str) -> (String, usize, bool) {
        let bound = Filter::bind(&filter::parse(text).unwrap(), &[ResourceType::User]).unwrap();
        let narrowed = Narrowed::of(ResourceType::User, bound.first(), &Names::default());
        let conditions = narrowed.conditions.replace("state <> 'departed'", "");
        (conditions, narrowed.values.len(), narrowed.is_whole)
    }

    #[test]
    fn what_gateways_and_provisioning_clients_ask_is_for_the_database_to_answer() {
        let whole = |condition: &str, values| (format!(" AND {condition}"), values, true);
        assert_eq!(narrowed("externalId eq \"jane\""), whole("external_id = ?", 1));
        assert_eq!(narrowed("active eq false"), whole("state IN ('pending', 'disabled')", 0));
        let since = format!("{MODIFIED} >= ?");
        assert_eq!(narrowed("meta.lastModified ge \"2026-11-23T12:00:00Z\""), whole(&since, 1));
        let (condition, values, is_whole) = narrowed("externalId eq \"https://idp.example.com|jane\"");
        assert!(condition.contains("issuer = ?") && values == 3 && is_whole);
    }

    #[test]
    fn what_is_left_is_known_to_be_left() {
        assert_eq!(narrowed("userName eq \"Jane\""), (" AND user_name = ?".to_owned(), 1, false));
        assert_eq!(narrowed("title pr and active eq true"), (" AND state = 'active'".to_owned(), 0, false));
        assert_eq!(narrowed("id eq \"1\" or id eq \"2\""), (String::new(), 0, false));
    }
}
