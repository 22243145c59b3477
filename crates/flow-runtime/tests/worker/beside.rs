//! Relative paths are beside the DAG file, wherever in the DAG folder that is.

use flow_core::{Outcome, connection::Connection};
use flow_runtime::Clock;

use crate::{
    place::Place,
    sink::{Manners, Sink},
    support::both,
    world::World,
};

/// A DAG folder with the same names at its root and in `sub/deep`, where the DAG files are.
fn place(w: World) -> Place {
    let place = Place::of(w, flow_operators::all(), Clock::system());
    for (below, word) in [("data", "wrong"), ("sub/deep/data", "right")] {
        let folder = place.folder.path().join(below);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("s.py"), format!("def main():\n    return '{word}'\n")).unwrap();
        std::fs::write(folder.join("in.csv"), format!("word\n{word}\n")).unwrap();
    }
    std::fs::write(place.folder.path().join("sub/deep/data/only_here.txt"), "").unwrap();
    place
}

/// Runs a task of a DAG in `sub/deep`; returns its result.
async fn result(place: &Place, task: &str) -> serde_json::Value {
    let text = format!("dag_id: d\ntasks:\n  - {{ id: t, {task} }}\n");
    place.save("sub/deep/d.yaml", &text).await;
    let report = place.run("d").await.1.expect("the task waits for a worker");
    assert_eq!(report.outcome, Outcome::Success, "{}", place.logs());
    report.xcoms.into_iter().next().map(|(_, value)| value).unwrap_or_default()
}

both! {
    async fn a_script_is(w: World) {
        assert_eq!(result(&place(w), "uses: python, with: { file: data/s.py }").await, "right");
    }

    async fn a_script_in_the_document_imports_what_is(w: World) {
        let place = place(w);
        let task = "uses: python, with: { script: \"import data.s\\ndef main():\\n    return data.s.main()\\n\" }";
        assert_eq!(result(&place, task).await, "right");
    }

    async fn a_working_directory_is(w: World) {
        let task = "uses: bash, with: { bash_command: 'tail -1 in.csv', cwd: data }";
        assert_eq!(result(&place(w), task).await, "right");
    }

    async fn a_file_that_is_waited_for_is(w: World) {
        let place = place(w);
        result(&place, "uses: file_sensor, with: { filepath: 'data/only_*.txt', timeout: 5 }").await;
    }

    async fn a_file_that_is_loaded_is(w: World) {
        let place = place(w);
        let database = place.folder.path().join("w.db");
        std::fs::write(&database, "").unwrap();
        let mut tx = place.w.store.begin().await.unwrap();
        let connection = Connection::parse("db", &format!("sqlite://{}", database.display())).unwrap();
        tx.set_connection(&connection).await.unwrap();
        tx.commit().await.unwrap();
        let load = "uses: sql_load, with: { conn_id: db, table: t, file: data/in.csv, preoperator: 'CREATE TABLE t (word TEXT)' }";
        result(&place, load).await;
        let rows = result(&place, "uses: sql, with: { conn_id: db, sql: SELECT word FROM t }").await;
        assert_eq!(rows, serde_json::json!([["right"]]));
    }

    async fn a_file_that_goes_with_a_mail_is(w: World) {
        let place = place(w);
        let sink = Sink::start(Manners::default());
        let mut tx = place.w.store.begin().await.unwrap();
        let uri = format!("smtp://localhost:{}/?disable_tls=true", sink.address.port());
        tx.set_connection(&Connection::parse("smtp_default", &uri).unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        let task = "uses: email, with: { to: ann@example.org, from_email: flow@example.org, subject: s, html_content: c, files: [data/in.csv] }";
        result(&place, task).await;
        // "word\nright\n" as it goes over the wire.
        let text = sink.until_mails(1)[0].text.clone();
        assert!(text.contains("d29yZApyaWdodAo=") || text.contains("right"), "{text}");
    }

    async fn a_file_that_was_moved_with_its_dag_is_found_at_once(w: World) {
        let place = place(w);
        let text = "dag_id: d\ntasks:\n  - { id: t, uses: python, with: { file: data/s.py } }\n";
        place.save("d.yaml", text).await;
        let returned = |report: Option<flow_store::Report>| report.expect("it waits for a worker").xcoms[0].1.clone();
        assert_eq!(returned(place.run("d").await.1), "wrong");
        let mut tx = place.w.store.begin().await.unwrap();
        tx.remove_file("d.yaml", place.shop.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        place.save("sub/deep/d.yaml", text).await;
        assert_eq!(returned(place.run("d").await.1), "right");
    }

    async fn for_a_callback_it_is_the_same(w: World) {
        let place = place(w);
        let written = place.folder.path().join("written");
        let command = format!("tail -1 in.csv > {}", written.display());
        let text = format!(
            "dag_id: d\ntasks:\n- id: t\n  uses: bash\n  with: {{bash_command: 'true'}}\n  on_success_callback: [{{uses: bash, with: {{cwd: data, bash_command: '{command}'}}}}]\n"
        );
        place.save("sub/deep/d.yaml", &text).await;
        place.run("d").await;
        assert_eq!(flow_runtime::callbacks::deliver_due(&place.shop).await.unwrap(), 1);
        assert_eq!(std::fs::read_to_string(written).unwrap(), "right\n");
    }
}
