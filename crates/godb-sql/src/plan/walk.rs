//! Walking over plans and expressions: inputs, outputs, columns used, substitution, structural equality.

use super::logical::{AggregateCall, JoinKind, Logical, OutputColumn};
use crate::error::{Result, SqlError, state};
use crate::expr::{Asking, Expr, Subquery};

/// The most operators on the way from a plan's root to a leaf.
const MAX_PLAN_DEPTH: usize = 300;

/// A set of column ids: a bit for each, since ids are small and dense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdSet(Vec<u64>);

impl IdSet {
    /// Puts an id in.
    pub fn insert(&mut self, id: u32) {
        let (word, bit) = place(id);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    /// Whether it is in.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        let (word, bit) = place(id);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    /// Whether all of it is in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        let words = self.0.iter().enumerate();
        words.fold(true, |yes, (i, w)| {
            yes && w & !other.0.get(i).copied().unwrap_or(0) == 0
        })
    }

    /// Whether they share an id.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether nothing is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    /// Puts all of the other in.
    pub fn extend(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }
}

fn place(id: u32) -> (usize, u64) {
    (id as usize / 64, 1 << (id % 64))
}

impl FromIterator<u32> for IdSet {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut set = Self::default();
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

/// Shows an expression and everything in it, outermost first.
pub fn visit(expr: &Expr, show: &mut dyn FnMut(&Expr)) {
    show(expr);
    for child in expr.children() {
        visit(child, show);
    }
}

/// Changes an expression and everything in it, innermost first.
pub fn rewrite(expr: &mut Expr, change: &mut dyn FnMut(&mut Expr)) {
    for child in expr.children_mut() {
        rewrite(child, change);
    }
    change(expr);
}

/// Adds the columns an expression names.
pub fn add_columns(expr: &Expr, ids: &mut IdSet) {
    visit(expr, &mut |e| {
        if let Expr::Column(id, _) = e {
            ids.insert(*id);
        }
    });
}

/// The columns an expression names.
#[must_use]
pub fn columns_of(expr: &Expr) -> IdSet {
    let mut ids = IdSet::default();
    add_columns(expr, &mut ids);
    ids
}

/// Whether anything in the expression answers yes.
#[must_use]
pub fn any(expr: &Expr, asks: &dyn Fn(&Expr) -> bool) -> bool {
    asks(expr) || expr.children().into_iter().any(|child| any(child, asks))
}

/// Splits a predicate at its outermost ANDs.
#[must_use]
pub fn conjuncts(predicate: Expr) -> Vec<Expr> {
    match predicate {
        Expr::And(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// The conjunction; `None` of nothing.
#[must_use]
pub fn conjoin(mut parts: Vec<Expr>) -> Option<Expr> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Expr::And(parts)),
    }
}

/// Whether two expressions are written alike, and so have the same value (volatile functions aside).
#[must_use]
pub fn same(a: &Expr, b: &Expr) -> bool {
    same_head(a, b) && {
        let (left, right) = (a.children(), b.children());
        left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
    }
}

fn same_head(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Literal(x, t), Expr::Literal(y, u)) => x == y && t == u,
        (Expr::Column(x, _), Expr::Column(y, _))
        | (Expr::Outer(x, _), Expr::Outer(y, _))
        | (Expr::Parameter(x, _), Expr::Parameter(y, _)) => x == y,
        (
            Expr::Call {
                function: f, ty: t, ..
            },
            Expr::Call {
                function: g, ty: u, ..
            },
        ) => std::ptr::eq(*f, *g) && t == u,
        (
            Expr::Cast {
                to: t, explicit: x, ..
            },
            Expr::Cast {
                to: u, explicit: y, ..
            },
        ) => t == u && x == y,
        (Expr::IsNull(_, x), Expr::IsNull(_, y)) => x == y,
        (Expr::InList { negated: x, .. }, Expr::InList { negated: y, .. }) => x == y,
        (
            Expr::Case {
                branches: x,
                otherwise: o,
                ty: t,
            },
            Expr::Case {
                branches: y,
                otherwise: p,
                ty: u,
            },
        ) => x.len() == y.len() && o.is_some() == p.is_some() && t == u,
        (Expr::Coalesce(_, t), Expr::Coalesce(_, u)) => t == u,
        (Expr::Subquery(x), Expr::Subquery(y)) => same_subquery(x, y),
        (Expr::And(_), Expr::And(_))
        | (Expr::Or(_), Expr::Or(_))
        | (Expr::Not(_), Expr::Not(_))
        | (Expr::NotDistinct(..), Expr::NotDistinct(..)) => true,
        _ => false,
    }
}

fn same_subquery(a: &Subquery, b: &Subquery) -> bool {
    let asking = match (&a.asking, &b.asking) {
        (Asking::Value(t), Asking::Value(u)) => t == u,
        (Asking::Exists { negated: x }, Asking::Exists { negated: y }) => x == y,
        (Asking::Any { compare: f, .. }, Asking::Any { compare: g, .. })
        | (Asking::All { compare: f, .. }, Asking::All { compare: g, .. }) => std::ptr::eq(*f, *g),
        _ => false,
    };
    asking && a.plan == b.plan
}

impl Logical {
    /// The operators it reads from.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Self> {
        match self {
            Self::Values { .. } | Self::Scan { .. } | Self::Series { .. } | Self::System { .. } => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Distinct { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Apply { input, .. } => vec![input],
            Self::Join { left, right, .. } | Self::Set { left, right, .. } => vec![left, right],
        }
    }

    /// The same, to change.
    pub fn inputs_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Values { .. } | Self::Scan { .. } | Self::Series { .. } | Self::System { .. } => Vec::new(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Distinct { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Apply { input, .. } => vec![input],
            Self::Join { left, right, .. } | Self::Set { left, right, .. } => vec![left, right],
        }
    }

    /// The columns it produces, in order.
    #[must_use]
    pub fn output(&self) -> Vec<&OutputColumn> {
        match self {
            Self::Values { output, .. } | Self::Set { output, .. } | Self::System { output, .. } => {
                output.iter().collect()
            }
            Self::Scan { columns, key, .. } => columns.iter().map(|(_, c)| c).chain(key).collect(),
            Self::Project { columns, .. } => columns.iter().map(|(_, c)| c).collect(),
            Self::Aggregate {
                groups, aggregates, ..
            } => {
                let groups = groups.iter().map(|(_, c)| c);
                groups.chain(aggregates.iter().map(|a| &a.output)).collect()
            }
            Self::Join {
                kind, left, right, ..
            } => {
                let mut columns = left.output();
                if kind.keeps_right() {
                    columns.extend(right.output());
                }
                columns
            }
            Self::Filter { input, .. }
            | Self::Distinct { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. } => input.output(),
            Self::Series { output, .. } => vec![output],
            Self::Apply { input, output, .. } => input.output().into_iter().chain(output).collect(),
        }
    }

    /// The ids of the columns it produces.
    #[must_use]
    pub fn output_ids(&self) -> IdSet {
        self.output().into_iter().map(|c| c.id).collect()
    }

    /// The expressions of this operator, not of its inputs.
    #[must_use]
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Self::Values { rows, .. } => rows.iter().flatten().collect(),
            Self::Scan { filter, .. } => filter.iter().collect(),
            Self::Filter { predicate, .. } => vec![predicate],
            Self::Project { columns, .. } => columns.iter().map(|(e, _)| e).collect(),
            Self::Join { on, .. } => on.iter().collect(),
            Self::Aggregate {
                groups, aggregates, ..
            } => {
                let calls = aggregates.iter().flat_map(AggregateCall::exprs);
                groups.iter().map(|(e, _)| e).chain(calls).collect()
            }
            Self::Distinct { on, .. } => on.iter().collect(),
            Self::Sort { keys, .. } => keys.iter().map(|k| &k.expr).collect(),
            Self::Limit { limit, offset, .. } => limit.iter().chain(offset).collect(),
            Self::Set { .. } | Self::System { .. } => Vec::new(),
            Self::Series { args, .. } => args.iter().collect(),
            Self::Apply { outer, on, .. } => outer.iter().chain(on).collect(),
        }
    }

    /// The same, to change.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Values { rows, .. } => rows.iter_mut().flatten().collect(),
            Self::Scan { filter, .. } => filter.iter_mut().collect(),
            Self::Filter { predicate, .. } => vec![predicate],
            Self::Project { columns, .. } => columns.iter_mut().map(|(e, _)| e).collect(),
            Self::Join { on, .. } => on.iter_mut().collect(),
            Self::Aggregate {
                groups, aggregates, ..
            } => {
                let calls = aggregates.iter_mut().flat_map(AggregateCall::exprs_mut);
                groups.iter_mut().map(|(e, _)| e).chain(calls).collect()
            }
            Self::Distinct { on, .. } => on.iter_mut().collect(),
            Self::Sort { keys, .. } => keys.iter_mut().map(|k| &mut k.expr).collect(),
            Self::Limit { limit, offset, .. } => limit.iter_mut().chain(offset).collect(),
            Self::Set { .. } | Self::System { .. } => Vec::new(),
            Self::Series { args, .. } => args.iter_mut().collect(),
            Self::Apply { outer, on, .. } => outer.iter_mut().chain(on).collect(),
        }
    }

    /// The columns that this operator makes, to change.
    pub fn made_mut(&mut self) -> Vec<&mut OutputColumn> {
        match self {
            Self::Values { output, .. } | Self::Set { output, .. } | Self::System { output, .. } => {
                output.iter_mut().collect()
            }
            Self::Scan { columns, key, .. } => columns.iter_mut().map(|(_, c)| c).chain(key).collect(),
            Self::Project { columns, .. } => columns.iter_mut().map(|(_, c)| c).collect(),
            Self::Aggregate {
                groups, aggregates, ..
            } => {
                let groups = groups.iter_mut().map(|(_, c)| c);
                groups
                    .chain(aggregates.iter_mut().map(|a| &mut a.output))
                    .collect()
            }
            Self::Series { output, .. } => vec![output],
            Self::Apply { output, .. } => output.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// Changes every expression in the whole tree; each is given as a whole.
    pub fn for_each_expr_mut(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        for expr in self.exprs_mut() {
            change(expr);
        }
        for input in self.inputs_mut() {
            input.for_each_expr_mut(change);
        }
    }

    /// Shows every expression in the whole tree; each is given as a whole.
    pub fn for_each_expr(&self, show: &mut dyn FnMut(&Expr)) {
        for expr in self.exprs() {
            show(expr);
        }
        for input in self.inputs() {
            input.for_each_expr(show);
        }
    }

    /// Fails when operators stand deeper in each other than walks over the plan can go.
    ///
    /// # Errors
    /// `54001`
    pub fn check_depth(&self) -> Result<()> {
        if self.depth() <= MAX_PLAN_DEPTH {
            return Ok(());
        }
        let message = format!("more than {MAX_PLAN_DEPTH} operators inside each other");
        Err(SqlError::new(state::STATEMENT_TOO_COMPLEX, message))
    }

    fn depth(&self) -> usize {
        1 + self.inputs().into_iter().map(Self::depth).max().unwrap_or(0)
    }

    /// Takes the operator out, leaving an empty one that is never looked at.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::Values {
            rows: Vec::new(),
            output: Vec::new(),
        };
        std::mem::replace(self, empty)
    }
}

impl JoinKind {
    /// Whether the right columns come out.
    #[must_use]
    pub fn keeps_right(self) -> bool {
        !matches!(self, Self::Semi | Self::Anti | Self::NullAwareAnti)
    }
}

impl AggregateCall {
    /// Its expressions.
    #[must_use]
    pub fn exprs(&self) -> Vec<&Expr> {
        let order = self.order.iter().map(|k| &k.expr);
        self.args.iter().chain(&self.filter).chain(order).collect()
    }

    /// The same, to change.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        let order = self.order.iter_mut().map(|k| &mut k.expr);
        self.args
            .iter_mut()
            .chain(&mut self.filter)
            .chain(order)
            .collect()
    }
}
