//! The graph of tasks: order, cycles, closures, weights.
//!
//! Works on numbers only; a task's number is its place in the document, later its [`TaskIx`]. Linear in tasks
//! and dependencies, but for closures, which are bit sets.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use petgraph::{algo::kosaraju_scc, graphmap::DiGraphMap};

use super::{Dag, WeightRule, lower::DraftTask};
use crate::id::{TaskId, TaskIx};

/// Dependencies, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    upstream: Vec<BTreeSet<usize>>,
    downstream: Vec<BTreeSet<usize>>,
}

impl Edges {
    pub(crate) fn new(tasks: usize) -> Self {
        Self { upstream: vec![BTreeSet::new(); tasks], downstream: vec![BTreeSet::new(); tasks] }
    }

    pub(crate) fn add(&mut self, upstream: usize, downstream: usize) {
        if self.downstream[upstream].insert(downstream) {
            self.upstream[downstream].insert(upstream);
        }
    }

    pub(crate) fn upstream_of(&self, task: usize) -> Vec<usize> {
        self.upstream[task].iter().copied().collect()
    }

    pub(crate) fn downstream_of(&self, task: usize) -> Vec<usize> {
        self.downstream[task].iter().copied().collect()
    }
}

/// Cycles that are told apart; more of them help nobody.
const MOST_CYCLES: usize = 10;

/// Returns the tasks so that each comes after its upstream tasks, ties in the order given; or else cycles, each
/// beginning with its first task, every one upstream of the next.
pub(crate) fn order(edges: &Edges) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let count = edges.upstream.len();
    let mut waits_for: Vec<usize> = edges.upstream.iter().map(BTreeSet::len).collect();
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count).filter(|task| waits_for[*task] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(task)) = ready.pop() {
        order.push(task);
        for next in &edges.downstream[task] {
            waits_for[*next] -= 1;
            if waits_for[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    if order.len() == count { Ok(order) } else { Err(cycles(edges)) }
}

/// Returns a cycle of each knot: tasks that all depend on each other are one knot, however many cycles it has.
fn cycles(edges: &Edges) -> Vec<Vec<usize>> {
    let pairs = edges.downstream.iter().enumerate().flat_map(|(up, next)| next.iter().map(move |down| (up, *down)));
    let graph: DiGraphMap<usize, ()> = DiGraphMap::from_edges(pairs);
    // Not Tarjan's: petgraph's is recursive, and a long cycle would exhaust the stack.
    let is_knot = |knot: &Vec<usize>| knot.len() > 1 || knot.iter().any(|task| graph.contains_edge(*task, *task));
    let mut cycles: Vec<Vec<usize>> =
        kosaraju_scc(&graph).into_iter().filter(is_knot).map(|knot| walk_round(edges, &knot)).collect();
    cycles.sort();
    cycles.truncate(MOST_CYCLES);
    cycles
}

/// Walks up inside a knot until a task comes round.
fn walk_round(edges: &Edges, knot: &[usize]) -> Vec<usize> {
    let inside: BTreeSet<usize> = knot.iter().copied().collect();
    let mut steps: BTreeMap<usize, usize> = BTreeMap::new();
    let mut path: Vec<usize> = Vec::new();
    let mut at = inside.first().copied();
    while let Some(task) = at {
        if let Some(step) = steps.insert(task, path.len()) {
            // The path went up; turned round it goes down.
            let mut cycle: Vec<usize> = path.split_off(step);
            cycle.reverse();
            let first = cycle.iter().enumerate().min_by_key(|(_, task)| **task).map_or(0, |(ix, _)| ix);
            cycle.rotate_left(first);
            return cycle;
        }
        path.push(task);
        at = edges.upstream[task].iter().find(|up| inside.contains(up)).copied();
    }
    path
}

/// A set of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, task: usize) {
        self.0[task / 64] |= 1 << (task % 64);
    }

    fn contains(&self, task: usize) -> bool {
        self.0[task / 64] & (1 << (task % 64)) != 0
    }

    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }
}

/// Returns what dispatch sorts by, task by task in the order given: the own weight, and along the graph what the
/// rule adds. Kept within 32 bits, as Airflow does.
pub(crate) fn weights(edges: &Edges, order: &[usize], tasks: &[DraftTask]) -> Vec<i64> {
    let own: Vec<i64> = tasks.iter().map(|task| task.own_weight).collect();
    let wanted = |rule: WeightRule| -> Vec<bool> { tasks.iter().map(|task| task.weight_rule == rule).collect() };
    let mut total = own.clone();
    let backwards: Vec<usize> = order.iter().rev().copied().collect();
    add_closure(&mut total, &own, &backwards, &edges.downstream, &wanted(WeightRule::Downstream));
    add_closure(&mut total, &own, order, &edges.upstream, &wanted(WeightRule::Upstream));
    total.into_iter().map(|weight| weight.clamp(i64::from(i32::MIN), i64::from(i32::MAX))).collect()
}

/// Adds to each wanted task the weights of everything that `next` leads to. `order`: what it leads to comes first.
fn add_closure(total: &mut [i64], own: &[i64], order: &[usize], next: &[BTreeSet<usize>], wanted: &[bool]) {
    if !wanted.iter().any(|wanted| *wanted) {
        return;
    }
    // Words in which all tasks weigh the same are counted, not walked.
    let same: Vec<Option<i64>> = own
        .chunks(64)
        .map(|word| word.first().copied().filter(|first| word.iter().all(|weight| weight == first)))
        .collect();
    let weigh = |bits: &Bits| -> i64 {
        let mut sum: i64 = 0;
        for (ix, word) in bits.0.iter().enumerate().filter(|(_, word)| **word != 0) {
            sum = sum.saturating_add(match same[ix] {
                Some(weight) => weight.saturating_mul(i64::from(word.count_ones())),
                None => {
                    let ones = (0..64).filter(|bit| word & (1 << bit) != 0);
                    ones.fold(0_i64, |sum, bit| sum.saturating_add(own[ix * 64 + bit]))
                }
            });
        }
        sum
    };
    // A set is dropped once everything that asks for it has had it.
    let mut asked: Vec<usize> = vec![0; own.len()];
    next.iter().flatten().for_each(|task| asked[*task] += 1);
    let mut reach: Vec<Option<Bits>> = vec![None; own.len()];
    for task in order {
        let mut bits = Bits::new(own.len());
        for other in &next[*task] {
            if let Some(theirs) = &reach[*other] {
                if !bits.contains(*other) {
                    bits.join(theirs);
                }
                bits.insert(*other);
            }
            asked[*other] -= 1;
            if asked[*other] == 0 {
                reach[*other] = None;
            }
        }
        if wanted[*task] {
            total[*task] = total[*task].saturating_add(weigh(&bits));
        }
        reach[*task] = Some(bits);
    }
}

impl Dag {
    /// Returns the tasks that nothing depends on.
    pub fn leaves(&self) -> impl Iterator<Item = TaskIx> + '_ {
        self.ends(|task| task.downstream.is_empty())
    }

    /// Returns the tasks that depend on nothing.
    pub fn roots(&self) -> impl Iterator<Item = TaskIx> + '_ {
        self.ends(|task| task.upstream.is_empty())
    }

    fn ends(&self, is_end: fn(&super::Task) -> bool) -> impl Iterator<Item = TaskIx> + '_ {
        let ends = self.tasks.iter().enumerate().filter(move |(_, task)| is_end(task));
        ends.map(|(ix, _)| TaskIx::from(ix))
    }

    /// Returns everything these tasks depend on, directly or not, in order, without the tasks themselves.
    pub fn upstream_closure(&self, of: &[TaskIx]) -> Vec<TaskIx> {
        self.closure(of, |ix| &self.task(ix).upstream)
    }

    /// Returns everything that depends on these tasks, directly or not, in order, without the tasks themselves.
    pub fn downstream_closure(&self, of: &[TaskIx]) -> Vec<TaskIx> {
        self.closure(of, |ix| &self.task(ix).downstream)
    }

    /// Names the direct downstream tasks of `task` that go on when it branches to `chosen`: those, and what is
    /// downstream of the chosen, so that a join beside its branch is not skipped.
    pub fn followed(&self, task: &super::Task, chosen: &[TaskId]) -> Vec<TaskId> {
        let Some(last) = task.downstream.last() else { return Vec::new() };
        let mut names: Vec<&TaskId> = chosen.iter().collect();
        names.sort_unstable();
        let mut reached = vec![false; last.index() + 1];
        for ix in 0..reached.len() {
            let candidate = &self.tasks[ix];
            reached[ix] = names.binary_search(&&candidate.id).is_ok()
                || candidate.upstream.iter().any(|up| reached.get(up.index()).is_some_and(|&is_reached| is_reached));
        }
        task.downstream.iter().filter(|down| reached[down.index()]).map(|&down| self.task(down).id.clone()).collect()
    }

    fn closure<'s>(&'s self, of: &[TaskIx], next: impl Fn(TaskIx) -> &'s [TaskIx]) -> Vec<TaskIx> {
        let mut seen = vec![false; self.tasks.len()];
        let mut rest: Vec<TaskIx> = of.to_vec();
        while let Some(task) = rest.pop() {
            for other in next(task) {
                if !std::mem::replace(&mut seen[other.index()], true) {
                    rest.push(*other);
                }
            }
        }
        for task in of {
            seen[task.index()] = false;
        }
        seen.iter().enumerate().filter(|(_, seen)| **seen).map(|(ix, _)| TaskIx::from(ix)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tasks: usize, edges: &[(usize, usize)], expected: Result<&[usize], &[&[usize]]>) {
        let mut all = Edges::new(tasks);
        edges.iter().for_each(|(up, down)| all.add(*up, *down));
        let expected = expected.map(<[usize]>::to_vec).map_err(|cycles| cycles.iter().map(|c| c.to_vec()).collect());
        assert_eq!(order(&all), expected);
    }

    #[test]
    fn ties_keep_the_order_of_the_document() {
        check(3, &[], Ok(&[0, 1, 2]));
        check(3, &[(2, 0)], Ok(&[1, 2, 0]));
        check(4, &[(3, 1), (1, 0), (3, 2)], Ok(&[3, 1, 0, 2]));
    }

    #[test]
    fn each_cycle_is_found_once_and_begins_with_its_first_task() {
        check(3, &[(0, 1), (1, 0), (1, 2)], Err(&[&[0, 1]]));
        check(4, &[(2, 1), (3, 2), (1, 3), (1, 0)], Err(&[&[1, 3, 2]]));
        check(5, &[(0, 1), (1, 0), (2, 3), (3, 2), (3, 4)], Err(&[&[0, 1], &[2, 3]]));
    }
}
