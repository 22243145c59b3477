//! "Look again": within a process, and between processes.

use std::time::{Duration, Instant};

use flow_store::{Signal, Store};
use tokio::time::timeout;

use crate::{
    support::both,
    world::{World, at, report},
};

/// What another process does must be heard within this time.
const SOON: Duration = Duration::from_millis(100);
/// For a machine that is busy with other tests; the best of several tries must be soon.
const LATEST: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(30);

async fn is_heard(store: &Store, signal: Signal) -> bool {
    timeout(QUIET, store.heard(signal)).await.is_ok()
}

/// Forgets what was given so far.
async fn hush(store: &Store) {
    for signal in [Signal::Look, Signal::Work, Signal::Stop, Signal::Event] {
        is_heard(store, signal).await;
    }
}

/// Returns the shortest time from a commit of `other` to `listener` hearing it, of several.
async fn delay(listener: &Store, other: &Store, signal: Signal) -> Duration {
    let mut best = LATEST;
    for _ in 0..5 {
        tokio::time::sleep(QUIET).await;
        hush(listener).await;
        let mut tx = other.begin().await.unwrap();
        tx.tell(&[flow_store::Event { kind: "test", ..Default::default() }], at(1)).await.unwrap();
        tx.announce(signal).await.unwrap();
        tx.commit().await.unwrap();
        let started = Instant::now();
        timeout(LATEST, listener.heard(signal)).await.expect("heard at all");
        best = best.min(started.elapsed());
    }
    best
}

both! {
    async fn a_signal_is_kept_until_someone_waits_for_it(w: World) {
        assert!(!is_heard(&w.store, Signal::Look).await);
        w.store.signal(Signal::Look);
        w.store.signal(Signal::Look);
        assert!(!is_heard(&w.store, Signal::Work).await);
        assert!(is_heard(&w.store.clone(), Signal::Look).await, "clones hear each other");
        assert!(!is_heard(&w.store, Signal::Look).await, "two are as good as one");
    }

    async fn a_commit_that_tells_events_says_so_within_the_process(w: World) {
        hush(&w.store).await;
        let tell = async || {
            let mut tx = w.store.begin().await.unwrap();
            tx.tell(&[flow_store::Event { kind: "test", ..Default::default() }], at(1)).await.unwrap();
            tx
        };
        tell().await.rollback().await.unwrap();
        assert!(!is_heard(&w.store, Signal::Event).await);
        tell().await.commit().await.unwrap();
        assert!(is_heard(&w.store, Signal::Event).await);
        assert!(!is_heard(&w.store, Signal::Look).await);
    }

    async fn a_signal_is_given_with_the_commit(w: World) {
        let mut tx = w.store.begin().await.unwrap();
        tx.announce(Signal::Work).await.unwrap();
        tx.announce(Signal::Work).await.unwrap();
        assert!(!is_heard(&w.store, Signal::Work).await);
        tx.commit().await.unwrap();
        assert!(is_heard(&w.store, Signal::Work).await);
        let mut tx = w.store.begin().await.unwrap();
        tx.announce(Signal::Work).await.unwrap();
        tx.rollback().await.unwrap();
        assert!(!is_heard(&w.store, Signal::Work).await);
    }

    async fn changes_give_the_signals_they_should(w: World) {
        let w = w.with_chain().await;
        assert!(is_heard(&w.store, Signal::Look).await, "a file was saved");
        let row = w.trigger("chain", at(1)).await;
        assert!(is_heard(&w.store, Signal::Look).await, "a run was triggered");
        let claimed = w.running(row.run.key, "w1", at(2)).await;
        hush(&w.store).await;
        let cancel = flow_core::engine::Edit::Cancel;
        w.store.edit_run(&w.dags, ("chain", row.run.run_id.as_str()), &cancel, Default::default(), at(3)).await.unwrap();
        assert!(is_heard(&w.store, Signal::Stop).await, "a running task is to be ended");
        assert!(is_heard(&w.store, Signal::Look).await);
        assert!(w.finish(report(&claimed[0], flow_core::Outcome::Cancelled, at(4))).await);
        hush(&w.store).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.pause_dag("chain", "", None, at(5)).await.unwrap();
        tx.unpause_dag("chain", None, at(5)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_heard(&w.store, Signal::Look).await, "a DAG was unpaused");
    }

    async fn another_process_is_heard_soon(w: World) {
        let other = w.db.another().await;
        let ears = tokio::spawn({
            let store = w.store.clone();
            async move { store.listen().await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        for signal in [Signal::Look, Signal::Work, Signal::Stop] {
            let took = delay(&w.store, &other, signal).await;
            assert!(took < SOON, "{signal:?} took {took:?}");
        }
        if w.db.is_sqlite() {
            std::fs::remove_file(w.db.folder().join("flow.db-bell")).unwrap();
            let took = delay(&w.store, &other, Signal::Look).await;
            assert!(took < SOON, "without the bell it took {took:?}");
        }
        ears.abort();
        other.close().await;
    }

    async fn one_s_own_commits_do_not_echo(w: World) {
        let ears = tokio::spawn({
            let store = w.store.clone();
            async move { store.listen().await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        hush(&w.store).await;
        let mut tx = w.store.begin().await.unwrap();
        tx.tell(&[flow_store::Event { kind: "test", ..Default::default() }], at(1)).await.unwrap();
        tx.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!is_heard(&w.store, Signal::Look).await, "a commit without a signal gives none");
        ears.abort();
    }

    async fn a_second_listener_takes_over_when_the_first_is_gone(w: World) {
        let other = w.db.another().await;
        let first = tokio::spawn({
            let store = other.clone();
            async move { store.listen().await }
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        first.abort();
        let ears = tokio::spawn({
            let store = w.store.clone();
            async move { store.listen().await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let third = w.db.another().await;
        let took = delay(&w.store, &third, Signal::Look).await;
        assert!(took < SOON, "{took:?}");
        ears.abort();
        other.close().await;
        third.close().await;
    }
}
