//! Our OpenAPI document against what a client of Airflow's stable API relies on: airflow_api.txt beside this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{client::Api, support::both};

const FACTS: &str = include_str!("airflow_api.txt");

/// What is known to be missing. Taken out as it is built; a test fails when one of them is there.
const GAPS: &[&str] = &[
    "DELETE /api/v2/connections/{connection_id}",
    "DELETE /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    "DELETE /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}",
    "DELETE /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}",
    "DELETE /api/v2/pools/{pool_name}",
    "DELETE /api/v2/variables/{variable_key}",
    "GET /api/v2/auth/login",
    "GET /api/v2/auth/logout",
    "GET /api/v2/connections",
    "GET /api/v2/connections/enqueue-test",
    "GET /api/v2/connections/{connection_id}",
    "GET /api/v2/dags/{dag_id}/dagRuns",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/externalLogUrl/{try_number}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/listMapped",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/tries/{task_try_number}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dependencies",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/tries/{task_try_number}",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/wait",
    "GET /api/v2/eventLogs",
    "GET /api/v2/eventLogs/{event_log_id}",
    "GET /api/v2/pools",
    "GET /api/v2/pools/{pool_name}",
    "GET /api/v2/variables",
    "GET /api/v2/variables/{variable_key}",
    "PATCH /api/v2/connections",
    "PATCH /api/v2/connections/{connection_id}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskGroupInstances/{group_id}/dry_run",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/dry_run",
    "PATCH /api/v2/pools",
    "PATCH /api/v2/pools/{pool_name}",
    "PATCH /api/v2/variables",
    "PATCH /api/v2/variables/{variable_key}",
    "POST /api/v2/connections",
    "POST /api/v2/connections/defaults",
    "POST /api/v2/connections/enqueue-test",
    "POST /api/v2/connections/test",
    "POST /api/v2/dags/{dag_id}/clearDagRuns",
    "POST /api/v2/dags/{dag_id}/clearTaskInstances",
    "POST /api/v2/dags/{dag_id}/dagRuns",
    "POST /api/v2/dags/{dag_id}/dagRuns/list",
    "POST /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/clear",
    "POST /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list",
    "POST /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries",
    "POST /api/v2/pools",
    "POST /api/v2/variables",
    "schema DAGRunResponse",
    "schema TaskInstanceHistoryResponse",
    "schema TaskInstanceResponse",
];

#[derive(Debug, Default)]
struct Operation<'a> {
    body: Option<&'a str>,
    query: Vec<&'a str>,
    status: &'a str,
    answers: Vec<&'a str>,
}

/// Reads the facts: operations by method and path, fields by schema.
fn facts() -> (BTreeMap<&'static str, Operation<'static>>, BTreeMap<&'static str, Vec<&'static str>>) {
    let (mut operations, mut schemas) = (BTreeMap::new(), BTreeMap::new());
    let mut last = "";
    for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["schema", name, fields @ ..] => {
                schemas.insert(*name, fields.to_vec());
            }
            ["body", name] => operations.entry(last).or_insert_with(Operation::default).body = Some(name),
            ["query", names @ ..] => operations.entry(last).or_default().query = names.to_vec(),
            [_, _, "->", status, answers] => {
                last = line.split(" ->").next().unwrap();
                let answers = answers.split('|').filter(|name| *name != "-").collect();
                operations.insert(last, Operation { status, answers, ..Operation::default() });
            }
            _ => panic!("{line}"),
        }
    }
    (operations, schemas)
}

/// Collects the names of the schemas that a part of the document refers to, and those that these refer to.
fn referred<'a>(document: &'a Value, part: &'a Value, found: &mut BTreeSet<&'a str>) {
    match part {
        Value::Object(fields) => {
            let named = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = named
                && found.insert(name)
            {
                referred(document, &document["components"]["schemas"][name], found);
            }
            fields.values().for_each(|inner| referred(document, inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| referred(document, inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns what is missing, each as `METHOD path …` or `schema name …`.
fn missing(document: &Value) -> BTreeSet<String> {
    let (operations, schemas) = facts();
    let mut problems = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (name, wanted) in &operations {
        let (method, path) = name.split_once(' ').unwrap();
        let found = &document["paths"][path][method.to_lowercase()];
        if found.is_null() {
            problems.insert((*name).to_owned());
            continue;
        }
        let parameters = found["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        for query in &wanted.query {
            if !parameters.iter().any(|one| one["name"] == *query && one["in"] == "query") {
                problems.insert(format!("{name} query {query}"));
            }
        }
        if let Some(body) = wanted.body {
            let mut names = BTreeSet::new();
            referred(document, &found["requestBody"], &mut names);
            if !names.contains(body) {
                problems.insert(format!("{name} body {body}"));
            }
        }
        let success = &found["responses"][wanted.status];
        let mut names = BTreeSet::new();
        referred(document, success, &mut names);
        if success.is_null() || !wanted.answers.iter().all(|answer| names.contains(answer)) {
            problems.insert(format!("{name} -> {} {}", wanted.status, wanted.answers.join("|")));
        }
        referred(document, found, &mut used);
    }
    for name in used {
        let found = &document["components"]["schemas"][name];
        if found.is_null() {
            problems.insert(format!("schema {name}"));
        }
        for field in schemas.get(name).into_iter().flatten().filter(|_| !found.is_null()) {
            if found["properties"][field].is_null() {
                problems.insert(format!("schema {name} field {field}"));
            }
        }
    }
    problems
}

#[test]
fn the_api_has_what_clients_of_airflow_rely_on() {
    let document = serde_json::to_value(flow_server::openapi_document("0")).unwrap();
    let missing = missing(&document);
    let known: BTreeSet<String> = GAPS.iter().map(|&gap| gap.to_owned()).collect();
    let new: Vec<&String> = missing.difference(&known).collect();
    assert!(new.is_empty(), "missing: {new:#?}");
    let filled: Vec<&String> = known.difference(&missing).collect();
    assert!(filled.is_empty(), "no gaps any more, take them out of GAPS: {filled:#?}");
}

#[test]
fn the_facts_are_all_read() {
    let (operations, schemas) = facts();
    assert_eq!(operations.len(), 128);
    assert!(schemas.len() > 100);
}

both! {
    async fn the_document_and_its_page_are_served(api: Api) {
        let document = api.as_nobody().get("/openapi.json").await.expect(200);
        assert_eq!(document["paths"]["/api/v2/dags"]["get"]["operationId"], "get_dags");
        let page = api.as_nobody().get("/docs").await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'"), "{policy}");
        let page = page.expect(200);
        assert!(page.as_str().unwrap().contains("/api/v2/dags/{dag_id}/details"));
    }
}
