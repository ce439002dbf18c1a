//! Choosing a function by its name and the types of its arguments, by PostgreSQL's rules.
//!
//! Candidates are the lines of the tables with that name whose arguments can be had by implicit conversion. Among several the
//! one wins that needs the fewest conversions; then the one that converts to the preferred types of their categories; then
//! literals of unknown type are taken for text if some candidate takes text there, or for the type of the known arguments.

use super::table::Entry;
use super::{
    Resolved, ResolvedAggregate, Volatility, advisory, aggregate, arithmetic, array, bits, comparison,
    general, number, pattern, session, text, time,
};
use crate::cast::{Category, Coercion, can_cast, category, common_type, is_preferred};
use crate::error::{Result, SqlError, state};
use crate::types::DataType;

/// The tables of operators.
static OPERATORS: &[&[Entry]] = &[
    comparison::TABLE,
    arithmetic::TABLE,
    text::OPERATORS,
    time::OPERATORS,
    bits::TABLE,
];

/// The tables of functions.
static FUNCTIONS: &[&[Entry]] = &[
    number::TABLE,
    text::TABLE,
    time::TABLE,
    pattern::TABLE,
    general::TABLE,
    session::TABLE,
    array::TABLE,
    advisory::TABLE,
    advisory::ALL,
];

fn named<'a>(tables: &'a [&'static [Entry]], name: &'a str) -> impl Iterator<Item = &'static Entry> + 'a {
    tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(move |entry| entry.function.name == name)
}

/// The scalar function of that name for arguments of these types. `Unknown` stands for literals and parameters whose type is
/// not decided: what the function takes decides it.
///
/// # Errors
/// `42883` when there is none, `42725` when several fit equally well.
pub fn resolve_function(name: &str, args: &[DataType]) -> Result<Resolved> {
    if let Some(entry) = general::OF_ONE_TYPE
        .iter()
        .find(|entry| entry.function.name == name)
    {
        return of_one_type(entry, args);
    }
    let candidates: Vec<&'static Entry> = named(FUNCTIONS, name)
        .filter(|entry| entry.accepts(args.len()) && array::fits(name, args))
        .collect();
    match choose(&candidates, args) {
        Choice::One(entry) => Ok(entry.resolved(args)),
        Choice::None => cast_by_name(name, args).ok_or_else(|| no_function(name, args)),
        Choice::Many => Err(SqlError::new(
            state::AMBIGUOUS_FUNCTION,
            format!("function {}({}) is not unique", name, list(args)),
        )
        .hint("Could not choose a best candidate function. You might need to add explicit type casts.")),
    }
}

/// A function whose arguments and result have the type that the arguments have in common.
fn of_one_type(entry: &'static Entry, args: &[DataType]) -> Result<Resolved> {
    if !entry.accepts(args.len()) {
        return Err(no_function(entry.function.name, args));
    }
    let common = common_type(args)?;
    Ok(Resolved {
        function: &entry.function,
        takes: vec![common; args.len()],
        returns: common,
    })
}

/// Types whose names can be called like functions, to cast.
const TYPE_NAMES: &[(&str, DataType)] = &[
    ("bool", DataType::Bool),
    ("int2", DataType::Int2),
    ("int4", DataType::Int4),
    ("int8", DataType::Int8),
    ("float4", DataType::Float4),
    ("float8", DataType::Float8),
    ("numeric", DataType::Numeric(None)),
    ("text", DataType::Text),
    ("varchar", DataType::Varchar(None)),
    ("bytea", DataType::Bytea),
    ("date", DataType::Date),
    ("timestamp", DataType::Timestamp),
    ("timestamptz", DataType::TimestampTz),
    ("interval", DataType::Interval),
    ("oid", DataType::Oid),
];

/// `float8(x)`: a cast.
fn cast_by_name(name: &str, args: &[DataType]) -> Option<Resolved> {
    let to = TYPE_NAMES.iter().find(|(known, _)| *known == name)?.1;
    let [from] = args else { return None };
    let takes = if *from == DataType::Unknown { to } else { *from };
    can_cast(*from, to, Coercion::Explicit).then(|| Resolved {
        function: &general::CAST.function,
        takes: vec![takes],
        returns: to,
    })
}

/// The binary operator of that symbol for operands of these types.
///
/// # Errors
/// `42883` when there is none, `42725` when several fit equally well.
pub fn resolve_binary(op: &str, left: DataType, right: DataType) -> Result<Resolved> {
    let candidates: Vec<&'static Entry> = named(OPERATORS, op)
        .filter(|entry| entry.takes.len() == 2)
        .collect();
    // An operand of unknown type is first taken for one of the other's type.
    let alike = match (left, right) {
        (DataType::Unknown, known) | (known, DataType::Unknown) => [known, known],
        both => [both.0, both.1],
    };
    if let Some(entry) = candidates.iter().find(|entry| entry.is_exact(&alike)) {
        return Ok(entry.resolved(&[left, right]));
    }
    match choose(&candidates, &[left, right]) {
        Choice::One(entry) => Ok(entry.resolved(&[left, right])),
        Choice::None => Err(no_operator(&format!("{} {op} {}", left.name(), right.name()))),
        Choice::Many => Err(ambiguous_operator(&format!(
            "{} {op} {}",
            left.name(),
            right.name()
        ))),
    }
}

/// The prefix operator of that symbol.
///
/// # Errors
/// `42883` when there is none, `42725` when several fit equally well.
pub fn resolve_unary(op: &str, operand: DataType) -> Result<Resolved> {
    let candidates: Vec<&'static Entry> = named(OPERATORS, op)
        .filter(|entry| entry.takes.len() == 1)
        .collect();
    match choose(&candidates, &[operand]) {
        Choice::One(entry) => Ok(entry.resolved(&[operand])),
        Choice::None => Err(no_operator(&format!("{op} {}", operand.name()))),
        Choice::Many => Err(ambiguous_operator(&format!("{op} {}", operand.name()))),
    }
}

/// Whether there is an aggregate of that name.
#[must_use]
pub fn is_aggregate(name: &str) -> bool {
    aggregate::entries().any(|entry| entry.aggregate.name == name)
}

/// The aggregate of that name for arguments of these types.
///
/// # Errors
/// `42883` when there is none, `42725` when several fit equally well.
pub fn resolve_aggregate(name: &str, args: &[DataType]) -> Result<ResolvedAggregate> {
    aggregate::resolve(name, args)
}

/// The names of all functions and aggregates, each once.
pub fn all_functions() -> impl Iterator<Item = &'static str> {
    let scalar = FUNCTIONS
        .iter()
        .flat_map(|table| table.iter())
        .map(|entry| entry.function.name);
    let mut names: Vec<&'static str> = scalar
        .chain(aggregate::entries().map(|entry| entry.aggregate.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// Every way to call a scalar function: its name, the types it takes, and how its result can change.
pub fn signatures() -> impl Iterator<Item = (&'static str, &'static [DataType], Volatility)> {
    FUNCTIONS
        .iter()
        .flat_map(|table| table.iter())
        .map(|entry| (entry.function.name, entry.takes, entry.function.volatility))
}

impl Entry {
    fn accepts(&self, count: usize) -> bool {
        if self.variadic {
            count >= self.takes.len()
        } else {
            count == self.takes.len()
        }
    }

    fn is_exact(&self, args: &[DataType]) -> bool {
        self.takes
            .iter()
            .zip(args)
            .all(|(takes, given)| takes.is_same_kind(*given))
    }

    fn resolved(&'static self, args: &[DataType]) -> Resolved {
        let takes = args
            .iter()
            .enumerate()
            .map(|(index, given)| taken(self.takes_at(index), *given));
        Resolved {
            function: &self.function,
            takes: takes.collect(),
            returns: self.returns,
        }
    }
}

/// A candidate, as the rules of choice see it.
pub(super) trait Candidate: Copy {
    /// What it takes at a position.
    fn takes_at(self, index: usize) -> DataType;
}

impl Candidate for &'static Entry {
    fn takes_at(self, index: usize) -> DataType {
        self.takes
            .get(index)
            .or(self.takes.last())
            .copied()
            .unwrap_or(DataType::Unknown)
    }
}

impl Entry {
    fn takes_at(&'static self, index: usize) -> DataType {
        Candidate::takes_at(self, index)
    }
}

/// The type that an argument is brought to. What already lies as the function wants it stays what it is.
pub(super) fn taken(takes: DataType, given: DataType) -> DataType {
    use DataType::{Int2, Int4, Int8, Text, Unknown, Varchar};
    match (given, takes) {
        (Unknown, Unknown) => Text,
        (given, Unknown) => given,
        (Int2, Int4 | Int8) | (Int4, Int8) | (Varchar(_), Text) => given,
        (given, takes) if given.is_same_kind(takes) => given,
        (Unknown, DataType::Char(_)) => Text,
        (_, takes) => takes,
    }
}

/// The outcome of choosing among candidates.
pub(super) enum Choice<C> {
    /// This one.
    One(C),
    /// None fits.
    None,
    /// Several fit equally well.
    Many,
}

/// One way to narrow candidates down by the types of the arguments.
type Round<C> = fn(&[C], &[DataType]) -> Vec<C>;

/// Chooses the best of the candidates for arguments of these types.
pub(super) fn choose<C: Candidate>(candidates: &[C], args: &[DataType]) -> Choice<C> {
    let fits = |candidate: &C| {
        let mut positions = args.iter().enumerate();
        positions.all(|(at, given)| {
            let takes = candidate.takes_at(at);
            takes == DataType::Unknown || can_cast(*given, takes, Coercion::Implicit)
        })
    };
    let fitting: Vec<C> = candidates.iter().copied().filter(fits).collect();
    let rounds: [Round<C>; 4] = [most_exact, most_preferred, text_for_unknown, known_for_unknown];
    let mut left = fitting;
    for round in rounds {
        match left.as_slice() {
            [] => return Choice::None,
            [one] => return Choice::One(*one),
            several => left = round(several, args),
        }
    }
    match left.as_slice() {
        [one] => Choice::One(*one),
        _ => Choice::Many,
    }
}

/// Those with the most of what `counts` counts.
fn best<C: Candidate>(candidates: &[C], counts: impl Fn(C) -> usize) -> Vec<C> {
    let most = candidates
        .iter()
        .map(|candidate| counts(*candidate))
        .max()
        .unwrap_or(0);
    candidates
        .iter()
        .copied()
        .filter(|candidate| counts(*candidate) == most)
        .collect()
}

/// Those that need the fewest conversions.
fn most_exact<C: Candidate>(candidates: &[C], args: &[DataType]) -> Vec<C> {
    best(candidates, |candidate| {
        let exact = |(at, given): &(usize, &DataType)| {
            **given != DataType::Unknown && candidate.takes_at(*at).is_same_kind(**given)
        };
        args.iter().enumerate().filter(exact).count()
    })
}

/// Those that convert to preferred types, where they convert.
fn most_preferred<C: Candidate>(candidates: &[C], args: &[DataType]) -> Vec<C> {
    best(candidates, |candidate| {
        let good = |(at, given): &(usize, &DataType)| {
            let takes = candidate.takes_at(*at);
            **given != DataType::Unknown
                && (takes.is_same_kind(**given)
                    || category(takes) == category(**given) && is_preferred(takes))
        };
        args.iter().enumerate().filter(good).count()
    })
}

/// Takes arguments of unknown type for text where some candidate does, else for the one category that all candidates take there;
/// of that category the preferred type, if some candidate takes it.
fn text_for_unknown<C: Candidate>(candidates: &[C], args: &[DataType]) -> Vec<C> {
    let mut left = candidates.to_vec();
    for (at, _) in args
        .iter()
        .enumerate()
        .filter(|(_, given)| **given == DataType::Unknown)
    {
        let categories: Vec<Category> = candidates.iter().map(|c| category(c.takes_at(at))).collect();
        let chosen = if categories.contains(&Category::String) {
            Category::String
        } else if categories.iter().all(|one| *one == categories[0]) {
            categories[0]
        } else {
            return candidates.to_vec();
        };
        let in_category = |c: &C| category(c.takes_at(at)) == chosen;
        let preferred = |c: &C| in_category(c) && is_preferred(c.takes_at(at));
        if candidates.iter().any(preferred) {
            left.retain(preferred);
        } else {
            left.retain(in_category);
        }
    }
    if left.is_empty() {
        candidates.to_vec()
    } else {
        left
    }
}

/// Takes arguments of unknown type for the one type that all known arguments have.
fn known_for_unknown<C: Candidate>(candidates: &[C], args: &[DataType]) -> Vec<C> {
    let mut known = args.iter().filter(|given| **given != DataType::Unknown);
    let Some(first) = known.next() else {
        return candidates.to_vec();
    };
    if !known.all(|other| other.is_same_kind(*first)) {
        return candidates.to_vec();
    }
    let fits = |candidate: &C| {
        (0..args.len()).all(|at| can_cast(*first, candidate.takes_at(at), Coercion::Implicit))
    };
    candidates.iter().copied().filter(fits).collect()
}

fn list(args: &[DataType]) -> String {
    let names: Vec<&str> = args.iter().map(|ty| ty.name()).collect();
    names.join(", ")
}

#[cold]
pub(super) fn no_function(name: &str, args: &[DataType]) -> SqlError {
    SqlError::new(
        state::UNDEFINED_FUNCTION,
        format!("function {name}({}) does not exist", list(args)),
    )
    .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
}

#[cold]
fn no_operator(shown: &str) -> SqlError {
    SqlError::new(
        state::UNDEFINED_FUNCTION,
        format!("operator does not exist: {shown}"),
    )
    .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

#[cold]
fn ambiguous_operator(shown: &str) -> SqlError {
    SqlError::new(
        state::AMBIGUOUS_FUNCTION,
        format!("operator is not unique: {shown}"),
    )
    .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")
}
