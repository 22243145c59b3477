//! The table of who may do what, against the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn every_route_is_in_the_table_and_the_other_way_round() {
    let document = serde_json::to_value(flow_server::openapi_document("0")).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_default();
            described.insert((method.to_uppercase(), path.clone(), name.to_owned()));
        }
    }
    let allowed: BTreeSet<(String, String, String)> = flow_server::rules()
        .map(|[method, path, _, name]| (method.to_owned(), path.to_owned(), name.to_owned()))
        .collect();
    let missing: Vec<_> = described.difference(&allowed).collect();
    assert!(missing.is_empty(), "routes without a rule: {missing:#?}");
    let empty: Vec<_> = allowed.difference(&described).collect();
    assert!(empty.is_empty(), "rules without a route: {empty:#?}");
    assert_ne!(document["paths"], Value::Null);
}
