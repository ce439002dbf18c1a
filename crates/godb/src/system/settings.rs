//! `godb_settings`: what can be changed while the database is open.

use super::{number, text};
use godb_sql::database_settings::all;
use godb_sql::{Asking, DataType, DatabaseSettings, SqlError, SystemRelation, Value};
use std::sync::Arc;

/// The settings with their values.
pub(crate) struct Settings(pub(crate) Arc<dyn DatabaseSettings>);

impl SystemRelation for Settings {
    fn name(&self) -> &'static str {
        "godb_settings"
    }

    fn columns(&self) -> &[(&'static str, DataType)] {
        &[
            ("name", DataType::Text),
            ("setting", DataType::Text),
            ("opened_with", DataType::Text),
            ("unit", DataType::Text),
            ("least", DataType::Int8),
            ("most", DataType::Int8),
            ("description", DataType::Text),
        ]
    }

    fn rows(&self, _asking: &Asking<'_>) -> Result<Vec<Vec<Value>>, SqlError> {
        let row = |one: godb_sql::ShownSetting| {
            vec![
                text(one.name),
                Value::Text(one.value),
                Value::Text(one.opened_with),
                one.unit.map_or(Value::Null, text),
                number(one.bounds.0),
                number(one.bounds.1),
                text(one.about),
            ]
        };
        Ok(all(&*self.0).into_iter().map(row).collect())
    }
}
