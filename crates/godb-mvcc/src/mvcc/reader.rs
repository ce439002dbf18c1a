//! [`ChainReader`]: a long value as a stream.

use super::shared::Shared;
use super::snapshots::Snapshot;
use godb_txn::{Chain, PageId, Transactions, Tree};
use std::io::{Error, Read};
use std::sync::Arc;

/// Reads a value from its chain. The snapshot it belongs to is kept meanwhile, and with it the chain.
pub(super) struct ChainReader<T: Transactions> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) chain: Chain,
    pub(super) at: u64,
    pub(super) hint: Option<(u64, PageId)>,
    pub(super) _snapshot: Arc<Snapshot>,
}

impl<T: Transactions> Read for ChainReader<T> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let got = self
            .shared
            .tree()
            .read_chain(self.chain, self.at, &mut self.hint, into)
            .map_err(Error::other)?;
        self.at += got as u64;
        Ok(got)
    }
}
