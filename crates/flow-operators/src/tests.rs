//! Rules about the list of operators, and about attempts of any operator.

use std::{collections::BTreeSet, fs, path::Path};

use flow_core::run::{FailureCause, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use flow_core::dag::Arg;

use super::*;
use crate::testing::{Run, World};

#[test]
fn every_file_in_the_folder_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operators");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: BTreeSet<String> = all().entries().iter().map(|entry| entry.spec.name.to_owned()).collect();
    assert_eq!(files, listed);
    assert_eq!(listed.len(), all().entries().len(), "a name stands twice");
}

#[test]
fn the_catalogue_knows_names_and_classes() {
    let catalog = all().catalog();
    assert_eq!(catalog.by_class("BashOperator").unwrap().name, "bash");
    assert!(catalog.by_name("wait").unwrap().is_sensor);
    assert!(catalog.by_name("empty").unwrap().is_inline);
    assert!(catalog.by_name("latest_only").unwrap().is_branch);
}

#[test]
fn arguments_are_checked_when_a_document_is_read() {
    let check = |name: &str, args: serde_json::Value| {
        let args: Vec<_> =
            args.as_object().unwrap().iter().map(|(key, value)| (key.clone(), Arg::Value(value.clone()))).collect();
        (all().catalog().by_name(name).unwrap().check)(&args)
    };
    assert_eq!(check("bash", json!({ "bash_command": "true" })), []);
    assert_eq!(check("wait", json!({ "time_to_wait": "5m", "timeout": 60 })), []);
    assert_ne!(check("bash", json!({})), []);
    assert_ne!(check("bash", json!({ "bash_command": "true", "bash_comand": "x" })), []);
    assert_ne!(check("wait", json!({ "time_to_wait": "5m", "timeout": "soon" })), []);
    assert_ne!(check("wait", json!({ "time_to_wait": "5m", "poke_intervl": 60 })), []);
    assert_ne!(check("wait", json!({ "time_to_wait": "5m", "soft_fail": true, "never_fail": true })), []);
    let bounds = |lower: Option<&str>| {
        check(
            "branch_datetime",
            json!({ "follow_task_ids_if_true": "a", "follow_task_ids_if_false": "b", "target_lower": lower }),
        )
    };
    assert_eq!(bounds(Some("22:00")), []);
    assert_eq!(bounds(None)[0].message, "give at least one of `target_lower` and `target_upper`");
}

#[test]
fn an_unknown_key_of_a_sensor_is_told_from_those_of_all_sensors() {
    let args = vec![
        ("poke_intervl".to_owned(), Arg::Value(json!(5))),
        ("time_to_wait".to_owned(), Arg::Template { source: "{{ x }}".to_owned() }),
    ];
    let errors = (all().catalog().by_name("wait").unwrap().check)(&args);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(error.help.as_deref(), Some("did you mean `poke_interval`?"));
    assert_eq!(error.message, "unknown key `poke_intervl`");
}

#[test]
fn what_only_a_run_knows_satisfies_every_parameter() {
    for entry in all().entries() {
        let schema = (entry.spec.schema)();
        let open = |name: &str| (name.to_owned(), Arg::Template { source: "{{ x }}".to_owned() });
        let all = schema["properties"].as_object().into_iter().flat_map(serde_json::Map::keys);
        let args: Vec<_> = all.map(|name| open(name)).collect();
        assert_eq!((entry.spec.check)(&args), [], "{}", entry.spec.name);
    }
}

#[test]
fn bad_values_are_told_in_words() {
    for (name, args, expected) in [
        (
            "wait",
            json!({ "time_to_wait": "soon" }),
            "`time_to_wait` must be a duration such as `5m` or `1h30m`, not `soon`",
        ),
        (
            "wait",
            json!({ "time_to_wait": 1, "timeout": -1 }),
            "`timeout` must be a duration between 0 and 100 years, not `-1`",
        ),
        (
            "day_of_week_sensor",
            json!({ "week_day": "Mon" }),
            "`week_day` must be a weekday such as `Monday`, not `Mon`",
        ),
        (
            "time_sensor",
            json!({ "target_time": "25:00" }),
            "`target_time` must be a time of day such as `07:30`, not `25:00`",
        ),
        ("branch", json!({}), "`choose` is missing"),
        ("wait", json!({ "time_to_wait": 1, "mode": "pook" }), "`mode` cannot be `pook`"),
    ] {
        let args: Vec<_> =
            args.as_object().unwrap().iter().map(|(key, value)| (key.clone(), Arg::Value(value.clone()))).collect();
        let errors = (all().catalog().by_name(name).unwrap().check)(&args);
        let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages, [expected]);
    }
}

#[test]
fn every_example_is_a_good_document() {
    for entry in all().entries() {
        let task = entry.example.replace('\n', "\n    ");
        // What the examples name.
        let mut others: String = ["load_a", "load_b"].map(|id| format!("  - id: {id}\n")).concat();
        if entry.spec.is_branch {
            let id = task.lines().next().unwrap().trim_start_matches("id: ");
            let after = ["big_load", "small_load", "rest", "work"];
            others.extend(after.map(|other| format!("  - {{ id: {other}, needs: [{id}] }}\n")));
        }
        let text = format!("dag_id: example\ntasks:\n{others}  - {}\n", task.trim_end());
        let source = flow_core::dag::Source { text: &text, stem: "example", ..Default::default() };
        let parsed = flow_core::dag::parse(&source, &all().catalog());
        assert_eq!(parsed.dags.len(), 1, "{}: {:#?}", entry.spec.name, parsed.diagnostics);
    }
}

/// Ends in the way it is told to.
#[derive(Debug, Deserialize, JsonSchema)]
struct Odd {
    way: String,
}

impl Operator for Odd {
    const NAME: &'static str = "odd";
    const SUMMARY: &'static str = "";
    const EXAMPLE: &'static str = "";

    async fn run(self, _: &mut TaskContext) -> Result<Done, OperatorError> {
        match self.way.as_str() {
            "panics" => panic!("boom"),
            "hangs" => std::future::pending().await,
            "map" => Ok(Done::success(json!({ "a": 1, "b": [2] }))),
            "large" => Ok(Done::success("x".repeat(xcom::MAX_BYTES + 1))),
            other => panic!("{other}"),
        }
    }
}

async fn odd(world: &World, way: &str) -> Run {
    let given = json!({ "way": way }).as_object().unwrap().clone();
    Run(Registry::default().with::<Odd>().run("odd", given, world.cx.clone()).await)
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let world = World::new();
    let failure = odd(&world, "panics").await.failed("operator `odd` panicked: boom").clone();
    assert_eq!(failure.cause, FailureCause::Other);
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_does_not_heed_a_cancel_is_left() {
    let world = World::new();
    world.cx.cancel.cancel();
    assert_eq!(odd(&world, "hangs").await.outcome(), &Outcome::Cancelled);
}

#[tokio::test]
async fn a_result_is_pushed_split_or_dropped_as_the_task_says() {
    let mut world = World::new();
    assert_eq!(odd(&world, "map").await.0.xcoms.len(), 1);
    world.cx.multiple_outputs = true;
    let finished = odd(&world, "map").await;
    assert_eq!((finished.xcom("b"), finished.0.xcoms.len()), (Some(&json!([2])), 3));
    world.cx.do_xcom_push = false;
    odd(&world, "map").await.succeeded_without_result();
}

#[tokio::test]
async fn a_result_that_is_too_large_fails_for_good() {
    odd(&World::new(), "large").await.failed_for_good("larger than 256 KiB; write the data to a file");
}

#[tokio::test]
async fn an_unknown_operator_and_bad_arguments_fail_for_good() {
    World::new().run("ghost", json!({})).await.failed_for_good("no operator `ghost`");
    World::new().run("bash", json!({ "bash_command": 5 })).await.failed_for_good("bad arguments");
}
