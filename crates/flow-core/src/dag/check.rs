//! Rules across tasks: names that must exist, groups, branches, and the graph that comes of it.
//!
//! Takes a [`Draft`], whose tasks know each other by name only, and makes the [`Dag`] whose tasks stand in
//! topological order. Groups are boxes: `needs` on a group means all its leaves, and a group's own `needs`
//! apply to its roots.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Dag, Dialect, TaskGroup,
    diagnostic::Complaints,
    graph::{self, Edges},
    lower::{Draft, DraftGroup, Named},
    nearest,
    place::Place,
};
use crate::{id::TaskIx, state::TriggerRule};

/// Most dependencies of the DAGs of a file; two large groups that need each other's all make the product of their sizes.
const MAX_EDGES: usize = 1_000_000;

/// Deepest nesting of groups.
const MAX_GROUP_DEPTH: usize = 64;

/// Most groups of a DAG.
const MAX_GROUPS: usize = 10_000;

/// What a name in `needs` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Task(usize),
    Group(usize),
}

/// A dependency as it is written.
#[derive(Clone, Copy, Debug)]
struct Relation {
    upstream: Item,
    downstream: Item,
    place: Place,
}

/// Checks a draft and finishes it. `None` when its graph cannot be drawn. `before`: how many errors there were
/// before its document. `drawn`: dependencies of the file so far.
pub(crate) fn finish(draft: Draft, before: usize, drawn: &mut usize, complaints: &mut Complaints<'_>) -> Option<Dag> {
    if let Some(group) = draft.groups.get(MAX_GROUPS) {
        complaints.error(group.id.place, format!("a DAG may have {MAX_GROUPS} groups"));
        return None;
    }
    let mut world = World::new(&draft, complaints);
    let relations = world.relations();
    let edges = world.edges(&relations, drawn);
    let (task_groups, parents) = (world.task_groups, world.parents);
    if let Some(edges) = &edges {
        check_branches(&draft, edges, complaints);
    }
    check_fail_fast(&draft, complaints);
    let ids: Vec<&str> = draft.tasks.iter().map(|task| task.task.id.as_str()).collect();
    let order = edges.as_ref().map(graph::order);
    if let Some(Err(cycles)) = &order {
        for cycle in cycles {
            let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|task| ids[*task]).collect();
            let place = place_of_cycle(&relations, cycle, &draft);
            complaints.error(place, format!("dependency cycle: {}", shorten(&names)));
        }
    }
    if draft.tasks.is_empty() && complaints.errors() == before {
        complaints.warning(draft.id_place, "this DAG has no tasks", None);
    }
    let (Some(edges), Some(Ok(order))) = (edges, order) else { return None };
    Some(assemble(draft, edges, &order, &task_groups, &parents))
}

/// Writes a path with arrows, its middle left out when it is long.
fn shorten(names: &[&str]) -> String {
    const ENDS: usize = 6;
    if names.len() <= 2 * ENDS {
        return names.join(" → ");
    }
    let hidden = names.len() - 2 * ENDS;
    let (head, tail) = (&names[..ENDS], &names[names.len() - ENDS..]);
    format!("{} → … {hidden} more … → {}", head.join(" → "), tail.join(" → "))
}

/// Returns the place of a `needs` that closes the cycle.
fn place_of_cycle(relations: &[Relation], cycle: &[usize], draft: &Draft) -> Place {
    let (first, last) = (cycle.first().copied().unwrap_or(0), cycle.last().copied().unwrap_or(0));
    let written = relations
        .iter()
        .find(|relation| relation.downstream == Item::Task(first) && relation.upstream == Item::Task(last));
    written.map_or(draft.tasks[first].id_place, |relation| relation.place)
}

/// The names of a document and who is in which group.
struct World<'d, 'c, 't> {
    draft: &'d Draft,
    complaints: &'c mut Complaints<'t>,
    names: BTreeMap<&'d str, Item>,
    /// The group of each group.
    parents: Vec<Option<usize>>,
    /// The group of each task.
    task_groups: Vec<Option<usize>>,
    /// How deep each group is nested, from 1.
    depths: Vec<usize>,
}

impl<'d, 'c, 't> World<'d, 'c, 't> {
    fn new(draft: &'d Draft, complaints: &'c mut Complaints<'t>) -> Self {
        let mut world = Self {
            draft,
            complaints,
            names: BTreeMap::new(),
            parents: vec![None; draft.groups.len()],
            task_groups: vec![None; draft.tasks.len()],
            depths: vec![1; draft.groups.len()],
        };
        world.name_all();
        world.nest_groups();
        world.place_tasks();
        world
    }

    fn name_all(&mut self) {
        let tasks = self.draft.tasks.iter().enumerate().map(|(ix, task)| (task.task.id.as_str(), task.id_place, ix));
        for (id, place, ix) in tasks {
            if let Some(Item::Task(first)) = self.names.get(id) {
                let (line, _) = self.complaints.lines.position(self.draft.tasks[*first].id_place.start);
                let help = Some(format!("the first is on line {line}"));
                self.complaints.error_with(place, format!("there are two tasks `{id}`"), help);
            } else {
                self.names.insert(id, Item::Task(ix));
            }
        }
        for (ix, group) in self.draft.groups.iter().enumerate() {
            let id = group.id.name.as_str();
            if self.names.contains_key(id) {
                self.complaints.error(group.id.place, format!("`{id}` is the id of a task and of a group"));
            } else {
                self.names.insert(id, Item::Group(ix));
            }
        }
    }

    fn group_named(&mut self, named: &Named) -> Option<usize> {
        match self.names.get(named.name.as_str()) {
            Some(Item::Group(ix)) => return Some(*ix),
            Some(Item::Task(_)) => {
                self.complaints.error(named.place, format!("`{}` is a task, not a group", named.name));
            }
            None => {
                let known: Vec<&str> = self.draft.groups.iter().map(|group| group.id.name.as_str()).collect();
                let help = match known.is_empty() {
                    true => Some("groups are listed in `task_groups` of the DAG".to_owned()),
                    false if !self.complaints.wants_help() => None,
                    false => nearest::meant_or_known(&named.name, &known, 8),
                };
                self.complaints.error_with(named.place, format!("group `{}` does not exist", named.name), help);
            }
        }
        None
    }

    fn nest_groups(&mut self) {
        let draft: &'d Draft = self.draft;
        for (ix, group) in draft.groups.iter().enumerate() {
            self.parents[ix] = group.parent.as_ref().and_then(|parent| self.group_named(parent));
        }
        let place_of = |group: &DraftGroup| group.parent.as_ref().map_or(group.id.place, |parent| parent.place);
        for (ix, group) in draft.groups.iter().enumerate() {
            let up = std::iter::successors(self.parents[ix], |at| self.parents[*at]);
            // Who leads into a circle without being part of it is left to its members.
            if up.take(draft.groups.len()).any(|at| at == ix) {
                self.complaints.error(place_of(group), format!("group `{}` is inside itself", group.id.name));
                self.parents[ix] = None;
            }
        }
        for (ix, group) in draft.groups.iter().enumerate() {
            let up = std::iter::successors(self.parents[ix], |at| self.parents[*at]);
            self.depths[ix] = 1 + up.take(MAX_GROUP_DEPTH).count();
            if self.depths[ix] > MAX_GROUP_DEPTH {
                self.complaints.error(place_of(group), format!("groups are nested more than {MAX_GROUP_DEPTH} deep"));
                self.parents[ix] = None;
                self.depths[ix] = 1;
            }
        }
    }

    fn place_tasks(&mut self) {
        let draft: &'d Draft = self.draft;
        for (ix, task) in draft.tasks.iter().enumerate() {
            self.task_groups[ix] = task.group.as_ref().and_then(|group| self.group_named(group));
        }
    }

    /// Resolves every name in `needs` and `$x`.
    fn relations(&mut self) -> Vec<Relation> {
        let draft: &'d Draft = self.draft;
        let mut relations = Vec::new();
        for (ix, task) in draft.tasks.iter().enumerate() {
            let who = format!("task `{}`", task.task.id);
            for need in &task.needs {
                if let Some(upstream) = self.need(need, &who, "depends on") {
                    self.relate(upstream, Item::Task(ix), need.place, &mut relations);
                }
            }
            for (id, place) in &task.references {
                let named = Named { name: id.as_str().to_owned(), place: *place };
                match self.need(&named, &who, "takes a result of") {
                    Some(Item::Group(_)) => {
                        self.complaints.error(*place, format!("`{id}` is a group, and only a task has a result"));
                    }
                    Some(upstream) => self.relate(upstream, Item::Task(ix), *place, &mut relations),
                    None => {}
                }
            }
        }
        for (ix, group) in draft.groups.iter().enumerate() {
            let who = format!("group `{}`", group.id.name);
            for need in &group.needs {
                if let Some(upstream) = self.need(need, &who, "depends on") {
                    self.relate(upstream, Item::Group(ix), need.place, &mut relations);
                }
            }
        }
        relations
    }

    fn need(&mut self, named: &Named, who: &str, verb: &str) -> Option<Item> {
        let found = self.names.get(named.name.as_str()).copied();
        if found.is_none() {
            let wanted = self.complaints.wants_help();
            let help = wanted.then(|| nearest::did_you_mean(&named.name, self.names.keys().copied())).flatten();
            let message = format!("{who} {verb} `{}`, which does not exist", named.name);
            self.complaints.error_with(named.place, message, help);
        }
        found
    }

    fn relate(&mut self, upstream: Item, downstream: Item, place: Place, relations: &mut Vec<Relation>) {
        let name = |item: Item| match item {
            Item::Task(ix) => format!("task `{}`", self.draft.tasks[ix].task.id),
            Item::Group(ix) => format!("group `{}`", self.draft.groups[ix].id.name),
        };
        if upstream == downstream {
            self.complaints.error(place, format!("{} depends on itself", name(downstream)));
        } else if let Some(outer) = self.contains(upstream, downstream) {
            let message = format!("{} is inside group `{outer}` and cannot depend on it", name(downstream));
            self.complaints.error(place, message);
        } else if let Some(outer) = self.contains(downstream, upstream) {
            let message = format!("group `{outer}` cannot depend on {}, which is inside it", name(upstream));
            self.complaints.error(place, message);
        } else {
            relations.push(Relation { upstream, downstream, place });
        }
    }

    fn group_of(&self, item: Item) -> Option<usize> {
        match item {
            Item::Task(ix) => self.task_groups[ix],
            Item::Group(ix) => self.parents[ix],
        }
    }

    /// Returns the name of `outer` if it is a group around `inner`.
    fn contains(&self, outer: Item, inner: Item) -> Option<&'d str> {
        let Item::Group(group) = outer else { return None };
        let mut at = self.group_of(inner);
        while let Some(ix) = at {
            if ix == group {
                return Some(&self.draft.groups[group].id.name);
            }
            at = self.parents[ix];
        }
        None
    }

    /// Returns the innermost group around both ends.
    fn around(&self, relation: &Relation) -> Option<usize> {
        let (mut a, mut b) = (self.group_of(relation.upstream), self.group_of(relation.downstream));
        while a != b {
            let depth = |group: Option<usize>| group.map_or(0, |ix| self.depths[ix]);
            if depth(a) >= depth(b) {
                a = a.and_then(|ix| self.parents[ix]);
            } else {
                b = b.and_then(|ix| self.parents[ix]);
            }
        }
        a
    }

    /// Draws the edges, from the innermost groups outwards: what a group's leaves and roots are is known once
    /// everything inside it is drawn.
    fn edges(&mut self, relations: &[Relation], drawn: &mut usize) -> Option<Edges> {
        let mut edges = Edges::new(self.draft.tasks.len());
        let mut by_group: BTreeMap<Option<usize>, Vec<&Relation>> = BTreeMap::new();
        for relation in relations {
            by_group.entry(self.around(relation)).or_default().push(relation);
        }
        let mut order: Vec<Option<usize>> = (0..self.draft.groups.len()).map(Some).collect();
        order.sort_by_key(|group| std::cmp::Reverse(group.map_or(0, |ix| self.depths[ix])));
        order.push(None);
        let members = self.members();
        let mut leaves: Vec<Vec<usize>> = vec![Vec::new(); self.draft.groups.len()];
        let mut roots = leaves.clone();
        for group in order {
            for relation in by_group.get(&group).into_iter().flatten() {
                let (from, to) = (ends(&relation.upstream, &leaves), ends(&relation.downstream, &roots));
                // Those drawn more than once count each time: they cost as much.
                *drawn = drawn.saturating_add(from.len().saturating_mul(to.len()));
                if *drawn > MAX_EDGES {
                    let message = format!("the DAGs of this file have more than {MAX_EDGES} dependencies");
                    self.complaints.error(relation.place, message);
                    return None;
                }
                for upstream in from {
                    for downstream in to {
                        edges.add(*upstream, *downstream);
                    }
                }
            }
            if let Some(ix) = group {
                let inside: BTreeSet<usize> = members[ix].iter().copied().collect();
                let ends = |next: &dyn Fn(usize) -> Vec<usize>| -> Vec<usize> {
                    let is_end = |task: &usize| !next(*task).iter().any(|other| inside.contains(other));
                    members[ix].iter().copied().filter(|task| is_end(task)).collect()
                };
                leaves[ix] = ends(&|task| edges.downstream_of(task));
                roots[ix] = ends(&|task| edges.upstream_of(task));
            }
        }
        Some(edges)
    }

    /// Returns the tasks in each group, those of inner groups too.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.draft.groups.len()];
        for (task, group) in self.task_groups.iter().enumerate() {
            let mut at = *group;
            while let Some(ix) = at {
                members[ix].push(task);
                at = self.parents[ix];
            }
        }
        members
    }
}

/// Returns the tasks that an item stands for.
fn ends<'a>(item: &'a Item, of_groups: &'a [Vec<usize>]) -> &'a [usize] {
    match item {
        Item::Task(ix) => std::slice::from_ref(ix),
        Item::Group(ix) => &of_groups[*ix],
    }
}

/// A branch that names a task which is not directly downstream fails when it runs; the Flow dialect says so now.
fn check_branches(draft: &Draft, edges: &Edges, complaints: &mut Complaints<'_>) {
    if draft.dag.dialect == Dialect::Airflow {
        return;
    }
    for (ix, task) in draft.tasks.iter().enumerate().filter(|(_, task)| !task.targets.is_empty()) {
        let downstream: BTreeSet<&str> =
            edges.downstream_of(ix).into_iter().map(|ix| draft.tasks[ix].task.id.as_str()).collect();
        for target in task.targets.iter().filter(|target| !downstream.contains(target.name.as_str())) {
            let message =
                format!("task `{}` chooses `{}`, which is not directly downstream of it", task.task.id, target.name);
            let known: Vec<&str> = downstream.iter().copied().collect();
            let help = match downstream.is_empty() {
                true => Some(format!("no task has `needs: [{}]`", task.task.id)),
                false if !complaints.wants_help() => None,
                false => nearest::meant_or_known(&target.name, &known, 8),
            };
            complaints.error_with(target.place, message, help);
        }
    }
}

fn check_fail_fast(draft: &Draft, complaints: &mut Complaints<'_>) {
    if !draft.dag.fail_fast {
        return;
    }
    for task in draft.tasks.iter().filter(|task| task.task.trigger_rule != TriggerRule::AllSuccess) {
        let message =
            format!("with `fail_fast` every task has the rule `all_success`, not `{}`", task.task.trigger_rule);
        complaints.error(task.rule_place.unwrap_or(task.id_place), message);
    }
}

/// Puts tasks in order and turns names into indexes.
fn assemble(
    draft: Draft,
    edges: Edges,
    order: &[usize],
    task_groups: &[Option<usize>],
    parents: &[Option<usize>],
) -> Dag {
    let mut new_ix = vec![TaskIx(0); order.len()];
    for (at, old) in order.iter().enumerate() {
        new_ix[*old] = TaskIx::from(at);
    }
    let weights = graph::weights(&edges, order, &draft.tasks);
    let renumber = |tasks: Vec<usize>| {
        let mut tasks: Vec<TaskIx> = tasks.into_iter().map(|old| new_ix[old]).collect();
        tasks.sort_unstable();
        tasks
    };
    let mut drafts: Vec<_> = draft.tasks.into_iter().map(Some).collect();
    let mut dag = draft.dag;
    dag.tasks = order
        .iter()
        .filter_map(|old| {
            let mut task = drafts[*old].take()?.task;
            task.upstream = renumber(edges.upstream_of(*old));
            task.downstream = renumber(edges.downstream_of(*old));
            task.group = task_groups[*old];
            task.priority_weight = weights[*old];
            Some(task)
        })
        .collect();
    // It stays in memory for as long as the DAG does.
    dag.tasks.shrink_to_fit();
    dag.groups = draft
        .groups
        .into_iter()
        .zip(parents)
        .map(|(group, parent)| TaskGroup {
            id: group.id.name,
            parent: *parent,
            tooltip: group.tooltip,
            display_name: group.display_name,
        })
        .collect();
    dag
}
