//! Logical operations on trees, as bytes: what `undo` is told, and all that [`MemoryTree`](crate::MemoryTree) logs.
//!
//! A structure change may have moved a row anywhere by the time its transaction rolls back, so undo names keys, never
//! places.

use crate::codec::{Reader, bad_record, put_bytes};
use crate::tree::{Chain, Value};
use godb_buffer::{Fault, PageId, TreeId};

/// One operation on one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// The tree comes into being, empty.
    Create,
    /// The tree vanishes with all it holds.
    Destroy,
    /// A key gets a value.
    Put(&'a [u8], Value<'a>),
    /// The value of a key begins differently: with these bytes in place of its first so many.
    Amend(&'a [u8], u16, &'a [u8]),
    /// A key goes.
    Remove(&'a [u8]),
    /// Bytes are added to the chain that begins at a page.
    Extend(PageId, &'a [u8]),
    /// The chain, or the one page of it, that begins here is freed.
    Free(PageId),
    /// A key goes, and the chain of its value with it.
    Release(&'a [u8]),
    /// Several keys go, one after the other.
    RemoveRun(Run<'a>),
}

/// The keys of a run, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    count: u16,
    keys: &'a [u8],
}

impl<'a> Run<'a> {
    /// The keys; the encoding was checked when it was decoded.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'a [u8]> {
        let mut from = Reader::new(self.keys);
        std::iter::from_fn(move || from.bytes().ok())
    }
}

/// What takes back that rows with these keys were added.
pub(crate) fn encode_run<'k>(tree: TreeId, count: u16, keys: impl Iterator<Item = &'k [u8]>) -> Vec<u8> {
    let mut into = Vec::with_capacity(256);
    into.push(REMOVE_RUN);
    into.extend_from_slice(&tree.raw().to_le_bytes());
    into.extend_from_slice(&count.to_le_bytes());
    keys.for_each(|key| put_bytes(&mut into, key));
    into
}

const CREATE: u8 = 1;
const DESTROY: u8 = 2;
const PUT: u8 = 3;
const PUT_CHAINED: u8 = 4;
const REMOVE: u8 = 5;
const EXTEND: u8 = 6;
const FREE: u8 = 7;
const RELEASE: u8 = 8;
const REMOVE_RUN: u8 = 9;
const AMEND: u8 = 10;

/// The operation as bytes.
pub(crate) fn encode(tree: TreeId, operation: &Operation<'_>) -> Vec<u8> {
    let mut into = Vec::with_capacity(64);
    let start = |into: &mut Vec<u8>, kind: u8| {
        into.push(kind);
        into.extend_from_slice(&tree.raw().to_le_bytes());
    };
    match *operation {
        Operation::Create => start(&mut into, CREATE),
        Operation::Destroy => start(&mut into, DESTROY),
        Operation::Put(key, value) => {
            start(&mut into, if value.chain.is_some() { PUT_CHAINED } else { PUT });
            put_bytes(&mut into, key);
            put_bytes(&mut into, value.inline);
            if let Some(chain) = value.chain {
                into.extend_from_slice(&chain.head.raw().to_le_bytes());
                into.extend_from_slice(&chain.len.to_le_bytes());
            }
        }
        Operation::Amend(key, cut, with) => {
            start(&mut into, AMEND);
            into.extend_from_slice(&cut.to_le_bytes());
            put_bytes(&mut into, key);
            put_bytes(&mut into, with);
        }
        Operation::Remove(key) => {
            start(&mut into, REMOVE);
            put_bytes(&mut into, key);
        }
        Operation::Extend(head, bytes) => {
            start(&mut into, EXTEND);
            into.extend_from_slice(&head.raw().to_le_bytes());
            put_bytes(&mut into, bytes);
        }
        Operation::Free(head) => {
            start(&mut into, FREE);
            into.extend_from_slice(&head.raw().to_le_bytes());
        }
        Operation::Release(key) => {
            start(&mut into, RELEASE);
            put_bytes(&mut into, key);
        }
        Operation::RemoveRun(run) => {
            start(&mut into, REMOVE_RUN);
            into.extend_from_slice(&run.count.to_le_bytes());
            into.extend_from_slice(run.keys);
        }
    }
    into
}

/// The operation that [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Result<(TreeId, Operation<'_>), Fault> {
    let mut from = Reader::new(bytes);
    let kind = from.u8()?;
    let tree = TreeId::from_raw(from.u32()?);
    let operation = match kind {
        CREATE => Operation::Create,
        DESTROY => Operation::Destroy,
        PUT | PUT_CHAINED => {
            let key = from.bytes()?;
            let inline = from.bytes()?;
            let chain = if kind == PUT_CHAINED {
                let head = PageId::from_raw(from.u32()?);
                Some(Chain {
                    head,
                    len: from.u64()?,
                })
            } else {
                None
            };
            Operation::Put(key, Value { inline, chain })
        }
        AMEND => {
            let cut = from.u16()?;
            Operation::Amend(from.bytes()?, cut, from.bytes()?)
        }
        REMOVE => Operation::Remove(from.bytes()?),
        EXTEND => Operation::Extend(PageId::from_raw(from.u32()?), from.bytes()?),
        FREE => Operation::Free(PageId::from_raw(from.u32()?)),
        RELEASE => Operation::Release(from.bytes()?),
        REMOVE_RUN => Operation::RemoveRun(run(&mut from)?),
        _ => return Err(bad_record("a logical operation of unknown kind")),
    };
    from.end()?;
    Ok((tree, operation))
}

/// Refuses to take back what has been taken back already: of a run as much as its rows, of anything else nothing may be done before.
pub(crate) fn check_done(operation: &Operation<'_>, done: u16) -> Result<(), Fault> {
    let rows = match operation {
        Operation::RemoveRun(run) => run.count,
        _ => 1,
    };
    if done < rows {
        return Ok(());
    }
    Err(bad_record("more of it is taken back than there is"))
}

/// All that is left, when it is so many keys.
fn run<'a>(from: &mut Reader<'a>) -> Result<Run<'a>, Fault> {
    let count = from.u16()?;
    let keys = from.rest();
    *from = Reader::new(keys);
    for _ in 0..count {
        from.bytes()?;
    }
    Ok(Run { count, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_survives_the_journey() {
        let chain = Some(Chain {
            head: PageId::from_raw(9),
            len: 1 << 30,
        });
        let operations = [
            Operation::Create,
            Operation::Destroy,
            Operation::Put(b"key", Value::inline(b"value")),
            Operation::Put(b"", Value { inline: b"", chain }),
            Operation::Amend(b"key", 3, b"head"),
            Operation::Remove(b"key"),
            Operation::Extend(PageId::from_raw(7), b"more"),
            Operation::Free(PageId::from_raw(7)),
            Operation::Release(b"key"),
            Operation::RemoveRun(Run {
                count: 2,
                keys: &[1, 0, 0, 0, b'k', 0, 0, 0, 0],
            }),
        ];
        for operation in operations {
            let bytes = encode(TreeId::from_raw(3), &operation);
            assert_eq!(decode(&bytes).unwrap(), (TreeId::from_raw(3), operation));
            for cut in 0..bytes.len() {
                assert!(decode(&bytes[..cut]).is_err(), "{operation:?} cut at {cut}");
            }
        }
    }
}
