//! Nodes as lines.

use super::Showing;
use super::expr::{joined, name, text};
use crate::expr::Expr;
use crate::plan::logical::{AggregateCall, JoinKind, SetKind, SortKey};
use crate::plan::physical::{KeyRange, Node, Physical, Source};

/// Writes a plan line by line.
pub(super) struct Printer<'a> {
    showing: &'a Showing<'a>,
    lines: Vec<String>,
    next: usize,
}

impl Node {
    /// Its inputs, left before right.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Self> {
        match &self.op {
            Physical::Values(_)
            | Physical::Scan(_)
            | Physical::CountRows(_)
            | Physical::Series(_)
            | Physical::System(_) => Vec::new(),
            Physical::Filter { input, .. }
            | Physical::Project { input, .. }
            | Physical::HashAggregate { input, .. }
            | Physical::Distinct { input, .. }
            | Physical::Sort { input, .. }
            | Physical::TopN { input, .. }
            | Physical::Limit { input, .. }
            | Physical::Apply { input, .. }
            | Physical::IndexJoin { left: input, .. } => vec![input],
            Physical::HashJoin { left, right, .. }
            | Physical::NestedLoopJoin { left, right, .. }
            | Physical::Set { left, right, .. } => vec![left, right],
        }
    }
}

impl<'a> Printer<'a> {
    pub(super) fn new(showing: &'a Showing<'a>) -> Self {
        Self {
            showing,
            lines: Vec::new(),
            next: 0,
        }
    }

    pub(super) fn finish(self) -> Vec<String> {
        self.lines
    }

    /// A line at a depth.
    pub(super) fn line(&mut self, depth: usize, content: &str) {
        let lead = if depth == 0 {
            String::new()
        } else {
            format!("{}->  ", " ".repeat(depth * 6 - 4))
        };
        self.lines.push(format!("{lead}{content}"));
    }

    /// A line that belongs to the node above it.
    pub(super) fn detail(&mut self, depth: usize, content: &str) {
        self.lines.push(format!("{}{content}", " ".repeat(depth * 6 + 2)));
    }

    pub(super) fn subplans(&mut self, subplans: &[Node]) {
        for (number, plan) in subplans.iter().enumerate() {
            self.detail(0, &format!("SubPlan {}", number + 1));
            self.node(plan, 1);
        }
    }

    /// A node and what is below it.
    pub(super) fn node(&mut self, node: &Node, depth: usize) {
        let inputs: Vec<Vec<String>> = node.inputs().into_iter().map(names).collect();
        let title = format!("{}{}", title(&node.op), self.numbers(node));
        self.line(depth, &title);
        for detail in details(&node.op, &inputs) {
            self.detail(depth, &detail);
        }
        for input in node.inputs() {
            self.node(input, depth + 1);
        }
    }

    fn numbers(&mut self, node: &Node) -> String {
        let number = self.next;
        self.next += 1;
        let mut shown = String::new();
        if self.showing.costs {
            shown = format!(
                "  (cost={:.2} rows={:.0})",
                node.estimate.cost, node.estimate.rows
            );
        }
        if let Some(actual) = (self.showing.actual)(number) {
            let loops = actual.loops.max(1);
            let micros = actual.micros / loops;
            shown.push_str(&format!(
                " (actual time={}.{:03} rows={} loops={})",
                micros / 1000,
                micros % 1000,
                actual.rows / loops,
                actual.loops
            ));
        }
        shown
    }
}

fn title(op: &Physical) -> String {
    match op {
        Physical::Values(rows) if rows.len() == 1 && rows[0].is_empty() => "Result".to_owned(),
        Physical::Values(rows) if rows.is_empty() => "Result (no rows)".to_owned(),
        Physical::Values(_) => "Values Scan".to_owned(),
        Physical::Scan(source) => scan_title(source),
        Physical::Filter { .. } => "Filter".to_owned(),
        Physical::Project { .. } => "Project".to_owned(),
        Physical::HashJoin { kind, .. } => format!("Hash{}Join", join_word(*kind)),
        Physical::NestedLoopJoin { kind, .. } => match kind {
            JoinKind::Inner => "Nested Loop".to_owned(),
            kind => format!("Nested Loop{}Join", join_word(*kind)),
        },
        Physical::IndexJoin { kind, source, .. } => {
            format!("Index{}Join using {}", join_word(*kind), source_text(source))
        }
        Physical::HashAggregate { groups, .. } if groups.is_empty() => "Aggregate".to_owned(),
        Physical::HashAggregate { .. } => "HashAggregate".to_owned(),
        Physical::Distinct { on, .. } if on.is_empty() => "Unique".to_owned(),
        Physical::Distinct { .. } => "Unique On".to_owned(),
        Physical::Sort { .. } => "Sort".to_owned(),
        Physical::TopN { .. } => "Top-N Sort".to_owned(),
        Physical::Limit { .. } => "Limit".to_owned(),
        Physical::Set {
            kind: SetKind::Union,
            all: true,
            ..
        } => "Append".to_owned(),
        Physical::Set { kind, all, .. } => {
            let word = match kind {
                SetKind::Union => "Union",
                SetKind::Intersect => "Intersect",
                SetKind::Except => "Except",
            };
            format!("Hash{word}{}", if *all { " All" } else { "" })
        }
        Physical::CountRows(source) => format!("Row Count of {}", on_text(source)),
        Physical::System(relation) => format!("System Scan on {}", name(relation.name())),
        Physical::Apply { plan, left, .. } => {
            let word = if *left { " Left" } else { "" };
            format!("Nested Loop{word} over SubPlan {}", plan + 1)
        }
        Physical::Series(_) => "Function Scan on generate_series".to_owned(),
    }
}

fn join_word(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => " ",
        JoinKind::Left => " Left ",
        JoinKind::Right => " Right ",
        JoinKind::Full => " Full ",
        JoinKind::Semi => " Semi ",
        JoinKind::Anti => " Anti ",
        JoinKind::NullAwareAnti => " Null-Aware Anti ",
    }
}

fn is_whole(range: &KeyRange) -> bool {
    range.equal.is_empty() && range.any_of.is_empty() && range.from.is_none() && range.to.is_none()
}

fn on_text(source: &Source) -> String {
    let table = name(&source.table.name);
    let alias = if source.alias == source.table.name {
        String::new()
    } else {
        format!(" {}", name(&source.alias))
    };
    let past = if source.as_of.is_some() {
        " as of the past"
    } else {
        ""
    };
    format!("{table}{alias}{past}")
}

fn scan_title(source: &Source) -> String {
    let backward = if source.backward { " Backward" } else { "" };
    match &source.index {
        Some(index) => format!(
            "Index Scan{backward} using {} on {}",
            name(&index.name),
            on_text(source)
        ),
        None if !is_whole(&source.range) => {
            format!("Key Scan{backward} on {}", on_text(source))
        }
        None => format!("Seq Scan{backward} on {}", on_text(source)),
    }
}

fn source_text(source: &Source) -> String {
    match &source.index {
        Some(index) => format!("{} on {}", name(&index.name), on_text(source)),
        None => format!("the key of {}", on_text(source)),
    }
}

fn details(op: &Physical, inputs: &[Vec<String>]) -> Vec<String> {
    let none = Vec::new();
    let input = inputs.first().unwrap_or(&none);
    match op {
        Physical::Scan(source) => scan_details(source, &[]),
        Physical::Filter { predicate, .. } => vec![format!("Filter: {}", text(predicate, input))],
        Physical::Project { exprs, .. } => vec![format!("Output: {}", joined(exprs, ", ", input))],
        Physical::HashJoin {
            left_keys,
            right_keys,
            residual,
            ..
        } => {
            let pairs = left_keys.iter().zip(right_keys);
            let pairs = pairs.map(|(l, r)| format!("({} = {})", text(l, input), text(r, &inputs[1])));
            let mut lines = vec![format!("Hash Cond: {}", pairs.collect::<Vec<_>>().join(" AND "))];
            let both: Vec<String> = inputs.concat();
            lines.extend(
                residual
                    .iter()
                    .map(|e| format!("Join Filter: {}", text(e, &both))),
            );
            lines
        }
        Physical::Apply { outer, .. } if outer.is_empty() => Vec::new(),
        Physical::Apply { outer, .. } => {
            vec![format!("Passed In: {}", joined(outer, ", ", input))]
        }
        Physical::NestedLoopJoin { on, .. } => {
            let both: Vec<String> = inputs.concat();
            on.iter()
                .map(|e| format!("Join Filter: {}", text(e, &both)))
                .collect()
        }
        Physical::IndexJoin { source, residual, .. } => {
            let mut lines = scan_details(source, input);
            let both: Vec<String> = input.iter().cloned().chain(columns(source)).collect();
            lines.extend(
                residual
                    .iter()
                    .map(|e| format!("Join Filter: {}", text(e, &both))),
            );
            lines
        }
        Physical::HashAggregate {
            groups, aggregates, ..
        } => {
            let mut lines = Vec::new();
            if !groups.is_empty() {
                lines.push(format!("Group Key: {}", joined(groups, ", ", input)));
            }
            let calls: Vec<String> = aggregates.iter().map(|a| aggregate(a, input)).collect();
            if !calls.is_empty() {
                lines.push(format!("Aggregates: {}", calls.join(", ")));
            }
            lines
        }
        Physical::Distinct { on, .. } if !on.is_empty() => vec![format!("On: {}", joined(on, ", ", input))],
        Physical::Sort { keys, .. } => vec![format!("Sort Key: {}", sort_keys(keys, input))],
        Physical::TopN {
            keys, limit, offset, ..
        } => {
            let mut lines = vec![format!("Sort Key: {}", sort_keys(keys, input))];
            lines.extend(counts(Some(limit), offset.as_ref()));
            lines
        }
        Physical::Limit { limit, offset, .. } => counts(limit.as_ref(), offset.as_ref()),
        Physical::Series(args) => vec![format!("Arguments: {}", joined(args, ", ", &[]))],
        Physical::Values(_)
        | Physical::CountRows(_)
        | Physical::System(_)
        | Physical::Distinct { .. }
        | Physical::Set { .. } => Vec::new(),
    }
}

fn counts(limit: Option<&Expr>, offset: Option<&Expr>) -> Vec<String> {
    let limit = limit.map(|e| format!("Limit: {}", text(e, &[])));
    let offset = offset.map(|e| format!("Offset: {}", text(e, &[])));
    limit.into_iter().chain(offset).collect()
}

fn aggregate(call: &AggregateCall, input: &[String]) -> String {
    let function = call.function.aggregate.name;
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let args = if call.args.is_empty() {
        "*".to_owned()
    } else {
        joined(&call.args, ", ", input)
    };
    let order = if call.order.is_empty() {
        String::new()
    } else {
        format!(" ORDER BY {}", sort_keys(&call.order, input))
    };
    let filter = call
        .filter
        .as_ref()
        .map_or_else(String::new, |e| format!(" FILTER {}", text(e, input)));
    format!("{function}({distinct}{args}{order}){filter}")
}

fn sort_keys(keys: &[SortKey], input: &[String]) -> String {
    let one = |key: &SortKey| {
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = match (key.descending, key.nulls_first) {
            (false, true) => " NULLS FIRST",
            (true, false) => " NULLS LAST",
            _ => "",
        };
        format!("{}{direction}{nulls}", text(&key.expr, input))
    };
    keys.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn scan_details(source: &Source, outer: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let conditions = conditions(source, outer);
    if !conditions.is_empty() {
        lines.push(format!("Index Cond: {}", conditions.join(" AND ")));
    }
    if let Some(filter) = &source.filter {
        lines.push(format!("Filter: {}", text(filter, &columns(source))));
    }
    lines
}

fn conditions(source: &Source, outer: &[String]) -> Vec<String> {
    let range = &source.range;
    let keys: Vec<usize> = match &source.index {
        Some(index) => index.columns.iter().map(|(p, _)| *p).collect(),
        None => source.table.primary_key.clone(),
    };
    let key = |number: usize| {
        keys.get(number)
            .map_or_else(String::new, |p| name(&source.table.columns[*p].name))
    };
    let mut lines: Vec<String> = Vec::new();
    for (number, value) in range.equal.iter().enumerate() {
        lines.push(format!("({} = {})", key(number), text(value, outer)));
    }
    if !range.any_of.is_empty() {
        lines.push(format!(
            "({} IN ({}))",
            key(0),
            joined(&range.any_of, ", ", outer)
        ));
    }
    let next = key(range.equal.len());
    if let Some(from) = &range.from {
        let symbol = if from.inclusive { ">=" } else { ">" };
        lines.push(format!("({next} {symbol} {})", text(&from.value, outer)));
    }
    if let Some(to) = &range.to {
        let symbol = if to.inclusive { "<=" } else { "<" };
        lines.push(format!("({next} {symbol} {})", text(&to.value, outer)));
    }
    lines
}

/// The columns that a source produces, by name.
fn columns(source: &Source) -> Vec<String> {
    let column = |p: &usize| format!("{}.{}", name(&source.alias), name(&source.table.columns[*p].name));
    let key = source.with_key.then(|| format!("{}.key", name(&source.alias)));
    source.columns.iter().map(column).chain(key).collect()
}

/// What the columns of a node are called.
fn names(node: &Node) -> Vec<String> {
    match &node.op {
        Physical::Scan(source) => columns(source),
        Physical::Values(_) => (0..node.types.len())
            .map(|i| format!("column{}", i + 1))
            .collect(),
        Physical::CountRows(_) => vec!["count(*)".to_owned(); node.types.len()],
        Physical::System(relation) => {
            let columns = relation.0.columns().iter();
            columns
                .map(|(column, _)| format!("{}.{}", name(relation.name()), name(column)))
                .collect()
        }
        Physical::Series(_) => vec!["generate_series".to_owned()],
        Physical::Project { input, exprs } => {
            let input = names(input);
            exprs.iter().map(|e| shortened(text(e, &input))).collect()
        }
        Physical::HashAggregate {
            input,
            groups,
            aggregates,
        } => {
            let input = names(input);
            let groups = groups.iter().map(|e| text(e, &input));
            groups
                .chain(aggregates.iter().map(|a| aggregate(a, &input)))
                .map(shortened)
                .collect()
        }
        Physical::IndexJoin {
            kind, left, source, ..
        } => {
            let mut all = names(left);
            if kind.keeps_right() {
                all.extend(columns(source));
            }
            all
        }
        Physical::HashJoin {
            kind, left, right, ..
        }
        | Physical::NestedLoopJoin {
            kind, left, right, ..
        } => {
            let mut all = names(left);
            if kind.keeps_right() {
                all.extend(names(right));
            }
            all
        }
        Physical::Apply { input, .. } => {
            let mut all = names(input);
            all.resize_with(node.types.len(), || "lateral".to_owned());
            all
        }
        Physical::Filter { input, .. }
        | Physical::Distinct { input, .. }
        | Physical::Sort { input, .. }
        | Physical::TopN { input, .. }
        | Physical::Limit { input, .. }
        | Physical::Set { left: input, .. } => names(input),
    }
}

/// Names of computed columns contain the names below them; without an end they would double with every level.
fn shortened(name: String) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}
