//! Ways between two layers: each arrow that changes its row goes up or down on a track.
//!
//! Arrows with the same ends share a track, as do those that go to the same one place. Tracks are in an order in which
//! few arrows cross, and none runs for a while on top of another one that it has nothing to do with.

use std::collections::BTreeMap;

/// Between layers with more ways than this, only neighbouring tracks are compared.
const COMPARED_MAX: usize = 48;

/// Rounds of looking for a better order.
const ROUNDS: usize = 4;

/// What it costs when an arrow runs on top of another, in crossings.
const ON_TOP: usize = 50;

/// The tracks between two layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracks {
    /// Of each start, by its index; `None` when it goes straight on.
    pub(super) of: BTreeMap<usize, usize>,
    /// How many there are.
    pub(super) count: usize,
}

/// Starts that lead to the same ends.
#[derive(Debug)]
struct Way {
    starts: Vec<usize>,
    /// Rows of the starts and ends, by their order among all rows; sorted.
    sources: Vec<usize>,
    targets: Vec<usize>,
    /// From the first row to the last.
    first: usize,
    last: usize,
}

/// Finds tracks. `starts`: index, row and the rows of the ends of each. Rows nearer than `apart` look like one.
pub(super) fn find(starts: impl Iterator<Item = (usize, i32, Vec<i32>)>, apart: i32) -> Tracks {
    let starts: Vec<(usize, i32, Vec<i32>)> = starts.collect();
    let mut rows: Vec<i32> = starts.iter().flat_map(|(_, row, ends)| ends.iter().chain([row])).copied().collect();
    rows.sort_unstable();
    rows.dedup();
    let mut places = vec![0; rows.len()];
    for at in 1..rows.len() {
        places[at] = places[at - 1] + usize::from(rows[at] - rows[at - 1] >= apart);
    }
    let place = |row: i32| rows.binary_search(&row).map_or(0, |at| places[at]);
    let mut shared: BTreeMap<Vec<i32>, Vec<(usize, i32)>> = BTreeMap::new();
    for (start, row, mut ends) in starts {
        ends.sort_unstable();
        ends.dedup();
        shared.entry(ends).or_default().push((start, row));
    }
    let mut ways: Vec<Way> = Vec::with_capacity(shared.len());
    for (ends, starts) in shared {
        let is_straight = starts.len() == 1 && ends.len() == 1 && ends[0] == starts[0].1;
        if ends.is_empty() || is_straight {
            continue;
        }
        let sorted = |mut rows: Vec<usize>| {
            rows.sort_unstable();
            rows
        };
        let sources = sorted(starts.iter().map(|(_, row)| place(*row)).collect());
        let targets: Vec<usize> = ends.iter().map(|row| place(*row)).collect();
        let first = sources[0].min(targets[0]);
        let last = sources[sources.len() - 1].max(targets[targets.len() - 1]);
        ways.push(Way { starts: starts.into_iter().map(|(start, _)| start).collect(), sources, targets, first, last });
    }
    sort(&mut ways);
    lay(&ways, places.last().map_or(0, |last| last + 1))
}

/// Says what it costs when one way is left of another.
fn cost(left: &Way, right: &Way) -> usize {
    if left.last < right.first || right.last < left.first {
        return 0;
    }
    let crossings = |rows: &[usize], way: &Way| {
        let before_last = rows.partition_point(|row| *row < way.last);
        before_last.saturating_sub(rows.partition_point(|row| *row <= way.first))
    };
    // An end of the left one reaches over to where the right one begins.
    let on_top = left.targets.iter().filter(|row| right.sources.binary_search(row).is_ok()).count();
    crossings(&left.targets, right) + crossings(&right.sources, left) + ON_TOP * on_top
}

/// Puts the ways in order, from left to right.
fn sort(ways: &mut [Way]) {
    // What goes down turns the sooner the lower it starts, what goes up the sooner the higher.
    ways.sort_by_key(|way| {
        let (source, target): (usize, usize) = (way.sources.iter().sum(), way.targets.iter().sum());
        let (source, target) = (source / way.sources.len(), target / way.targets.len());
        (target < source, if target < source { source } else { usize::MAX - source })
    });
    if ways.len() > COMPARED_MAX {
        for _ in 0..ROUNDS {
            for at in 1..ways.len() {
                if cost(&ways[at], &ways[at - 1]) < cost(&ways[at - 1], &ways[at]) {
                    ways.swap(at - 1, at);
                }
            }
        }
        return;
    }
    for _ in 0..ROUNDS {
        let mut is_better = false;
        for at in 0..ways.len() {
            // Where it would cost least, with the others as they are.
            let (mut best, mut change) = (at, 0_i64);
            let gain = |left: usize, right: usize| {
                let number = |cost: usize| i64::try_from(cost).unwrap_or(i64::MAX);
                number(cost(&ways[right], &ways[left])) - number(cost(&ways[left], &ways[right]))
            };
            let mut sum = 0;
            for other in (0..at).rev() {
                sum += gain(other, at);
                if sum < change {
                    (best, change) = (other, sum);
                }
            }
            sum = 0;
            for other in at + 1..ways.len() {
                sum += gain(at, other);
                if sum < change {
                    (best, change) = (other, sum);
                }
            }
            if best < at {
                ways[best..=at].rotate_right(1);
            } else if best > at {
                ways[at..=best].rotate_left(1);
            }
            is_better |= best != at;
        }
        if !is_better {
            return;
        }
    }
}

/// Gives each way the first track right of all that it overlaps with and that come before it.
fn lay(ways: &[Way], rows: usize) -> Tracks {
    let mut tracks = Tracks::default();
    let mut taken = vec![0; rows];
    for way in ways {
        let track = taken[way.first..=way.last].iter().copied().max().unwrap_or(0);
        taken[way.first..=way.last].fill(track + 1);
        tracks.count = tracks.count.max(track + 1);
        tracks.of.extend(way.starts.iter().map(|start| (*start, track)));
    }
    tracks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(starts: &[(i32, &[i32])], expected: &[Option<usize>]) {
        let starts: Vec<(usize, i32, Vec<i32>)> =
            starts.iter().enumerate().map(|(at, (row, ends))| (at, *row, ends.to_vec())).collect();
        let count = starts.len();
        let tracks = find(starts.into_iter(), 6);
        let found: Vec<Option<usize>> = (0..count).map(|at| tracks.of.get(&at).copied()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_goes_straight_needs_no_track() {
        check(&[(10, &[10]), (50, &[50])], &[None, None]);
    }

    #[test]
    fn ways_that_do_not_meet_share_a_track() {
        check(&[(10, &[20]), (50, &[60])], &[Some(0), Some(0)]);
    }

    #[test]
    fn ways_down_turn_the_sooner_the_lower_they_start() {
        check(&[(10, &[50]), (20, &[60]), (30, &[70])], &[Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn ways_up_turn_the_sooner_the_higher_they_start() {
        check(&[(50, &[10]), (60, &[20]), (70, &[30])], &[Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn starts_with_the_same_ends_share_a_track() {
        check(&[(10, &[40]), (20, &[40]), (60, &[40])], &[Some(0), Some(0), Some(0)]);
        check(&[(10, &[10, 20]), (20, &[10, 20])], &[Some(0), Some(0)]);
    }

    #[test]
    fn no_way_ends_on_the_row_of_another_before_that_has_turned() {
        // The second starts where the first ends, so it turns first.
        check(&[(10, &[50]), (50, &[10, 90])], &[Some(1), Some(0)]);
        check(&[(50, &[10]), (10, &[50, 0])], &[Some(1), Some(0)]);
    }
}
