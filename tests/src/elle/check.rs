//! [`check`]: judges a history by an isolation level.

use super::graph::{Arrow, Dependencies, Step};
use super::history::History;
use super::versions::Versions;
use godb::Isolation;
use std::fmt;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// G0: a circle of writes.
    DirtyWrite,
    /// G1a: what was taken back was read.
    AbortedRead,
    /// G1b: what its writer wrote over was read.
    IntermediateRead,
    /// G1c: a circle of writes and reads.
    CircularFlow,
    /// P4: a write over something read before another's write.
    LostUpdate,
    /// G-single: a circle with read-write arrows, never two in a row.
    ReadSkew,
    /// G2-item: a circle with read-write arrows in a row, over keys that were there.
    WriteSkew,
    /// G2: the same over rows that came or went.
    Phantom,
    /// Its own writes were not seen.
    Internal,
    /// What was committed is gone.
    LostWrite,
    /// A list was read that is no beginning of what it was at last.
    IncompatibleOrder,
    /// A number is there twice.
    Duplicate,
    /// Nobody wrote it.
    FromNowhere,
}

/// Something wrong, in words.
#[derive(Clone, Debug)]
pub struct Anomaly {
    /// Which kind.
    pub class: Class,
    /// What happened.
    pub what: String,
}

impl Anomaly {
    pub(super) fn new(class: Class, what: String) -> Self {
        Self { class, what }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.class, self.what)
    }
}

/// What a history shows that the level does not allow.
#[must_use]
pub fn check(history: &History, level: Isolation) -> Vec<Anomaly> {
    let versions = Versions::of(history);
    let mut found = versions.judge(history);
    let graph = Dependencies::of(history, &versions);
    let writes = graph.circle(|arrow| matches!(arrow, Arrow::WriteWrite | Arrow::RealTime));
    let circle = writes
        .or_else(|| graph.circle(|arrow| arrow != Arrow::ReadWrite))
        .or_else(|| match level {
            Isolation::ReadCommitted => None,
            _ => graph.circle_without_neighbours(),
        })
        .or_else(|| match level {
            Isolation::Serializable => graph.circle(|_| true),
            _ => None,
        });
    found.extend(circle.map(|steps| name(history, &steps)));
    found
}

/// Which anomaly a circle is.
fn name(history: &History, steps: &[Step]) -> Anomaly {
    let count = |arrow: Arrow| steps.iter().filter(|step| step.1 == arrow).count();
    let read_writes: Vec<_> = steps.iter().filter(|step| step.1 == Arrow::ReadWrite).collect();
    let over_rows = read_writes
        .iter()
        .any(|step| matches!(step.2, Some(super::Key::Row(_))));
    let same_key = steps.iter().all(|step| step.2.is_some() && step.2 == steps[0].2);
    let neighbours = (0..steps.len())
        .any(|at| steps[at].1 == Arrow::ReadWrite && steps[(at + 1) % steps.len()].1 == Arrow::ReadWrite);
    let class = match (read_writes.len(), count(Arrow::WriteRead)) {
        (0, 0) => Class::DirtyWrite,
        (0, _) => Class::CircularFlow,
        (1, 0) if same_key => Class::LostUpdate,
        _ if !neighbours => Class::ReadSkew,
        _ if over_rows => Class::Phantom,
        _ => Class::WriteSkew,
    };
    let mut what = String::new();
    for (number, arrow, key) in steps {
        what += &format!(
            "\n  {number} {:?}\n    {arrow:?} {key:?}",
            history.transactions[*number]
        );
    }
    Anomaly::new(class, what)
}

#[cfg(test)]
mod tests {
    use super::super::history::{End, Key, Op, Tx};
    use super::*;

    const X: Key = Key::List(1);
    const Y: Key = Key::List(2);
    const R: Key = Key::Register(1);
    const A: Key = Key::Row(1);
    const B: Key = Key::Row(2);

    /// Transactions that all run at once.
    fn history(transactions: &[&[Op]], lists: &[(Key, &[i64])]) -> History {
        let tx = |(number, ops): (usize, &&[Op])| Tx {
            began: 1,
            ended: 9,
            ops: ops.to_vec(),
            end: End::Committed(number as u64 + 1),
        };
        History {
            transactions: transactions.iter().enumerate().map(tx).collect(),
            lists: lists.iter().map(|(key, list)| (*key, list.to_vec())).collect(),
        }
    }

    fn found(history: &History, level: Isolation) -> Option<Class> {
        check(history, level).first().map(|anomaly| anomaly.class)
    }

    use Isolation::{ReadCommitted, RepeatableRead, Serializable};
    use Op::{Append, Read, ReadList, Remove, Write};

    #[test]
    fn a_dirty_write() {
        let both = history(
            &[&[Append(X, 1), Append(Y, 2)], &[Append(X, 3), Append(Y, 4)]],
            &[(X, &[1, 3]), (Y, &[4, 2])],
        );
        assert_eq!(found(&both, ReadCommitted), Some(Class::DirtyWrite));
    }

    #[test]
    fn an_aborted_and_an_intermediate_read() {
        let mut aborted = history(&[&[Append(X, 1)], &[ReadList(X, vec![1])]], &[(X, &[])]);
        aborted.transactions[0].end = End::Aborted;
        assert_eq!(found(&aborted, ReadCommitted), Some(Class::AbortedRead));
        let twice = history(
            &[&[Append(X, 1), Append(X, 2)], &[ReadList(X, vec![1])]],
            &[(X, &[1, 2])],
        );
        assert_eq!(found(&twice, ReadCommitted), Some(Class::IntermediateRead));
    }

    #[test]
    fn a_circular_flow_of_information() {
        let circle = history(
            &[
                &[Append(X, 1), ReadList(Y, vec![2])],
                &[Append(Y, 2), ReadList(X, vec![1])],
            ],
            &[(X, &[1]), (Y, &[2])],
        );
        assert_eq!(found(&circle, ReadCommitted), Some(Class::CircularFlow));
    }

    #[test]
    fn read_skew_and_a_lost_update() {
        let skew = history(
            &[
                &[ReadList(X, vec![]), ReadList(Y, vec![2])],
                &[Append(X, 1), Append(Y, 2)],
            ],
            &[(X, &[1]), (Y, &[2])],
        );
        assert_eq!(
            (found(&skew, ReadCommitted), found(&skew, RepeatableRead)),
            (None, Some(Class::ReadSkew))
        );
        let lost = history(
            &[&[Read(R, None), Write(R, 1)], &[Read(R, None), Write(R, 2)]],
            &[],
        );
        assert_eq!(
            (found(&lost, ReadCommitted), found(&lost, RepeatableRead)),
            (None, Some(Class::LostUpdate))
        );
    }

    #[test]
    fn write_skew_and_a_phantom() {
        let skew = history(
            &[
                &[ReadList(X, vec![]), Append(Y, 1)],
                &[ReadList(Y, vec![]), Append(X, 2)],
            ],
            &[(X, &[2]), (Y, &[1])],
        );
        assert_eq!(
            (found(&skew, RepeatableRead), found(&skew, Serializable)),
            (None, Some(Class::WriteSkew))
        );
        let phantom = history(
            &[
                &[Read(A, None), Read(B, None), Write(A, 1)],
                &[Read(A, None), Read(B, None), Write(B, 2)],
            ],
            &[],
        );
        assert_eq!(
            (found(&phantom, RepeatableRead), found(&phantom, Serializable)),
            (None, Some(Class::Phantom))
        );
    }

    #[test]
    fn a_row_that_came_and_went_in_one_transaction_is_no_version() {
        // The second does not see what the third has appended, and could well have come before the first.
        let mut gone = history(
            &[
                &[Write(A, 1), Remove(A)],
                &[ReadList(X, vec![]), Write(A, 2)],
                &[Append(X, 3)],
            ],
            &[(X, &[3])],
        );
        for (tx, (began, ended)) in gone.transactions.iter_mut().zip([(20, 21), (0, 30), (1, 2)]) {
            (tx.began, tx.ended) = (began, ended);
        }
        assert_eq!(found(&gone, RepeatableRead), None);
        gone.transactions[0].ops.pop();
        assert_eq!(found(&gone, RepeatableRead), Some(Class::ReadSkew), "it stayed");
        let seen = history(&[&[Write(A, 1), Remove(A)], &[Read(A, Some(1))]], &[]);
        assert_eq!(found(&seen, ReadCommitted), Some(Class::IntermediateRead));
    }

    #[test]
    fn what_is_gone_what_contradicts_and_what_is_stale() {
        let gone = history(&[&[Append(X, 1)]], &[(X, &[])]);
        assert_eq!(found(&gone, ReadCommitted), Some(Class::LostWrite));
        let other = history(
            &[&[Append(X, 1)], &[Append(X, 2)], &[ReadList(X, vec![2])]],
            &[(X, &[1, 2])],
        );
        assert_eq!(found(&other, ReadCommitted), Some(Class::IncompatibleOrder));
        let mut stale = history(&[&[Append(X, 1)], &[ReadList(X, vec![])]], &[(X, &[1])]);
        assert_eq!(found(&stale, Serializable), None);
        stale.transactions[1].began = 10;
        stale.transactions[1].ended = 11;
        assert_eq!(
            found(&stale, RepeatableRead),
            Some(Class::ReadSkew),
            "against the clock"
        );
        let own = history(&[&[Append(X, 1), ReadList(X, vec![])]], &[(X, &[1])]);
        assert_eq!(found(&own, ReadCommitted), Some(Class::Internal));
    }
}
