//! The whole OpenAPI document of a running Flow, fuzzed by schemathesis: whatever is asked, nothing breaks, and every
//! answer is as it was described.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[expect(dead_code, reason = "others look at what is kept")]
mod place;

use std::{path::Path, process::Command};

use place::Flow;

const DAG: &str = "
dag_id: fuzzed
schedule: null
tags: [test]
params: { region: eu }
tasks:
  - { id: extract, uses: bash, with: { bash_command: 'echo 42' } }
  - { id: load, uses: empty, needs: [extract] }
";

/// Requests to each operation, made from its description; `FLOW_FUZZ_EXAMPLES` says otherwise.
const EXAMPLES: &str = "8";

/// Statuses that are no failure of the server. 501: Airflow has it, Flow does not, and says so.
const CHECKS: &str = "
[checks]
not_a_server_error.expected-statuses = [\"2xx\", \"3xx\", \"4xx\", 501]
";

/// Names that exist, so that requests get past \"does not exist\".
const NAMES: &str = "
[parameters]
\"path.dag_id\" = \"fuzzed\"
\"path.dag_run_id\" = \"known\"
\"path.task_id\" = \"extract\"
\"path.map_index\" = -1
\"path.try_number\" = 1
\"path.task_try_number\" = 1
\"path.version_number\" = 1
\"path.xcom_key\" = \"return_value\"
\"path.pool_name\" = \"default_pool\"
\"path.section\" = \"web\"
\"path.option\" = \"port\"
\"path.username\" = \"admin\"
\"path.path\" = \"fuzzed.yaml\"
";

/// Streams that last as long as the client; and what would take the fuzzer's own rights away.
const LEFT_OUT: &str = "(/events|/follow|DELETE /api/v2/tokens|/auth/)";

#[test]
fn no_request_breaks_the_server_and_every_answer_fits_its_description() {
    let test = "no_request_breaks_the_server_and_every_answer_fits_its_description";
    let Some(bin) = place::python(test, "schemathesis", &["schemathesis==4.32.5"]) else { return };
    let flow = Flow::start(&[("fuzzed.yaml", DAG)]);
    let token = flow.token();
    // First what exists, then anything: that may delete it.
    let run = flow.post("/api/v2/dags/fuzzed/dagRuns", &token, r#"{"dag_run_id": "known", "logical_date": null}"#);
    assert_eq!(run["dag_run_id"], "known", "{run}");
    fuzz(
        &bin,
        &flow,
        &token,
        &format!("{CHECKS}{NAMES}"),
        &["--exclude-name-regex", &format!("^DELETE /api/v2/dags|^(PUT|DELETE) /ui/files|{LEFT_OUT}|users")],
    );
    fuzz(&bin, &flow, &token, CHECKS, &["--exclude-name-regex", LEFT_OUT]);
    // It is still there, and does its work.
    assert_eq!(flow.get("/api/v2/monitor/health", &token)["scheduler"]["status"], "healthy");
}

#[track_caller]
fn fuzz(bin: &Path, flow: &Flow, token: &str, config: &str, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schemathesis.toml");
    std::fs::write(&file, config).unwrap();
    let examples = std::env::var("FLOW_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let seed = std::env::var("FLOW_FUZZ_SEED").unwrap_or_else(|_| "1".to_owned());
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                  response_headers_conformance";
    let done = Command::new(bin.join("schemathesis"))
        .arg("--config-file")
        .arg(&file)
        .args(["run", &format!("http://{}/openapi.json", flow.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", checks, "--phases", "examples,coverage,fuzzing", "--max-examples", &examples])
        // One worker: with two, CPython 3.11 at times fails in its own `ast` ("recursion depth mismatch").
        .args(["--workers", "1", "--seed", &seed, "--no-color", "--generation-database", "none"])
        .args(["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"])
        .args(more)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n--- flow said:\n{}", flow.said());
    // A run that asked nothing would succeed, too.
    let asked = said
        .lines()
        .find_map(|line| line.trim().strip_suffix(" passed")?.split_whitespace().next()?.parse::<u32>().ok());
    assert!(asked.is_none_or(|asked| asked > 500), "{said}");
    assert!(said.contains("Tested: "), "{said}");
}
