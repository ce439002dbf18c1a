//! `pg_settings`: the session's settings.

use super::{PgRelation, text};
use crate::types::DataType;

pub(super) const PG_SETTINGS: PgRelation = PgRelation {
    name: "pg_settings",
    columns: &[
        ("name", DataType::Text),
        ("setting", DataType::Text),
        ("short_desc", DataType::Text),
    ],
    rows: |asking| {
        let settings = asking.session().settings(|settings| settings.all());
        let row = |row: [String; 3]| row.into_iter().map(text).collect();
        Ok(settings.into_iter().map(row).collect())
    },
};
