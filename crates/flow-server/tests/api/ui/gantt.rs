//! The Gantt view.

use flow_server::Role;
use serde_json::{Value, json};

use super::{SECRET, claim, each, end, run};
use crate::{client::Api, support::both, world::at};

/// `b` first in the order of the DAG.
const RETRIED: &str = "dag_id: retried
tasks:
  - { id: b, uses: work, retries: 1, retry_delay: 1m }
  - { id: a, uses: work, needs: [b] }
  - { id: c, uses: work, needs: [a] }
";

const PATH: &str = "/ui/dags/retried/dagRuns/r/gantt";

/// (task, try, state) of each bar.
fn told(gantt: &Value) -> Vec<(&str, u64, &str)> {
    gantt["bars"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| {
            (bar["task_id"].as_str().unwrap(), bar["try_number"].as_u64().unwrap(), bar["state"].as_str().unwrap())
        })
        .collect()
}

both! {
    async fn every_try_has_a_bar(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        let key = run(&api, "retried", "r", 1).await;
        let gantt = async || api.get(PATH).await.expect(200);
        assert_eq!(told(&gantt().await), [("b", 0, "no_status"), ("a", 0, "no_status"), ("c", 0, "no_status")]);

        let first = api.w.running(key, "w", at(2)).await;
        assert_eq!(told(&gantt().await)[0], ("b", 1, "running"));
        end(&api, key, &first, &["b"], 3).await;
        assert_eq!(told(&gantt().await)[0], ("b", 1, "up_for_retry"));
        api.w.decide(key, at(70)).await;
        let second = claim(&api, 70).await;
        assert_eq!(told(&gantt().await)[..2], [("b", 1, "failed"), ("b", 2, "running")]);
        end(&api, key, &second, &[], 75).await;
        claim(&api, 76).await;
        let bar = |task: &str, try_number: u32, state: &str, times: [Option<u32>; 3]| {
            let moment = |second: Option<u32>| second.map(|second| format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60));
            json!({ "task_id": task, "map_index": -1, "try_number": try_number, "state": state,
                "queued_when": moment(times[0]), "start_date": moment(times[1]), "end_date": moment(times[2]) })
        };
        assert_eq!(gantt().await, json!({ "bars": [
            bar("b", 1, "failed", [Some(2), Some(2), Some(3)]),
            bar("b", 2, "success", [Some(70), Some(70), Some(75)]),
            bar("a", 1, "running", [Some(76), Some(76), None]),
            bar("c", 0, "no_status", [None; 3]),
        ], "is_complete": true }));
    }

    async fn what_was_cleared_shows_what_was(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        let key = run(&api, "retried", "r", 1).await;
        let first = api.w.running(key, "w", at(2)).await;
        end(&api, key, &first, &[], 3).await;
        let second = claim(&api, 4).await;
        end(&api, key, &second, &["a"], 5).await;
        let clear = json!({ "action": "clear" });
        api.post("/ui/dags/retried/dagRuns/r/edit", &clear).await.expect(200);
        let gantt = api.get(PATH).await.expect(200);
        assert_eq!(told(&gantt), [("b", 1, "success"), ("a", 1, "failed"), ("c", 0, "no_status")]);
    }

    async fn a_task_that_the_version_does_not_have_comes_last(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        run(&api, "retried", "r", 1).await;
        api.w.meddle("UPDATE task_instance SET task_id = 'A' WHERE task_id = 'b'").await;
        let gantt = api.get(PATH).await.expect(200);
        assert_eq!(each(&gantt["bars"], "task_id"), ["a", "c", "A"]);
    }

    async fn more_tries_than_are_shown_are_told(api: Api) {
        api.w.save("r.yaml", RETRIED, at(0)).await;
        let key = run(&api, "retried", "r", 1).await;
        api.w.running(key, "w", at(2)).await;
        let more = |from: u32, to: u32| {
            format!(
                "INSERT INTO attempt (run, task_id, map_index, try_number, token, dag_id, pool, pool_slots, queue, priority_weight,
                    queued_at, worker, started_at, lease_until, ended_at, outcome, settled)
                 WITH RECURSIVE g (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM g WHERE n < {to})
                 SELECT run, task_id, map_index, n, token, dag_id, pool, pool_slots, queue, priority_weight, queued_at, worker,
                    started_at, lease_until, 5, '{{\"outcome\":\"success\"}}', TRUE FROM attempt CROSS JOIN g WHERE try_number = 1"
            )
        };
        api.w.meddle(&more(2, 50_000)).await;
        let gantt = api.get(PATH).await.expect(200);
        assert_eq!((gantt["bars"].as_array().unwrap().len(), &gantt["is_complete"]), (50_002, &json!(true)));
        api.w.meddle(&more(50_001, 50_001)).await;
        let gantt = api.get(PATH).await.expect(200);
        assert_eq!((gantt["bars"].as_array().unwrap().len(), &gantt["is_complete"]), (50_002, &json!(false)));
    }

    async fn what_is_not_there_is_not_found(api: Api) {
        api.w.save("s.yaml", SECRET, at(0)).await;
        run(&api, "secret", "r", 1).await;
        api.get("/ui/dags/secret/dagRuns/r/gantt").await.expect(200);
        api.as_role(Role::User).get("/ui/dags/secret/dagRuns/r/gantt").await.expect(404);
        api.get("/ui/dags/secret/dagRuns/none/gantt").await.expect(404);
        api.get("/ui/dags/none/dagRuns/r/gantt").await.expect(404);
        api.get("/ui/dags/secret/dagRuns/%00/gantt").await.expect(422);
    }
}
