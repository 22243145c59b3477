//! What the DAG folder holds: versions, stale DAGs and import errors.

use flow_store::DagSave::{Changed, Duplicate, New, Same};

use crate::{
    support::both,
    world::{CHAIN, World, at},
};

const TWO: &str = "dag_id: one\ntasks: [{ id: t }]\n---\ndag_id: two\ntasks: [{ id: t }]\n";

async fn version(w: &World, dag_id: &str) -> i64 {
    let id = w.store.dag(dag_id).await.unwrap().unwrap().version_id;
    w.store.version(id).await.unwrap().number
}

async fn remove(w: &World, path: &str) {
    let mut tx = w.store.begin().await.unwrap();
    tx.remove_file(path, at(50)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn is_stale(w: &World, dag_id: &str) -> bool {
    w.store.dag(dag_id).await.unwrap().unwrap().is_stale
}

async fn errors(w: &World) -> Vec<(String, String)> {
    w.store.import_errors().await.unwrap().into_iter().map(|error| (error.path, error.text)).collect()
}

both! {
    async fn a_change_of_meaning_makes_a_version_and_nothing_else_does(w: World) {
        assert_eq!(w.save("chain.yaml", CHAIN, at(1)).await, [New]);
        assert_eq!(version(&w, "chain").await, 1);
        let commented = format!("# a comment\n{CHAIN}");
        assert_eq!(w.save("chain.yaml", &commented, at(2)).await, [Same]);
        assert_eq!(version(&w, "chain").await, 1);
        let id = w.store.dag("chain").await.unwrap().unwrap().version_id;
        assert_eq!(w.store.version(id).await.unwrap().text, commented, "the source that is shown is the latest");
        let more = format!("{CHAIN}  - {{ id: c, uses: work }}\n");
        assert_eq!(w.save("chain.yaml", &more, at(3)).await, [Changed]);
        assert_eq!(version(&w, "chain").await, 2);
        assert_eq!(w.save("chain.yaml", CHAIN, at(4)).await, [Changed]);
        assert_eq!(version(&w, "chain").await, 3, "going back is a version too");
        assert_eq!(w.store.version(id).await.unwrap().text, commented, "old versions keep their source");
        assert_eq!(w.store.file_hashes().await.unwrap()["chain.yaml"], CHAIN);
    }

    async fn a_run_keeps_its_version_when_the_file_changes(w: World) {
        let w = w.with_chain().await;
        let row = w.trigger("chain", at(1)).await;
        w.save("chain.yaml", "dag_id: chain\ntasks: [{ id: z }]\n", at(2)).await;
        w.start(row.run.key, at(3)).await;
        assert_eq!(w.grant(at(4)).await, ["a"]);
        assert_eq!(w.trigger("chain", at(5)).await.version_id, w.store.dag("chain").await.unwrap().unwrap().version_id);
    }

    async fn a_new_dag_is_told_and_asked_for_its_timetable(w: World) {
        let w = w.with_chain().await;
        let kinds = async || w.store.events_after(0, 100).await.unwrap().into_iter().map(|event| event.kind).collect::<Vec<_>>();
        assert_eq!(kinds().await, ["dag_created"]);
        assert_eq!(w.store.next_due().await.unwrap().at, Some(at(0)));
        w.save("chain.yaml", CHAIN, at(1)).await;
        assert_eq!(kinds().await, ["dag_created"], "nothing happened");
        w.meddle("UPDATE dag SET due_at = NULL, is_blocked = TRUE").await;
        w.save("chain.yaml", "dag_id: chain\ntasks: [{ id: z }]\n", at(2)).await;
        assert_eq!(kinds().await, ["dag_created", "dag_changed"]);
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.due_at, dag.is_blocked, dag.enabled_at), (Some(at(2)), false, at(0)));
    }

    async fn a_paused_dag_stays_paused_when_its_file_changes(w: World) {
        let w = w.with_chain().await;
        let mut tx = w.store.begin().await.unwrap();
        tx.pause_dag("chain", "", None, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(w.save("chain.yaml", "dag_id: chain\ntasks: [{ id: z }]\n", at(2)).await, [Changed]);
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.is_paused, dag.due_at), (true, None));
    }

    async fn a_dag_may_say_whether_it_starts_paused(w: World) {
        w.save("p.yaml", "dag_id: p\nis_paused_upon_creation: true\ntasks: [{ id: t }]\n", at(1)).await;
        let dag = w.store.dag("p").await.unwrap().unwrap();
        assert_eq!((dag.is_paused, dag.due_at), (true, None));
    }

    async fn a_file_that_is_gone_makes_its_dags_stale_and_coming_back_revives_them(w: World) {
        assert_eq!(w.save("two.yaml", TWO, at(1)).await, [New, New]);
        remove(&w, "two.yaml").await;
        assert!(is_stale(&w, "one").await && is_stale(&w, "two").await);
        assert!(w.store.file_hashes().await.unwrap().is_empty());
        assert_eq!(w.store.next_due().await.unwrap().at, None);
        assert_eq!(w.save("two.yaml", TWO, at(60)).await, [Same, Same]);
        assert!(!is_stale(&w, "one").await && !is_stale(&w, "two").await);
        assert_eq!(version(&w, "one").await, 1);
        assert_eq!(w.store.dag("one").await.unwrap().unwrap().due_at, Some(at(60)));
    }

    async fn a_document_that_is_gone_makes_its_dag_stale(w: World) {
        w.save("two.yaml", TWO, at(1)).await;
        assert_eq!(w.save("two.yaml", "dag_id: two\ntasks: [{ id: t }]\n", at(2)).await, [Same]);
        assert!(is_stale(&w, "one").await && !is_stale(&w, "two").await);
        let id = w.store.dag("two").await.unwrap().unwrap().version_id;
        let version = w.store.version(id).await.unwrap();
        assert_eq!((version.document, version.number), (0, 1), "it is found where it is now");
    }

    async fn a_broken_file_keeps_the_last_good_dags(w: World) {
        w.save("two.yaml", TWO, at(1)).await;
        assert_eq!(w.save("two.yaml", &TWO.replace("dag_id: one", "dag_id: one\nnonsense: 1"), at(2)).await, [Same]);
        assert!(!is_stale(&w, "one").await && !is_stale(&w, "two").await);
        let found = w.store.import_errors().await.unwrap().pop().unwrap();
        assert_eq!((found.path.as_str(), found.at), ("two.yaml", at(2).as_micros()));
        assert!(found.text.contains("nonsense"), "{}", found.text);
        let list: serde_json::Value = serde_json::from_str(&found.diagnostics).unwrap();
        assert_eq!((&list[0]["severity"], &list[0]["line"]), (&"error".into(), &2.into()));
        assert_eq!(w.save("two.yaml", TWO, at(3)).await, [Same, Same]);
        assert!(errors(&w).await.is_empty(), "mended");
    }

    async fn a_file_that_cannot_be_read_keeps_its_dags(w: World) {
        let w = w.with_chain().await;
        let mut tx = w.store.begin().await.unwrap();
        tx.save_problem("chain.yaml", "unreadable", "error: permission denied", at(2)).await.unwrap();
        tx.save_problem("a.yaml", "unreadable", "error: not UTF-8", at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!is_stale(&w, "chain").await);
        let expected = [("a.yaml", "error: not UTF-8"), ("chain.yaml", "error: permission denied")];
        assert_eq!(errors(&w).await, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
        assert_eq!(w.store.file_hashes().await.unwrap()["chain.yaml"], "unreadable");
        remove(&w, "chain.yaml").await;
        assert!(is_stale(&w, "chain").await);
        assert_eq!(errors(&w).await.len(), 1, "its error goes with it");
    }

    async fn the_first_of_two_files_with_a_dag_of_the_same_id_has_it(w: World) {
        let w = w.with_chain().await;
        let other = CHAIN.replace("work", "empty");
        assert_eq!(w.save("twin.yaml", &other, at(1)).await, [Duplicate]);
        assert_eq!((version(&w, "chain").await, is_stale(&w, "chain").await), (1, false));
        let (path, text) = errors(&w).await.pop().unwrap();
        assert_eq!(path, "twin.yaml");
        assert!(text.contains("dag `chain` is in `chain.yaml` already"), "{text}");
        assert_eq!(w.save("chain.yaml", CHAIN, at(2)).await, [Same]);
        remove(&w, "twin.yaml").await;
        assert!(!is_stale(&w, "chain").await, "the file that is gone did not have it");
        assert!(errors(&w).await.is_empty());
    }

    async fn what_the_other_file_left_is_taken_over(w: World) {
        let w = w.with_chain().await;
        assert_eq!(w.save("twin.yaml", CHAIN, at(1)).await, [Duplicate]);
        remove(&w, "chain.yaml").await;
        assert_ne!(w.store.file_hashes().await.unwrap()["twin.yaml"], CHAIN, "the twin is to be read again");
        assert_eq!(w.save("twin.yaml", CHAIN, at(60)).await, [Same]);
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.file.as_str(), dag.is_stale), ("twin.yaml", false));
        assert!(errors(&w).await.is_empty());
    }

    async fn a_renamed_file_takes_its_dags_along(w: World) {
        let w = w.with_chain().await;
        let run = w.trigger("chain", at(1)).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.remove_file("chain.yaml", at(2)).await.unwrap();
        assert_eq!(crate::world::save(&mut tx, "a/moved.yaml", CHAIN, at(2)).await, [Same]);
        tx.commit().await.unwrap();
        let dag = w.store.dag("chain").await.unwrap().unwrap();
        assert_eq!((dag.file.as_str(), dag.is_stale, dag.version_id), ("a/moved.yaml", false, run.version_id));
        assert_eq!(w.store.version(dag.version_id).await.unwrap().file, "a/moved.yaml");
    }

    async fn a_file_with_the_same_dag_twice_does_not_flap(w: World) {
        let text = format!("{CHAIN}---\n{}", CHAIN.replace("work", "empty"));
        w.save("chain.yaml", &text, at(1)).await;
        let (versions, events) = (w.count("dag_version", "TRUE").await, w.store.last_event().await.unwrap());
        w.save("chain.yaml", &text, at(2)).await;
        assert_eq!((w.count("dag_version", "TRUE").await, w.store.last_event().await.unwrap()), (versions, events));
        assert_eq!(errors(&w).await.len(), 1);
    }
}
