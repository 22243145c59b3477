//! No secret that an attempt was given is found anywhere afterwards: not in its log, not in any table.
//!
//! Real processes, a real database, a real log. What is looked for is the secret itself and what programs make of it.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

#[path = "../../flow-store/tests/support/mod.rs"]
#[expect(dead_code, reason = "the suite of the store uses more of it")]
mod support;
#[path = "../../flow-store/tests/conformance/world.rs"]
#[expect(dead_code, unused_imports, reason = "the suite of the store uses more of it")]
mod world;

use flow_core::{
    Outcome,
    connection::Connection,
    dag::{Severity, Source, parse},
    secret::Secret,
};
use flow_runtime::{
    Clock, Workshop,
    log::{LogStore, Masker},
    worker::{Scratch, Slots, render},
};
use flow_store::{DagCache, FileSave, Keyring, Report, RunRow};
use serde_json::json;
use support::both;
use world::{World, at};

/// What must not be seen. The last one is a number.
const SECRETS: [&str; 3] = ["hunter2-s3cret", "k77/key+x", "73577357"];
/// The same in base64, as a header of HTTP has it, and as a part of an address.
const FORMS: [&str; 3] = ["aHVudGVyMi1zM2NyZXQ", "bWU6aHVudGVyMi1zM2NyZXQ", "k77%2Fkey%2Bx"];

/// A worker beside a database.
struct Place {
    w: World,
    shop: Workshop,
    folder: tempfile::TempDir,
}

/// What one attempt left behind.
struct Left {
    report: Report,
    log: String,
    row: RunRow,
}

impl Place {
    async fn of(mut w: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(flow_operators::all());
        w.store = w.store.with_keyring(Keyring::in_file(folder.path().join("secret.key")));
        w.dags = DagCache::new(Arc::new(registry.catalog()));
        let mut tx = w.store.begin().await.unwrap();
        let connection =
            Connection::parse("shop", &format!("http://me:{}@h/?api_key=k77%2Fkey%2Bx", SECRETS[0])).unwrap();
        tx.set_connection(&connection).await.unwrap();
        tx.set_variable("pin_token", &Secret::from(SECRETS[2]), None).await.unwrap();
        tx.set_variable("settings", &Secret::from(json!({ "password": SECRETS[0], "size": 7 }).to_string()), None)
            .await
            .unwrap();
        tx.set_variable("region", &Secret::from("europe"), None).await.unwrap();
        tx.commit().await.unwrap();
        let clock = Clock::system();
        let shop = Workshop {
            store: w.store.clone(),
            dags: w.dags.clone(),
            registry,
            clients: flow_clients::Clients::default(),
            logs: LogStore::new(folder.path().join("logs"), clock.clone()),
            clock,
            worker: "w".to_owned(),
            kill_grace: Duration::from_secs(1),
            scratch: Arc::new(Scratch::new(&folder.path().join("scratch"), "w")),
            dag_folder: Some(folder.path().to_owned()),
            masker: Masker::default(),
            traces: None,
        };
        Self { w, shop, folder }
    }

    /// Saves a DAG of one task, `t`, and runs that task.
    async fn run(&self, dag: &str, task: &str) -> Left {
        let text = format!("dag_id: {dag}\ntasks:\n  - {{ id: t, {task} }}\n");
        self.save(dag, &text).await;
        // Sensors count from the moment at which they began.
        let now = self.shop.clock.now();
        let row = self.w.trigger(dag, now).await;
        let claimed = self.w.running(row.run.key, "w", now).await.pop().expect("the task waits for a worker");
        let mut slots = Slots::new(self.shop.clone(), 1);
        slots.start(claimed, row.clone());
        let report = slots.ended().await;
        assert!(self.w.finish(report.clone()).await);
        self.w.decide(row.run.key, self.shop.clock.now()).await;
        Left { report, log: self.logs(), row }
    }

    async fn save(&self, dag: &str, text: &str) {
        let parsed = parse(&Source { text, stem: dag, files: BTreeMap::new() }, self.w.dags.catalog());
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let path = format!("{dag}.yaml");
        let save = FileSave {
            path: &path,
            hash: text,
            source_hash: text,
            text,
            files: &BTreeMap::new(),
            dags: &parsed.dags,
            error_text: "",
            diagnostics: &[],
            paused_at_creation: false,
        };
        let mut tx = self.w.store.begin().await.unwrap();
        tx.save_file(&save, at(0)).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn logs(&self) -> String {
        let mut found = String::new();
        let mut folders: Vec<PathBuf> = vec![self.folder.path().join("logs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        found
    }

    /// Fails when a secret stands in the log, or in any table.
    async fn is_clean(&self, log: &str) {
        let mut all = vec![("log".to_owned(), log.to_owned())];
        let mut raw = self.w.db.raw().await;
        for (table, text) in [
            ("attempt", "SELECT COALESCE(outcome, '') || COALESCE(memory, '') FROM attempt"),
            ("xcom", "SELECT key || value FROM xcom"),
            ("rendered", "SELECT fields FROM rendered"),
            ("event", "SELECT COALESCE(detail, '') || COALESCE(run_id, '') FROM event"),
            ("dag_run", "SELECT run_id || conf || COALESCE(note, '') FROM dag_run"),
            ("task_instance", "SELECT COALESCE(note, '') FROM task_instance"),
            ("variable", "SELECT value FROM variable"),
            ("connection", "SELECT COALESCE(password, '') || COALESCE(extra, '') FROM connection"),
        ] {
            all.push((table.to_owned(), raw.texts(text).await.join("\n")));
        }
        for (place, text) in all {
            for secret in SECRETS.iter().chain(&FORMS) {
                assert!(!text.contains(secret), "`{secret}` is in {place}:\n{text}");
            }
        }
    }
}

/// A task that runs a command.
fn bash(command: &str) -> String {
    format!("uses: bash, with: {{ bash_command: {} }}", serde_json::Value::from(command))
}

both! {
    async fn a_log_shows_no_secret_however_it_is_written(w: World) {
        let place = Place::of(w).await;
        let left = place.run("d", &bash(
            "S='{{ conn.shop.password }}'; K='{{ conn.shop.extra_dejson.api_key }}'\n\
             echo plain $S; echo error $S >&2; echo $K\n\
             printf 'half hunter2-'; sleep 0.3; echo 's3cret end'\n\
             printf 'out hunter2-'; echo between >&2; echo s3cret\n\
             head -c 4090 /dev/zero | tr '\\0' x; echo $S\n\
             head -c 65530 /dev/zero | tr '\\0' y; echo $S\n\
             echo -n $S | base64; echo -n me:$S | base64; echo k77%2Fkey%2Bx\n\
             echo pin {{ var.value.pin_token }} in {{ var.value.region }}",
        )).await;
        assert_eq!(left.report.outcome, Outcome::Success, "{}", left.log);
        place.is_clean(&left.log).await;
        for line in ["plain ***", "error ***", "half *** end", "pin *** in europe"] {
            assert!(left.log.contains(line), "no `{line}` in {}", left.log);
        }
    }

    async fn all_secrets_of_a_connection_are_hidden_not_only_those_that_were_asked_for(w: World) {
        let place = Place::of(w).await;
        // The task finds the others by itself, somewhere else.
        let left = place.run("d", &bash("echo {{ conn.shop.host }} k77/key+x hunter2-s3cret; echo {{ var.json.settings.size }}")).await;
        assert!(left.log.contains("h *** ***"), "{}", left.log);
        place.is_clean(&left.log).await;
    }

    async fn what_a_task_leaves_behind_holds_no_secret(w: World) {
        let place = Place::of(w).await;
        // The result is a number that is one; so is a key of what it writes.
        let left = place.run("d", &bash("echo {{ conn.shop.password }}; echo {{ var.value.pin_token }}")).await;
        assert_eq!(left.report.outcome, Outcome::Success);
        place.is_clean(&left.log).await;
        let xcom = place.w.store.xcom(left.row.run.key, "t", "return_value").await.unwrap();
        assert_eq!(xcom[0].1, json!("***"));
    }

    async fn a_number_that_is_a_secret_is_hidden_in_a_result(w: World) {
        let place = Place::of(w).await;
        let left = place.run("d", &bash(
            "echo {{ var.value.pin_token }} > /dev/null\n\
             echo '{\"pin\": 73577357, \"73577357\": [73577357, 8], \"hunter\": \"{{ conn.shop.password }}\"}' > $FLOW_XCOM",
        )).await;
        assert_eq!(left.report.outcome, Outcome::Success, "{}", left.log);
        place.is_clean(&left.log).await;
        assert!(!left.report.xcoms.is_empty());
    }

    async fn a_failure_says_no_secret(w: World) {
        let place = Place::of(w).await;
        let left = place.run("d", &bash("cd /nowhere/{{ conn.shop.password }} || exit 7")).await;
        assert!(matches!(left.report.outcome, Outcome::Failed { .. }));
        place.is_clean(&left.log).await;
        // An argument that cannot be filled in, because of what a secret holds.
        let left = place.run("e", &bash("{{ conn.shop.password | int(base=conn.shop.password) }} {{ (conn.shop.password ~ '') / 2 }}")).await;
        assert!(matches!(left.report.outcome, Outcome::Failed { .. }), "{:?}", left.report.outcome);
        place.is_clean(&left.log).await;
        let left = place.run("f", "uses: trigger_dag, with: { trigger_dag_id: 'no-{{ conn.shop.password }}' }").await;
        assert!(matches!(left.report.outcome, Outcome::Failed { .. }));
        place.is_clean(&left.log).await;
    }

    async fn a_run_that_a_task_makes_is_given_no_secret(w: World) {
        let place = Place::of(w).await;
        place.save("child", "dag_id: child\ntasks:\n  - { id: c, uses: empty }\n").await;
        let left = place.run("d", "uses: trigger_dag, with: { trigger_dag_id: child, trigger_run_id: one, \
            conf: { token: '{{ conn.shop.password }}', pin: '{{ var.value.pin_token }}', size: 7 } }").await;
        assert_eq!(left.report.outcome, Outcome::Success, "{}", left.log);
        place.is_clean(&left.log).await;
        assert!(left.log.contains("WARN  - the conf of the run holds a secret"), "{}", left.log);
        let child = place.w.store.run("child", "one").await.unwrap().expect("the run is there");
        assert_eq!(child.run.conf, json!({ "token": "***", "pin": "***", "size": 7 }));
        let left = place.run("e", "uses: trigger_dag, with: { trigger_dag_id: child, trigger_run_id: 'x-{{ conn.shop.password }}' }").await;
        assert!(left.log.contains("run id `x-***` must be"), "{}", left.log);
        place.is_clean(&left.log).await;
    }

    async fn what_a_sensor_remembers_holds_no_secret(w: World) {
        let place = Place::of(w).await;
        let left = place.run("d", "uses: bash_sensor, with: { bash_command: 'echo {{ conn.shop.password }}; exit 1', mode: reschedule, poke_interval: 60 }").await;
        assert!(matches!(left.report.outcome, Outcome::Reschedule { .. }), "{:?}", left.report.outcome);
        place.is_clean(&left.log).await;
    }

    async fn arguments_that_are_rendered_for_a_person_show_no_secret(w: World) {
        let place = Place::of(w).await;
        let left = place.run("d", &bash("true {{ conn.shop.password }} {{ var.value.settings }} {{ var.value.region }}")).await;
        let dag = place.w.dags.read(&place.w.store, left.row.version_id).await.unwrap();
        let shown = async |run: &RunRow| {
            let dag = &dag.dag;
            render(&place.w.store, &place.w.dags, &place.shop.clock, run.run.clone(), dag, flow_core::TaskIx::from(0), 1).await
        };
        let text = shown(&left.row).await.unwrap().to_string();
        assert!(text.contains("true *** ") && text.contains("europe") && !text.contains("s3cret"), "{text}");
        place.is_clean(&left.log).await;
    }

    async fn a_value_whose_key_is_missing_fails_with_a_sentence_that_says_so(w: World) {
        let mut place = Place::of(w).await;
        place.w.store = place.w.store.with_keyring(Keyring::in_file(place.folder.path().join("other.key")));
        place.shop.store = place.w.store.clone();
        let left = place.run("d", &bash("echo {{ conn.shop.password }}")).await;
        let Outcome::Failed { failure } = left.report.outcome else { panic!("{:?}", left.report.outcome) };
        assert!(failure.message.contains("is encrypted with the key") && failure.message.contains("FLOW_SECRET_KEY"), "{failure:?}");
    }

    async fn what_is_hidden_for_the_whole_worker_is_hidden_in_every_attempt(w: World) {
        let mut place = Place::of(w).await;
        place.shop.masker = Masker::new(["hunter2-s3cret"]);
        let left = place.run("d", &bash("echo hunter2-s3cret; exit 1")).await;
        assert!(left.log.contains("OUT   - ***"), "{}", left.log);
    }
}
