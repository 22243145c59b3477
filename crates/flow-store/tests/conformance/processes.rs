//! The processes that work on a database, and burying those that died.

use flow_core::{Outcome, TaskState};
use flow_store::{Process, ProcessKind};

use crate::{
    support::both,
    world::{World, at, report},
};

fn process(id: &str, second: u64) -> Process {
    Process {
        id: id.to_owned(),
        kind: ProcessKind::Worker.as_str().to_owned(),
        hostname: "host".to_owned(),
        machine: "boot pid:1".to_owned(),
        pid: 4_000_000_000,
        pid_started: "17".to_owned(),
        slots: 8,
        queues: "[\"default\"]".to_owned(),
        version: "0.1".to_owned(),
        started_at: at(second).as_micros(),
        heartbeat_at: at(second).as_micros(),
        ended_at: None,
    }
}

async fn register(w: &World, ids: &[(&str, u64)]) {
    let mut tx = w.store.begin().await.unwrap();
    for (id, second) in ids {
        tx.register(&process(id, *second)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn alive(w: &World) -> Vec<String> {
    w.store.processes().await.unwrap().into_iter().map(|process| process.id).collect()
}

both! {
    async fn a_process_is_written_down_beats_ends_and_is_forgotten(w: World) {
        register(&w, &[("late", 2), ("early", 1)]).await;
        assert_eq!(w.store.processes().await.unwrap(), [process("early", 1), process("late", 2)]);
        let mut tx = w.store.begin().await.unwrap();
        tx.heartbeat("late", at(100), at(65)).await.unwrap();
        tx.end_process("early", at(60)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.store.processes().await.unwrap(), [Process { heartbeat_at: at(65).as_micros(), ..process("late", 2) }]);
        let mut tx = w.store.begin().await.unwrap();
        tx.end_process("early", at(70)).await.unwrap();
        tx.forget_processes(at(60)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.numbers("SELECT ended_at FROM process WHERE id = 'early'").await, [at(60).as_micros()], "it ends once");
        let mut tx = w.store.begin().await.unwrap();
        tx.heartbeat("late", at(100), at(90)).await.unwrap();
        tx.forget_processes(at(61)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.texts_of_processes().await, ["late"]);
        let mut tx = w.store.begin().await.unwrap();
        tx.forget_processes(at(91)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(w.texts_of_processes().await.is_empty(), "one that died without a word is forgotten too");
    }

    async fn a_process_id_is_used_once(w: World) {
        register(&w, &[("a", 1)]).await;
        let mut tx = w.store.begin().await.unwrap();
        assert!(tx.register(&process("a", 2)).await.is_err());
    }

    async fn the_attempts_of_dead_workers_are_lost_and_their_runs_looked_at(w: World) {
        let w = w.with_chain().await;
        register(&w, &[("dead", 1), ("alive", 1), ("idle", 1)]).await;
        let (one, two) = (w.trigger("chain", at(1)).await.run.key, w.trigger("chain", at(2)).await.run.key);
        let lost = w.running(one, "dead", at(3)).await;
        w.running(two, "alive", at(3)).await;
        w.meddle("DELETE FROM wake").await;
        let mut tx = w.store.begin().await.unwrap();
        assert_eq!(tx.bury(&[], "", at(4)).await.unwrap(), 0);
        assert_eq!(tx.bury(&["dead".to_owned(), "idle".to_owned()], "its worker died", at(4)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(alive(&w).await, ["alive"]);
        assert_eq!(w.numbers("SELECT run FROM wake").await, [one.0]);
        assert!(!w.finish(report(&lost[0], Outcome::Success, at(5))).await, "a late report");
        w.decide(one, at(5)).await;
        w.decide(two, at(5)).await;
        let task = w.task(one, "a").await;
        assert_eq!((task.state, task.lost, task.try_number, task.max_tries), (TaskState::Scheduled, 1, 2, 1), "it is tried again at once");
        assert_eq!(w.state(two, "a").await, TaskState::Running);
        let found = w.store.tries(one, "a", -1).await.unwrap();
        assert_eq!(found[0].outcome, Some(Outcome::Lost { why: "its worker died".to_owned() }));
    }
}

impl World {
    async fn texts_of_processes(&self) -> Vec<String> {
        self.db.raw().await.texts("SELECT id FROM process ORDER BY id").await
    }
}
