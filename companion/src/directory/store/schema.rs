//! Every change of the schema there ever was, in order, for both databases; none is changed once it is released.

use super::dialect::Dialect;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name, and the change in SQLite's words and in PostgreSQL's.
type Change = (i64, &'static str, &'static str, &'static str);

macro_rules! change {
    ($number:literal, $name:literal, $file:literal) => {
        (
            $number,
            $name,
            include_str!(concat!("../../../migrations/sqlite/", $file)),
            include_str!(concat!("../../../migrations/postgres/", $file)),
        )
    };
}

const CHANGES: &[Change] = &[
    change!(1, "accounts", "0001_accounts.sql"),
    change!(2, "attributes issued at", "0002_attributes_issued_at.sql"),
    change!(3, "lifecycle", "0003_lifecycle.sql"),
    change!(4, "access", "0004_access.sql"),
    change!(5, "scim", "0005_scim.sql"),
    change!(6, "signals", "0006_signals.sql"),
    change!(7, "dormancy", "0007_dormancy.sql"),
    change!(8, "page", "0008_page.sql"),
    change!(9, "accounts by issuer", "0009_accounts_by_issuer.sql"),
];

/// The number of the last change.
pub(super) const VERSION: i64 = CHANGES[CHANGES.len() - 1].0;

/// Brings a database up to date.
pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migration = |(number, name, sqlite, postgres): &Change| {
        let sql = match dialect {
            Dialect::Sqlite => *sqlite,
            Dialect::Postgres => *postgres,
        };
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(CHANGES.iter().map(migration).collect())
}
