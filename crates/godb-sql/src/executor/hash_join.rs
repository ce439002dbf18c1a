//! [`HashJoin`]: joins by equal keys.
//!
//! The right input is built into a table: keys are numbered, and the rows of each key form a chain. Each left row then walks the
//! chain of its key. When the right input outgrows the memory budget, both inputs are divided by the hash of the key, and the parts joined
//! one by one (Grace join).

use super::Operator;
use super::columns::{self, NOWHERE, Rows, any_null};
use super::hash::KeyTable;
use super::pairs::{LeftBatch, Matcher};
use super::partition::Partitions;
use super::run::Run;
use super::spill::SpillReader;
use crate::error::{Result, SqlError};
use crate::expr::Expr;
use crate::plan::logical::JoinKind;
use crate::types::DataType;
use crate::vector::{BATCH_ROWS, Batch, Column};
use std::sync::Arc;

/// What a hash join is made of.
pub(super) struct HashJoin {
    pub(super) left: Box<dyn Operator>,
    pub(super) right: Box<dyn Operator>,
    pub(super) keys: Arc<JoinKeys>,
    pub(super) matcher: Arc<Matcher>,
    /// How often the inputs have been divided already.
    pub(super) depth: u32,
    /// There are right rows elsewhere: of `NOT IN` in a divided join.
    pub(super) more_right: bool,
    pub(super) stage: Stage,
}

/// The keys of both sides.
pub(super) struct JoinKeys {
    pub(super) left: Vec<Expr>,
    pub(super) right: Vec<Expr>,
    pub(super) left_types: Vec<DataType>,
}

/// How far a hash join is.
pub(super) enum Stage {
    Start,
    Probing(Box<Probing>),
    /// Parts of both inputs, to be joined one by one.
    Divided {
        parts: Vec<(SpillReader, SpillReader)>,
        depth: u32,
        more_right: bool,
        now: Option<Box<HashJoin>>,
    },
    Done,
}

/// The right rows by key.
struct Built {
    table: KeyTable,
    rows: Rows,
    /// The first and the last row of each key.
    chains: Vec<(u32, u32)>,
    /// The next row with the same key.
    next: Vec<u32>,
    matched: Vec<bool>,
    /// Rows with a NULL in their key.
    nulls: Vec<u32>,
}

/// Left rows walking their chains.
pub(super) struct Probing {
    built: Built,
    left: Option<Walking>,
    /// How many right rows have been looked at for those without a partner.
    swept: usize,
    over: bool,
}

struct Walking {
    left: LeftBatch,
    keys: Vec<Arc<Column>>,
    row: usize,
    /// Where in its chain the row is, once it has begun.
    at: Option<u32>,
}

fn evaluate_keys(run: &Run<'_>, exprs: &[Expr], batch: &Batch) -> Result<Vec<Arc<Column>>> {
    exprs.iter().map(|expr| run.evaluate(expr, batch)).collect()
}

impl Built {
    fn new(run: &Run<'_>, keys: &JoinKeys, types: &[DataType]) -> Self {
        Self {
            table: new_table(run, keys),
            rows: Rows::new(types),
            chains: Vec::new(),
            next: Vec::new(),
            matched: Vec::new(),
            nulls: Vec::new(),
        }
    }

    fn add(&mut self, keys: &[Arc<Column>], batch: &Batch) -> Result<()> {
        let first = self.rows.rows;
        self.rows.append(batch)?;
        self.next.resize(self.rows.rows, NOWHERE);
        for row in 0..batch.rows {
            let at = columns::row_number(first + row);
            if any_null(keys, row) {
                self.nulls.push(at);
                continue;
            }
            let id = self.table.insert(keys, row) as usize;
            match self.chains.get_mut(id) {
                Some((_, last)) => {
                    self.next[*last as usize] = at;
                    *last = at;
                }
                None => self.chains.push((at, at)),
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.rows.bytes() + self.table.bytes() + self.chains.len() * 8 + self.next.len() * 4
    }
}

fn new_table(run: &Run<'_>, keys: &JoinKeys) -> KeyTable {
    let types: Vec<_> = keys.right.iter().map(Expr::data_type).collect();
    KeyTable::new(&types, run.statement.hash_seed)
}

impl HashJoin {
    fn build(&mut self, run: &Run<'_>) -> Result<Stage> {
        let mut built = Built::new(run, &self.keys, &self.matcher.right_types);
        while let Some(batch) = self.right.next(run)? {
            let keys = evaluate_keys(run, &self.keys.right, &batch)?;
            built.add(&keys, &batch)?;
            if built.memory() > run.statement.work_mem && built.rows.rows > 1 {
                return self.divide(run, built);
            }
        }
        if self.matcher.keeps_right() {
            built.matched.resize(built.rows.rows, false);
        }
        Ok(Stage::Probing(Box::new(Probing {
            built,
            left: None,
            swept: 0,
            over: false,
        })))
    }

    /// Divides both inputs by the hash of their keys.
    fn divide(&mut self, run: &Run<'_>, built: Built) -> Result<Stage> {
        let not_in = self.matcher.kind == JoinKind::NullAwareAnti;
        if not_in && self.matcher.condition.is_some() {
            return Err(SqlError::new(
                crate::error::state::OUT_OF_MEMORY,
                "a correlated NOT IN exceeds the memory budget",
            )
            .hint("Raise work_mem, or write NOT EXISTS."));
        }
        let mut hasher = new_table(run, &self.keys);
        let mut unknown = !built.nulls.is_empty();
        let mut rights = Partitions::new(self.depth)?;
        let kept = built.rows.into_batch();
        let mut next = Some(kept);
        while let Some(batch) = next {
            let keys = evaluate_keys(run, &self.keys.right, &batch)?;
            unknown |= (0..batch.rows).any(|row| any_null(&keys, row));
            for start in (0..batch.rows).step_by(BATCH_ROWS) {
                let end = batch.rows.min(start + BATCH_ROWS);
                rights.push(&mut hasher, &keys, &batch, start..end)?;
            }
            next = self.right.next(run)?;
        }
        if not_in && unknown {
            return Ok(Stage::Done);
        }
        let mut lefts = Partitions::new(self.depth)?;
        while let Some(batch) = self.left.next(run)? {
            let keys = evaluate_keys(run, &self.keys.left, &batch)?;
            lefts.push(&mut hasher, &keys, &batch, 0..batch.rows)?;
        }
        let (lefts, depth) = lefts.finish()?;
        let (rights, _) = rights.finish()?;
        let parts = lefts.into_iter().zip(rights).collect();
        Ok(Stage::Divided {
            parts,
            depth,
            more_right: true,
            now: None,
        })
    }

    fn part(&self, left: SpillReader, right: SpillReader, depth: u32, more_right: bool) -> Box<Self> {
        Box::new(Self {
            left: Box::new(left),
            right: Box::new(right),
            keys: self.keys.clone(),
            matcher: self.matcher.clone(),
            depth,
            more_right,
            stage: Stage::Start,
        })
    }

    fn next_part(&mut self) -> bool {
        let Stage::Divided {
            parts,
            depth,
            more_right,
            ..
        } = &mut self.stage
        else {
            return false;
        };
        let (depth, more_right) = (*depth, *more_right);
        let Some((left, right)) = parts.pop() else {
            return false;
        };
        let part = self.part(left, right, depth, more_right);
        if let Stage::Divided { now, .. } = &mut self.stage {
            *now = Some(part);
        }
        true
    }

    fn step(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        loop {
            let Stage::Probing(probing) = &mut self.stage else {
                return Ok(None);
            };
            if probing.over {
                return Ok(probing.sweep(&self.matcher, &self.keys.left_types));
            }
            if let Some(walking) = &mut probing.left {
                if walking.row < walking.left.batch.rows {
                    let more_right = self.more_right;
                    if let Some(batch) = walking.walk(run, &mut probing.built, &self.matcher, more_right)? {
                        return Ok(Some(batch));
                    }
                    continue;
                }
                let batch = self.matcher.end_of_left(&walking.left);
                probing.left = None;
                if batch.is_some() {
                    return Ok(batch);
                }
            }
            match self.left.next(run)? {
                None => probing.over = true,
                Some(batch) => {
                    let keys = evaluate_keys(run, &self.keys.left, &batch)?;
                    probing.left = Some(Walking {
                        left: LeftBatch::new(batch),
                        keys,
                        row: 0,
                        at: None,
                    });
                }
            }
        }
    }
}

impl Walking {
    /// Collects up to a batch of candidate pairs and shows them to the matcher.
    fn walk(
        &mut self,
        run: &Run<'_>,
        built: &mut Built,
        matcher: &Matcher,
        more_right: bool,
    ) -> Result<Option<Batch>> {
        let (mut lefts, mut rights) = (Vec::with_capacity(BATCH_ROWS), Vec::with_capacity(BATCH_ROWS));
        // Without a further condition, a left row's fate is known as soon as its chain is.
        let settled = matcher.condition.is_none();
        while self.row < self.left.batch.rows && lefts.len() < BATCH_ROWS {
            let row = self.row;
            if matcher.kind == JoinKind::NullAwareAnti {
                self.not_in(built, settled, more_right, &mut lefts, &mut rights);
                self.row += 1;
                continue;
            }
            let mut at = self.at.take().unwrap_or_else(|| self.first(built));
            if settled && matcher.left_only() {
                self.left.matched[row] = at != NOWHERE;
                self.row += 1;
                continue;
            }
            if at == NOWHERE && settled && matches!(matcher.kind, JoinKind::Left | JoinKind::Full) {
                lefts.push(columns::row_number(row));
                rights.push(NOWHERE);
            }
            while at != NOWHERE && lefts.len() < BATCH_ROWS {
                lefts.push(columns::row_number(row));
                rights.push(at);
                at = built.next[at as usize];
            }
            if at == NOWHERE {
                self.row += 1;
            } else {
                self.at = Some(at);
            }
        }
        let matched = &mut built.matched;
        matcher.pairs(
            run,
            &mut self.left,
            &built.rows.columns,
            &lefts,
            &rights,
            |right| {
                if let Some(matched) = matched.get_mut(right as usize) {
                    *matched = true;
                }
            },
        )
    }

    /// The first right row with the key of the current left row.
    fn first(&self, built: &mut Built) -> u32 {
        if any_null(&self.keys, self.row) {
            return NOWHERE;
        }
        built
            .table
            .find(&self.keys, self.row)
            .map_or(NOWHERE, |id| built.chains[id as usize].0)
    }

    /// `NOT IN`: candidates are the right rows that are equal, or may be because a NULL is on either side.
    fn not_in(
        &mut self,
        built: &mut Built,
        settled: bool,
        more_right: bool,
        lefts: &mut Vec<u32>,
        rights: &mut Vec<u32>,
    ) {
        let row = self.row;
        let unknown = any_null(&self.keys, row);
        let mut at = self.first(built);
        if settled {
            let any_right = more_right || built.rows.rows > 0;
            self.left.matched[row] = at != NOWHERE || !built.nulls.is_empty() || unknown && any_right;
            return;
        }
        let mut pair = |right| {
            lefts.push(columns::row_number(row));
            rights.push(right);
        };
        if unknown {
            (0..columns::row_number(built.rows.rows)).for_each(pair);
            return;
        }
        while at != NOWHERE {
            pair(at);
            at = built.next[at as usize];
        }
        built.nulls.iter().copied().for_each(pair);
    }
}

impl Probing {
    /// The next right rows without a partner.
    fn sweep(&mut self, matcher: &Matcher, left_types: &[DataType]) -> Option<Batch> {
        if !matcher.keeps_right() {
            return None;
        }
        let mut rows = Vec::new();
        while self.swept < self.built.matched.len() && rows.len() < BATCH_ROWS {
            if !self.built.matched[self.swept] {
                rows.push(columns::row_number(self.swept));
            }
            self.swept += 1;
        }
        (!rows.is_empty()).then(|| Matcher::unmatched_right(left_types, &self.built.rows.columns, &rows))
    }
}

impl Operator for HashJoin {
    fn next(&mut self, run: &Run<'_>) -> Result<Option<Batch>> {
        loop {
            run.statement.check()?;
            match &mut self.stage {
                Stage::Start => self.stage = self.build(run)?,
                Stage::Probing(_) => return self.step(run),
                Stage::Done => return Ok(None),
                Stage::Divided { now: Some(part), .. } => {
                    if let Some(batch) = part.next(run)? {
                        return Ok(Some(batch));
                    }
                    if let Stage::Divided { now, .. } = &mut self.stage {
                        *now = None;
                    }
                }
                Stage::Divided { now: None, .. } => {
                    if !self.next_part() {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

/// A file of rows is an input like another.
impl Operator for SpillReader {
    fn next(&mut self, _: &Run<'_>) -> Result<Option<Batch>> {
        Self::next(self)
    }
}
