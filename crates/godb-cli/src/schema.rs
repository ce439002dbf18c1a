//! A table as the shell shows it: described column by column, or as the statements that would make it again.

use std::fmt::Write;

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<TableColumn>,
    pub(crate) primary_key: Option<Index>,
    pub(crate) indexes: Vec<Index>,
    /// Names and texts of the CHECK constraints.
    pub(crate) checks: Vec<(String, String)>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
}

/// A primary key, a UNIQUE constraint or an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// Names of columns, each with "descending".
    pub(crate) columns: Vec<(String, bool)>,
    pub(crate) unique: bool,
    /// It belongs to a constraint of the table and is not made by a statement of its own.
    pub(crate) constraint: bool,
}

/// The table as the catalog describes it.
pub(crate) fn describe(table: &godb::TableDescription) -> Table {
    let primary_key = (!table.primary_key.is_empty()).then(|| Index {
        name: format!("{}_pkey", table.name),
        columns: table
            .primary_key
            .iter()
            .map(|name| (name.clone(), false))
            .collect(),
        unique: true,
        constraint: true,
    });
    let columns = table.columns.iter().map(|column| TableColumn {
        name: column.name.clone(),
        type_name: column.ty.to_string(),
        not_null: column.not_null,
        default: column.default.clone(),
    });
    let indexes = table.indexes.iter().map(|index| Index {
        name: index.name.clone(),
        columns: index.columns.clone(),
        unique: index.unique,
        constraint: index.constraint,
    });
    Table {
        name: table.name.clone(),
        columns: columns.collect(),
        primary_key,
        indexes: indexes.collect(),
        checks: table.checks.clone(),
    }
}

impl Table {
    /// The statements that would make the table again.
    pub(crate) fn statements(&self) -> String {
        let mut parts: Vec<String> = self.columns.iter().map(TableColumn::definition).collect();
        if let Some(key) = &self.primary_key {
            parts.push(format!(
                "CONSTRAINT {} PRIMARY KEY ({})",
                quoted(&key.name),
                key.column_list()
            ));
        }
        for index in self.indexes.iter().filter(|index| index.constraint) {
            parts.push(format!(
                "CONSTRAINT {} UNIQUE ({})",
                quoted(&index.name),
                index.column_list()
            ));
        }
        for (name, text) in &self.checks {
            parts.push(format!("CONSTRAINT {} CHECK ({text})", quoted(name)));
        }
        let mut sql = format!(
            "CREATE TABLE {} (\n    {}\n);",
            quoted(&self.name),
            parts.join(",\n    ")
        );
        for index in self.indexes.iter().filter(|index| !index.constraint) {
            let unique = if index.unique { "UNIQUE " } else { "" };
            let (name, table) = (quoted(&index.name), quoted(&self.name));
            write!(
                sql,
                "\nCREATE {unique}INDEX {name} ON {table} ({});",
                index.column_list()
            )
            .expect("a string takes all");
        }
        sql
    }

    /// What `\d` says below the columns.
    pub(crate) fn footer(&self) -> String {
        let mut text = String::new();
        let indexes: Vec<&Index> = self.primary_key.iter().chain(&self.indexes).collect();
        if !indexes.is_empty() {
            text.push_str("Indexes:\n");
        }
        for (at, index) in indexes.iter().enumerate() {
            let what = match (
                at == 0 && self.primary_key.is_some(),
                index.constraint,
                index.unique,
            ) {
                (true, ..) => "PRIMARY KEY, ",
                (_, true, _) => "UNIQUE CONSTRAINT, ",
                (_, _, true) => "UNIQUE, ",
                _ => "",
            };
            writeln!(
                text,
                "    {} {what}btree ({})",
                quoted(&index.name),
                index.column_list()
            )
            .expect("a string takes all");
        }
        if !self.checks.is_empty() {
            text.push_str("Check constraints:\n");
        }
        for (name, check) in &self.checks {
            writeln!(text, "    {} CHECK ({check})", quoted(name)).expect("a string takes all");
        }
        text
    }
}

impl TableColumn {
    fn definition(&self) -> String {
        let mut text = format!("{} {}", quoted(&self.name), self.type_name);
        if self.not_null {
            text.push_str(" NOT NULL");
        }
        if let Some(default) = &self.default {
            write!(text, " DEFAULT {default}").expect("a string takes all");
        }
        text
    }
}

impl Index {
    /// `a, b DESC`
    pub(crate) fn column_list(&self) -> String {
        let columns = self.columns.iter().map(|(name, descending)| {
            let order = if *descending { " DESC" } else { "" };
            format!("{}{order}", quoted(name))
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}

/// A name as SQL needs it: in double quotes unless it is a plain word that no statement would fold or mistake.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// PostgreSQL's reserved words: as a name of a table or a column they need quotes.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::{Index, Table, TableColumn, quoted};

    fn example() -> Table {
        let column = |name: &str, type_name: &str, not_null, default: Option<&str>| TableColumn {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            not_null,
            default: default.map(str::to_owned),
        };
        let index = |name: &str, columns: &[(&str, bool)], unique, constraint| Index {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|(name, descending)| ((*name).to_owned(), *descending))
                .collect(),
            unique,
            constraint,
        };
        Table {
            name: "user".to_owned(),
            columns: vec![
                column("id", "integer", true, None),
                column("Email", "text", false, Some("'none'")),
            ],
            primary_key: Some(index("user_pkey", &[("id", false)], true, true)),
            indexes: vec![
                index("user_email_key", &[("Email", false)], true, true),
                index("by_mail", &[("Email", true), ("id", false)], false, false),
            ],
            checks: vec![("positive".to_owned(), "id > 0".to_owned())],
        }
    }

    #[test]
    fn a_table_as_statements() {
        assert_eq!(
            example().statements(),
            "CREATE TABLE \"user\" (\n    id integer NOT NULL,\n    \"Email\" text DEFAULT 'none',\n    \
             CONSTRAINT user_pkey PRIMARY KEY (id),\n    CONSTRAINT user_email_key UNIQUE (\"Email\"),\n    \
             CONSTRAINT positive CHECK (id > 0)\n);\nCREATE INDEX by_mail ON \"user\" (\"Email\" DESC, id);"
        );
    }

    #[test]
    fn a_table_described() {
        assert_eq!(
            example().footer(),
            "Indexes:\n    user_pkey PRIMARY KEY, btree (id)\n    user_email_key UNIQUE CONSTRAINT, btree (\"Email\")\n    \
             by_mail btree (\"Email\" DESC, id)\nCheck constraints:\n    positive CHECK (id > 0)\n"
        );
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (name, sql) in [
            ("a_1", "a_1"),
            ("A", "\"A\""),
            ("1a", "\"1a\""),
            ("a\"b", "\"a\"\"b\""),
            ("order", "\"order\""),
        ] {
            assert_eq!(quoted(name), sql);
        }
    }
}
