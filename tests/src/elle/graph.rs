//! [`Dependencies`]: who must come before whom, and the circles in it.

use super::history::{History, Key, Op};
use super::versions::Versions;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{HashMap, HashSet, VecDeque};

/// Why one must come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Arrow {
    /// It wrote the version before.
    WriteWrite,
    /// It wrote what the other read.
    WriteRead,
    /// It read what the other wrote over.
    ReadWrite,
    /// It had ended when the other began.
    RealTime,
}

/// A step of a circle.
pub(super) type Step = (usize, Arrow, Option<Key>);

/// The arrows of a history, between transactions that committed.
pub(super) struct Dependencies {
    graph: DiGraph<usize, (Arrow, Option<Key>)>,
}

impl Dependencies {
    pub(super) fn of(history: &History, versions: &Versions) -> Self {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..history.transactions.len())
            .map(|number| graph.add_node(number))
            .collect();
        let mut known = HashSet::new();
        let mut draw = |from: usize, arrow: Arrow, to: usize, key: Option<Key>| {
            let both = history.transactions[from].committed() && history.transactions[to].committed();
            if both && from != to && known.insert((from, arrow, to)) {
                graph.add_edge(nodes[from], nodes[to], (arrow, key));
            }
        };
        for (key, chain) in &versions.chains {
            for pair in chain.windows(2) {
                draw(pair[0].0, Arrow::WriteWrite, pair[1].0, Some(*key));
            }
        }
        for (reader, tx) in history.transactions.iter().enumerate() {
            for (key, content) in outside_reads(&tx.ops) {
                let seen = versions.seen(key, content);
                if let Some(by) = seen.by {
                    draw(by, Arrow::WriteRead, reader, Some(key));
                }
                if let Some(next) = seen.next {
                    draw(reader, Arrow::ReadWrite, next, Some(key));
                }
            }
        }
        for (from, to) in in_real_time(history) {
            draw(from, Arrow::RealTime, to, None);
        }
        Self { graph }
    }

    /// A circle of the arrows that `takes`, as short as there is one through its first node.
    pub(super) fn circle(&self, takes: impl Fn(Arrow) -> bool) -> Option<Vec<Step>> {
        let taken = self
            .graph
            .filter_map(|_, node| Some(*node), |_, edge| takes(edge.0).then_some(*edge));
        let circle = tarjan_scc(&taken).into_iter().find(|nodes| nodes.len() > 1)?;
        let within: HashSet<NodeIndex> = circle.iter().copied().collect();
        shortest(&taken, &within, circle[0])
    }

    /// A circle in which never two read-write arrows follow each other.
    pub(super) fn circle_without_neighbours(&self) -> Option<Vec<Step>> {
        // Each transaction twice: come to by a read-write arrow, or by another.
        let mut doubled = DiGraph::new();
        let twice: Vec<[NodeIndex; 2]> = self
            .graph
            .node_weights()
            .map(|node| [doubled.add_node(*node), doubled.add_node(*node)])
            .collect();
        for edge in self.graph.edge_references() {
            let (from, to) = (twice[edge.source().index()], twice[edge.target().index()]);
            match edge.weight().0 {
                Arrow::ReadWrite => {
                    doubled.add_edge(from[0], to[1], *edge.weight());
                }
                _ => {
                    for from in from {
                        doubled.add_edge(from, to[0], *edge.weight());
                    }
                }
            }
        }
        let circle = tarjan_scc(&doubled).into_iter().find(|nodes| nodes.len() > 1)?;
        let within: HashSet<NodeIndex> = circle.iter().copied().collect();
        shortest(&doubled, &within, circle[0])
    }
}

/// The shortest way from a node back to itself, among some nodes.
fn shortest(
    graph: &DiGraph<usize, (Arrow, Option<Key>)>,
    within: &HashSet<NodeIndex>,
    start: NodeIndex,
) -> Option<Vec<Step>> {
    let mut came: HashMap<NodeIndex, (NodeIndex, (Arrow, Option<Key>))> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in graph.edges(node).filter(|edge| within.contains(&edge.target())) {
            if came.contains_key(&edge.target()) {
                continue;
            }
            came.insert(edge.target(), (node, *edge.weight()));
            queue.push_back(edge.target());
        }
    }
    let mut steps = Vec::new();
    let mut at = start;
    loop {
        let (from, (arrow, key)) = came.get(&at)?;
        steps.push((graph[*from], *arrow, *key));
        at = *from;
        if at == start {
            steps.reverse();
            return Some(steps);
        }
    }
}

/// What a transaction read that it had not written itself: of a list the last number.
fn outside_reads(ops: &[Op]) -> Vec<(Key, Option<i64>)> {
    let (mut own, mut reads) = (HashMap::<Key, usize>::new(), Vec::new());
    for op in ops {
        match op {
            Op::Append(key, _) | Op::Write(key, _) | Op::Remove(key) => *own.entry(*key).or_default() += 1,
            Op::ReadList(key, list) => {
                let outside = list.len().saturating_sub(own.get(key).copied().unwrap_or(0));
                reads.push((*key, list[..outside].last().copied()));
            }
            Op::Read(key, content) if !own.contains_key(key) => reads.push((*key, *content)),
            Op::Read(..) => {}
        }
    }
    reads
}

/// Who had ended before whom, without those that follow from others.
fn in_real_time(history: &History) -> Vec<(usize, usize)> {
    let committed = || {
        history
            .transactions
            .iter()
            .enumerate()
            .filter(|(_, tx)| tx.committed())
    };
    let mut moments: Vec<(u64, bool, usize)> = Vec::new();
    for (number, tx) in committed() {
        moments.push((tx.began, false, number));
        moments.push((tx.ended, true, number));
    }
    moments.sort_unstable();
    let (mut last, mut arrows): (Vec<usize>, _) = (Vec::new(), Vec::new());
    for (_, ended, number) in moments {
        if ended {
            let began = history.transactions[number].began;
            // Those that had ended when it began come before whoever comes after it.
            last.retain(|other| history.transactions[*other].ended >= began);
            last.push(number);
        } else {
            arrows.extend(last.iter().map(|other| (*other, number)));
        }
    }
    arrows
}
