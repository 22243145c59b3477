//! Callbacks from the decision to the mail: real operators, a real mail server, a clock that is set by hand.

use std::{
    ops::Deref,
    path::PathBuf,
    time::{Duration, Instant},
};

use flow_core::{RunKey, connection::Connection};
use flow_runtime::{
    Clock, Stop,
    callbacks::{deliver_due, serve, serve_until_drain},
};
use flow_store::{CallbackFilter, CallbackLine};
use tokio::time::timeout;

use crate::{
    place,
    sink::{CERTIFICATE, Manners, Sink},
    support::both,
    world::{World, at},
};

const PASSWORD: &str = "hunter2-s3cret";

/// A worker beside a mail server.
struct Place {
    place: place::Place,
    sink: Sink,
}

impl Deref for Place {
    type Target = place::Place;

    fn deref(&self) -> &place::Place {
        &self.place
    }
}

impl Place {
    async fn of(w: World, manners: Manners) -> Self {
        let place = place::Place::of(w, flow_operators::all(), Clock::standing_at(at(0)));
        let sink = Sink::start(manners);
        let mut tx = place.w.store.begin().await.unwrap();
        let port = sink.address.port();
        let uri = format!("smtp://flow%40example.org:{PASSWORD}@localhost:{port}/?ca_file={CERTIFICATE}&retry_limit=1");
        tx.set_connection(&Connection::parse("smtp_default", &uri).unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        Self { place, sink }
    }

    /// Runs the DAG's first task to its end, and decides.
    async fn run(&self, text: &str) -> RunKey {
        self.save("d.yaml", text).await;
        self.place.run("d").await.0.run.key
    }

    /// Does what is due, a while later.
    async fn deliver_after(&self, seconds: u64) -> usize {
        self.shop.clock.advance(Duration::from_secs(seconds));
        deliver_due(&self.shop).await.unwrap()
    }

    async fn lines(&self) -> Vec<CallbackLine> {
        let mut rows = self.w.store.list_callbacks(&CallbackFilter::default(), 100, None).await.unwrap().rows;
        rows.reverse();
        rows
    }

    async fn states(&self) -> Vec<(String, i64)> {
        self.lines().await.into_iter().map(|line| (line.state, line.tries)).collect()
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("written")).unwrap_or_default()
    }

    /// A callback that writes a line.
    fn writes(&self, words: &str) -> String {
        let path = self.folder.path().join("written");
        let command = format!("echo \"$WORDS\" >> {}", path.display());
        let with = serde_json::json!({ "bash_command": command, "append_env": true, "env": { "WORDS": words } });
        format!("{{uses: bash, with: {with}}}")
    }
}

/// A DAG whose task calls back when it has succeeded.
fn calls_back(callback: &str) -> String {
    format!(
        "dag_id: d\ntasks:\n- id: t\n  uses: bash\n  with: {{bash_command: 'true'}}\n  on_success_callback: [{callback}]\n"
    )
}

/// Longest wait for what happens in any case.
const PATIENCE: Duration = Duration::from_secs(60);

/// A callback that goes on until it may end.
struct Slow {
    begun: PathBuf,
    go: PathBuf,
}

impl Slow {
    fn of(place: &Place) -> Self {
        Self { begun: place.folder.path().join("begun"), go: place.folder.path().join("go") }
    }

    fn callback(&self) -> String {
        let (begun, go) = (self.begun.display(), self.go.display());
        let command = format!("touch {begun}; until [ -e {go} ]; do sleep 0.05; done");
        format!("{{uses: bash, with: {}}}", serde_json::json!({ "bash_command": command }))
    }

    async fn has_begun(&self) {
        let waited = Instant::now();
        while !self.begun.exists() {
            assert!(waited.elapsed() < PATIENCE, "it never begins");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn may_end(&self) {
        std::fs::write(&self.go, "").unwrap();
    }
}

fn polite() -> Manners {
    Manners { starttls: true, login: Some(("flow@example.org", PASSWORD)), ..Manners::default() }
}

fn busy(times: usize) -> Manners {
    Manners { refuses: Some(("451 4.7.1 later", times)), ..polite() }
}

const FAILS: &str =
    "dag_id: d\ntasks:\n- id: t\n  uses: bash\n  with: {bash_command: 'exit 3'}\n  email: ann@example.org\n";

both! {
    async fn a_failed_task_sends_its_mail(w: World) {
        let place = Place::of(w, polite()).await;
        place.run(FAILS).await;
        assert_eq!(place.deliver_after(1).await, 1);
        let mails = place.sink.until_mails(1);
        assert_eq!((mails[0].to.as_slice(), mails[0].was_encrypted), (&["ann@example.org".to_owned()][..], true));
        assert_eq!(mails[0].login.as_deref(), Some("flow@example.org"));
        assert_eq!(mails[0].from, "flow@example.org");
        for part in ["Subject: [Flow] d.t failed", "exit code 3", "Message-ID: <flow-callback-"] {
            assert!(mails[0].text.contains(part), "{}", mails[0].text);
        }
        let line = place.lines().await.pop().unwrap();
        assert_eq!((line.state.as_str(), line.operator.as_str(), line.tries), ("delivered", "email", 1));
        assert!(line.log.unwrap().contains("the mail server took it"));
        assert_eq!(place.deliver_after(1000).await, 0);
        place.sink.until_alone();
    }

    async fn every_point_of_a_task_and_a_run_is_told_with_what_is_known_then(w: World) {
        let place = Place::of(w, polite()).await;
        let say = |event: &str| place.writes(&format!("{event} {{{{ ti.task_id }}}} {{{{ ti.state }}}} {{{{ ti.try_number }}}} {{{{ exception }}}}"));
        let keys = ["execute", "success", "failure", "retry", "skipped"].map(|event| format!("  on_{event}_callback: [{}]\n", say(event))).concat();
        let task = |command: &str| format!("dag_id: d\non_success_callback: [{}]\non_failure_callback: [{}]\ntasks:\n- id: t\n  uses: bash\n  with: {{bash_command: {command}}}\n{keys}",
            place.writes("run {{ dag_run.state }} {{ ti.task_id }}"), place.writes("run {{ dag_run.state }} {{ exception }}"));
        place.run(&task("'true'")).await;
        place.deliver_after(1).await;
        assert_eq!(place.written(), "execute t running 1 None\nsuccess t success 1 None\nrun success t\n");
        place.run(&task("exit 99")).await;
        place.deliver_after(1).await;
        assert!(place.written().ends_with("execute t running 1 None\nskipped t skipped 1 None\nrun success t\n"), "{}", place.written());
        place.run(&task("exit 1")).await;
        place.deliver_after(1).await;
        let (expected, written) = ("execute t running 1 None\nfailure t failed 1 the command ended with exit code 1", place.written());
        assert!(written.contains(expected) && written.ends_with("run failed `t` is failed\n"), "{written}");
        place.run(&(task("exit 1") + "  retries: 1\n")).await;
        place.deliver_after(1).await;
        assert!(place.written().contains("retry t up_for_retry 1 the command ended"), "{}", place.written());
    }

    async fn a_run_without_tasks_calls_back_too(w: World) {
        let place = Place::of(w, polite()).await;
        place.run(&format!("dag_id: d\non_success_callback: [{}]\ntasks: []\n", place.writes("{{ dag.dag_id }} {{ run_id }}"))).await;
        assert_eq!(place.deliver_after(1).await, 1);
        assert!(place.written().starts_with("d manual__"), "{}", place.written());
    }

    async fn a_server_that_refuses_is_tried_again_then_given_up_and_a_person_may_ask_anew(w: World) {
        let place = Place::of(w, busy(10)).await;
        place.run(FAILS).await;
        assert_eq!((place.deliver_after(1).await, place.deliver_after(8).await, place.deliver_after(2).await), (1, 0, 1));
        let line = place.lines().await.pop().unwrap();
        assert_eq!((line.state.as_str(), line.tries), ("pending", 2));
        assert!(line.error.unwrap().contains("refuses the mail: 451 4.7.1 later"));
        for _ in 0..8 {
            assert_eq!(place.deliver_after(3600).await, 1);
        }
        let line = place.lines().await.pop().unwrap();
        assert_eq!((line.state.as_str(), line.tries, place.sink.refused()), ("failed", 10, 10));
        assert_eq!(place.deliver_after(36_000).await, 0);
        assert!(place.w.store.retry_callback(line.id, place.shop.clock.now()).await.unwrap());
        assert_eq!(place.deliver_after(0).await, 1);
        assert_eq!((place.sink.until_mails(1).len(), place.lines().await[0].state.as_str()), (1, "delivered"));
    }

    async fn one_that_only_a_newer_program_understands_is_left_to_it(w: World) {
        let place = Place::of(w, polite()).await;
        place.run(FAILS).await;
        place.w.meddle("UPDATE callback SET given = '{\"uses\": \"pigeon\"}'").await;
        for _ in 0..8 {
            assert_eq!(place.deliver_after(400).await, 1);
            let line = place.lines().await.pop().unwrap();
            assert_eq!((line.state.as_str(), line.tries), ("pending", 0));
            assert!(line.error.unwrap().contains("pigeon"));
        }
        // Nobody has come for it: it fails as others do.
        place.deliver_after(4_000).await;
        assert_eq!(place.lines().await.pop().unwrap().tries, 1);
        place.w.meddle("UPDATE callback SET given = NULL").await;
        assert_eq!(place.deliver_after(11).await, 1);
        assert_eq!(place.lines().await.pop().unwrap().state, "delivered");
    }

    async fn repetitions_of_one_mail_are_known_by_their_id(w: World) {
        let place = Place::of(w, polite()).await;
        place.run(FAILS).await;
        // A worker that died after the mail, and before it could say so.
        let now = place.shop.clock.now();
        place.deliver_after(0).await;
        place.w.meddle("UPDATE callback SET state = 'pending', due = 0").await;
        place.deliver_after(1).await;
        let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
        let mails = place.sink.until_mails(2);
        assert_eq!(id(&mails[0].text), id(&mails[1].text));
        assert!(place.shop.clock.now() > now);
    }

    async fn what_is_secret_stands_neither_in_the_log_nor_in_the_error(w: World) {
        let place = Place::of(w, polite()).await;
        let command = "echo {{ conn.smtp_default.password }}; echo {{ conn.smtp_default.password }} >&2; exit 1";
        let callback = format!("{{uses: bash, with: {{bash_command: {}}}}}", serde_json::Value::from(command));
        let broken = "{uses: bash, with: {bash_command: 'echo {{ conn.smtp_default.password }} {{ nope }}'}}";
        let text = format!("dag_id: d\ntasks:\n- id: t\n  uses: bash\n  with: {{bash_command: 'true'}}\n  on_success_callback: [{callback}, {broken}]\n");
        place.run(&text).await;
        assert_eq!(place.deliver_after(1).await, 2);
        let lines = place.lines().await;
        assert!(lines[0].log.as_ref().unwrap().contains("***\n"), "{lines:?}");
        assert!(lines[1].error.as_ref().unwrap().contains("`bash_command`, line 1: "), "{lines:?}");
        let all = place.w.db.raw().await.texts("SELECT exception || COALESCE(error, '') || COALESCE(log, '') FROM callback").await;
        assert!(!all.concat().contains(PASSWORD), "{all:?}");
    }

    async fn a_drain_takes_no_more(w: World) {
        let place = Place::of(w, polite()).await;
        let slow = Slow::of(&place);
        place.run(&calls_back(&slow.callback())).await;
        let (shop, stop) = (place.shop.clone(), Stop::new());
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move { serve_until_drain(&shop, &stop).await }
        });
        slow.has_begun().await;
        stop.drain();
        let mut under_way = timeout(PATIENCE, serving).await.unwrap().unwrap();
        place.shop.clock.advance(Duration::from_secs(1));
        place.run(&calls_back(&place.writes("late"))).await;
        assert!(under_way.try_join_next().is_none() && under_way.len() == 1);
        slow.may_end();
        assert!(timeout(PATIENCE, under_way.join_next()).await.unwrap().unwrap().is_ok());
        assert_eq!(place.states().await, [("delivered".to_owned(), 1), ("pending".to_owned(), 0)]);
    }

    async fn a_drain_waits_for_what_is_under_way(w: World) {
        let place = Place::of(w, polite()).await;
        let slow = Slow::of(&place);
        place.run(&calls_back(&slow.callback())).await;
        let (shop, stop) = (place.shop.clone(), Stop::new());
        let mut serving = tokio::spawn({
            let stop = stop.clone();
            async move { serve(&shop, &stop).await }
        });
        slow.has_begun().await;
        stop.drain();
        assert!(timeout(Duration::from_secs(1), &mut serving).await.is_err());
        slow.may_end();
        timeout(PATIENCE, serving).await.unwrap().unwrap();
        assert_eq!(place.states().await, [("delivered".to_owned(), 1)]);
    }
}
