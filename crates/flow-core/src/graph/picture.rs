//! What is drawn of a DAG: boxes, arrows and the frames around groups.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use crate::{
    dag::{Arg, Dag, Task},
    id::TaskIx,
};

/// More arrows than this are a black page, and megabytes: the groups are drawn folded then.
const ARROWS_MAX: usize = 50_000;

/// A graph to draw.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub boxes: Vec<Box>,
    pub arrows: Vec<Arrow>,
    /// By the index of the group; of a folded or empty one nothing is drawn.
    pub frames: Vec<Frame>,
}

/// A task, or a group that is folded.
#[derive(Clone, Debug)]
pub struct Box {
    pub label: String,
    /// The operator's name; of a group how many tasks it holds.
    pub kind: String,
    /// Index into [`Picture::frames`].
    pub frame: Option<usize>,
    pub stands_for: Member,
    /// How many tasks it stands for.
    pub tasks: usize,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    Task(TaskIx),
    /// Index into [`Dag::groups`].
    Group(usize),
}

/// A dependency. Goes from a lower index to a higher one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    /// When the way is taken.
    pub label: Option<String>,
    /// It points from `to` to `from`: folded groups may depend on each other both ways.
    pub is_back: bool,
}

impl From<(usize, usize)> for Arrow {
    fn from((from, to): (usize, usize)) -> Self {
        Self { from, to, ..Self::default() }
    }
}

/// A task group.
#[derive(Clone, Debug)]
pub struct Frame {
    pub label: String,
    /// Index into [`Picture::frames`].
    pub parent: Option<usize>,
}

/// Returns the wanted groups that are in no other wanted one: those of which a box is seen.
pub fn outermost(dag: &Dag, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<usize> {
    let wanted: Vec<bool> = dag.groups.iter().map(|group| is_wanted(&group.id)).collect();
    let is_inside = |group: usize| ancestors(dag, dag.groups[group].parent).any(|outer| wanted[outer]);
    (0..wanted.len()).filter(|group| wanted[*group] && !is_inside(*group)).collect()
}

/// Returns a group and those around it, the innermost first.
fn ancestors(dag: &Dag, group: Option<usize>) -> impl Iterator<Item = usize> + '_ {
    let parent = move |at: &usize| dag.groups.get(*at).and_then(|group| group.parent);
    std::iter::successors(group, parent).take(dag.groups.len())
}

impl Picture {
    /// Takes from a DAG what is drawn. Each folded group is one box, with the arrows of its tasks merged.
    pub fn of(dag: &Dag, folded: &BTreeSet<usize>) -> Self {
        let picture = Self::take(dag, folded);
        if picture.arrows.len() <= ARROWS_MAX || dag.groups.is_empty() {
            return picture.with_fewer_arrows();
        }
        Self::take(dag, &outermost(dag, |_| true)).with_fewer_arrows()
    }

    fn take(dag: &Dag, folded: &BTreeSet<usize>) -> Self {
        let member = |at: usize, task: &Task| {
            let group = ancestors(dag, task.group).filter(|group| folded.contains(group)).last();
            group.map_or(Member::Task(TaskIx::from(at)), Member::Group)
        };
        let members: Vec<Member> = dag.tasks.iter().enumerate().map(|(at, task)| member(at, task)).collect();
        let mut index: BTreeMap<Member, usize> = BTreeMap::new();
        let mut firsts: Vec<(Member, usize)> = Vec::new();
        for member in &members {
            let at = *index.entry(*member).or_insert_with(|| {
                firsts.push((*member, 0));
                firsts.len() - 1
            });
            firsts[at].1 += 1;
        }
        // The label of an arrow that stands for several is what they all say.
        let mut labels: BTreeMap<(usize, usize), Option<&str>> = BTreeMap::new();
        for (to, task) in dag.tasks.iter().enumerate() {
            for from in &task.upstream {
                let ends = (index[&members[from.index()]], index[&members[to]]);
                let label = label(dag.task(*from), task);
                if ends.0 != ends.1 {
                    labels.entry(ends).and_modify(|known| *known = known.filter(|_| *known == label)).or_insert(label);
                }
            }
        }
        let place = order(firsts.len(), labels.keys().copied());
        let mut boxes: Vec<(usize, Box)> =
            firsts.iter().enumerate().map(|(at, (member, tasks))| (place[at], boxed(dag, *member, *tasks))).collect();
        boxes.sort_by_key(|(place, _)| *place);
        let arrow = |((from, to), label): (&(usize, usize), &Option<&str>)| {
            let (from, to) = (place[*from], place[*to]);
            Arrow { from: from.min(to), to: from.max(to), label: label.map(str::to_owned), is_back: from > to }
        };
        let mut arrows: Vec<Arrow> = labels.iter().map(arrow).collect();
        arrows.sort_by_key(|arrow| (arrow.from, arrow.to, arrow.is_back));
        let frames = dag.groups.iter().map(|group| Frame {
            label: group.display_name.clone().unwrap_or_else(|| group.id.clone()),
            parent: group.parent,
        });
        Self { boxes: boxes.into_iter().map(|(_, one)| one).collect(), arrows, frames: frames.collect() }
    }

    /// Without groups to fold nothing helps but to leave some out.
    fn with_fewer_arrows(mut self) -> Self {
        self.arrows.truncate(ARROWS_MAX);
        self
    }

    /// Returns a frame and the frames around it, the outermost first.
    pub fn path(&self, frame: Option<usize>) -> Vec<usize> {
        let parent = |at: &usize| self.frames.get(*at).and_then(|frame| frame.parent);
        let mut path: Vec<usize> = std::iter::successors(frame, parent).take(self.frames.len()).collect();
        path.reverse();
        path
    }
}

fn boxed(dag: &Dag, member: Member, tasks: usize) -> Box {
    match member {
        Member::Task(ix) => {
            let task = dag.task(ix);
            Box {
                label: task.display_name.clone().unwrap_or_else(|| task.id.to_string()),
                kind: task.operator.clone(),
                frame: task.group,
                stands_for: member,
                tasks,
            }
        }
        Member::Group(at) => {
            let group = &dag.groups[at];
            Box {
                label: group.display_name.clone().unwrap_or_else(|| group.id.clone()),
                kind: if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") },
                frame: group.parent,
                stands_for: member,
                tasks,
            }
        }
    }
}

/// Says when a branch goes on with a task, where its text tells.
fn label(branch: &Task, next: &Task) -> Option<&'static str> {
    let names = |key: &str| {
        let arg = branch.with.iter().find(|(name, _)| name == key).map(|(_, arg)| arg);
        match arg {
            Some(Arg::Value(serde_json::Value::Array(items))) => items.iter().any(|item| item == next.id.as_str()),
            Some(Arg::Value(one)) => one == next.id.as_str(),
            Some(Arg::List(_) | Arg::Map(_) | Arg::Template { .. } | Arg::XCom { .. }) | None => false,
        }
    };
    match (names("follow_task_ids_if_true"), names("follow_task_ids_if_false")) {
        (true, false) => Some("true"),
        (false, true) => Some("false"),
        (true, true) | (false, false) => None,
    }
}

/// Returns the place of each node when every one comes after what it depends on; of those that depend on each other,
/// the first comes first.
fn order(count: usize, arrows: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let (mut next, mut waits_for) = (vec![Vec::new(); count], vec![0; count]);
    for (from, to) in arrows {
        next[from].push(to);
        waits_for[to] += 1;
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count).filter(|node| waits_for[*node] == 0).map(Reverse).collect();
    let mut place = vec![usize::MAX; count];
    let (mut placed, mut first) = (0, 0);
    while placed < count {
        let node = ready.pop().map(|Reverse(node)| node).unwrap_or_else(|| {
            while place[first] != usize::MAX {
                first += 1;
            }
            first
        });
        if place[node] != usize::MAX {
            continue;
        }
        place[node] = placed;
        placed += 1;
        for other in &next[node] {
            waits_for[*other] -= 1;
            if waits_for[*other] == 0 {
                ready.push(Reverse(*other));
            }
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Catalog, OperatorSpec},
        dag::{Source, parse},
    };

    fn dag(text: &str) -> Dag {
        let spec = |name, is_branch| OperatorSpec {
            name,
            class: "",
            summary: "",
            templated: &[],
            is_sensor: false,
            is_branch,
            is_inline: false,
            check: |_| Vec::new(),
            schema: || serde_json::Value::Null,
        };
        let catalog = Catalog::new(vec![spec("work", false), spec("branch_datetime", true)]);
        let parsed = parse(&Source { text, stem: "x", ..Source::default() }, &catalog);
        parsed.dags.into_iter().next().map(|parsed| parsed.dag).ok_or(parsed.diagnostics).unwrap()
    }

    const GROUPS: &str = "
task_groups: { out: {}, in: { parent: out }, other: {} }
tasks:
  - { id: start, uses: work }
  - { id: a, uses: work, group: out, needs: [start] }
  - { id: b, uses: work, group: in, needs: [a] }
  - { id: c, uses: work, group: other, needs: [a] }
  - { id: d, uses: work, group: in, needs: [c] }
  - { id: end, uses: work, needs: [b, d] }
";

    #[track_caller]
    fn check(text: &str, folded: &[&str], expected: &[&str]) {
        let dag = dag(text);
        let picture = Picture::of(&dag, &outermost(&dag, |id| folded.contains(&id)));
        let name = |at: usize| picture.boxes[at].label.clone();
        let mut found: Vec<String> = picture
            .arrows
            .iter()
            .map(|arrow| {
                let label = arrow.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
                let (from, to) = if arrow.is_back { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
                assert!(arrow.from < arrow.to);
                format!("{} > {}{label}", name(from), name(to))
            })
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_folded_is_every_task_and_dependency() {
        check(GROUPS, &[], &["a > b", "a > c", "b > end", "c > d", "d > end", "start > a"]);
    }

    #[test]
    fn a_folded_group_is_one_box_and_its_arrows_are_merged() {
        check(GROUPS, &["in"], &["a > c", "a > in", "c > in", "in > end", "start > a"]);
        check(GROUPS, &["other"], &["a > b", "a > other", "b > end", "d > end", "other > d", "start > a"]);
    }

    #[test]
    fn the_outermost_of_folded_groups_is_seen_and_arrows_may_go_both_ways() {
        let both = ["other > out", "out > end", "out > other", "start > out"];
        check(GROUPS, &["out", "in", "other"], &both);
        let dag = dag(GROUPS);
        let picture = Picture::of(&dag, &outermost(&dag, |_| true));
        let tasks: Vec<(&str, usize)> = picture.boxes.iter().map(|one| (one.label.as_str(), one.tasks)).collect();
        assert_eq!(tasks, [("start", 1), ("out", 3), ("other", 1), ("end", 1)]);
        assert_eq!(picture.arrows.iter().filter(|arrow| arrow.is_back).count(), 1);
    }

    #[test]
    fn the_ways_of_a_branch_have_labels() {
        let text = "
task_groups: { heavy: {} }
tasks:
  - { id: which, uses: branch_datetime, with: { follow_task_ids_if_true: [x, y], follow_task_ids_if_false: z } }
  - { id: x, uses: work, needs: [which], group: heavy }
  - { id: y, uses: work, needs: [which], group: heavy }
  - { id: z, uses: work, needs: [which] }
";
        check(text, &[], &["which > x (true)", "which > y (true)", "which > z (false)"]);
        check(text, &["heavy"], &["which > heavy (true)", "which > z (false)"]);
    }
}
