//! `pg_roles` and `pg_user`: who may use the database. Passwords are never shown.

use super::{PgRelation, text};
use crate::catalog::{Role, Stored};
use crate::error::Result;
use crate::system::Asking;
use crate::types::DataType;
use crate::value::Value;

/// What stands in the place of a password, whether there is one or not.
const HIDDEN: &str = "********";

pub(super) const PG_ROLES: PgRelation = PgRelation {
    name: "pg_roles",
    columns: &[
        ("rolname", DataType::Text),
        ("rolsuper", DataType::Bool),
        ("rolinherit", DataType::Bool),
        ("rolcreaterole", DataType::Bool),
        ("rolcreatedb", DataType::Bool),
        ("rolcanlogin", DataType::Bool),
        ("rolreplication", DataType::Bool),
        ("rolconnlimit", DataType::Int4),
        ("rolpassword", DataType::Text),
        ("rolvaliduntil", DataType::TimestampTz),
        ("rolbypassrls", DataType::Bool),
        ("oid", DataType::Oid),
    ],
    rows: |asking| {
        Ok(stored(asking)?
            .into_iter()
            .map(|role| {
                vec![
                    text(role.name),
                    Value::Bool(role.superuser),
                    Value::Bool(role.inherit),
                    Value::Bool(role.create_role),
                    Value::Bool(role.create_db),
                    Value::Bool(role.login),
                    Value::Bool(role.replication),
                    Value::Int(i64::from(role.connection_limit)),
                    text(HIDDEN),
                    role.valid_until.map_or(Value::Null, Value::Int),
                    Value::Bool(role.bypass_rls),
                    Value::Int(i64::from(role.id)),
                ]
            })
            .collect())
    },
};

pub(super) const PG_USER: PgRelation = PgRelation {
    name: "pg_user",
    columns: &[
        ("usename", DataType::Text),
        ("usesysid", DataType::Oid),
        ("usecreatedb", DataType::Bool),
        ("usesuper", DataType::Bool),
        ("userepl", DataType::Bool),
        ("usebypassrls", DataType::Bool),
        ("passwd", DataType::Text),
        ("valuntil", DataType::TimestampTz),
    ],
    rows: |asking| {
        Ok(stored(asking)?
            .into_iter()
            .filter(|role| role.login)
            .map(|role| {
                vec![
                    text(role.name),
                    Value::Int(i64::from(role.id)),
                    Value::Bool(role.create_db),
                    Value::Bool(role.superuser),
                    Value::Bool(role.replication),
                    Value::Bool(role.bypass_rls),
                    text(HIDDEN),
                    role.valid_until.map_or(Value::Null, Value::Int),
                ]
            })
            .collect())
    },
};

fn stored(asking: &Asking<'_>) -> Result<Vec<Role>> {
    Stored::new(asking.transaction(), asking.catalog()).roles()
}
