//! Airflow's own client for Python, as it was released, against a running Flow.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "others look at what is kept")]
mod place;

use std::{path::Path, process::Command};

use place::Flow;

/// Fails at first, so that there is something to clear; leaves an XCom and a line in its log.
const DAG: &str = "
dag_id: client
schedule: null
is_paused_upon_creation: true
tags: [test]
params:
  region: eu
tasks:
  - id: extract
    uses: bash
    do_xcom_push: true
    with: { bash_command: 'echo \"region is {{ params.region }}\"; echo 42' }
  - id: load
    uses: bash
    needs: [extract]
    with: { bash_command: 'test \"{{ var.value.get(\"mended\", \"no\") }}\" = yes' }
  - id: report
    uses: bash
    needs: [load]
    with: { bash_command: 'echo done' }
";

#[test]
fn airflows_client_drives_flow() {
    let Some(python) =
        place::python("airflows_client_drives_flow", "airflow-client", &["apache-airflow-client==3.3.2"])
    else {
        return;
    };
    let flow = Flow::start(&[
        ("client.yaml", DAG),
        ("other.yaml", "dag_id: other\nschedule: null\ntasks: [{ id: t, uses: empty }]\n"),
    ]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/airflow_client/drive.py");
    let done = Command::new(python.join("python"))
        .arg(script)
        .env("FLOW_URL", format!("http://{}", flow.address))
        .env("FLOW_PASSWORD", flow.password())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n--- flow said:\n{}", flow.said());
    assert!(said.contains("all done"), "{said}");
}
