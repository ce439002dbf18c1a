//! Expressions over values of all types: calls by signature, operators on whatever comes, casts.

use super::{Dice, TYPES};
use crate::functions::{Volatility, signatures};
use crate::types::DataType;

/// How many rows the table has.
const ROWS: u64 = 12;

/// The table `all_types`.
pub(super) fn table(dice: &mut Dice) -> Vec<String> {
    let columns: Vec<String> = TYPES.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    let mut statements = vec![format!(
        "CREATE TABLE all_types (id int PRIMARY KEY, {})",
        columns.join(", ")
    )];
    for id in 0..ROWS {
        statements.push(format!("INSERT INTO all_types (id) VALUES ({id})"));
        let values = TYPES
            .iter()
            .map(|(name, ty)| format!("{name} = {}", literal(dice, *ty)));
        let values: Vec<String> = values.collect();
        statements.push(format!(
            "UPDATE all_types SET {} WHERE id = {id}",
            values.join(", ")
        ));
    }
    statements
}

/// A query of one expression about one row: only one thing in it can fail.
pub(super) fn query(dice: &mut Dice) -> String {
    let expression = expression(dice, 2);
    match dice.roll(3) {
        0 => format!("SELECT {expression}"),
        _ => format!(
            "SELECT {expression} FROM all_types WHERE id = {}",
            dice.roll(ROWS)
        ),
    }
}

fn any_type(dice: &mut Dice) -> DataType {
    dice.of(TYPES).1
}

fn expression(dice: &mut Dice, depth: u64) -> String {
    match dice.roll(9) {
        0..=3 => call(dice, depth),
        4 => {
            let (from, to) = (any_type(dice), any_type(dice));
            format!("CAST({} AS {to})", operand(dice, from, depth))
        }
        5 => {
            let ty = any_type(dice);
            let other = if dice.roll(3) == 0 { any_type(dice) } else { ty };
            let (left, right) = (operand(dice, ty, depth), operand(dice, other, depth));
            dice.of(&[
                "CASE WHEN {L} = {R} THEN {L} ELSE {R} END",
                "COALESCE({L}, {R})",
                "NULLIF({L}, {R})",
                "GREATEST({L}, {R})",
                "LEAST({R}, {L})",
                "{L} IN ({R}, {L})",
                "{L} BETWEEN {R} AND {L}",
                "{L} IS DISTINCT FROM {R}",
                "{L} IS NULL",
                "({L}, {R}) < ({R}, {L})",
            ])
            .replace("{L}", &left)
            .replace("{R}", &right)
        }
        6 => {
            let (ty, pattern) = (
                dice.of(&[DataType::Text, DataType::Varchar(None), DataType::Char(4)]),
                pattern(dice),
            );
            let operator = dice.of(&["LIKE", "NOT LIKE", "ILIKE"]);
            format!("{} {operator} {pattern}", operand(dice, ty, depth))
        }
        _ => {
            let operator = dice.of(&[
                "+", "-", "*", "/", "%", "^", "||", "=", "<>", "<", ">=", "&", "|", "#", "<<", ">>",
            ]);
            let ty = any_type(dice);
            let other = if dice.roll(2) == 0 { any_type(dice) } else { ty };
            format!(
                "{} {operator} {}",
                operand(dice, ty, depth),
                operand(dice, other, depth)
            )
        }
    }
}

fn pattern(dice: &mut Dice) -> &'static str {
    dice.of(&[
        "'%'",
        "'a%'",
        "'_b%'",
        "'%\\%'",
        "'a\\_b'",
        "'A%'",
        "''",
        "'100!%' ESCAPE '!'",
        "'%ä%'",
        "'abc'",
        "'%c '",
        "'\\'",
    ])
}

/// A call of a function with arguments of the types it takes, or nearly.
fn call(dice: &mut Dice, depth: u64) -> String {
    let all: Vec<_> = signatures()
        .filter(|(name, _, volatility)| {
            *volatility == Volatility::Immutable
                && name.starts_with(char::is_alphabetic)
                && !SPECIAL.contains(name)
        })
        .collect();
    let (name, takes, _) = dice.of(&all);
    let args: Vec<String> = takes
        .iter()
        .map(|ty| match ty {
            DataType::Unknown => {
                let ty = any_type(dice);
                operand(dice, ty, depth)
            }
            ty => {
                let given = if dice.roll(12) == 0 { any_type(dice) } else { *ty };
                operand(dice, given, depth)
            }
        })
        .collect();
    format!("{name}({})", args.join(", "))
}

/// Functions that PostgreSQL writes otherwise, or that need arguments of a small world of their own.
const SPECIAL: &[&str] = &[
    "extract",
    "pg_typeof",
    "factorial",
    "repeat",
    "lpad",
    "rpad",
    "cast",
    "make_interval",
    "position",
    // Whatever a machine's files of zones and its mathematical library make of it.
    "timezone",
    "cbrt",
];

fn operand(dice: &mut Dice, ty: DataType, depth: u64) -> String {
    if depth > 0 && dice.roll(5) == 0 {
        return format!("({})", expression(dice, depth - 1));
    }
    let column = TYPES.iter().find(|(_, of)| of.is_same_kind(ty));
    match column {
        // Only the queries over the table know columns; without it, they are an error on both sides.
        Some((name, _)) if dice.roll(4) == 0 => format!("all_types.{name}"),
        _ => literal(dice, ty),
    }
}

/// A value of a type, often one at its edge.
fn literal(dice: &mut Dice, ty: DataType) -> String {
    if dice.roll(14) == 0 {
        return format!("NULL::{ty}");
    }
    let texts: Vec<&str> = edges(ty).split('|').collect();
    let text = dice.of(&texts);
    // A small numeric type takes what it can.
    let name = if matches!(ty, DataType::Numeric(_)) {
        "numeric".to_owned()
    } else {
        ty.to_string()
    };
    format!("'{text}'::{name}")
}

/// Values of a type, most of them at its edges, between bars.
fn edges(ty: DataType) -> &'static str {
    match ty {
        DataType::Int2 => "0|1|-1|32767|-32768|7|-7|100",
        DataType::Int4 => "0|1|-1|2147483647|-2147483648|7|-7|3|10|1000",
        DataType::Oid => "0|1|7|4294967295",
        DataType::Array(_) => "{}|{1}|{1,NULL}",
        DataType::Int8 => "0|1|-1|9223372036854775807|-9223372036854775808|7|-3|4294967296",
        DataType::Numeric(_) => "0|1|-1|0.00|1.5|-1.5|2.50|123456.78|0.001|-99.995|1000|3",
        DataType::Float4 => "0|1|-1|1.5|3.4e38|1e-45|-0.1|16777217|NaN|Infinity",
        DataType::Float8 => "0|1|-1|1.5|-2.5|1e308|5e-324|0.1|1e15|1e16|123456.789|NaN|-Infinity|3",
        DataType::Text | DataType::Varchar(_) => {
            "|a|abc|ABC| ab |12|-7|1.50|true|a_b|100%|äöü|2024-02-29|1 day|day|zz9"
        }
        DataType::Char(_) => "|a|ab|abcd| b|12",
        DataType::Bool => "true|false",
        DataType::Date => {
            "2000-01-01|2024-02-29|1999-12-31|0001-01-01|4713-01-01 BC|5874897-12-31|infinity|2024-03-31"
        }
        DataType::Timestamp | DataType::TimestampTz => {
            "2000-01-01 00:00:00|2024-02-29 12:34:56.789|1969-12-31 23:59:59.999999|294246-12-31 23:59:59\
             |-infinity|2024-10-31 01:30:00|0044-03-15 12:00:00 BC"
        }
        DataType::Interval => {
            "0|1 day|-1 day|1 mon|1 year 2 mons|-3 days 04:05:06.789|100 hours|00:00:01|1 mon -1 day|2 weeks"
        }
        DataType::Bytea => "|\\x00|\\xdeadbeef|abc|\\x0102",
        DataType::Unknown => "x",
    }
}
