//! Order, groups and weights.

use flow_core::{Dag, TaskIx};

use super::support::{drawn, good};

#[test]
fn tasks_stand_in_topological_order_ties_as_in_the_document() {
    let dag =
        good("tasks:\n- {id: load, needs: [clean]}\n- {id: other}\n- {id: clean, needs: [extract]}\n- {id: extract}\n");
    assert_eq!(drawn(&dag), ["other:", "extract:", "clean: extract", "load: clean"]);
    assert_eq!(dag.tasks[1].downstream, [TaskIx(2)]);
    assert_eq!(dag.leaves().collect::<Vec<_>>(), [TaskIx(0), TaskIx(3)]);
    assert_eq!(dag.roots().collect::<Vec<_>>(), [TaskIx(0), TaskIx(1)]);
}

#[test]
fn closures_leave_out_where_they_began() {
    let dag = good("tasks:\n- {id: a}\n- {id: b, needs: [a]}\n- {id: c, needs: [a]}\n- {id: d, needs: [b, c]}\n");
    let all: Vec<TaskIx> = (0..4).map(TaskIx::from).collect();
    assert_eq!(dag.downstream_closure(&all[..1]), all[1..]);
    assert_eq!(dag.upstream_closure(&all[3..]), all[..3]);
    assert_eq!(dag.upstream_closure(&all[1..3]), all[..1]);
    assert_eq!(dag.downstream_closure(&[]), []);
}

#[test]
fn needing_a_group_means_all_its_leaves_and_a_groups_needs_apply_to_its_roots() {
    let dag = good(
        "task_groups:\n  stage: {tooltip: hi, needs: [start], group_display_name: Stage}\n\
         tasks:\n- {id: start}\n- {id: a, group: stage}\n- {id: b, group: stage, needs: [a]}\n- {id: c, group: stage}\n- {id: end, needs: [stage]}\n",
    );
    assert_eq!(drawn(&dag), ["start:", "a: start", "b: a", "c: start", "end: b, c"]);
    assert_eq!(dag.groups[0].display_name.as_deref(), Some("Stage"));
    assert_eq!(dag.tasks[1].group, Some(0));
    assert_eq!(dag.tasks[0].group, None);
}

#[test]
fn groups_nest_and_inner_groups_are_drawn_first() {
    let dag = good(
        "task_groups:\n  outer: {needs: [start]}\n  inner: {parent: outer}\n  other: {parent: outer, needs: [inner]}\n\
         tasks:\n- {id: start}\n- {id: a, group: inner}\n- {id: b, group: inner}\n- {id: c, group: other}\n\
         - {id: d, group: outer, needs: [other]}\n- {id: end, needs: [outer]}\n",
    );
    assert_eq!(drawn(&dag), ["start:", "a: start", "b: start", "c: a, b", "d: c", "end: d"]);
    assert_eq!(dag.groups.iter().map(|group| group.parent).collect::<Vec<_>>(), [None, Some(0), Some(0)]);
}

#[test]
fn an_empty_group_makes_no_dependency() {
    let dag = good("task_groups: {g: {}}\ntasks:\n- {id: a, needs: [g]}\n");
    assert_eq!(drawn(&dag), ["a:"]);
}

fn weights(dag: &Dag) -> Vec<(&str, i64)> {
    dag.tasks.iter().map(|task| (task.id.as_str(), task.priority_weight)).collect()
}

#[test]
fn weights_add_up_along_the_graph_each_task_once() {
    let diamond = |rule: &str| {
        format!(
            "default_args: {{weight_rule: {rule}}}\ntasks:\n- {{id: a}}\n- {{id: b, needs: [a], priority_weight: 10}}\n\
             - {{id: c, needs: [a]}}\n- {{id: d, needs: [b, c], priority_weight: -2}}\n"
        )
    };
    assert_eq!(weights(&good(&diamond("downstream"))), [("a", 10), ("b", 8), ("c", -1), ("d", -2)]);
    assert_eq!(weights(&good(&diamond("upstream"))), [("a", 1), ("b", 11), ("c", 2), ("d", 10)]);
    assert_eq!(weights(&good(&diamond("absolute"))), [("a", 1), ("b", 10), ("c", 1), ("d", -2)]);
}

#[test]
fn weights_never_overflow() {
    let dag = good(
        "tasks:\n- {id: a, priority_weight: 9223372036854775807}\n- {id: b, needs: [a], priority_weight: 9223372036854775807}\n",
    );
    assert_eq!(weights(&dag), [("a", i64::from(i32::MAX)), ("b", i64::from(i32::MAX))]);
}
