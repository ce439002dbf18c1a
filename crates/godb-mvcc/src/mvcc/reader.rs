//! [`ChainReader`]: a long value as a stream.

use super::snapshots::Snapshot;
use super::transaction::Own;
use godb_txn::{Chain, PageId, Transactions, Tree};
use std::io::{Error, Read};
use std::sync::Arc;

/// Reads a value from its chain. The snapshot it belongs to is kept meanwhile, and with it the chain.
pub(super) struct ChainReader<T: Transactions> {
    snapshot: Arc<Snapshot<T>>,
    /// The bytes in the leaf, before those of the chain.
    head: Vec<u8>,
    chain: Chain,
    /// Bytes read so far, those of the head included.
    at: u64,
    hint: Option<(u64, PageId)>,
    /// For a value that the transaction itself wrote: it goes when that is taken back.
    own: Option<(Arc<Own>, u64)>,
}

impl<T: Transactions> ChainReader<T> {
    pub(super) fn new(
        snapshot: Arc<Snapshot<T>>,
        head: Vec<u8>,
        chain: Chain,
        own: Option<Arc<Own>>,
    ) -> Self {
        let own = own.map(|own| {
            let rollbacks = own.rollbacks();
            (own, rollbacks)
        });
        Self {
            snapshot,
            head,
            chain,
            at: 0,
            hint: None,
            own,
        }
    }

    fn check_not_taken_back(&self) -> Result<(), Error> {
        match &self.own {
            Some((own, rollbacks)) if own.rollbacks() != *rollbacks => {
                Err(Error::other("the value was taken back by a rollback"))
            }
            _ => Ok(()),
        }
    }
}

impl<T: Transactions> Read for ChainReader<T> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let head = self.head.len() as u64;
        let got = if self.at < head {
            let rest = usize::try_from(self.at).map_or(&[][..], |at| &self.head[at..]);
            let got = rest.len().min(into.len());
            into[..got].copy_from_slice(&rest[..got]);
            got
        } else {
            let tree = self.snapshot.engine.tree();
            let got = tree.read_chain(self.chain, self.at - head, &mut self.hint, into);
            // Whatever was read of pages that were being freed is not handed out.
            self.check_not_taken_back()?;
            got.map_err(Error::other)?
        };
        self.at += got as u64;
        Ok(got)
    }
}
