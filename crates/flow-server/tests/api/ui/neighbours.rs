//! What is around a task instance.

use flow_server::Role;
use serde_json::{Value, json};

use super::{SECRET, claim, each, end, run};
use crate::{client::Api, support::both, world::at};

const AROUND: &str = "dag_id: around
tasks:
  - { id: z, uses: work }
  - { id: a, uses: work }
  - { id: middle, uses: work, needs: [a, z] }
  - { id: after, uses: work, needs: [middle] }
";

fn path(run_id: &str, task_id: &str) -> String {
    format!("/ui/dags/around/dagRuns/{run_id}/tasks/{task_id}/neighbours")
}

fn side(tasks: &[(&str, &str)]) -> Value {
    let one = |&(task_id, state): &(&str, &str)| json!({ "task_id": task_id, "states": [state] });
    json!({ "tasks": tasks.iter().map(one).collect::<Vec<_>>(), "total": tasks.len() })
}

both! {
    async fn tasks_on_both_sides_have_their_states(api: Api) {
        api.w.save("a.yaml", AROUND, at(0)).await;
        let key = run(&api, "around", "r", 1).await;
        let claimed = api.w.running(key, "w", at(2)).await;
        end(&api, key, &claimed, &["a"], 3).await;
        assert_eq!(api.get(&path("r", "middle")).await.expect(200), json!({
            "upstream": side(&[("z", "success"), ("a", "failed")]),
            "downstream": side(&[("after", "upstream_failed")]),
            "previous_run": null,
            "next_run": null,
        }));
        let ends = api.get(&path("r", "after")).await.expect(200);
        assert_eq!((&ends["upstream"], &ends["downstream"]), (&side(&[("middle", "upstream_failed")]), &side(&[])));
    }

    async fn runs_beside_it_are_found_also_when_they_were_due_at_once(api: Api) {
        api.w.save("a.yaml", AROUND, at(0)).await;
        api.w.save("o.yaml", "{ dag_id: other, tasks: [{ id: t, uses: work }] }", at(0)).await;
        for (run_id, second) in [("first", 1), ("second", 2), ("fourth", 3)] {
            run(&api, "around", run_id, second).await;
        }
        run(&api, "other", "between", 2).await;
        api.w.meddle("UPDATE dag_run SET run_after = (SELECT MAX(run_after) FROM dag_run) WHERE run_id = 'second'").await;
        let beside = async |run_id: &str| {
            let around = api.get(&path(run_id, "z")).await.expect(200);
            ["previous_run", "next_run"].map(|side| around[side]["dag_run_id"].as_str().map(str::to_owned))
        };
        let some = |run_id: &str| Some(run_id.to_owned());
        assert_eq!(beside("first").await, [None, some("second")]);
        assert_eq!(beside("second").await, [some("first"), some("fourth")]);
        assert_eq!(beside("fourth").await, [some("second"), None]);
        let around = api.get(&path("first", "z")).await.expect(200);
        assert_eq!(around["next_run"], json!({ "dag_run_id": "second", "state": "queued" }));
    }

    async fn a_run_has_the_tasks_of_its_own_version(api: Api) {
        api.w.save("a.yaml", AROUND, at(0)).await;
        run(&api, "around", "old", 1).await;
        api.w.save("a.yaml", &AROUND.replace("needs: [a, z]", "needs: [z]"), at(2)).await;
        run(&api, "around", "new", 3).await;
        let before = async |run_id: &str| api.get(&path(run_id, "middle")).await.expect(200)["upstream"].clone();
        assert_eq!(each(&before("old").await["tasks"], "task_id"), ["z", "a"]);
        assert_eq!(each(&before("new").await["tasks"], "task_id"), ["z"]);
    }

    async fn many_are_counted_and_the_first_are_named(api: Api) {
        let ids: Vec<String> = (0..60).map(|n| format!("t{n}")).collect();
        let tasks: String = ids.iter().map(|id| format!("  - {{ id: {id}, uses: work }}\n")).collect();
        let last = format!("  - {{ id: last, uses: work, needs: [{}] }}\n", ids.join(", "));
        api.w.save("a.yaml", &format!("dag_id: around\ntasks:\n{tasks}{last}"), at(0)).await;
        let key = run(&api, "around", "r", 1).await;
        api.w.decide(key, at(2)).await;
        claim(&api, 2).await;
        let around = api.get(&path("r", "last")).await.expect(200);
        assert_eq!(around["upstream"]["total"], 60);
        let named = around["upstream"]["tasks"].as_array().unwrap();
        assert_eq!((named.len(), &named[49]["task_id"]), (50, &json!("t49")));
    }

    async fn a_task_that_the_version_does_not_have_has_no_neighbours(api: Api) {
        api.w.save("a.yaml", AROUND, at(0)).await;
        run(&api, "around", "r", 1).await;
        api.w.meddle("UPDATE task_instance SET task_id = 'gone' WHERE task_id = 'a'").await;
        let around = api.get(&path("r", "gone")).await.expect(200);
        assert_eq!((&around["upstream"], &around["downstream"]), (&side(&[]), &side(&[])));
        let middle = api.get(&path("r", "middle")).await.expect(200);
        assert_eq!(middle["upstream"]["tasks"][1], json!({ "task_id": "a", "states": [] }));
        api.get(&path("r", "never")).await.expect(404);
    }

    async fn what_is_not_there_is_not_found(api: Api) {
        api.w.save("s.yaml", SECRET, at(0)).await;
        run(&api, "secret", "r", 1).await;
        let path = "/ui/dags/secret/dagRuns/r/tasks/t/neighbours";
        api.get(path).await.expect(200);
        api.as_role(Role::User).get(path).await.expect(404);
        api.get("/ui/dags/secret/dagRuns/none/tasks/t/neighbours").await.expect(404);
        api.get("/ui/dags/none/dagRuns/r/tasks/t/neighbours").await.expect(404);
        api.get("/ui/dags/secret/dagRuns/%00/tasks/t/neighbours").await.expect(422);
    }
}
