//! [`Expr`]: a bound, typed expression.
//!
//! The binder makes it from syntax and inserts every cast, so that evaluation never guesses a type. The same form serves
//! logical plans, where a column is named by an id that is unique in the statement, and physical plans, where it is
//! named by its position in the input: see [`Expr::Column`].

use crate::functions::Function;
use crate::types::DataType;
use crate::value::Value;

/// A bound expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant.
    Literal(Value, DataType),
    /// A column: in a logical plan by its id, in a physical plan by its position in the operator's input.
    Column(u32, DataType),
    /// Inside a subquery's plan, the n-th value that the enclosing query passes in.
    Outer(u32, DataType),
    /// A statement parameter, counted from zero.
    Parameter(u32, DataType),
    /// A scalar function or an operator; the arguments have been cast to what it takes.
    Call {
        /// What is called.
        function: &'static Function,
        /// Its arguments.
        args: Vec<Expr>,
        /// The type of its result.
        ty: DataType,
    },
    /// A conversion; fails at run time when the value does not fit.
    Cast {
        /// What is converted.
        expr: Box<Expr>,
        /// To what.
        to: DataType,
        /// Written as a cast: then too long a string is cut, not refused.
        explicit: bool,
    },
    /// All are true; three-valued.
    And(Vec<Expr>),
    /// Some is true; three-valued.
    Or(Vec<Expr>),
    /// Not true; three-valued.
    Not(Box<Expr>),
    /// `IS NULL`, or with `true` `IS NOT NULL`.
    IsNull(Box<Expr>, bool),
    /// `a IS NOT DISTINCT FROM b`: equality that takes NULLs as equal.
    NotDistinct(Box<Expr>, Box<Expr>),
    /// `CASE WHEN … THEN … ELSE … END`; a simple CASE is bound to comparisons. Branches are evaluated only for their rows.
    Case {
        /// Conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// The result when no condition is true; NULL if not given.
        otherwise: Option<Box<Expr>>,
        /// The type of all results.
        ty: DataType,
    },
    /// The first that is not NULL; later ones are evaluated only where needed.
    Coalesce(Vec<Expr>, DataType),
    /// `expr IN (list)`: all of one type.
    InList {
        /// What is looked for.
        expr: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
    /// A subquery used as a value.
    Subquery(Box<Subquery>),
}

/// What a subquery in an expression asks for.
#[derive(Clone, Debug)]
pub enum Asking {
    /// Its only value; NULL when it has no row, an error when it has several.
    Value(DataType),
    /// Whether it has a row.
    Exists {
        /// `NOT EXISTS`
        negated: bool,
    },
    /// Whether `expr op ANY (subquery)`; `IN` is `= ANY`. `NOT IN` is the negation of it. Three-valued.
    Any {
        /// The left side.
        left: Expr,
        /// The comparison, of `left` (as argument 0) with the subquery's column (as argument 1).
        compare: &'static Function,
    },
    /// Whether `expr op ALL (subquery)`. Three-valued.
    All {
        /// The left side.
        left: Expr,
        /// The comparison.
        compare: &'static Function,
    },
}

/// A subquery in an expression.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is asked of it.
    pub asking: Asking,
    /// Which plan: an index into the statement's table of subplans.
    pub plan: usize,
    /// What is passed in for the plan's [`Expr::Outer`] values. Empty: not correlated, runs once.
    pub outer: Vec<Expr>,
}

impl Expr {
    /// The type of its value.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Literal(_, ty)
            | Self::Column(_, ty)
            | Self::Outer(_, ty)
            | Self::Parameter(_, ty)
            | Self::Call { ty, .. }
            | Self::Cast { to: ty, .. }
            | Self::Case { ty, .. }
            | Self::Coalesce(_, ty) => *ty,
            Self::And(_)
            | Self::Or(_)
            | Self::Not(_)
            | Self::IsNull(..)
            | Self::NotDistinct(..)
            | Self::InList { .. } => DataType::Bool,
            Self::Subquery(subquery) => match subquery.asking {
                Asking::Value(ty) => ty,
                _ => DataType::Bool,
            },
        }
    }

    /// Every expression directly below this one.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Literal(..) | Self::Column(..) | Self::Outer(..) | Self::Parameter(..) => Vec::new(),
            Self::Call { args, .. } | Self::And(args) | Self::Or(args) | Self::Coalesce(args, _) => {
                args.iter().collect()
            }
            Self::Cast { expr, .. } | Self::Not(expr) | Self::IsNull(expr, _) => vec![expr],
            Self::NotDistinct(a, b) => vec![a, b],
            Self::Case {
                branches, otherwise, ..
            } => branches
                .iter()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.as_deref())
                .collect(),
            Self::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
            Self::Subquery(subquery) => subquery.left().into_iter().chain(&subquery.outer).collect(),
        }
    }

    /// The same, to change.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Literal(..) | Self::Column(..) | Self::Outer(..) | Self::Parameter(..) => Vec::new(),
            Self::Call { args, .. } | Self::And(args) | Self::Or(args) | Self::Coalesce(args, _) => {
                args.iter_mut().collect()
            }
            Self::Cast { expr, .. } | Self::Not(expr) | Self::IsNull(expr, _) => vec![expr],
            Self::NotDistinct(a, b) => vec![a, b],
            Self::Case {
                branches, otherwise, ..
            } => branches
                .iter_mut()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.as_deref_mut())
                .collect(),
            Self::InList { expr, list, .. } => std::iter::once(&mut **expr).chain(list).collect(),
            Self::Subquery(subquery) => {
                let Subquery { asking, outer, .. } = &mut **subquery;
                let left = match asking {
                    Asking::Any { left, .. } | Asking::All { left, .. } => Some(left),
                    Asking::Value(_) | Asking::Exists { .. } => None,
                };
                left.into_iter().chain(outer).collect()
            }
        }
    }
}

impl Subquery {
    fn left(&self) -> Option<&Expr> {
        match &self.asking {
            Asking::Any { left, .. } | Asking::All { left, .. } => Some(left),
            Asking::Value(_) | Asking::Exists { .. } => None,
        }
    }
}
