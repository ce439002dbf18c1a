//! Queries that are mostly right: every rule of the optimiser and every operator comes up.

use super::Dice;

/// Statements that are mostly right: every rule and every kind of operator comes up. Two columns, `a` and `b`.
pub(crate) fn query(dice: &mut Dice, depth: u64, outer: Option<&str>) -> String {
    match dice.roll(12) {
        0 if depth < 3 => {
            let op = dice.of(&[
                "UNION",
                "UNION ALL",
                "INTERSECT",
                "INTERSECT ALL",
                "EXCEPT",
                "EXCEPT ALL",
            ]);
            format!(
                "({}) {op} ({})",
                query(dice, depth + 2, outer),
                query(dice, depth + 2, outer)
            )
        }
        1 if depth < 3 => {
            let body = query(dice, depth + 2, outer);
            let condition = condition(dice, depth + 2, "w1", outer);
            format!(
                "WITH w(a, b) AS ({body}) SELECT w1.a, w2.b FROM w w1 JOIN w w2 ON w1.a = w2.b WHERE {condition}"
            )
        }
        _ => select(dice, depth, outer),
    }
}

fn select(dice: &mut Dice, depth: u64, outer: Option<&str>) -> String {
    let alias = format!("q{}", dice.roll(1000));
    let from = source(dice, depth, &alias);
    let grouped = dice.roll(4) == 0;
    let distinct = if dice.roll(6) == 0 { "DISTINCT " } else { "" };
    let columns = if grouped {
        let aggregate = dice.of(&[
            "count(*)",
            "sum(B)",
            "max(B)",
            "count(DISTINCT B)",
            "min(B) FILTER (WHERE B > 1)",
        ]);
        format!("{alias}.a, {}", aggregate.replace('B', &format!("{alias}.b")))
    } else {
        format!(
            "{} AS a, {} AS b",
            value(dice, depth, &alias, outer),
            value(dice, depth, &alias, outer)
        )
    };
    let mut sql = format!("SELECT {distinct}{columns} FROM {from}");
    if dice.roll(3) > 0 {
        sql += &format!(" WHERE {}", condition(dice, depth, &alias, outer));
    }
    if grouped {
        sql += &format!(" GROUP BY {alias}.a");
        if dice.roll(3) == 0 {
            sql += dice.of(&[
                " HAVING count(*) > 1",
                " HAVING max(b) < 5",
                " HAVING count(b) = 0",
            ]);
        }
    }
    if dice.roll(4) == 0 {
        sql += dice.of(&[
            " ORDER BY 1, 2",
            " ORDER BY 2 DESC, 1",
            " ORDER BY 1, 2 LIMIT 3",
            " ORDER BY 1, 2 LIMIT 5 OFFSET 1",
        ]);
    }
    sql
}

fn value(dice: &mut Dice, depth: u64, alias: &str, outer: Option<&str>) -> String {
    let column = format!("{alias}.{}", dice.of(&["a", "b"]));
    match dice.roll(if depth > 2 { 9 } else { 11 }) {
        0 => format!("{column} + {}", dice.roll(4)),
        1 => format!(
            "CASE WHEN {} THEN {column} ELSE {} END",
            condition(dice, depth + 2, alias, outer),
            dice.roll(5)
        ),
        2 => format!("COALESCE({alias}.a, {alias}.b)"),
        3 => format!("NULLIF({alias}.a, {alias}.b)"),
        9 => format!(
            "(SELECT {} FROM heap s WHERE s.a = {column})",
            dice.of(&["count(*)", "max(s.b)", "sum(s.a) + 1", "count(s.b) * 2"])
        ),
        10 => format!(
            "(SELECT count(*) FROM ({}) s)",
            query(dice, depth + 2, Some(alias))
        ),
        _ => column,
    }
}

fn source(dice: &mut Dice, depth: u64, alias: &str) -> String {
    let tables = [
        "heap",
        "(SELECT id AS a, customer AS b FROM orders)",
        "(SELECT order_id AS a, number AS b FROM lines)",
    ];
    match dice.roll(if depth > 3 { 1 } else { 4 }) {
        0 => format!("{} {alias}", dice.of(&tables)),
        1 => format!("({}) {alias}(a, b)", query(dice, depth + 1, None)),
        2 => format!(
            "({} UNION ALL {}) {alias}(a, b)",
            query(dice, depth + 2, None),
            query(dice, depth + 2, None)
        ),
        _ => {
            let kind = dice.of(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            if dice.roll(5) == 0 {
                let right = query(dice, depth + 1, None);
                return format!("(SELECT a, x.b FROM heap x {kind} ({right}) y(a, c) USING (a)) {alias}");
            }
            let other = format!("o{}", dice.roll(1000));
            let right = source(dice, depth + 1, &other);
            format!(
                "{} {alias} {kind} {right} ON {alias}.a = {other}.{} AND {alias}.b > {}",
                dice.of(&tables),
                dice.of(&["a", "b"]),
                dice.roll(5)
            )
        }
    }
}

fn condition(dice: &mut Dice, depth: u64, alias: &str, outer: Option<&str>) -> String {
    let column = format!("{alias}.{}", dice.of(&["a", "b"]));
    let value = match outer {
        Some(outer) if dice.roll(2) == 0 => format!("{outer}.{}", dice.of(&["a", "b"])),
        _ => dice.of(&["1", "5", "NULL", "$1", "3 + 4"]).to_owned(),
    };
    match dice.roll(if depth > 3 { 5 } else { 11 }) {
        0 => format!("{column} = {value}"),
        1 => format!(
            "{column} {} {value}",
            dice.of(&["<", ">=", "<>", "IS DISTINCT FROM"])
        ),
        2 => format!("{column} IN (1, 2, {value})"),
        3 => format!("{column} IS {}NULL", dice.of(&["", "NOT "])),
        4 => format!(
            "({} {} {})",
            condition(dice, depth + 1, alias, outer),
            dice.of(&["AND", "OR"]),
            condition(dice, depth + 1, alias, outer)
        ),
        5 => format!("NOT ({})", condition(dice, depth + 1, alias, outer)),
        6 => format!(
            "{}EXISTS ({})",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        7 => format!(
            "{column} {}IN (SELECT s.a FROM ({}) s(a, b))",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        8 => format!(
            "{column} {} (SELECT {} FROM ({}) s(a, b))",
            dice.of(&["=", "<"]),
            dice.of(&["max(a)", "count(*)", "sum(b) + 1"]),
            query(dice, depth + 1, Some(alias))
        ),
        9 => format!(
            "({column}, {value}) {}IN (SELECT * FROM ({}) s(a, b))",
            dice.of(&["", "NOT "]),
            query(dice, depth + 1, Some(alias))
        ),
        _ => format!(
            "{column} {} {} (SELECT a FROM heap WHERE b = {column})",
            dice.of(&["=", ">", "<>"]),
            dice.of(&["ANY", "ALL"])
        ),
    }
}
