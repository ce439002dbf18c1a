//! BEGIN, COMMIT, ROLLBACK and savepoints.

use super::open::Open;
use super::plan::Prepared;
use super::rows::{Notice, StatementResult};
use super::{Session, failed_transaction};
use crate::ddl::fold;
use crate::error::{Result, SqlError, state};
use godb_mvcc::{Begin, Isolation};
use sqlparser::ast::{Statement, TransactionAccessMode, TransactionIsolationLevel, TransactionMode};

impl Session {
    /// Runs the statement if it is about transactions or settings.
    pub(super) fn control(&mut self, prepared: &Prepared) -> Result<Option<StatementResult>> {
        let failed = self.open.as_ref().is_some_and(|open| open.failed);
        let result = match prepared.statement() {
            Statement::Commit { chain, modifier, .. } => {
                refuse(*chain || modifier.is_some(), "AND CHAIN")?;
                self.commit_statement()
            }
            Statement::Rollback { chain, savepoint } => {
                refuse(*chain, "AND CHAIN")?;
                match savepoint {
                    None => self.roll_back_statement(),
                    Some(name) => {
                        self.in_block("ROLLBACK TO SAVEPOINT")?;
                        self.roll_back_to(&fold(name))?;
                        Ok(StatementResult::done("ROLLBACK"))
                    }
                }
            }
            Statement::StartTransaction { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. }
                if failed =>
            {
                Err(failed_transaction())
            }
            Statement::StartTransaction {
                modes,
                modifier,
                statements,
                exception,
                ..
            } => {
                refuse(
                    modifier.is_some() || !statements.is_empty() || exception.is_some(),
                    "this form of BEGIN",
                )?;
                self.begin_statement(prepared, modes)
            }
            Statement::Savepoint { name } => {
                self.in_block("SAVEPOINT")?;
                self.savepoint(&fold(name))?;
                Ok(StatementResult::done("SAVEPOINT"))
            }
            Statement::ReleaseSavepoint { name } => {
                self.in_block("RELEASE SAVEPOINT")?.release(&fold(name))?;
                Ok(StatementResult::done("RELEASE"))
            }
            Statement::Set(set) => self.set_modes(set, prepared.parsed().deferrable, failed),
            _ => return Ok(None),
        };
        result.map(Some)
    }

    fn in_block(&mut self, what: &str) -> Result<&mut Open> {
        let block = self.open.as_mut().filter(|open| !open.implicit);
        block.ok_or_else(|| {
            let message = format!("{what} can only be used in transaction blocks");
            SqlError::new(state::NO_ACTIVE_SQL_TRANSACTION, message)
        })
    }

    fn begin_statement(&mut self, prepared: &Prepared, modes: &[TransactionMode]) -> Result<StatementResult> {
        let mut result = StatementResult::done("BEGIN");
        if let Some(open) = self.open.as_mut().filter(|open| open.implicit) {
            open.implicit = false;
            return self
                .set_transaction(modes, prepared.parsed().deferrable)
                .map(|_| result);
        }
        if self.open.is_some() {
            let message = "there is already a transaction in progress";
            result.notice = Some(Notice::warning(state::ACTIVE_SQL_TRANSACTION, message));
            return Ok(result);
        }
        let as_of = prepared
            .parsed()
            .as_of
            .as_ref()
            .map(crate::parser::AsOf::moment)
            .transpose()?;
        let effects = self.effects();
        let mut how = Begin {
            isolation: effects.isolation,
            read_only: effects.read_only,
            as_of,
            deferrable: prepared.parsed().deferrable.unwrap_or(effects.deferrable),
            ..Begin::default()
        };
        apply(&mut how, modes)?;
        self.opened(Open::begin(&self.sql, how)?);
        Ok(result)
    }

    fn commit_statement(&mut self) -> Result<StatementResult> {
        let Some(mut open) = self.open.take() else {
            let mut result = StatementResult::done("COMMIT");
            result.notice = Some(warn_no_transaction());
            return Ok(result);
        };
        if open.failed {
            self.ended(false);
            open.tx.roll_back()?;
            return Ok(StatementResult::done("ROLLBACK"));
        }
        open.tx.set_patience(self.patience());
        let notice = open.implicit.then(warn_no_transaction);
        let committed = open.commit(&self.sql);
        self.ended(committed.is_ok());
        committed?;
        Ok(StatementResult {
            notice,
            ..StatementResult::done("COMMIT")
        })
    }

    fn roll_back_statement(&mut self) -> Result<StatementResult> {
        let mut result = StatementResult::done("ROLLBACK");
        match self.open.take() {
            Some(open) => {
                result.notice = open.implicit.then(warn_no_transaction);
                self.ended(false);
                open.tx.roll_back()?;
            }
            None => result.notice = Some(warn_no_transaction()),
        }
        Ok(result)
    }

    /// SET TRANSACTION: before the transaction has done anything, it begins anew.
    pub(super) fn set_transaction(
        &mut self,
        modes: &[TransactionMode],
        deferrable: Option<bool>,
    ) -> Result<StatementResult> {
        let mut result = StatementResult::done("SET");
        let Some(open) = &mut self.open else {
            let message = "SET TRANSACTION can only be used in transaction blocks";
            result.notice = Some(Notice::warning(state::NO_ACTIVE_SQL_TRANSACTION, message));
            return Ok(result);
        };
        let mut how = open.how;
        apply(&mut how, modes)?;
        how.deferrable = deferrable.unwrap_or(how.deferrable);
        if how.deferrable != open.how.deferrable && !open.untouched {
            let message = "SET TRANSACTION [NOT] DEFERRABLE must be called before any query";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        }
        if how.isolation != open.how.isolation && !open.untouched {
            let message = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        }
        if open.how.read_only && !how.read_only && !open.untouched {
            let message = "transaction read-write mode must be set before any query";
            return Err(SqlError::new(state::ACTIVE_SQL_TRANSACTION, message));
        }
        if open.untouched {
            *open = Open::begin(&self.sql, how)?;
        } else {
            open.how = how;
        }
        let running = open.running();
        self.context().settings(|settings| settings.runs(running));
        Ok(result)
    }
}

/// Changes how a transaction begins as the modes say.
pub(super) fn apply(how: &mut Begin, modes: &[TransactionMode]) -> Result<()> {
    for mode in modes {
        match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => how.read_only = true,
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) if how.as_of.is_some() => {
                let message = "a transaction that reads the past cannot write";
                return Err(SqlError::new(state::READ_ONLY_SQL_TRANSACTION, message));
            }
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => how.read_only = false,
            TransactionMode::IsolationLevel(level) => how.isolation = isolation(*level)?,
        }
    }
    Ok(())
}

fn isolation(level: TransactionIsolationLevel) -> Result<Isolation> {
    Ok(match level {
        TransactionIsolationLevel::ReadUncommitted | TransactionIsolationLevel::ReadCommitted => {
            Isolation::ReadCommitted
        }
        TransactionIsolationLevel::RepeatableRead => Isolation::RepeatableRead,
        TransactionIsolationLevel::Serializable => Isolation::Serializable,
        other @ TransactionIsolationLevel::Snapshot => {
            return Err(SqlError::unsupported(format!("isolation level {other}")));
        }
    })
}

fn warn_no_transaction() -> Notice {
    Notice::warning(
        state::NO_ACTIVE_SQL_TRANSACTION,
        "there is no transaction in progress",
    )
}

fn refuse(given: bool, what: &str) -> Result<()> {
    if given {
        Err(SqlError::unsupported(what))
    } else {
        Ok(())
    }
}
