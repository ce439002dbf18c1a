//! The order of inner joins.
//!
//! A region of inner joins is a set of inputs and a set of predicates; any tree over the inputs gives the same rows. Up to
//! [`EXHAUSTIVE`] inputs every tree is weighed, by dynamic programming over sets of inputs: the best tree for a set is the best way to split it
//! in two, each half already solved. Beyond that the cheapest pair is joined until one is left. The measure is the sum of the rows of all
//! intermediate results; which side is built and by which method is decided later.
//!
//! Equalities are closed first: from `a = b` and `b = 5` follows `a = 5`, which can go down to `a`'s input; from `a = b` and `b = c`
//! follows `a = c`, which lets `a` and `c` be joined directly.

use super::Optimizer;
use super::negate::{compare, comparison};
use super::nullability::only_names;
use super::pushdown::{filtered, push};
use super::ranges::comparable;
use crate::expr::Expr;
use crate::plan::logical::{JoinKind, Logical};
use crate::plan::walk::{IdSet, columns_of, conjoin, conjuncts, same};

/// The most inputs for which every order is weighed.
const EXHAUSTIVE: usize = 8;
/// The most inputs for which all pairs are weighed.
const PAIRWISE: usize = 100;
/// The most predicates that are looked through for what follows from them.
const CLOSED: usize = 64;

/// An input, or a tree of some.
#[derive(Clone)]
struct Part {
    plan: Logical,
    ids: IdSet,
    rows: f64,
    /// The rows of all joins inside.
    cost: f64,
}

impl Optimizer<'_> {
    /// The plan with its inner joins in a good order.
    pub(super) fn order_joins(&self, plan: Logical) -> Logical {
        if !is_inner(&plan) {
            return self.order_inputs(plan);
        }
        let (mut inputs, mut predicates) = (Vec::new(), Vec::new());
        flatten(plan, &mut inputs, &mut predicates);
        close_equalities(&mut predicates, &inputs);
        let inputs = sift(inputs, &mut predicates);
        let predicates: Vec<Predicate> = classified(predicates);
        let parts: Vec<Part> = inputs
            .into_iter()
            .map(|input| self.part(self.order_joins(input)))
            .collect();
        let (best, used) = match parts.len() {
            2..=EXHAUSTIVE => self.exhaustive(&parts, &predicates),
            n if n <= PAIRWISE => self.greedy(parts, &predicates),
            _ => self.connected(parts, &predicates),
        };
        let rest = predicates
            .into_iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .map(|(p, _)| p.expr);
        filtered(best.plan, rest.collect())
    }

    fn order_inputs(&self, mut plan: Logical) -> Logical {
        for input in plan.inputs_mut() {
            let taken = input.take();
            *input = self.order_joins(taken);
        }
        plan
    }

    fn part(&self, plan: Logical) -> Part {
        let (ids, rows) = (plan.output_ids(), self.rows(&plan));
        Part {
            plan,
            ids,
            rows,
            cost: 0.0,
        }
    }

    /// The rows of joining two parts by the predicates that become answerable, and whether there are any.
    fn pair(&self, a: &Part, b: &Part, predicates: &[Predicate]) -> (f64, bool) {
        let on = joining(&a.ids, &b.ids, predicates);
        let kept: f64 = on
            .iter()
            .map(|i| self.join_selectivity(&predicates[*i].expr, &a.plan, &b.plan))
            .product();
        ((a.rows * b.rows * kept).max(1.0), !on.is_empty())
    }

    fn joined(&self, a: Part, b: Part, predicates: &[Predicate]) -> Part {
        let (rows, _) = self.pair(&a, &b, predicates);
        let on = joining(&a.ids, &b.ids, predicates);
        let on = conjoin(on.into_iter().map(|i| predicates[i].expr.clone()).collect());
        let mut ids = a.ids.clone();
        ids.extend(&b.ids);
        let cost = a.cost + b.cost + rows;
        // The larger input comes first: the second is the one that is built or looked up.
        let (left, right) = if a.rows >= b.rows {
            (a.plan, b.plan)
        } else {
            (b.plan, a.plan)
        };
        let plan = Logical::Join {
            kind: JoinKind::Inner,
            left: Box::new(left),
            right: Box::new(right),
            on,
        };
        Part {
            plan,
            ids,
            rows,
            cost,
        }
    }

    fn exhaustive(&self, parts: &[Part], predicates: &[Predicate]) -> (Part, Vec<bool>) {
        let all = (1_usize << parts.len()) - 1;
        let mut best: Vec<Option<Choice>> = vec![None; all + 1];
        for (index, part) in parts.iter().enumerate() {
            best[1 << index] = Some(Choice {
                cost: 0.0,
                rows: part.rows,
                ids: part.ids.clone(),
                split: 0,
            });
        }
        for set in 1..=all {
            if best[set].is_none() {
                best[set] = self.best_split(set, parts, &best, predicates);
            }
        }
        let whole = self.build(all, parts, &best, predicates);
        let used = answered(&whole.ids, predicates);
        (whole, used)
    }

    fn best_split(
        &self,
        set: usize,
        parts: &[Part],
        best: &[Option<Choice>],
        predicates: &[Predicate],
    ) -> Option<Choice> {
        let mut found: Option<(bool, Choice)> = None;
        let mut half = (set - 1) & set;
        while half > 0 {
            let other = set ^ half;
            if half > other
                && let (Some(a), Some(b)) = (&best[half], &best[other])
            {
                let on = joining(&a.ids, &b.ids, predicates);
                let kept = on
                    .iter()
                    .map(|i| self.selectivity_between(&predicates[*i].expr, half, other, parts));
                let rows = (a.rows * b.rows * kept.product::<f64>()).max(1.0);
                let cost = a.cost + b.cost + rows;
                let connected = !on.is_empty();
                let better = found
                    .as_ref()
                    .is_none_or(|(was, known)| (connected, -cost) > (*was, -known.cost));
                if better {
                    let mut ids = a.ids.clone();
                    ids.extend(&b.ids);
                    found = Some((
                        connected,
                        Choice {
                            cost,
                            rows,
                            ids,
                            split: half,
                        },
                    ));
                }
            }
            half = (half - 1) & set;
        }
        found.map(|(_, choice)| choice)
    }

    /// A predicate's selectivity, looked up in the inputs that it names.
    fn selectivity_between(&self, predicate: &Expr, left: usize, right: usize, parts: &[Part]) -> f64 {
        let ids = columns_of(predicate);
        let named = |set: usize| {
            let of_set = parts.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1);
            of_set
                .map(|(_, part)| part)
                .find(|part| part.ids.intersects(&ids))
        };
        match (named(left), named(right)) {
            (Some(a), Some(b)) => self.join_selectivity(predicate, &a.plan, &b.plan),
            _ => 1.0 / 3.0,
        }
    }

    fn build(&self, set: usize, parts: &[Part], best: &[Option<Choice>], predicates: &[Predicate]) -> Part {
        if set.is_power_of_two() {
            return parts[set.trailing_zeros() as usize].clone();
        }
        let half = best[set]
            .as_ref()
            .map_or(set & set.wrapping_neg(), |choice| choice.split);
        let left = self.build(half, parts, best, predicates);
        let right = self.build(set ^ half, parts, best, predicates);
        self.joined(left, right, predicates)
    }

    /// Joins the pair with the fewest rows, again and again.
    fn greedy(&self, mut parts: Vec<Part>, predicates: &[Predicate]) -> (Part, Vec<bool>) {
        while parts.len() > 1 {
            let (mut chosen, mut least) = ((0, 1), (false, f64::INFINITY));
            for i in 0..parts.len() {
                for j in i + 1..parts.len() {
                    let (rows, connected) = self.pair(&parts[i], &parts[j], predicates);
                    if (connected, -rows) > (least.0, -least.1) {
                        (chosen, least) = ((i, j), (connected, rows));
                    }
                }
            }
            let b = parts.remove(chosen.1);
            let a = parts.remove(chosen.0);
            parts.push(self.joined(a, b, predicates));
        }
        finished(parts, predicates)
    }

    /// In the order written, except that what is connected to the tree so far comes before what is not.
    fn connected(&self, parts: Vec<Part>, predicates: &[Predicate]) -> (Part, Vec<bool>) {
        let mut waiting = parts;
        let mut tree = waiting.remove(0);
        while !waiting.is_empty() {
            let next = waiting
                .iter()
                .position(|p| !joining(&tree.ids, &p.ids, predicates).is_empty());
            let part = waiting.remove(next.unwrap_or(0));
            tree = self.joined(tree, part, predicates);
        }
        finished(vec![tree], predicates)
    }
}

/// The best way to join a set of inputs.
#[derive(Clone)]
struct Choice {
    cost: f64,
    rows: f64,
    ids: IdSet,
    /// One half of the set.
    split: usize,
}

fn finished(mut parts: Vec<Part>, predicates: &[Predicate]) -> (Part, Vec<bool>) {
    let whole = parts.swap_remove(0);
    let used = answered(&whole.ids, predicates);
    (whole, used)
}

/// Which predicates some join of the tree has answered: those over at least two inputs' columns. All single-input ones went down before.
fn answered(ids: &IdSet, predicates: &[Predicate]) -> Vec<bool> {
    predicates
        .iter()
        .map(|p| !p.ids.is_empty() && p.ids.is_subset(ids))
        .collect()
}

fn is_inner(plan: &Logical) -> bool {
    matches!(
        plan,
        Logical::Join {
            kind: JoinKind::Inner,
            ..
        }
    )
}

/// The inputs and predicates of a tree of inner joins.
fn flatten(plan: Logical, inputs: &mut Vec<Logical>, predicates: &mut Vec<Expr>) {
    match plan {
        Logical::Join {
            kind: JoinKind::Inner,
            left,
            right,
            on,
        } => {
            flatten(*left, inputs, predicates);
            flatten(*right, inputs, predicates);
            predicates.extend(on.map(conjuncts).unwrap_or_default());
        }
        other => inputs.push(other),
    }
}

/// The predicates that a join of the two answers and neither alone does; of equalities that follow from each other, one.
fn joining(a: &IdSet, b: &IdSet, predicates: &[Predicate]) -> Vec<usize> {
    let mut both = a.clone();
    both.extend(b);
    let mut classes: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for (index, predicate) in predicates.iter().enumerate() {
        let here =
            predicate.ids.is_subset(&both) && predicate.ids.intersects(a) && predicate.ids.intersects(b);
        if !here || predicate.class.is_some_and(|class| classes.contains(&class)) {
            continue;
        }
        classes.extend(predicate.class);
        found.push(index);
    }
    found
}

/// A predicate over several inputs.
struct Predicate {
    expr: Expr,
    ids: IdSet,
    /// Equalities of one class say that the same columns are equal: between any two sets of inputs, one of them is enough.
    class: Option<usize>,
}

/// Gives the equalities between columns their classes. Every pair of a class has its equality, or the class is not named.
fn classified(predicates: Vec<Expr>) -> Vec<Predicate> {
    let mut classes: Vec<Vec<Expr>> = Vec::new();
    for (a, b) in predicates.iter().filter_map(equality) {
        unite(&mut classes, a, b);
    }
    let complete = |class: &[Expr]| {
        let columns = class.iter().filter(|e| is_column(e)).count();
        let inside = |e: &Expr| class.iter().any(|m| same(m, e));
        let pairs = predicates
            .iter()
            .filter_map(equality)
            .filter(|(a, b)| inside(a) && inside(b));
        class.len() < LARGE_CLASS && pairs.count() == columns * (columns - 1) / 2
    };
    let complete: Vec<bool> = classes.iter().map(|class| complete(class)).collect();
    let class_of = |expr: &Expr| {
        let (a, _) = equality(expr)?;
        let class = classes.iter().position(|c| c.iter().any(|m| same(m, &a)))?;
        complete[class].then_some(class)
    };
    let classes: Vec<Option<usize>> = predicates.iter().map(class_of).collect();
    let both = predicates.into_iter().zip(classes);
    both.map(|(expr, class)| Predicate {
        ids: columns_of(&expr),
        expr,
        class,
    })
    .collect()
}

/// Moves the predicates over a single input down into it.
fn sift(inputs: Vec<Logical>, predicates: &mut Vec<Expr>) -> Vec<Logical> {
    let mut sifted = Vec::with_capacity(inputs.len());
    for input in inputs {
        let ids = input.output_ids();
        let own = |p: &Expr| !columns_of(p).is_empty() && only_names(p, &ids);
        let (here, others): (Vec<_>, Vec<_>) = std::mem::take(predicates).into_iter().partition(own);
        *predicates = others;
        sifted.push(if here.is_empty() { input } else { push(input, here) });
    }
    sifted
}

/// Classes of more members are not closed: the pairs would be too many.
const LARGE_CLASS: usize = 10;

/// An equality of two columns, or of a column and a constant.
fn equality(predicate: &Expr) -> Option<(Expr, Expr)> {
    let ("=", a, b) = comparison(predicate)? else {
        return None;
    };
    let simple = |e: &Expr| is_column(e) || is_constant(e);
    (comparable(a.data_type(), b.data_type()) && simple(a) && simple(b)).then(|| (a.clone(), b.clone()))
}

/// Adds the equalities that follow from those that are there, in the joins or in the inputs' own filters.
fn close_equalities(predicates: &mut Vec<Expr>, inputs: &[Logical]) {
    let filters: Vec<Expr> = inputs
        .iter()
        .filter_map(own_filter)
        .flat_map(|f| conjuncts(f.clone()))
        .collect();
    let mut classes: Vec<Vec<Expr>> = Vec::new();
    for (a, b) in predicates
        .iter()
        .take(CLOSED)
        .chain(&filters)
        .filter_map(equality)
    {
        unite(&mut classes, a, b);
    }
    for class in classes
        .iter()
        .filter(|class| class.len() > 2 && class.len() < LARGE_CLASS)
    {
        for (i, a) in class.iter().enumerate() {
            for b in &class[i + 1..] {
                let known = |p: &Expr, follows: &Expr| same(p, follows) || same_mirrored(p, a, b);
                if let Some(follows) = compare("=", a.clone(), b.clone())
                    && is_column(a)
                    && !predicates.iter().chain(&filters).any(|p| known(p, &follows))
                {
                    predicates.push(follows);
                }
            }
        }
    }
}

fn own_filter(input: &Logical) -> Option<&Expr> {
    match input {
        Logical::Scan { filter, .. } => filter.as_ref(),
        Logical::Filter { predicate, .. } => Some(predicate),
        _ => None,
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(..))
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..) | Expr::Parameter(..) | Expr::Outer(..))
}

fn same_mirrored(predicate: &Expr, a: &Expr, b: &Expr) -> bool {
    matches!(comparison(predicate), Some(("=", x, y)) if same(x, b) && same(y, a))
}

/// Puts two equal expressions into one class. Only columns and constants take part; a constant is always last.
fn unite(classes: &mut Vec<Vec<Expr>>, a: Expr, b: Expr) {
    let find = |classes: &[Vec<Expr>], e: &Expr| classes.iter().position(|c| c.iter().any(|m| same(m, e)));
    let (of_a, of_b) = (find(classes, &a), find(classes, &b));
    match (of_a, of_b) {
        (None, None) => classes.push(vec![a, b]),
        (Some(i), None) => classes[i].push(b),
        (None, Some(j)) => classes[j].push(a),
        (Some(i), Some(j)) if i != j => {
            let (low, high) = (i.min(j), i.max(j));
            let merged = classes.remove(high);
            classes[low].extend(merged);
        }
        _ => {}
    }
    for class in classes {
        class.sort_by_key(is_constant);
    }
}
