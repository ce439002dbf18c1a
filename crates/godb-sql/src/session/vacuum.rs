//! VACUUM: space that nobody needs any more goes back.
//!
//! It is no part of a transaction: what it does stays, whatever comes after, and a snapshot of its own would hold the very versions that are to go.

use super::open::Open;
use super::rows::{Notice, StatementResult};
use super::{Session, failed_transaction};
use crate::copy::Progress;
use crate::ddl::{no_relation, table_name};
use crate::error::{Result, SqlError, state};
use crate::parser::Vacuum;
use godb_mvcc::{Begin, TreeId};
use std::ops::ControlFlow;

impl Session {
    /// Drops versions that nobody can see, packs rows, and gives the end of the file back. With tables named, only theirs are packed.
    pub(super) fn vacuum(&mut self, vacuum: &Vacuum) -> Result<StatementResult> {
        vacuum.check()?;
        if vacuum.only_analyze {
            return self.analyze(vacuum);
        }
        if let Some(open) = &mut self.open {
            if open.failed {
                return Err(failed_transaction());
            }
            open.failed = true;
            let message = "VACUUM cannot run inside a transaction block";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        }
        let names = vacuum.tables.iter().map(table_name).collect::<Result<Vec<_>>>()?;
        let trees = self.trees_of(&names)?;
        let bytes = self.compact((!names.is_empty()).then_some(trees.as_slice()))?;
        if vacuum.analyze {
            let mut open = Open::begin(
                &self.sql,
                Begin {
                    read_only: true,
                    ..Begin::default()
                },
            )?;
            self.count_tables(&mut open, (!names.is_empty()).then_some(names))?;
        }
        let mut result = StatementResult::done("VACUUM");
        result.notice = vacuum
            .verbose
            .then(|| Notice::note(format!("the file became shorter by {bytes} bytes")));
        Ok(result)
    }

    /// ANALYZE: counts rows. In a transaction, those that it sees.
    fn analyze(&mut self, asked: &Vacuum) -> Result<StatementResult> {
        let names = asked.tables.iter().map(table_name).collect::<Result<Vec<_>>>()?;
        let names = (!names.is_empty()).then_some(names);
        let Some(mut open) = self.open.take() else {
            let reading = Begin {
                read_only: true,
                ..Begin::default()
            };
            self.count_tables(&mut Open::begin(&self.sql, reading)?, names)?;
            return Ok(StatementResult::done("ANALYZE"));
        };
        let counted = if open.failed {
            Err(failed_transaction())
        } else {
            open.begin_statement(&self.sql)
                .and_then(|()| self.count_tables(&mut open, names))
        };
        open.failed = counted.is_err();
        self.open = Some(open);
        counted.map(|()| StatementResult::done("ANALYZE"))
    }

    /// The trees of tables and of their indexes.
    fn trees_of(&self, names: &[String]) -> Result<Vec<TreeId>> {
        self.sql.reading(|_, catalog| {
            let mut trees = Vec::new();
            for name in names {
                let table = catalog.table(name)?.ok_or_else(|| no_relation(name))?;
                trees.push(table.tree);
                trees.extend(table.indexes.iter().map(|index| index.tree));
            }
            Ok(trees)
        })
    }

    fn compact(&self, trees: Option<&[TreeId]>) -> Result<u64> {
        let mut ended = Ok(());
        let bytes = self.sql.engine.clone().compact(trees, &mut |progress| {
            if let Some(observer) = &self.observer {
                observer(Progress {
                    compaction: Some(progress),
                    ..Progress::default()
                });
            }
            ended = self.canceller.check();
            match ended {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        ended.map(|()| bytes)
    }
}
