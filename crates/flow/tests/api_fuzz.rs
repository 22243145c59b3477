//! The whole OpenAPI document of a running Flow, fuzzed by schemathesis: whatever is asked, nothing breaks, and every
//! answer is as it was described.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod place;

use std::process::Command;

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

/// Requests to each operation in a plain run; `FLOW_FUZZ_EXAMPLES` says otherwise.
const EXAMPLES: &str = "12";

#[test]
fn no_request_breaks_the_server_and_every_answer_fits_its_description() {
    let test = "no_request_breaks_the_server_and_every_answer_fits_its_description";
    let Some(bin) = place::python(test, "schemathesis", &["schemathesis==4.32.5"]) else { return };
    let flow = Flow::start(&[("fuzzed.yaml", DAG)]);
    let examples = std::env::var("FLOW_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let done = Command::new(bin.join("schemathesis"))
        .args(["run", &format!("http://{}/openapi.json", flow.address)])
        .args(["--header", &format!("Authorization: Bearer {}", flow.token())])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples])
        .args(["--workers", "2", "--no-color", "--generation-database", "none", "--suppress-health-check", "all"])
        // Streams that last, and what would end the session.
        .args(["--exclude-path-regex", "/(events|wait|auth/.*|users.*|tokens.*)$"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env("PYTHONWARNINGS", "ignore")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n--- flow said:\n{}", flow.said());
}
