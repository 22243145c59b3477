//! The grid.

use flow_server::Role;
use serde_json::{Value, json};

use super::{SECRET, claim, each, end, run};
use crate::{client::Api, support::both, task_instances::GROUPS, world::at};

/// Three runs: of the first version, running; of the second, queued; and a third, that was marked.
async fn with_runs(api: &Api) {
    api.w.save("g.yaml", GROUPS, at(0)).await;
    let first = run(api, "grouped", "r1", 10).await;
    let load = api.w.running(first, "w", at(11)).await;
    end(api, first, &load, &[], 12).await;
    let both = claim(api, 13).await;
    let x: Vec<_> = both.into_iter().filter(|claimed| claimed.key.task_id == "x").collect();
    end(api, first, &x, &["x"], 14).await;
    // The group `outer` loses a task, and gets another.
    let second = GROUPS.replace("{ id: x, uses: work,", "{ id: z, uses: empty,");
    api.w.save("g.yaml", &second, at(15)).await;
    run(api, "grouped", "r2", 20).await;
    run(api, "grouped", "r3", 30).await;
    let mark = json!({ "action": "mark", "state": "success" });
    api.post("/ui/dags/grouped/dagRuns/r3/edit", &mark).await.expect(200);
    api.w.meddle("UPDATE dag_run SET note = 'look' WHERE run_id = 'r3'").await;
}

async fn run_ids(api: &Api, query: &str) -> Vec<String> {
    let grid = api.get(&format!("/ui/dags/grouped/grid?{query}")).await.expect(200);
    each(&grid["runs"], "run_id").into_iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

both! {
    async fn rows_are_in_the_order_of_the_dag_with_groups_around_them(api: Api) {
        with_runs(&api).await;
        let grid = api.get("/ui/dags/grouped/grid").await.expect(200);
        let row = |id: &str, label: &str, kind: &str, parent: Value, depth: u32, operator: Value| {
            let is_removed = id == "x";
            json!({ "id": id, "label": label, "kind": kind, "parent": parent, "depth": depth, "operator": operator,
                "is_mapped": false, "is_removed": is_removed })
        };
        let none = Value::Null;
        assert_eq!(grid["tasks"], json!([
            row("load", "Loading", "task", none.clone(), 0, json!("work")),
            row("outer", "outer", "group", none.clone(), 0, none.clone()),
            row("z", "z", "task", json!("outer"), 1, json!("empty")),
            row("inner", "inner", "group", json!("outer"), 1, none.clone()),
            row("y", "y", "task", json!("inner"), 2, json!("work")),
            row("last", "last", "task", none.clone(), 0, json!("empty")),
            row("x", "x", "task", none.clone(), 0, none),
        ]));
        assert_eq!(grid["has_more"], false);
        assert_eq!(each(&grid["runs"], "run_id"), ["r3", "r2", "r1"]);
        // load, z, y, last, and x, which only the first version has.
        assert_eq!(each(&grid["runs"], "states"), ["kkkk-", "....-", "s-ruf"]);
        assert_eq!(each(&grid["runs"], "tries"), [&json!([0, 0, 0, 0, 0]), &json!([0, 0, 0, 0, 0]), &json!([1, 0, 1, 0, 1])]);
        assert_eq!(each(&grid["runs"], "version_number"), [2, 2, 1]);
        assert_eq!(each(&grid["runs"], "has_note"), [true, false, false]);
        assert_eq!(each(&grid["runs"], "state"), ["success", "queued", "running"]);
    }

    async fn a_run_is_told_with_its_moments(api: Api) {
        with_runs(&api).await;
        let grid = api.get("/ui/dags/grouped/grid?run_after_lte=2026-01-01T00:00:10Z&times=true").await.expect(200);
        let moment = |second: u32| format!("2026-01-01T00:00:{second}Z");
        let millis = |second: u64| at(second).as_micros() / 1_000;
        assert_eq!(grid["runs"], json!([{
            "run_id": "r1", "state": "running", "run_type": "manual", "run_after": moment(10), "logical_date": moment(10),
            "data_interval_end": moment(10), "queued_at": moment(10), "start_date": moment(11), "end_date": null,
            "version_number": 1, "has_note": false, "states": "s-ruf", "tries": [1, 0, 1, 0, 1],
            "starts": [millis(11), null, millis(13), null, millis(13)],
            "ends": [millis(12), null, null, millis(14), millis(14)],
        }]));
        let plain = api.get("/ui/dags/grouped/grid?run_after_lte=2026-01-01T00:00:10Z").await.expect(200);
        assert!(!plain["runs"][0].as_object().unwrap().contains_key("starts"), "{plain}");
    }

    async fn filters_and_limits_choose_the_runs(api: Api) {
        with_runs(&api).await;
        assert_eq!(run_ids(&api, "limit=2").await, ["r3", "r2"]);
        assert_eq!(api.get("/ui/dags/grouped/grid?limit=2").await.expect(200)["has_more"], true);
        assert_eq!(api.get("/ui/dags/grouped/grid?limit=3").await.expect(200)["has_more"], false);
        assert_eq!(run_ids(&api, "limit=0").await, [""; 0]);
        assert_eq!(run_ids(&api, "limit=4294967295").await.len(), 3);
        assert_eq!(run_ids(&api, "state=running&state=queued").await, ["r2", "r1"]);
        assert_eq!(run_ids(&api, "state=failed").await, [""; 0]);
        assert_eq!(run_ids(&api, "run_type=manual").await.len(), 3);
        assert_eq!(run_ids(&api, "run_type=scheduled").await, [""; 0]);
        assert_eq!(run_ids(&api, "run_type=asset_materialization").await, [""; 0]);
        assert_eq!(run_ids(&api, "run_after_lte=2026-01-01T00:00:29.999999Z").await, ["r2", "r1"]);
        // Of no run that is shown: the row is not there.
        let newest = api.get("/ui/dags/grouped/grid?limit=1").await.expect(200);
        assert_eq!(newest["runs"][0]["states"], "kkkk");
        assert_eq!(newest["tasks"].as_array().unwrap().len(), 6);
    }

    async fn the_latest_runs_are_shown_and_at_most_365(api: Api) {
        api.w.save("c.yaml", "{ dag_id: c, schedule: null, tasks: [{ id: t, uses: work }] }", at(0)).await;
        for second in 0..370 {
            run(&api, "c", &format!("r{second}"), second).await;
        }
        let grid = api.get("/ui/dags/c/grid?limit=1000").await.expect(200);
        assert_eq!(grid["runs"].as_array().unwrap().len(), 365);
        assert_eq!((&grid["has_more"], &grid["runs"][0]["run_id"]), (&json!(true), &json!("r369")));
        assert!(each(&grid["runs"], "states").iter().all(|states| *states == "."));
        assert_eq!(api.get("/ui/dags/c/grid").await.expect(200)["runs"].as_array().unwrap().len(), 25);
    }

    async fn runs_with_other_tasks_each_make_the_grid_no_larger_than_it_may_be(api: Api) {
        api.w.save("c.yaml", "{ dag_id: c, schedule: null, tasks: [{ id: t, uses: work }] }", at(0)).await;
        for second in 0..25 {
            run(&api, "c", &format!("r{second}"), second).await;
        }
        api.w.meddle(
            "INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, ended_at,
                operator, pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks)
             WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 600)
             SELECT run, 'of_' || run || '_' || n, -1, dag_id, 'success', 1, 0, 0, 6000, operator, pool, 1, 1, queue, sort_date, 1
             FROM task_instance CROSS JOIN g",
        ).await;
        let grid = api.get("/ui/dags/c/grid").await.expect(200);
        // 20 runs by `t` and 600 others of each.
        assert_eq!((grid["tasks"].as_array().unwrap().len(), &grid["has_more"]), (12_001, &json!(true)));
        assert_eq!(grid["runs"].as_array().unwrap().len(), 20);
        let oldest = &grid["runs"][19];
        assert_eq!(oldest["run_id"], "r5");
        assert_eq!(oldest["states"].as_str().unwrap().replace('-', ""), format!(".{}", "s".repeat(600)));
        let rest = api.get("/ui/dags/c/grid?before_run_id=r5").await.expect(200);
        assert_eq!(each(&rest["runs"], "run_id"), ["r4", "r3", "r2", "r1", "r0"]);
        assert_eq!(rest["has_more"], false);
    }

    async fn runs_due_at_one_moment_are_paged_through(api: Api) {
        with_runs(&api).await;
        api.w.meddle("UPDATE dag_run SET run_after = 1000000").await;
        let mut seen = vec!["r3".to_owned()];
        for more in [true, false] {
            let before = seen.last().unwrap();
            let path = format!("/ui/dags/grouped/grid?limit=1&run_after_lte=1970-01-01T00:00:01Z&before_run_id={before}");
            let grid = api.get(&path).await.expect(200);
            assert_eq!(grid["has_more"], more);
            seen.push(grid["runs"][0]["run_id"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen, ["r3", "r2", "r1"]);
        assert_eq!(run_ids(&api, "before_run_id=r3&state=running&state=queued").await, ["r2", "r1"]);
        assert_eq!(run_ids(&api, "before_run_id=r1").await, [""; 0]);
        api.get("/ui/dags/grouped/grid?before_run_id=none").await.expect(404);
        api.get("/ui/dags/grouped/grid?before_run_id=%00").await.expect(404);
    }

    async fn several_instances_of_a_task_share_a_cell(api: Api) {
        api.w.save("c.yaml", "{ dag_id: c, schedule: null, tasks: [{ id: t, uses: work }] }", at(0)).await;
        let key = run(&api, "c", "r", 10).await;
        api.w.running(key, "w", at(11)).await;
        api.w.meddle(
            "INSERT INTO task_instance (run, task_id, map_index, dag_id, state, try_number, max_tries, lost, started_at, ended_at,
                operator, pool, pool_slots, priority_weight, queue, sort_date, max_active_tasks)
             SELECT run, task_id, 0, dag_id, 'failed', 3, 3, 0, 5000, 6000, operator, pool, 1, 1, queue, sort_date, 1 FROM task_instance",
        ).await;
        let grid = api.get("/ui/dags/c/grid?times=true").await.expect(200);
        let only = &grid["runs"][0];
        assert_eq!((&only["states"], &only["tries"]), (&json!("f"), &json!([3])));
        assert_eq!((&only["starts"], &only["ends"]), (&json!([5]), &json!([6])));
    }

    async fn what_makes_no_sense_is_refused(api: Api) {
        with_runs(&api).await;
        for query in ["limit=-1", "limit=x", "run_after_lte=yesterday", "state=asleep", "run_type=x", "times=perhaps"] {
            let refused = api.get(&format!("/ui/dags/grouped/grid?{query}")).await.expect(422);
            let place = query.split('=').next().unwrap();
            assert_eq!(refused["detail"][0]["loc"], json!(["query", place]), "{refused}");
        }
        api.get("/ui/dags/none/grid").await.expect(404);
        api.get("/ui/dags/%00/grid").await.expect(422);
        api.w.save("s.yaml", SECRET, at(40)).await;
        api.get("/ui/dags/secret/grid").await.expect(200);
        api.as_role(Role::Viewer).get("/ui/dags/secret/grid").await.expect(404);
        api.as_nobody().get("/ui/dags/grouped/grid").await.expect(401);
    }
}
