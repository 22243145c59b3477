//! Our OpenAPI document against what a client of Airflow's stable API relies on: airflow_api.txt beside this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{client::Api, support::both};

const FACTS: &str = include_str!("airflow_api.txt");

/// What is other than in Airflow, on purpose: connections are not tested on workers; bodies of bulk requests have
/// the same fields under other names; an XCom that is asked for as text has the same shape as any other.
const GAPS: &[&str] = &[
    "GET /api/v2/connections/enqueue-test -> 200 AsyncConnectionTestResponse",
    "GET /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key} -> 200 XComResponseNative|XComResponseString",
    "PATCH /api/v2/connections body BulkBody_ConnectionBody_",
    "PATCH /api/v2/dags/{dag_id}/dagRuns body BulkBody_BulkDAGRunBody_",
    "PATCH /api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances body BulkBody_BulkTaskInstanceBody_",
    "PATCH /api/v2/pools body BulkBody_PoolBody_",
    "PATCH /api/v2/variables body BulkBody_VariableBody_",
    "POST /api/v2/connections/enqueue-test -> 202 ConnectionTestQueuedResponse",
    "schema ConnectionTestRequestBody field conn_type",
    "schema ConnectionTestRequestBody field connection_id",
    "schema ConnectionTestRequestBody field description",
    "schema ConnectionTestRequestBody field extra",
    "schema ConnectionTestRequestBody field host",
    "schema ConnectionTestRequestBody field login",
    "schema ConnectionTestRequestBody field password",
    "schema ConnectionTestRequestBody field port",
    "schema ConnectionTestRequestBody field schema",
    "schema ConnectionTestRequestBody field team_name",
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
