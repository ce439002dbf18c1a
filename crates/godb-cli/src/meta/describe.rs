//! Commands that show what tables there are.

use crate::console::{Console, Flow};
use crate::problem::Problem;
use crate::schema::Table;

/// `.tables`, `\dt`
pub(super) fn tables(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let pattern = words.first().map_or("*", String::as_str);
    let tables = console.engine.tables()?;
    let names = tables.into_iter().filter(|table| matches(pattern, &table.name));
    let rows = names
        .map(|table| vec![table.name, table.columns.len().to_string()])
        .collect();
    console.show_table(&["table", "columns"], rows)?;
    Ok(Flow::Next)
}

/// `.schema`
pub(super) fn schema(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let tables = match words.first() {
        Some(name) => vec![named(console, name)?],
        None => console.engine.tables()?,
    };
    for table in tables {
        console.say(&table.statements())?;
    }
    Ok(Flow::Next)
}

/// `\d`
pub(super) fn table(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let Some(name) = words.first() else {
        return tables(console, words);
    };
    let table = named(console, name)?;
    let row = |column: &crate::schema::TableColumn| {
        let null = if column.not_null { "not null" } else { "" };
        let default = column.default.clone().unwrap_or_default();
        vec![
            column.name.clone(),
            column.type_name.clone(),
            null.to_owned(),
            default,
        ]
    };
    let rows = table.columns.iter().map(row).collect();
    console.show_table(&["column", "type", "nullable", "default"], rows)?;
    if !table.footer().is_empty() {
        console.say(table.footer().trim_end())?;
    }
    Ok(Flow::Next)
}

/// `\di`
pub(super) fn indexes(console: &mut Console, words: &[String]) -> Result<Flow, Problem> {
    let tables = match words.first() {
        Some(name) => vec![named(console, name)?],
        None => console.engine.tables()?,
    };
    let mut rows = Vec::new();
    for table in &tables {
        for index in table.primary_key.iter().chain(&table.indexes) {
            let unique = if index.unique { "yes" } else { "no" };
            rows.push(vec![
                index.name.clone(),
                table.name.clone(),
                index.column_list(),
                unique.to_owned(),
            ]);
        }
    }
    console.show_table(&["index", "table", "columns", "unique"], rows)?;
    Ok(Flow::Next)
}

/// The table of that name, folded as SQL would fold it.
fn named(console: &mut Console, name: &str) -> Result<Table, Problem> {
    let folded = name.to_lowercase();
    let mut tables = console.engine.tables()?;
    let at = tables
        .iter()
        .position(|table| table.name == name)
        .or_else(|| tables.iter().position(|table| table.name == folded));
    at.map(|at| tables.swap_remove(at))
        .ok_or_else(|| Problem::Command(format!("there is no table {name}")))
}

/// Whether a name fits a pattern in which `*` (or `%`) stands for any text and `?` for any character.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    match pattern_chars.next() {
        None => name.is_empty(),
        Some('*' | '%') => {
            let rest = pattern_chars.as_str();
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| matches(rest, &name[at..]))
        }
        Some(wanted) => {
            let mut name_chars = name.chars();
            let fits = name_chars
                .next()
                .is_some_and(|c| wanted == '?' || wanted.eq_ignore_ascii_case(&c));
            fits && matches(pattern_chars.as_str(), name_chars.as_str())
        }
    }
}
