//! Processes.

use flow_server::Role;
use flow_store::Process;
use serde_json::json;

use super::run;
use crate::{
    client::Api,
    support::both,
    world::{CHAIN, at},
};

fn process(id: &str, kind: &str, second: u64) -> Process {
    Process {
        id: id.to_owned(),
        kind: kind.to_owned(),
        hostname: "host".to_owned(),
        machine: "m".to_owned(),
        pid: 7,
        pid_started: String::new(),
        slots: 4,
        queues: "[\"default\",\"big\"]".to_owned(),
        version: "1.2.3".to_owned(),
        started_at: at(second).as_micros(),
        heartbeat_at: at(second).as_micros(),
        ended_at: None,
    }
}

both! {
    async fn those_that_are_there_are_told_with_their_load(api: Api) {
        let mut tx = api.w.store.begin().await.unwrap();
        for new in [process("w", "worker", 980), process("s", "scheduler", 1), process("all", "standalone", 2), process("gone", "worker", 3)] {
            tx.register(&new).await.unwrap();
        }
        tx.end_process("gone", at(900)).await.unwrap();
        tx.commit().await.unwrap();
        api.w.save("chain.yaml", CHAIN, at(0)).await;
        let key = run(&api, "chain", "r", 10).await;
        api.w.running(key, "w", at(11)).await;

        let told = api.as_role(Role::Viewer).get("/ui/processes").await.expect(200);
        let entry = |id: &str, kind: &str, started: String, is_alive: bool| {
            json!({ "id": id, "kind": kind, "hostname": "host", "pid": 7, "started_at": started, "heartbeat_at": started,
                "is_alive": is_alive, "version": "1.2.3", "queues": ["default", "big"], "slots": 4, "running": 0 })
        };
        let mut scheduler = entry("s", "scheduler", at(1).to_string(), false);
        for field in ["queues", "slots", "running"] {
            scheduler[field] = json!(null);
        }
        // The clock stands at 1,000 seconds.
        let mut worker = entry("w", "worker", at(980).to_string(), true);
        worker["running"] = json!(1);
        let standalone = entry("all", "standalone", at(2).to_string(), false);
        assert_eq!(told, json!({ "processes": [scheduler, standalone, worker] }));
        api.as_nobody().get("/ui/processes").await.expect(401);
    }

    async fn nobody_is_there_at_first(api: Api) {
        assert_eq!(api.get("/ui/processes").await.expect(200), json!({ "processes": [] }));
    }
}
