//! What of a filter the database can answer: conditions on columns with an index. The rest is looked at row by row.

use super::external_id::Names;
use super::filter::{Filter, Test, Wants};
use super::schema::Kind;
use crate::directory::profile::lookup_key;
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
    pub(super) fn of(kind: Kind, filter: Option<&Filter>, names: &Names) -> Self {
        let base = match kind {
            Kind::User => "state <> 'departed'",
            Kind::Group => "1 = 1",
        };
        let mut narrowed = Self {
            conditions: base.to_owned(),
            values: Vec::new(),
            is_whole: true,
            is_counted: kind == Kind::User,
            order: "id",
        };
        let conjuncts = match filter {
            None => &[],
            Some(Filter::All(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        for conjunct in conjuncts {
            let condition = match conjunct {
                Filter::Test(test) => condition(kind, test, names),
                _ => None,
            };
            match condition {
                Some((condition, values, is_whole)) => {
                    narrowed.conditions.push_str(" AND ");
                    narrowed.conditions.push_str(&condition);
                    narrowed.values.extend(values);
                    narrowed.is_whole &= is_whole;
                    narrowed.is_counted &= condition.starts_with("state ");
                    if condition.starts_with(MODIFIED) {
                        narrowed.order = SORTED;
                    }
                }
                None => narrowed.is_whole = false,
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

/// The condition of one comparison with its values, and whether it says all of it.
fn condition(kind: Kind, test: &Test, names: &Names) -> Option<(String, Vec<Bound>, bool)> {
    let place = test.place.filter(|place| place.extension.is_none())?;
    let (attribute, below) = (place.attribute?, place.below.map(|below| below.name.as_str()));
    let text = |condition: &str, values: Vec<&str>, is_whole| {
        let values = values.into_iter().map(|value| Bound::Text(value.to_owned()));
        Some((condition.to_owned(), values.collect(), is_whole))
    };
    match (kind, attribute.name.as_str(), below, &test.wants) {
        (_, "id", None, Wants::Text(CompareOp::Eq, id)) => text("id = ?", vec![id], true),
        (Kind::User, "externalId", None, Wants::Text(CompareOp::Eq, said)) => {
            // Of an account that nobody gave one it is made of its subject.
            let subject = names.subject(said);
            let subject = subject
                .filter(|subject| names.external_id(subject.issuer.as_str(), subject.id.as_str()) == *said);
            match subject {
                None => text("external_id = ?", vec![said], true),
                Some(subject) => {
                    let made = "(external_id = ? OR (issuer = ? AND subject = ? AND external_id IS NULL))";
                    text(made, vec![said, subject.issuer.as_str(), subject.id.as_str()], true)
                }
            }
        }
        (Kind::Group, "externalId", None, Wants::Text(CompareOp::Eq, said)) => {
            text("external_id = ?", vec![said], true)
        }
        (Kind::User, "userName", None, Wants::Text(CompareOp::Eq, said)) => {
            text("user_name = ?", vec![&lookup_key(said)], false)
        }
        (Kind::Group, "displayName", None, Wants::Text(CompareOp::Eq, said)) => {
            text("name = ?", vec![&lookup_key(said)], false)
        }
        (Kind::User, "active", None, Wants::Boolean(op, active)) => match (*op == CompareOp::Eq) == *active {
            true => text("state = 'active'", vec![], true),
            false => text("state IN ('pending', 'disabled')", vec![], true),
        },
        (Kind::User, "groups", None | Some("value"), Wants::Text(CompareOp::Eq, id)) => {
            text("id IN (SELECT account FROM scim_members WHERE scim_group = ?)", vec![id], true)
        }
        (Kind::Group, "members", None | Some("value"), Wants::Text(CompareOp::Eq, id)) => {
            text("id IN (SELECT scim_group FROM scim_members WHERE account = ?)", vec![id], true)
        }
        (kind, "meta", Some("lastModified"), Wants::Time(op, time)) => {
            let column = if kind == Kind::User { MODIFIED } else { "updated_at" };
            let op = match op {
                CompareOp::Eq => "=",
                CompareOp::Gt => ">",
                CompareOp::Ge => ">=",
                CompareOp::Lt => "<",
                CompareOp::Le => "<=",
                _ => return None,
            };
            let time = Bound::Number(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
            Some((format!("{column} {op} ?"), vec![time], true))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter;
    use super::*;

    fn narrowed(text: &str) -> (String, usize, bool) {
        let bound = Filter::bind(&filter::parse(text).unwrap(), &[Kind::User]).unwrap();
        let narrowed = Narrowed::of(Kind::User, bound.first(), &Names::default());
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
