//! Sorts the layers so that few arrows cross.
//!
//! Items go to the middle of their neighbours, one layer after the other, there and back; the best order of all rounds
//! is kept, and neighbours that cross less the other way round are exchanged.

use std::cmp::Ordering;

use super::{Draft, Item};

/// Rounds of putting items next to their neighbours.
const ROUNDS: usize = 24;

/// So many rounds without a better order are enough.
const PATIENCE: usize = 6;

/// Items and arrows looked at in all rounds together; very large graphs get fewer rounds.
const WORK: usize = 1_500_000;

/// Rounds of exchanging neighbours.
const EXCHANGES: usize = 6;

/// Sorts the layers.
pub(super) fn order(draft: &mut Draft) {
    let mut place = first_places(draft);
    let keys = frame_keys(draft, &place);
    for layer in 0..draft.layers.len() {
        sort(draft, layer, &mut place, &keys);
    }
    let size = draft.items.len() + draft.right.iter().map(Vec::len).sum::<usize>();
    let rounds = (WORK / size.max(1)).clamp(4, ROUNDS);
    let mut best = (crossings(draft), draft.layers.clone());
    let mut waited = 0;
    for round in 0..rounds {
        if best.0 == 0 || waited >= PATIENCE {
            break;
        }
        sweep(draft, &mut place, round % 2 == 0);
        let found = crossings(draft);
        waited += 1;
        if found < best.0 {
            best = (found, draft.layers.clone());
            waited = 0;
        }
    }
    draft.layers = best.1;
    if best.0 > 0 {
        exchange(draft);
    }
}

/// A place for each item, from 0 to 1: in the order in which a walk along the arrows meets it.
fn first_places(draft: &Draft) -> Vec<f64> {
    let count = draft.items.len();
    let mut met = vec![usize::MAX; count];
    let mut next = 0;
    let mut waiting = Vec::new();
    let starts = (0..count).filter(|item| draft.left[*item].is_empty()).chain(0..count);
    for start in starts {
        waiting.push(start);
        while let Some(item) = waiting.pop() {
            if met[item] == usize::MAX {
                met[item] = next;
                next += 1;
                waiting.extend(draft.right[item].iter().rev().filter(|other| met[**other] == usize::MAX));
            }
        }
    }
    met.into_iter().map(|at| at as f64 / count.max(1) as f64).collect()
}

/// One key for a frame in all layers keeps frames in the same order everywhere.
fn frame_keys(draft: &Draft, place: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); draft.paths.len()];
    for (item, kind) in draft.items.iter().enumerate() {
        if !matches!(kind, Item::Hold(_)) {
            for frame in draft.path(item) {
                sums[*frame].0 += place[item];
                sums[*frame].1 += 1.0;
            }
        }
    }
    sums.iter().map(|(sum, count)| sum / f64::max(*count, 1.0)).collect()
}

/// Sorts a layer by place, and spreads the places.
fn sort(draft: &mut Draft, layer: usize, place: &mut [f64], keys: &[f64]) {
    let mut items = std::mem::take(&mut draft.layers[layer]);
    items.sort_by(|a, b| compare(draft, *a, *b, place, keys));
    for (at, item) in items.iter().enumerate() {
        place[*item] = (at as f64 + 0.5) / items.len() as f64;
    }
    draft.layers[layer] = items;
}

/// Orders two items of a layer: by the outermost frames that differ, then by place.
fn compare(draft: &Draft, a: usize, b: usize, place: &[f64], keys: &[f64]) -> Ordering {
    let shared = draft.path(a).iter().zip(draft.path(b)).take_while(|(x, y)| x == y).count();
    let key = |item: usize| match draft.path(item).get(shared) {
        Some(frame) => (keys[*frame], 0, *frame),
        None => (place[item], 1, item),
    };
    let (a, b) = (key(a), key(b));
    a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))
}

/// Puts items in the middle of their neighbours on one side, one layer after the other.
fn sweep(draft: &mut Draft, place: &mut [f64], is_rightward: bool) {
    let keys = frame_keys(draft, place);
    let count = draft.layers.len();
    for step in 0..count {
        let layer = if is_rightward { step } else { count - 1 - step };
        for item in &draft.layers[layer] {
            let near = if is_rightward { &draft.left[*item] } else { &draft.right[*item] };
            if !near.is_empty() {
                place[*item] = near.iter().map(|other| place[*other]).sum::<f64>() / near.len() as f64;
            }
        }
        sort(draft, layer, place, &keys);
    }
}

/// Counts how often arrows cross between neighbouring layers.
fn crossings(draft: &Draft) -> u64 {
    let mut rank = vec![0; draft.items.len()];
    for layer in &draft.layers {
        layer.iter().enumerate().for_each(|(at, item)| rank[*item] = at);
    }
    let mut total = 0;
    for pair in draft.layers.windows(2) {
        // Arrows in the order of their starts; each crosses those before it that end below its own end.
        let mut ended = Counts::new(pair[1].len());
        let mut seen = 0;
        for item in &pair[0] {
            let ends = draft.right[*item].iter().filter(|end| draft.layer[**end] == draft.layer[*item] + 1);
            let mut ends: Vec<usize> = ends.map(|end| rank[*end]).collect();
            ends.sort_unstable();
            for end in &ends {
                total += seen - ended.up_to(*end);
            }
            seen += ends.len() as u64;
            ends.iter().for_each(|end| ended.add(*end));
        }
    }
    total
}

/// Counts of numbers, and how many are at most another: a Fenwick tree.
struct Counts(Vec<u64>);

impl Counts {
    fn new(bound: usize) -> Self {
        Self(vec![0; bound + 1])
    }

    fn add(&mut self, number: usize) {
        let mut at = number + 1;
        while at < self.0.len() {
            self.0[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn up_to(&self, number: usize) -> u64 {
        let (mut at, mut sum) = ((number + 1).min(self.0.len() - 1), 0);
        while at > 0 {
            sum += self.0[at];
            at -= at & at.wrapping_neg();
        }
        sum
    }
}

/// Exchanges neighbours in a layer whose arrows cross less the other way round.
fn exchange(draft: &mut Draft) {
    let mut rank = vec![0; draft.items.len()];
    for layer in &draft.layers {
        layer.iter().enumerate().for_each(|(at, item)| rank[*item] = at);
    }
    for _ in 0..EXCHANGES {
        let mut is_better = false;
        for layer in 0..draft.layers.len() {
            let mut items = std::mem::take(&mut draft.layers[layer]);
            // Where the arrows of an item go, by rank, on both sides.
            let ends = |near: &[usize]| {
                let mut ends: Vec<usize> = near.iter().map(|other| rank[*other]).collect();
                ends.sort_unstable();
                ends
            };
            let mut sides: Vec<[Vec<usize>; 2]> =
                items.iter().map(|item| [ends(&draft.left[*item]), ends(&draft.right[*item])]).collect();
            for at in 1..items.len() {
                // Those that stand in one frame and in no other: whole frames stay where they are.
                if draft.frame[items[at - 1]] != draft.frame[items[at]] {
                    continue;
                }
                let (above, below) = (&sides[at - 1], &sides[at]);
                let now: u64 = above.iter().zip(below).map(|(a, b)| inversions(a, b)).sum();
                let then: u64 = above.iter().zip(below).map(|(a, b)| inversions(b, a)).sum();
                if then < now {
                    items.swap(at - 1, at);
                    sides.swap(at - 1, at);
                    is_better = true;
                }
            }
            items.iter().enumerate().for_each(|(at, item)| rank[*item] = at);
            draft.layers[layer] = items;
        }
        if !is_better {
            return;
        }
    }
}

/// Counts pairs of which the first is larger; both lists are sorted.
fn inversions(above: &[usize], below: &[usize]) -> u64 {
    let (mut count, mut at) = (0, 0);
    for end in above {
        while at < below.len() && below[at] < *end {
            at += 1;
        }
        count += at as u64;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_counted() {
        assert_eq!(inversions(&[0, 1, 2], &[3, 4]), 0);
        assert_eq!(inversions(&[3, 4], &[0, 1, 2]), 6);
        assert_eq!(inversions(&[1, 3], &[1, 2]), 2);
    }

    #[test]
    fn numbers_are_counted_up_to_a_bound() {
        let mut counts = Counts::new(5);
        [0, 2, 2, 4].into_iter().for_each(|number| counts.add(number));
        assert_eq!([0, 1, 2, 3, 4, 9].map(|bound| counts.up_to(bound)), [1, 1, 3, 3, 4, 4]);
    }
}
