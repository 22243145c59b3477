//! Chooses which of its direct downstream tasks go on.

use anyhow::anyhow;
use flow_core::{TaskId, run::Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
    values::OneOrMany,
};

/// `uses: branch`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The task to go on with, or a list of tasks; empty skips all. A text such as `['a', 'b']` is a list too.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(required)]
    choose: Option<OneOrMany>,
}

impl Operator for Branch {
    const NAME: &'static str = "branch";
    const SUMMARY: &'static str = "Chooses which of its direct downstream tasks go on; the others are skipped.";
    const TEMPLATED: &'static [&'static str] = &["choose"];
    const IS_BRANCH: bool = true;
    const EXAMPLE: &'static str = "\
id: which
uses: branch
with:
  choose: \"{{ 'full' if params.everything else 'delta' }}\"
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let chosen = self.choose.unwrap_or(OneOrMany { items: Vec::new(), is_list: true });
        std::future::ready(follow(cx, &listed(chosen))).await
    }
}

/// A template renders a list as text: reads it back.
fn listed(chosen: OneOrMany) -> OneOrMany {
    let [text] = chosen.items.as_slice() else { return chosen };
    let text = text.trim();
    if chosen.is_list {
        return chosen;
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let items = inner.split(',').map(|item| item.trim().trim_matches(['"', '\'']).to_owned());
        return OneOrMany { items: items.filter(|item| !item.is_empty()).collect(), is_list: true };
    }
    match text {
        "" | "None" | "none" | "null" => OneOrMany { items: Vec::new(), is_list: true },
        one => OneOrMany { items: vec![one.to_owned()], is_list: false },
    }
}

/// Goes on with these. Pushes the choice as the result only when it skips nothing, as Airflow does.
pub(super) fn follow(cx: &TaskContext, chosen: &OneOrMany) -> Result<Done, OperatorError> {
    let follow: Vec<TaskId> = chosen.items.iter().map(TaskId::new).collect();
    if cx.airflow_dialect {
        if let Some(stranger) = follow.iter().find(|id| cx.dag.task_ix(id).is_none()) {
            return Err(OperatorError::retry(anyhow!("there is no task `{stranger}` in the DAG")));
        }
    } else if let Some(stranger) = follow.iter().find(|id| !cx.downstream.contains(id)) {
        let choices: Vec<_> = cx.downstream.iter().map(|task| format!("`{task}`")).collect();
        let choices = if choices.is_empty() { "none".to_owned() } else { choices.join(", ") };
        return Err(OperatorError::fatal(anyhow!(
            "`{stranger}` is not a direct downstream task (there are: {choices})"
        )));
    }
    let this = cx.dag.tasks.iter().find(|task| task.id == cx.identity.task_id);
    let followed = this.map_or_else(Vec::new, |this| cx.dag.followed(this, &follow));
    let skipped: Vec<_> = cx.downstream.iter().filter(|task| !followed.contains(task)).collect();
    let words = |ids: &[&str]| if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") };
    let following: Vec<_> = chosen.items.iter().map(String::as_str).collect();
    let skipping: Vec<_> = skipped.iter().map(|task| task.as_str()).collect();
    let sentence = format!("following {}; skipping {}\n", words(&following), words(&skipping));
    cx.log.write(Stream::Info, sentence.as_bytes());

    let result = match chosen.items.as_slice() {
        _ if !skipped.is_empty() => Value::Null,
        [one] if !chosen.is_list => json!(one),
        several => json!(several),
    };
    Ok(Done { result, ..Done::new(Outcome::Branch { follow }) })
}

#[cfg(test)]
mod tests {
    use flow_core::run::Outcome;
    use serde_json::{Value, json};

    use crate::testing::World;

    #[tokio::test]
    async fn the_chosen_tasks_go_on() {
        check(json!("a"), &["a"]).await;
        check(json!(["a", "b"]), &["a", "b"]).await;
        check(json!(" a\n"), &["a"]).await;
        check(json!("['a', \"b\"]"), &["a", "b"]).await;
        check(json!([]), &[]).await;
        check(json!("None"), &[]).await;
        check(json!(null), &[]).await;
    }

    async fn check(choose: Value, expected: &[&str]) {
        let mut world = World::new();
        world.downstream(&["a", "b", "c"]);
        let finished = world.run("branch", json!({ "choose": choose })).await;
        let Outcome::Branch { follow } = finished.outcome() else { panic!("{finished:?}") };
        assert_eq!(follow.iter().map(|id| id.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(finished.result(), None, "something was skipped");
    }

    #[tokio::test]
    async fn the_choice_is_a_result_only_when_nothing_is_skipped() {
        let mut world = World::new();
        world.downstream(&["a"]);
        assert_eq!(world.run("branch", json!({ "choose": "a" })).await.result(), Some(&json!("a")));
        assert_eq!(world.run("branch", json!({ "choose": ["a"] })).await.result(), Some(&json!(["a"])));
    }

    #[tokio::test]
    async fn a_task_that_is_not_downstream_fails_for_good_and_lists_the_choices() {
        let mut world = World::new();
        world.downstream(&["a", "b"]);
        let finished = world.run("branch", json!({ "choose": "aa" })).await;
        finished.failed_for_good("`aa` is not a direct downstream task (there are: `a`, `b`)");
    }

    #[tokio::test]
    async fn something_must_be_chosen() {
        World::new().run("branch", json!({})).await.failed_for_good("missing field `choose`");
    }

    #[tokio::test]
    async fn a_join_beside_its_branch_is_not_skipped() {
        let mut world = World::new();
        world.dag("[{id: task}, {id: a, needs: [task]}, {id: join, needs: [task, a]}]");
        assert_eq!(world.run("branch", json!({ "choose": "a" })).await.result(), Some(&json!("a")));
        assert_eq!(world.run("branch", json!({ "choose": "join" })).await.result(), None);
    }

    #[tokio::test]
    async fn in_the_airflow_dialect_any_task_may_be_chosen_that_exists() {
        let mut world = World::new();
        world.dag("[{id: task}, {id: a, needs: [task]}, {id: elsewhere}]");
        world.cx.airflow_dialect = true;
        let finished = world.run("branch", json!({ "choose": "elsewhere" })).await;
        assert!(matches!(finished.outcome(), Outcome::Branch { .. }), "{finished:?}");
        world.run("branch", json!({ "choose": "nowhere" })).await.failed("there is no task `nowhere`");
    }
}
